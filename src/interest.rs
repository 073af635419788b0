//! Keeps `tracing-core` from deciding for a whole process what one thread's subscriber wants.
//!
//! `tracing-core` asks whether a call site is of interest when it is first reached, and caches the answer. While there
//! is one subscriber in the process, it asks the *current thread's* default. A thread without one answers "never", for
//! all threads and for good (`Rebuilder::JustOne` in `tracing-core`'s `callsite.rs`). With two or more subscribers, it
//! asks all of them. So this module adds two more, which stay.
//!
//! They answer "always". So the other subscribers decide the cached answer. It is "always" if all of them want each
//! record, and then they are not asked again. It is "sometimes" if they differ. The two make a difference only for a
//! call site that no other subscriber wants: natively, no subscriber is asked about it again, but here the thread's
//! subscriber is asked for each record. Their level is `OFF`, since `tracing` takes the most verbose level of all
//! subscribers, and these two want nothing.

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

/// Subscriber that receives nothing, since it is no thread's default.
struct Anchor;

impl Subscriber for Anchor {
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::always()
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
