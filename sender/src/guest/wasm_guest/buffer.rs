//! Frames that wait to be sent.
//!
//! The guest may be stopped at any instruction, by an engine that counts them for example, and its host
//! may then read the buffer, or call the guest again. So a frame counts when it is there as a whole, and
//! a batch is in the buffer until the host has taken it. If the host cannot tell any more, it gets the
//! batch once more, and knows by the number of its first frame that it has it.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU8, Ordering};

use once_cell::race::OnceBox;

use super::{control::CONTROL, host};
use crate::wire::frame;

/// Bytes before each frame, which are its length.
const LEN_BYTES: usize = 4;

/// Memory that does not move, so that the host finds it without the help of the guest. Where frames
/// end is in [`CONTROL`].
static BUFFER: OnceBox<Box<[AtomicU8]>> = OnceBox::new();

/// Allocates the buffer, once.
pub(super) fn allocate(capacity: usize) {
    let buffer = BUFFER.get_or_init(|| {
        Box::new(core::iter::repeat_with(AtomicU8::default).take(capacity).collect())
    });
    CONTROL.set_buffer(buffer);
}

/// Adds a frame to the buffer, and sends what is in it when that is due.
pub(super) fn push(frame: &[u8]) {
    let Some(buffer) = BUFFER.get() else { return };
    let has_room = || {
        let end = frame.len().checked_add(CONTROL.len() + LEN_BYTES);
        end.is_some_and(|end| end <= buffer.len())
    };
    if !has_room() {
        flush();
    }
    let Ok(len) = u32::try_from(frame.len()) else { return }; // there is no such memory
    if !has_room() {
        CONTROL.pass_by();
        return host::send(frame);
    }
    let start = CONTROL.len();
    let bytes = len.to_le_bytes();
    for (place, byte) in buffer.iter().skip(start).zip(bytes.iter().chain(frame)) {
        place.store(*byte, Ordering::Relaxed);
    }
    CONTROL.add_frame(start + LEN_BYTES + frame.len());
    if frame::ends_handle(frame) {
        flush();
    }
}

/// Sends what is in the buffer.
pub(super) fn flush() {
    let batch = BUFFER.get().and_then(|buffer| buffer.get(..CONTROL.len()));
    let Some(batch) = batch.filter(|batch| !batch.is_empty()) else { return };
    host::send_batch(batch, CONTROL.first());
    if CONTROL.len() == batch.len() {
        CONTROL.clear();
    }
}
