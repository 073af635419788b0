//! Frames that wait to be sent.
//!
//! The guest may be stopped at any instruction, by an engine that counts them for example, and its host
//! may then read the buffer, or call the guest again. So one store of the length adds a frame, when it is
//! there as a whole; and only the host, which the guest cannot be stopped in, removes frames, when it has
//! read them.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU8, Ordering};

use once_cell::race::OnceBox;

use super::{control::CONTROL, host};
use crate::wire::frame;

/// Bytes before each frame, which are its length.
const LEN_BYTES: usize = 4;

/// Memory that does not move: the host finds it without the help of the guest. Where frames
/// end is in [`CONTROL`].
static BUFFER: OnceBox<Box<[AtomicU8]>> = OnceBox::new();

/// Allocates the buffer, once.
pub(super) fn allocate(capacity: usize) {
    let buffer = BUFFER.get_or_init(|| {
        Box::new(core::iter::repeat_with(AtomicU8::default).take(capacity).collect())
    });
    CONTROL.set_buffer(buffer);
}

/// Adds a frame to the buffer, and sends those in it when that is due.
pub(super) fn push(frame: &[u8]) {
    let Some(buffer) = BUFFER.get() else { return };
    let place = || {
        let start = CONTROL.len();
        let end = start.checked_add(LEN_BYTES)?.checked_add(frame.len())?;
        buffer.get(start..end).map(|place| (place, end))
    };
    let Ok(len) = u32::try_from(frame.len()) else { return }; // there is no such memory
    if place().is_none() {
        flush();
    }
    let Some((place, end)) = place() else { return host::send(frame) };
    let bytes = len.to_le_bytes();
    for (place, byte) in place.iter().zip(bytes.iter().chain(frame)) {
        place.store(*byte, Ordering::Relaxed);
    }
    CONTROL.set_len(end);
    if frame::ends_handle(frame) {
        flush();
    }
}

/// Sends the frames in the buffer.
pub(super) fn flush() {
    if CONTROL.len() > 0 {
        host::flush();
    }
}
