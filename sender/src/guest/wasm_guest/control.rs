use core::sync::atomic::{AtomicU32, Ordering};

/// The control block: see [`wasm`](crate::wasm#the-control-block). The host reads it, and
/// writes to it, while the guest does not run.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Control {
    generation: AtomicU32,
    address: AtomicU32,
    len: AtomicU32,
    frames: AtomicU32,
    first: AtomicU32,
}

/// There is one for an instance.
pub(super) static CONTROL: Control = Control {
    generation: AtomicU32::new(0),
    address: AtomicU32::new(0),
    len: AtomicU32::new(0),
    frames: AtomicU32::new(0),
    first: AtomicU32::new(0),
};

impl Control {
    /// Generation of the host's filter.
    pub(super) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Says where the buffer is.
    #[allow(clippy::cast_possible_truncation)] // of 32 bits where there is a host
    pub(super) fn set_buffer<T>(&self, buffer: &'static [T]) {
        self.address.store(buffer.as_ptr() as usize as u32, Ordering::Relaxed);
    }

    /// Bytes in the buffer.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed) as usize
    }

    /// Number of the first frame in the buffer.
    pub(super) fn first(&self) -> u32 {
        self.first.load(Ordering::Relaxed)
    }

    /// Notes that a frame is in the buffer, which has this many bytes now.
    #[allow(clippy::cast_possible_truncation)] // as above
    pub(super) fn add_frame(&self, len: usize) {
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.len.store(len as u32, Ordering::Relaxed);
    }

    /// Notes that the host has what is in the buffer.
    pub(super) fn clear(&self) {
        // If it ends here, the host is told of no frame twice: there is none, or all are known.
        self.len.store(0, Ordering::Relaxed);
        self.first.fetch_add(self.frames.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Notes that a frame passes by the empty buffer.
    pub(super) fn pass_by(&self) {
        self.first.fetch_add(1, Ordering::Relaxed);
    }
}
