//! Keeps `tracing-core` from deciding for a whole process what one thread's subscriber wants.
//!
//! Whether a call site is of interest is asked when it is first reached, and cached. While there
//! is one subscriber in the process, `tracing-core` asks the *current thread's* default: a thread
//! without one answers "never", for all threads and for good (`Rebuilder::JustOne` in
//! `tracing-core`'s `callsite.rs`). With two or more
//! it asks them all. So there are always two more here, which want nothing.
//!
//! With that, a subscriber is asked for each record. It could be spared that where there are only captures, if
//! these two answered what the captures do; but an answer that is cached or not makes a difference to filters of
//! single layers, and what one test captures would depend on which others are running.

use std::sync::OnceLock;

use tracing_core::{
    Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

/// Makes `tracing-core` ask all subscribers of the process about each call site, from now on.
pub(crate) fn ask_all_subscribers() {
    static ANCHORS: OnceLock<[Dispatch; 2]> = OnceLock::new();
    ANCHORS.get_or_init(|| [Dispatch::new(Anchor), Dispatch::new(Anchor)]);
}

/// Subscriber that wants nothing, and is no thread's default.
struct Anchor;

impl Subscriber for Anchor {
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn event(&self, _event: &Event<'_>) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}
