//! What `tracing`'s own tests expect by `tracing-mock`, asserted with a capture.
//!
//! Each test is about a behaviour that a test of `tracing` or of its attribute has; the code is another. The table in the
//! page of `spanshot::predicates` says how each expectation is written here.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    thread,
};

use spanshot::{
    Capture, CapturedEvent, Trace, assert_trace_snapshot,
    capture::ParentKind,
    predicates::{types::ParentKindPredicate, *},
};
use tracing::{
    Instrument, Level, Span, debug, error, error_span, event, field, info, info_span, instrument,
    span, trace, trace_span, warn,
};

use crate::support::native;

/// Asserts that the trace has these events and no others, in this order.
macro_rules! exact_events {
    ($trace:expr, $($event:expr),+ $(,)?) => {
        $trace.scan_events().exactly(&[$(&$event),+])
    };
}

/// Polls a future that is to be ready after so many times.
fn poll<F: Future>(future: F, times: usize) -> F::Output {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 1..times {
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready after {times} times"),
    }
}

/// A future that is pending once.
#[derive(Default)]
struct YieldOnce {
    has_yielded: bool,
}

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.has_yielded, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

mod span_handles {
    use super::*;

    #[test]
    fn span_is_entered_and_exited_as_often_as_code_runs_in_it() {
        let trace = native(|| {
            let span = info_span!("work");
            span.in_scope(|| ());
            span.in_scope(|| ());
        });
        assert_trace_snapshot!(trace.timeline_text(), @r"
        new span 1: INFO work{}
        span 1 work: entered
        span 1 work: exited
        span 1 work: entered
        span 1 work: exited
        span 1 work: closed
        ");
    }

    #[test]
    fn guard_exits_before_the_handle_is_dropped() {
        let trace = native(|| {
            let span = info_span!("work");
            {
                let _entered = span.enter();
                debug!("inside");
            }
            debug!("outside");
        });
        assert_trace_snapshot!(trace.timeline_text(), @r"
        new span 1: INFO work{}
        span 1 work: entered
        event in span 1 work: DEBUG inside
        span 1 work: exited
        event: DEBUG outside
        span 1 work: closed
        ");
    }

    #[test]
    fn entered_span_keeps_its_handle() {
        let trace = native(|| {
            let entered = info_span!("work").entered();
            let span = entered.exit();
            let again = span.entered();
            drop(again);
        });
        let work = name("work") & entered(2) & exited(2);
        trace.scan_spans().single(&(work & cloned(0) & dropped(1) & closed()));
    }

    #[test]
    fn dropping_a_span_drops_its_handle() {
        let capture = Capture::start();
        let span = info_span!("work");
        span.in_scope(|| ());
        capture.trace().scan_spans().single(&(name("work") & dropped(0) & !closed()));
        drop(span);
        capture.trace().scan_spans().single(&(name("work") & dropped(1) & closed()));
    }

    #[test]
    fn cloning_a_span_clones_its_handle() {
        let trace = native(|| {
            let span = info_span!("work");
            let clone = span.clone();
            drop(span);
            drop(clone);
        });
        trace.scan_spans().single(&(name("work") & cloned(1) & dropped(2) & closed()));
    }

    #[test]
    fn current_span_is_a_handle_of_its_own() {
        let trace = native(|| {
            info_span!("work").in_scope(|| drop(Span::current()));
        });
        trace.scan_spans().single(&(cloned(1) & dropped(2)));
    }

    #[test]
    fn handle_goes_to_the_subscriber_that_made_the_span() {
        let first = Capture::start();
        let span = info_span!("first");
        let second = Capture::start();
        let other = info_span!("second");
        drop(span.clone());
        span.in_scope(|| ());
        drop((span, other));
        second.finish().scan_spans().exactly(&[&(name("second") & cloned(0) & entered(0))]);
        first
            .finish()
            .scan_spans()
            .exactly(&[&(name("first") & cloned(1) & dropped(2) & entered(1))]);
    }

    #[test]
    fn handle_goes_to_its_subscriber_from_another_thread_as_well() {
        let capture = Capture::start();
        let span = info_span!("work");
        span.in_scope(|| ());
        let clone = span.clone();
        thread::spawn(move || clone.in_scope(|| ())).join().unwrap();
        drop(span);
        let trace = capture.finish();
        let work = trace.scan_spans().single(&(entered(2) & exited(2) & cloned(1) & dropped(2)));
        let threads: Vec<_> = work.enters().map(|moment| trace.thread_of(moment)).collect();
        assert_eq!(threads, [Some(0), Some(1)]);
    }

    #[test]
    fn span_closes_after_what_happened_in_it() {
        let trace = native(|| {
            info_span!("work").in_scope(|| debug!("in it"));
            debug!("after it");
        });
        assert_trace_snapshot!(trace.timeline_text(), @r"
        …
        event in span 1 work: DEBUG in it
        span 1 work: exited
        span 1 work: closed
        event: DEBUG after it
        ");
    }

    #[test]
    fn next_span_comes_after_the_event() {
        let trace = native(|| {
            info_span!("first").in_scope(|| info!("between"));
            info_span!("second").in_scope(|| ());
        });
        let (first, second) =
            (trace.scan_spans().single(&name("first")), trace.scan_spans().single(&name("second")));
        let between = trace.scan_events().single(&message("between"));
        assert!(first.moment() < between.moment() && between.moment() < second.moment());
    }

    #[test]
    fn a_span_follows_from_others() {
        let trace = native(|| {
            let causes = [info_span!("first"), info_span!("second")];
            let effect = info_span!("effect");
            for cause in &causes {
                effect.follows_from(cause);
            }
        });
        let effect = name("effect") & follows_from(name("first")) & follows_from(name("second"));
        trace.scan_spans().single(&effect);
        trace.scan_spans().count(2, &!follows_from(always()));
    }
}

mod values {
    use super::*;

    #[test]
    fn span_has_the_fields_that_it_was_created_with_and_only_these() {
        let trace = native(|| drop(info_span!("f", bar = "hello", baz = 5_u64, path = %"a/b")));
        let exact = only_fields(["bar", "baz", "path"]);
        let values = field("bar", "hello") & field("baz", 5) & field("path", "a/b");
        trace.scan_spans().single(&(name("f") & exact & values));
    }

    #[test]
    fn names_may_have_dots() {
        let trace = native(|| drop(info_span!("f", answer.of = 42)));
        trace.scan_spans().single(&(field("answer.of", 42) & only_fields(["answer.of"])));
    }

    #[test]
    fn debug_and_display_are_recorded_by_sigils() {
        let trace = native(|| {
            let (one, two) = (Some("x"), "y");
            drop(info_span!("f", ?one, %two));
        });
        let both = field("one", debug(&Some("x"))) & field("two", "y");
        trace.scan_spans().single(&(both & only_fields(["one", "two"])));
    }

    #[test]
    fn floats_are_floats() {
        let trace = native(|| drop(info_span!("f", x = 3.25, y = f64::MAX, z = -0.5_f32)));
        let of_type = |test: f64| value::<f64, _>(eq(test));
        let all =
            field("x", of_type(3.25)) & field("y", of_type(f64::MAX)) & field("z", of_type(-0.5));
        trace.scan_spans().single(&(all & only_fields(["x", "y", "z"])));
    }

    #[test]
    fn a_field_is_added_later() {
        let trace = native(|| {
            let span = info_span!("f", bar = 5, baz = field::Empty);
            span.record("baz", true);
            span.in_scope(|| ());
        });
        assert_trace_snapshot!(trace.timeline_text(), @r"
        new span 1: INFO f{bar=5}
        span 1 f: recorded baz=true
        span 1 f: entered
        …
        ");
        trace.scan_spans().single(&(field("bar", 5) & field("baz", true)));
    }

    #[test]
    fn fields_are_only_added_later() {
        let capture = Capture::start();
        let span = info_span!("f", bar = field::Empty, baz = field::Empty);
        capture.trace().scan_spans().single(&(name("f") & only_fields([])));
        span.record("bar", 5).record("baz", "b");
        capture.trace().scan_spans().single(&(name("f") & only_fields(["bar", "baz"])));
    }

    #[test]
    fn a_new_value_takes_the_place_of_the_old_one() {
        let trace = native(|| {
            let span = info_span!("f", bar = 5, baz = false);
            span.record("baz", true);
        });
        let span = trace.scan_spans().single(&(field("bar", 5) & field("baz", true)));
        assert!(
            span.recorded("baz").map(|(_, value)| value.as_bool()).eq([Some(false), Some(true)])
        );
        trace.scan_spans().single(&ever(field("baz", false)));
    }

    #[test]
    fn several_values_are_recorded_at_once() {
        let trace = native(|| {
            let span = info_span!("f", bar = 4, baz = false);
            tracing::record_all!(span, baz = true, bar = 5);
        });
        assert_trace_snapshot!(trace.timeline_text(), @r"
        new span 1: INFO f{bar=4 baz=false}
        span 1 f: recorded baz=true bar=5
        …
        ");
    }

    #[test]
    fn unknown_fields_are_not_recorded() {
        let trace = native(|| {
            info_span!("f", known = 1).record("unknown", 2);
        });
        trace.scan_spans().single(&(field("known", 1) & only_fields(["known"])));
    }

    #[test]
    fn options_are_values_or_none() {
        let trace = native(|| {
            let (some, none) = (Some(5), None::<u64>);
            info!(some, none, borrowed = Some(&"s"), "options");
        });
        let only = only_fields(["message", "some", "borrowed"]);
        let values = field("some", 5) & field("borrowed", "s") & field("none", None::<u64>);
        exact_events!(trace, only & values);
    }
}

mod parents {
    use super::*;

    fn of_kind(kind: ParentKind) -> ParentKindPredicate {
        parent_kind(kind)
    }

    #[test]
    fn span_without_a_current_one_is_a_contextual_root() {
        let trace = native(|| drop(info_span!("root")));
        trace.scan_spans().single(&(name("root") & of_kind(ParentKind::ContextualRoot)));
    }

    #[test]
    fn span_in_a_current_one_is_its_contextual_child() {
        let trace = native(|| info_span!("outer").in_scope(|| drop(info_span!("inner"))));
        let inner = name("inner") & of_kind(ParentKind::Contextual) & parent(name("outer"));
        trace.scan_spans().single(&inner);
    }

    #[test]
    fn explicit_root_is_one_whatever_is_current() {
        let trace = native(|| {
            drop(info_span!(parent: None, "alone"));
            info_span!("outer").in_scope(|| drop(info_span!(parent: None, "inside")));
        });
        let root = of_kind(ParentKind::ExplicitRoot) & !parent(always());
        trace.scan_spans().single(&(name("alone") & root));
        trace.scan_spans().single(&(name("inside") & root));
    }

    #[test]
    fn explicit_child_is_one_whatever_is_current() {
        let trace = native(|| {
            let outer = info_span!("outer");
            info_span!("other").in_scope(|| drop(info_span!(parent: &outer, "child")));
        });
        let child = name("child") & of_kind(ParentKind::Explicit) & parent(name("outer"));
        trace.scan_spans().single(&child);
    }

    #[test]
    fn explicit_children_have_each_level() {
        let trace = native(|| {
            let outer = info_span!("outer");
            drop(span!(parent: &outer, Level::TRACE, "a"));
            drop(span!(parent: outer.id(), Level::DEBUG, "b"));
            drop(info_span!(parent: &outer, "c"));
            drop(span!(parent: &outer, Level::WARN, "d"));
            drop(error_span!(parent: &outer, "e"));
        });
        let outer = trace.scan_spans().single(&name("outer"));
        let explicit = || of_kind(ParentKind::Explicit);
        outer.scan_spans().exactly(&[
            &(level(Level::TRACE) & explicit()),
            &(level(Level::DEBUG) & explicit()),
            &(level(Level::INFO) & explicit()),
            &(level(Level::WARN) & explicit()),
            &(level(Level::ERROR) & explicit()),
        ]);
    }

    #[test]
    fn events_have_parents_of_each_kind() {
        let trace = native(|| {
            let outer = info_span!("outer");
            event!(Level::INFO, "contextual root");
            outer.in_scope(|| {
                event!(Level::INFO, "contextual");
                event!(parent: None, Level::INFO, "explicit root");
            });
            event!(parent: &outer, Level::INFO, "explicit");
        });
        let in_outer = || parent(name("outer"));
        exact_events!(
            trace,
            message("contextual root") & of_kind(ParentKind::ContextualRoot) & !in_outer(),
            message("contextual") & of_kind(ParentKind::Contextual) & in_outer(),
            message("explicit root") & of_kind(ParentKind::ExplicitRoot) & !in_outer(),
            message("explicit") & of_kind(ParentKind::Explicit) & in_outer(),
        );
    }

    #[test]
    fn event_is_in_the_scope_of_several_spans() {
        let trace = native(|| {
            info_span!("a").in_scope(|| info_span!("b").in_scope(|| info!("deep")));
        });
        let deep =
            trace.scan_events().single(&(message("deep") & parent(name("b") & parent(name("a")))));
        assert!(deep.ancestors().map(|span| span.metadata().name()).eq(["b", "a"]));
    }
}

mod events {
    use super::*;

    #[test]
    fn event_has_a_message_and_nothing_else() {
        let trace = native(|| debug!("hello from {}", "tracing"));
        exact_events!(trace, message("hello from tracing") & only_fields(["message"]));
    }

    #[test]
    fn message_stands_beside_fields() {
        let trace = native(|| {
            let question = "life";
            debug!(answer = 42, question, "hello {}", question);
        });
        let values = field("answer", 42) & field("question", "life") & message("hello life");
        exact_events!(trace, values & only_fields(["answer", "question", "message"]));
    }

    #[test]
    fn event_has_level_target_name_and_fields() {
        let trace = native(|| {
            event!(
                name: "named",
                target: "custom",
                Level::ERROR,
                code = -1,
                flag = true,
                "everything"
            );
        });
        let named = satisfies("has its name", |event: &CapturedEvent<'_>| {
            event.metadata().name() == "named"
        });
        let place = level(Level::ERROR) & target(eq("custom")) & named;
        let values = message("everything") & field("code", -1) & field("flag", true);
        exact_events!(trace, place & values & only_fields(["message", "code", "flag"]));
    }

    #[test]
    fn events_come_in_order_and_there_are_no_others() {
        let trace = native(|| {
            trace!("one");
            debug!("two");
            info!("three");
            warn!("four");
            error!("five");
        });
        exact_events!(
            trace,
            level(Level::TRACE) & message("one"),
            level(Level::DEBUG) & message("two"),
            level(Level::INFO) & message("three"),
            level(Level::WARN) & message("four"),
            level(Level::ERROR) & message("five"),
        );
        trace.scan_spans().none(&always());
    }

    #[test]
    fn event_outside_of_a_span_is_in_none() {
        let trace = native(|| {
            debug!("outside");
            info_span!("work").in_scope(|| ());
        });
        exact_events!(trace, message("outside") & !parent(always()));
    }

    #[test]
    fn filtered_spans_and_events_are_not_there() {
        let capture = Capture::builder().filter("info").start();
        let hidden = trace_span!("hidden");
        assert!(hidden.is_disabled());
        hidden.in_scope(|| {
            debug!("hidden");
            info!("shown");
        });
        let trace = capture.finish();
        exact_events!(trace, message("shown") & parent_kind(ParentKind::ContextualRoot));
        trace.scan_spans().or_empty().none(&name("hidden"));
    }
}

mod attribute {
    use super::*;

    #[instrument(level = "debug", target = "custom", skip(secret), fields(extra = secret.len()))]
    fn with_arguments(number: u64, flag: bool, secret: &str) {
        debug!(target: "custom", "inside");
    }

    #[test]
    fn arguments_are_fields_but_for_those_that_are_skipped() {
        let trace = native(|| with_arguments(7, true, "hunter2"));
        let call = name("with_arguments") & level(Level::DEBUG) & target("custom");
        let values = field("number", 7) & field("flag", true) & field("extra", 7);
        let only = only_fields(["number", "flag", "extra"]);
        trace.scan_spans().single(&(call & values & only & entered(1) & dropped(1)));
        trace.assert_never_contains("hunter2");
        trace.scan_events().single(&parent(name("with_arguments")));
    }

    #[instrument(parent = parent, skip_all)]
    fn with_parent(parent: &Span) {}

    #[instrument(parent = None, skip_all)]
    fn without_parent() {}

    #[test]
    fn parent_is_named() {
        let trace = native(|| {
            let outer = info_span!("outer");
            info_span!("other").in_scope(|| {
                with_parent(&outer);
                without_parent();
            });
        });
        let explicit = parent_kind(ParentKind::Explicit) & parent(name("outer"));
        trace.scan_spans().single(&(name("with_parent") & explicit));
        let root = parent_kind(ParentKind::ExplicitRoot);
        trace.scan_spans().single(&(name("without_parent") & root));
    }

    #[instrument(follows_from = causes, skip_all)]
    fn with_causes(causes: &[Span]) {}

    #[test]
    fn causes_are_followed() {
        let trace = native(|| with_causes(&[info_span!("a"), info_span!("b")]));
        let follows = follows_from(name("a")) & follows_from(name("b"));
        trace.scan_spans().single(&(name("with_causes") & follows));
    }

    #[instrument(err)]
    fn fails() -> Result<u8, std::num::ParseIntError> {
        "x".parse()
    }

    #[instrument(ret(level = "warn"))]
    fn returns() -> i32 {
        42
    }

    #[test]
    fn errors_and_results_are_events_in_the_span() {
        let trace = native(|| {
            fails().unwrap_err();
            returns();
        });
        let failed = level(Level::ERROR) & field("error", "invalid digit found in string");
        let returned = level(Level::WARN) & field("return", debug(&42));
        exact_events!(trace, failed & parent(name("fails")), returned & parent(name("returns")));
    }

    #[instrument]
    async fn asynchronous() {
        YieldOnce::default().await;
        debug!("done");
    }

    #[test]
    fn async_function_is_in_its_span_while_it_is_polled() {
        let trace = native(|| poll(asynchronous(), 2));
        assert_trace_snapshot!(trace.timeline_text(), @r"
        new span 1: INFO asynchronous{}
        span 1 asynchronous: entered
        span 1 asynchronous: exited
        span 1 asynchronous: entered
        event in span 1 asynchronous: DEBUG done
        span 1 asynchronous: exited
        …
        span 1 asynchronous: closed
        ");
    }
}

mod futures {
    use super::*;

    #[test]
    fn instrumented_future_enters_its_span_at_each_poll_and_when_it_is_dropped() {
        let trace = native(|| poll(YieldOnce::default().instrument(info_span!("task")), 2));
        // Twice polled, and once dropped.
        trace.scan_spans().single(&(name("task") & entered(3) & exited(3) & dropped(1) & closed()));
    }

    #[test]
    fn what_is_traced_on_drop_is_in_the_span() {
        struct Noisy;

        impl Drop for Noisy {
            fn drop(&mut self) {
                info!("dropped");
            }
        }

        let trace = native(|| {
            let noisy = Noisy;
            let task = async move {
                let _noisy = noisy;
                YieldOnce::default().await;
            };
            drop(task.instrument(info_span!("task")));
        });
        exact_events!(trace, message("dropped") & parent(name("task")));
        trace.scan_spans().single(&(entered(1) & exited(1) & dropped(1)));
    }

    #[test]
    fn future_in_the_current_span_clones_its_handle() {
        let trace = native(|| {
            let task = info_span!("outer").in_scope(|| YieldOnce::default().in_current_span());
            poll(task, 2);
        });
        trace
            .scan_spans()
            .single(&(name("outer") & cloned(1) & dropped(2) & entered(4) & closed()));
    }

    #[test]
    fn futures_take_turns() {
        let trace = native(|| {
            let mut context = Context::from_waker(Waker::noop());
            let [mut a, mut b] = ["a", "b"]
                .map(|task| Box::pin(YieldOnce::default().instrument(info_span!("task", task))));
            for _ in 0..2 {
                let _ = a.as_mut().poll(&mut context);
                let _ = b.as_mut().poll(&mut context);
            }
        });
        assert_trace_snapshot!(trace.timeline_text(), @r#"
        new span 1: INFO task{task="a"}
        new span 2: INFO task{task="b"}
        span 1 task: entered
        span 1 task: exited
        span 2 task: entered
        span 2 task: exited
        span 1 task: entered
        …
        "#);
    }
}

/// Each expectation can fail: what it says otherwise is not so.
#[test]
fn expectations_are_not_met_by_something_else() {
    let trace: Trace = native(|| {
        let span = info_span!("work", answer = 42);
        span.in_scope(|| info!(parent: &span, "done"));
        drop(span.clone());
    });
    let spans = || trace.scan_spans();
    for refused in [
        spans().try_single(&only_fields([])),
        spans().try_single(&only_fields(["answer", "question"])),
        spans().try_single(&field("answer", 41)),
        spans().try_single(&parent_kind(ParentKind::ExplicitRoot)),
        spans().try_single(&(cloned(0) | cloned(2))),
        spans().try_single(&(dropped(1) | dropped(3))),
        spans().try_single(&(entered(0) | exited(0) | !closed())),
        spans().try_single(&follows_from(always())),
    ] {
        refused.unwrap_err();
    }
    trace.scan_events().try_single(&parent_kind(ParentKind::Contextual)).unwrap_err();
    trace.scan_events().try_single(&only_fields([])).unwrap_err();
    trace.scan_events().try_exactly(&[]).unwrap_err();
}
