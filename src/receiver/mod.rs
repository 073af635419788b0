//! Types around the receiver, which takes the records of a guest: scopes of guests, limits, errors, the decoder of frames.
//!
//! The [`TracingEventReceiver`] itself, its [`ReceiveError`] and its [`ReceiverLimits`] are at the root of the crate. You
//! need this module if your host does more than hand records over:
//!
//! | you want to | with |
//! |---|---|
//! | call the guest in the guest's spans | [`GuestScope`], from [`TracingEventReceiver::scope()`] |
//! | look into frames, without a receiver | [`FrameDecoder`] |
//! | know which limit a record exceeded | [`Limit`], in a [`ReceiveError`] |
//! | count the records that were refused | [`Refusals`], from [`TracingEventReceiver::refusals()`] |
//! | know why a stream cannot go on from where it was suspended | [`RestoreError`] |
//! | answer a guest that asks for your filter | [`FilterAnswer`], from [`TracingEventReceiver::answer()`] |
//!
//! # Life cycle
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
//! The receiver relays records to a subscriber, through `tracing`'s dispatcher, and leaks their call sites, since `tracing`
//! wants them static. Or it fills a storage [directly](TracingEventReceiver::capturing), and leaks nothing.
//! [`ReceiverLimits`] bound how much memory a stream takes; the receiver refuses a record that exceeds one.

// The inside: one state machine checks each record, and drives one of two sinks, the relay or the direct one.
//
// | file | content |
// |---|---|
// | `tracing_event_receiver.rs` | the public `TracingEventReceiver` |
// | `frame_decoder.rs` | the public `FrameDecoder`, which turns frames into events |
// | `stream.rs` | the state machine: checks each record, and drives a sink |
// | `sink.rs`, `told_sink.rs` | the interface of a sink |
// | `span.rs`, `stacks.rs`, `per_thread.rs` | its state: open spans, and the spans that each thread is in |
// | `parents.rs` | the parent rule, for live and for restored records |
// | `handles.rs` | when a span closes |
// | `scope.rs` | the public `GuestScope`: when the host runs its guest |
// | `unsent.rs` | records that a guest may not have sent |
// | `values.rs`, `field_names.rs`, `resolved_values.rs`, `span_values.rs` | values: from names or numbers to fields, and the values of open spans |
// | `persist.rs`, `restore.rs` | suspending a stream, and going on |
// | `attempt.rs` | going back to where it was suspended |
// | `limit.rs`, `limits.rs`, `limits.md` | the table of limits, and how to set them |
// | `error.rs`, `refusals.rs`, `loss.rs` | errors, their numbers, and their traces |
// | `relay/` | the sink that relays to a subscriber |
// | `call_sites.rs`, `value_set.rs` | call sites and values as `tracing` wants them |

mod attempt;
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
mod scope;
mod sink;
mod span;
mod span_values;
mod stacks;
mod stream;
mod told_sink;
mod tracing_event_receiver;
mod unsent;
mod value_set;
mod values;

pub(crate) use self::at_root::*;
pub use self::{
    frame_decoder::FrameDecoder,
    limit::Limit,
    refusals::Refusals,
    restore::RestoreError,
    scope::{GuestScope, InGuestScope},
};
#[doc(inline)]
pub use spanshot_sender::FilterAnswer;

/// The items that are public at the root of the crate.
pub(crate) mod at_root {
    pub use super::{
        error::ReceiveError,
        limits::ReceiverLimits,
        persist::{LocalSpans, PersistedMetadata, PersistedSpans},
        tracing_event_receiver::TracingEventReceiver,
    };
}
#[cfg(feature = "capture")]
pub(crate) use self::{
    relay::{
        RelayObserver, RelayObserverGuard, note_ended_subscriber, observe_guests, observe_losses,
        observe_relays,
    },
    sink::{Innermost, Sink, SinkParent, SinkSpan, SinkValues},
    unsent::{Unsent, WhyUnsent},
};
