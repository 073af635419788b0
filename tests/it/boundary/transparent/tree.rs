//! Parents of spans and events, and the current span.

use tracing::{Instrument, Span, field::Empty, info, info_span, instrument};

use super::{block_on, check, yield_once};
use crate::support::events_of;

#[test]
fn contextual_parent_is_the_innermost_span_that_is_entered() {
    check(
        || {
            let _outer = info_span!("outer").entered();
            info!("in outer");
            let _inner = info_span!("inner").entered();
            info!("in inner");
        },
        "INFO outer{}\n├─ INFO in outer\n└─ INFO inner{}\n   └─ INFO in inner",
    );
}

#[test]
fn explicit_parent_is_one_whatever_is_entered() {
    check(
        || {
            let parent = info_span!("parent");
            let _entered = info_span!("entered").entered();
            let _child = info_span!(parent: &parent, "child");
            info!(parent: &parent, "event");
        },
        "INFO parent{}\n├─ INFO child{}\n└─ INFO event\nINFO entered{}",
    );
}

#[test]
fn parent_none_inside_an_entered_span_is_a_root() {
    check(
        || {
            let _entered = info_span!("entered").entered();
            let root = info_span!(parent: None, "root").entered();
            info!("in root");
            drop(root);
            info!(parent: None, "event");
            info!("in entered");
        },
        "INFO entered{}\n└─ INFO in entered\nINFO root{}\n└─ INFO in root\nINFO event",
    );
}

/// A subscriber can tell them apart, though the trees are the same.
#[test]
fn contextual_explicit_and_root_parents_are_three_things() {
    let contextual = || {
        let outer = info_span!("outer");
        let _entered = outer.enter();
        drop((info_span!("span"), info!("event")));
    };
    let explicit = || {
        let outer = info_span!("outer");
        let _entered = outer.enter();
        drop((info_span!(parent: &outer, "span"), info!(parent: &outer, "event")));
    };
    for program in [&contextual as &dyn Fn(), &explicit] {
        check(program, "INFO outer{}\n├─ INFO span{}\n└─ INFO event");
    }
    check(|| info!("event"), "INFO event");
    check(|| info!(parent: None, "event"), "INFO event");
    // `check` compares what a subscriber is told, of which this is what was sent.
    let [contextual, explicit] = [events_of(contextual), events_of(explicit)];
    assert!(!format!("{contextual:?}").contains("parent_id: Some(1)"));
    assert!(format!("{explicit:?}").contains("parent_id: Some(1)"));
}

#[test]
fn events_and_child_spans_stand_in_the_order_in_which_they_came() {
    check(
        || {
            let _outer = info_span!("outer").entered();
            info!("first");
            let span = info_span!("second");
            info!("third");
            drop(info_span!("fourth"));
            span.in_scope(|| info!("in second"));
            info!("fifth");
        },
        "INFO outer{}\n\
         ├─ INFO first\n\
         ├─ INFO second{}\n\
         │  └─ INFO in second\n\
         ├─ INFO third\n\
         ├─ INFO fourth{}\n\
         └─ INFO fifth",
    );
}

#[test]
fn span_follows_from_several_in_their_order() {
    check(
        || {
            let [a, b, c] = [info_span!("a"), info_span!("b"), info_span!("c")];
            c.follows_from(&b);
            c.follows_from(&a);
        },
        "INFO a{}\nINFO b{}\nINFO c{} (follows from b, a)",
    );
}

#[test]
fn values_are_recorded_into_the_current_span() {
    check(
        || {
            let _outer = info_span!("outer", late = Empty).entered();
            let inner = info_span!("inner", late = Empty);
            inner.in_scope(|| {
                Span::current().record("late", 1);
            });
            Span::current().record("late", 2);
        },
        "INFO outer{late=2}\n└─ INFO inner{late=1}",
    );
}

#[test]
fn current_span_is_an_explicit_parent_elsewhere() {
    check(
        || {
            let current = info_span!("outer").in_scope(Span::current);
            let _elsewhere = info_span!("elsewhere").entered();
            let _child = info_span!(parent: &current, "child");
            info!(parent: &current, "event");
        },
        "INFO outer{}\n├─ INFO child{}\n└─ INFO event\nINFO elsewhere{}",
    );
}

#[test]
fn future_in_the_current_span_enters_it_at_each_poll() {
    check(
        || {
            let future = async {
                info!("first");
                yield_once().await;
                info!("second");
            };
            let future = info_span!("outer").in_scope(|| future.in_current_span());
            let _elsewhere = info_span!("elsewhere").entered();
            block_on(future);
        },
        "INFO outer{}\n├─ INFO first\n└─ INFO second\nINFO elsewhere{}",
    );
}

#[test]
fn futures_that_are_polled_in_turns_are_each_in_their_span() {
    async fn task(name: &str) {
        info!("{name} begins");
        yield_once().await;
        info!("{name} ends");
    }

    check(
        || {
            let mut a = Box::pin(task("a").instrument(info_span!("a")));
            let mut b = Box::pin(task("b").instrument(info_span!("b")));
            assert!(super::poll(a.as_mut()).is_pending());
            assert!(super::poll(b.as_mut()).is_pending());
            assert!(super::poll(a.as_mut()).is_ready());
            assert!(super::poll(b.as_mut()).is_ready());
        },
        "INFO a{}\n├─ INFO a begins\n└─ INFO a ends\nINFO b{}\n├─ INFO b begins\n└─ INFO b ends",
    );
}

#[test]
fn or_current_is_the_current_span_in_place_of_a_disabled_one() {
    check(
        || {
            let span = info_span!("outer", late = Empty).in_scope(|| Span::none().or_current());
            let other = span.in_scope(|| info_span!("other").or_current());
            let _elsewhere = info_span!("elsewhere").entered();
            span.record("late", 1);
            span.in_scope(|| info!("in outer"));
            other.in_scope(|| info!("in other"));
        },
        "INFO outer{late=1}\n\
         ├─ INFO other{}\n\
         │  └─ INFO in other\n\
         └─ INFO in outer\n\
         INFO elsewhere{}",
    );
}

#[test]
fn instrumented_function_records_late_fields() {
    #[instrument(fields(late = Empty))]
    fn instrumented(input: u8) {
        info!("inside");
        Span::current().record("late", "recorded");
    }

    check(|| instrumented(3), "INFO instrumented{input=3 late=\"recorded\"}\n└─ INFO inside");
}

#[test]
fn instrumented_async_function_records_late_fields() {
    #[instrument(fields(late = Empty))]
    async fn instrumented(input: u8) {
        info!("inside");
        yield_once().await;
        Span::current().record("late", "recorded");
        info!("again");
    }

    check(
        || block_on(instrumented(3)),
        "INFO instrumented{input=3 late=\"recorded\"}\n├─ INFO inside\n└─ INFO again",
    );
}

#[test]
fn instrumented_function_traces_what_it_returns() {
    #[instrument(ret, err)]
    fn instrumented(input: &str) -> Result<u8, std::num::ParseIntError> {
        input.parse::<u8>()
    }

    check(
        || drop((instrumented("7"), instrumented("x"))),
        "INFO instrumented{input=\"7\"}\n\
         └─ INFO return=7\n\
         INFO instrumented{input=\"x\"}\n\
         └─ ERROR error=invalid digit found in string",
    );
}
