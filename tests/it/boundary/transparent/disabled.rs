//! A span that the host disables is passed over.

use tracing::{debug, debug_span, field::Empty, info, info_span};
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::filters::check_filter;
use crate::support::on_thread;

/// Checks what is left of a program where only levels down to `INFO` are enabled.
#[track_caller]
fn check(program: impl Fn(), tree: &str) {
    check_filter(|| LevelFilter::INFO, program, tree);
}

#[test]
fn contextual_children_of_a_disabled_span_are_in_the_nearest_enabled_one_around() {
    check(
        || {
            let _outer = info_span!("outer").entered();
            let _disabled = debug_span!("disabled").entered();
            let _likewise = debug_span!("likewise").entered();
            info!("event");
            let _child = info_span!("child").entered();
            info!("in child");
        },
        "INFO outer{}\n├─ INFO event\n└─ INFO child{}\n   └─ INFO in child",
    );
}

#[test]
fn contextual_children_of_a_disabled_span_are_roots_where_none_around_is_enabled() {
    check(
        || {
            let _disabled = debug_span!("disabled").entered();
            info!("event");
            let _child = info_span!("child").entered();
            info!("in child");
        },
        "INFO event\nINFO child{}\n└─ INFO in child",
    );
}

#[test]
fn explicit_children_of_a_disabled_span_are_roots() {
    check(
        || {
            let _outer = info_span!("outer").entered();
            let disabled = debug_span!("disabled");
            info!(parent: &disabled, "event");
            drop(info_span!(parent: &disabled, "child"));
        },
        "INFO outer{}\nINFO event\nINFO child{}",
    );
}

#[test]
fn records_into_a_disabled_span_are_nothing() {
    check(
        || {
            let _outer = info_span!("outer", late = Empty).entered();
            let disabled = debug_span!("disabled", late = Empty);
            disabled.record("late", 1).record("late", "again");
            disabled.in_scope(|| info!("event"));
        },
        "INFO outer{}\n└─ INFO event",
    );
}

#[test]
fn enters_and_exits_of_a_disabled_span_are_nothing() {
    check(
        || {
            let (outer, disabled) = (info_span!("outer"), debug_span!("disabled"));
            let (in_disabled, in_outer) = (disabled.enter(), outer.enter());
            disabled.in_scope(|| info!("entered again"));
            drop(in_disabled);
            info!("exited out of order");
            drop(in_outer);
            info!("in none");
        },
        "INFO outer{}\n├─ INFO entered again\n└─ INFO exited out of order\nINFO in none",
    );
}

#[test]
fn handles_of_a_disabled_span_are_nothing() {
    check(
        || {
            let outer = info_span!("outer");
            let disabled = outer.in_scope(|| debug_span!("disabled"));
            let clone = disabled.clone();
            drop((outer, disabled)); // it does not keep `outer` open
            clone.in_scope(|| info!("event"));
            drop(clone);
        },
        "INFO outer{}\nINFO event",
    );
}

#[test]
fn disabled_span_follows_from_none_and_none_from_it() {
    check(
        || {
            let (span, disabled) = (info_span!("span"), debug_span!("disabled"));
            span.follows_from(&disabled);
            disabled.follows_from(&span);
        },
        "INFO span{}",
    );
}

#[test]
fn what_is_disabled_in_an_enabled_span_is_left_out() {
    check(
        || {
            let _outer = info_span!("outer").entered();
            debug!("left out");
            debug_span!("left out").in_scope(|| debug!("left out"));
            info!("event");
        },
        "INFO outer{}\n└─ INFO event",
    );
}

#[test]
fn disabled_span_on_another_thread_is_passed_over() {
    check(
        || {
            let _outer = info_span!("outer").entered();
            on_thread(|| {
                let _disabled = debug_span!("disabled").entered();
                info!("event");
                info_span!("span")
                    .in_scope(|| debug_span!("disabled").in_scope(|| info!("in span")));
            });
            info!("in outer");
        },
        "INFO outer{}\n\
         └─ INFO in outer\n\
         INFO event\n\
         INFO span{}\n\
         └─ INFO in span",
    );
}

#[test]
fn span_of_a_disabled_target_is_passed_over() {
    check_filter(
        || Targets::new().with_default(LevelFilter::TRACE).with_target("off", None),
        || {
            let _outer = info_span!("outer").entered();
            let _disabled = info_span!(target: "off", "disabled").entered();
            info_span!("inner").in_scope(|| info!(target: "off", "left out"));
        },
        "INFO outer{}\n└─ INFO inner{}",
    );
}
