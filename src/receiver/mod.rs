//! The receiving side: takes a stream of records, and replays it.
//!
//! A module under test, its host and its test seldom live equally long. The module may be
//! suspended in the middle of a span, its host may be restarted, and it may go on in another
//! process; or it may trap, and never close what it opened. So a [`TracingEventReceiver`] has a
//! life cycle:
//!
//! 1. It is created empty, or [restored](TracingEventReceiver::new) from what an earlier one left.
//! 2. It takes records, as [events](TracingEventReceiver::try_receive) or as
//!    [frames](TracingEventReceiver::receive_encoded), each checked before it has any effect: a
//!    module may be broken, or hostile.
//! 3. It is [persisted](TracingEventReceiver::persist), which keeps open spans open, or dropped,
//!    which rolls the execution back: what it entered is exited, what it opened is closed.
//!
//! What it makes of the records is up to its sink. A relay gives them to a subscriber, through
//! `tracing`'s dispatcher and with call sites that are leaked, since `tracing` wants them static.
//! The direct way fills a storage, and leaks nothing.
//!
//! What a stream makes a receiver hold is bounded by its [`ReceiverLimits`]. What exceeds one is refused, as
//! everything is that does not fit what came before; how much that was, [`Refusals`] tell, and on request the
//! trace itself.

mod call_sites;
mod error;
mod field_names;
mod frame_decoder;
mod handles;
mod limit;
mod limits;
mod loss;
mod parents;
mod per_thread;
mod persist;
mod refusals;
mod relay;
mod resolved_values;
mod restore;
mod sink;
mod span;
mod span_values;
mod stacks;
mod stream;
mod told_sink;
mod tracing_event_receiver;
mod value_set;
mod values;

pub use self::frame_decoder::FrameDecoder;
#[cfg(feature = "capture")]
pub(crate) use self::sink::{Innermost, Sink, SinkParent, SinkSpan, SinkValues};
pub use self::{
    error::ReceiveError,
    limit::Limit,
    limits::ReceiverLimits,
    persist::{LocalSpans, PersistedMetadata, PersistedSpans},
    refusals::Refusals,
    restore::RestoreError,
    tracing_event_receiver::TracingEventReceiver,
};
