//! A program that is suspended goes on in other hands, as if nothing had happened.
//!
//! Here are the spans, one thing at a time; programs that are suspended at every boundary are in
//! `persistence`, and, going on in another process, in a binary of their own.

use spanshot::{Capture, CapturedSpan};
use tracing::{Span, debug_span, field::Empty, info, info_span, level_filters::LevelFilter};

use crate::{
    boundary::persistence::{ALL, Suspended, check_anew},
    support::{current_dispatch, feed_frames, frames_of},
};

#[test]
fn restored_span_is_still_entered_and_may_be_exited() {
    check_anew(
        ALL,
        || {
            let (outer, inner) = (info_span!("outer").entered(), info_span!("inner").entered());
            info!("suspend");
            drop(inner);
            info!("in outer");
            drop(outer);
            info!("in none");
        },
        "INFO host{}\n\
         ├─ INFO outer{}\n\
         │  ├─ INFO inner{}\n\
         │  │  └─ INFO suspend\n\
         │  └─ INFO in outer\n\
         └─ INFO in none",
    );
}

#[test]
fn restored_span_is_entered_again() {
    check_anew(
        ALL,
        || {
            let span = info_span!("span");
            info!("suspend");
            span.in_scope(|| info!("in span"));
        },
        "INFO host{}\n├─ INFO span{}\n│  └─ INFO in span\n└─ INFO suspend",
    );
}

#[test]
fn restored_span_is_an_explicit_parent() {
    check_anew(
        ALL,
        || {
            let span = info_span!("span");
            info!(parent: &span, "suspend");
            drop(info_span!(parent: &span, "child"));
        },
        "INFO host{}\n└─ INFO span{}\n   ├─ INFO suspend\n   └─ INFO child{}",
    );
}

#[test]
fn restored_span_has_what_was_recorded_and_is_recorded_into() {
    check_anew(
        ALL,
        || {
            let span = info_span!("span", a = 1, b = 2, c = Empty, d = Empty, e = Empty);
            span.record("b", "overwritten").record("c", 3);
            info!("suspend");
            span.record("a", true).record("d", 4);
            span.in_scope(|| {
                Span::current().record("e", 5);
            });
        },
        "INFO host{}\n├─ INFO span{a=true b=\"overwritten\" c=3 d=4 e=5}\n└─ INFO suspend",
    );
}

#[test]
fn restored_span_keeps_its_contextual_parent() {
    check_anew(
        ALL,
        || {
            let parent = info_span!("parent");
            let child = parent.in_scope(|| info_span!("child"));
            let _elsewhere = info_span!("elsewhere").entered();
            info!("suspend");
            drop((child, parent));
        },
        "INFO host{}\n\
         ├─ INFO parent{}\n\
         │  └─ INFO child{}\n\
         └─ INFO elsewhere{}\n   \
            └─ INFO suspend",
    );
}

#[test]
fn restored_span_keeps_its_explicit_parent() {
    check_anew(
        ALL,
        || {
            let parent = info_span!("parent");
            let _elsewhere = info_span!("elsewhere").entered();
            let child = info_span!(parent: &parent, "child");
            info!("suspend");
            drop((child, parent));
        },
        "INFO host{}\n\
         ├─ INFO parent{}\n\
         │  └─ INFO child{}\n\
         └─ INFO elsewhere{}\n   \
            └─ INFO suspend",
    );
}

#[test]
fn restored_span_keeps_a_parent_that_only_it_keeps_open() {
    check_anew(
        ALL,
        || {
            let child = info_span!("parent").in_scope(|| info_span!("child"));
            info!(parent: &child, "suspend");
        },
        "INFO host{}\n└─ INFO parent{}\n   └─ INFO child{}\n      └─ INFO suspend",
    );
}

/// A span that is disabled keeps no parent open. It is enabled where it is restored.
#[test]
fn restored_span_whose_parent_has_closed_makes_no_trouble() {
    check_anew(
        [LevelFilter::INFO, LevelFilter::TRACE],
        || {
            let child = info_span!("parent").in_scope(|| debug_span!("child"));
            info!("suspend");
            child.in_scope(|| info!("in child"));
        },
        "INFO host{}\n├─ DEBUG child{}\n│  └─ INFO in child\n└─ INFO suspend",
    );
}

/// As it is without the suspension.
#[test]
fn restored_thread_in_a_closed_span_is_in_none_whatever_is_around_it() {
    check_anew(
        ALL,
        || {
            let outer = info_span!("outer").entered();
            let span = info_span!("span");
            let (dispatch, id) = (current_dispatch(), span.id().unwrap());
            dispatch.enter(&id);
            drop(span);
            info!("suspend");
            dispatch.exit(&id);
            info!("in outer");
            drop(outer);
        },
        "INFO host{}\n└─ INFO outer{}\n   └─ INFO in outer\nINFO suspend",
    );
}

#[test]
fn restored_span_is_closed_with_its_last_handle() {
    let frames = frames_of(|| {
        let span = info_span!("span");
        let clone = span.clone();
        info!("suspend");
        drop(span);
        drop(clone);
    });
    let suspended = {
        let _capture = Capture::start();
        Suspended::after(&frames[..frames.len() - 2])
    };
    let capture = Capture::start();
    let mut receiver = suspended.go_on_anew();
    let is_closed = |span: CapturedSpan<'_>| span.stats().is_closed;
    for (frame, expected) in frames[frames.len() - 2..].iter().zip([false, true]) {
        feed_frames(std::slice::from_ref(frame))(&mut receiver);
        assert_eq!(capture.trace().all_spans().map(is_closed).collect::<Vec<_>>(), [expected]);
    }
}
