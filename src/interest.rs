//! Keeps `tracing-core` from deciding for a whole process what one thread's subscriber wants.
//!
//! Whether a call site is of interest is asked when it is first reached, and cached. While there
//! is one subscriber in the process, `tracing-core` asks the *current thread's* default: a thread
//! without one answers "never", for all threads and for good (`Rebuilder::JustOne` in
//! `tracing-core`'s `callsite.rs`). With two or more
//! it asks them all. So there are always two more here.
//!
//! What these two answer never changes what a subscriber gets: where answers differ, `tracing` asks the
//! subscriber of the thread each time. They answer what the captures of the process do together, so that it
//! need not ask where there is nothing else.

#[cfg(feature = "capture")]
use alloc::{
    sync::{Arc, Weak},
    vec::Vec,
};
use std::sync::OnceLock;

#[cfg(feature = "capture")]
use parking_lot::Mutex;
use tracing_core::{
    Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

/// Makes `tracing-core` ask all subscribers of the process about each call site, from now on.
pub(crate) fn ask_all_subscribers() {
    static ANCHORS: OnceLock<[Dispatch; 2]> = OnceLock::new();
    ANCHORS.get_or_init(|| [Dispatch::new(Anchor), Dispatch::new(Anchor)]);
}

/// What a capture wants: what passes a filter, or everything.
#[cfg(feature = "capture")]
pub(crate) type Wanted = Option<tracing_subscriber::filter::Targets>;

/// What the captures want that are there. One that is dropped is over.
#[cfg(feature = "capture")]
static WANTED: Mutex<Vec<Weak<Wanted>>> = Mutex::new(Vec::new());

/// Does so for a capture, as long as it keeps what it wants.
#[cfg(feature = "capture")]
pub(crate) fn ask_all_subscribers_for(wanted: &Arc<Wanted>) {
    ask_all_subscribers();
    let mut all = WANTED.lock();
    all.retain(|wanted| wanted.strong_count() > 0);
    all.push(Arc::downgrade(wanted));
}

/// What all captures answer together.
#[cfg(feature = "capture")]
fn interest(metadata: &Metadata<'_>) -> Interest {
    let is_wanted = |wanted: Arc<Wanted>| {
        let filter = (*wanted).as_ref();
        filter.is_none_or(|filter| filter.would_enable(metadata.target(), metadata.level()))
    };
    let all = WANTED.lock();
    let mut answers = all.iter().filter_map(Weak::upgrade).map(is_wanted);
    match answers.next() {
        Some(first) if answers.any(|other| other != first) => Interest::sometimes(),
        Some(true) => Interest::always(),
        Some(false) | None => Interest::never(),
    }
}

#[cfg(not(feature = "capture"))]
fn interest(_metadata: &Metadata<'_>) -> Interest {
    Interest::never()
}

/// Subscriber that is no thread's default.
struct Anchor;

impl Subscriber for Anchor {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        interest(metadata)
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
