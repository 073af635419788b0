//! The subscribers: how records of `tracing`, and of a guest's stream, come into a storage.
//!
//! | file | contents |
//! |---|---|
//! | `own.rs` | the subscriber of a capture that a thread has started |
//! | `layer.rs` | the layer for the user's own subscribers |
//! | `layered.rs` | the subscriber of a capture next to layers of the user |
//! | `process_wide.rs` | captures of a whole process |
//! | `process_wide_subscriber.rs`, `process_wide_layer.rs` | the subscriber that they share, and the layer for the user's own one |
//! | `owner.rs`, `test_span.rs` | the test that a record belongs to, and the test that a thread runs |
//! | `direct.rs` | the sink of a receiver that captures without a subscriber |
//! | `collect.rs`, `log_echo.rs` | the values of a record; records of the `log` crate that repeat an event |
//! | `spans.rs` | the spans of a capture under the IDs that its subscriber hands out |
//! | `thread_spans.rs` | the spans that the current thread is in |

pub(crate) mod collect;
mod direct;
pub(crate) mod layer;
pub(crate) mod layered;
#[cfg(feature = "log")]
mod log_echo;
pub(crate) mod own;
pub(crate) mod owner;
pub(crate) mod process_wide;
pub(crate) mod process_wide_layer;
pub(crate) mod process_wide_subscriber;
pub(crate) mod spans;
pub(crate) mod test_span;
pub(crate) mod thread_spans;

use core::fmt;

use tracing_core::Dispatch;

use self::{
    layered::LayeredSubscriber, own::CaptureSubscriber, process_wide_layer::ProcessWideLayer,
    process_wide_subscriber::ProcessWideSubscriber,
};
use alloc::sync::Arc;

use crate::{
    capture::SharedStorage,
    interest,
    receiver::{Unsent, observe_guests, observe_losses},
};

/// Prepares the process for a subscriber that captures.
pub(crate) fn prepare() {
    interest::ask_all_subscribers();
    observe_losses(note_lost);
    observe_guests(watch_guest);
}

/// Has a trace look at what a guest may not have sent.
fn watch_guest(dispatch: &Dispatch, guest: &mut Arc<Unsent>) {
    if let Some(storage) = storage_of(dispatch) {
        storage.watch_guest(guest);
    } else if dispatch.is::<ProcessWideSubscriber>() || dispatch.is::<ProcessWideLayer>() {
        owner::of_thread().storage().watch_guest(guest);
    }
}

/// Notes in a trace that a record was lost on its way there.
fn note_lost(dispatch: &Dispatch, reason: &dyn fmt::Display) {
    if let Some(storage) = storage_of(dispatch) {
        storage.note_lost(reason);
    } else if dispatch.is::<ProcessWideSubscriber>() || dispatch.is::<ProcessWideLayer>() {
        owner::of_thread().storage().note_lost(reason);
    }
}

/// Checks whether two subscribers of captures are the same one.
pub(crate) fn are_same(one: &Dispatch, other: &Dispatch) -> bool {
    fn are_same_as<T: 'static>(one: &Dispatch, other: &Dispatch) -> bool {
        let address = |dispatch: &Dispatch| dispatch.downcast_ref::<T>().map(core::ptr::from_ref);
        address(one).is_some() && address(one) == address(other)
    }
    are_same_as::<CaptureSubscriber>(one, other)
        || are_same_as::<LayeredSubscriber>(one, other)
        || are_same_as::<ProcessWideSubscriber>(one, other)
        || are_same_as::<ProcessWideLayer>(one, other)
}

/// Finds the storage of a subscriber. The subscriber of process-wide captures has none.
pub(crate) fn storage_of(dispatch: &Dispatch) -> Option<&SharedStorage> {
    let own = dispatch.downcast_ref::<CaptureSubscriber>().map(CaptureSubscriber::storage);
    own.or_else(|| dispatch.downcast_ref::<SharedStorage>()) // that of a `CaptureLayer`
}

/// Returns the subscriber that gets the records in the end.
pub(crate) fn in_effect(dispatch: &Dispatch) -> &Dispatch {
    let own = dispatch.downcast_ref::<CaptureSubscriber>();
    own.and_then(|own| process_wide::after_end(own.storage())).unwrap_or(dispatch)
}

/// Checks whether a subscriber belongs to captures only, none of which takes records of the current thread.
pub(crate) fn has_ended(dispatch: &Dispatch) -> bool {
    let dispatch = in_effect(dispatch);
    if let Some(process_wide) = dispatch.downcast_ref::<ProcessWideSubscriber>() {
        return process_wide.has_no_capture_here();
    }
    let is_own = dispatch.is::<CaptureSubscriber>() || dispatch.is::<LayeredSubscriber>();
    is_own && storage_of(dispatch).is_some_and(SharedStorage::has_ended)
}

/// Checks whether this is the subscriber of a capture, or of all process-wide captures.
pub(crate) fn is_of_capture(dispatch: &Dispatch) -> bool {
    dispatch.is::<CaptureSubscriber>()
        || dispatch.is::<LayeredSubscriber>()
        || dispatch.is::<ProcessWideSubscriber>()
        || dispatch.is::<ProcessWideLayer>()
}
