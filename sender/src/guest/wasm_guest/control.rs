use core::sync::atomic::{AtomicU32, Ordering};

/// The control block: see [`wasm`](crate::wasm#the-control-block). The host reads it, and
/// writes to it, while the guest does not run.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Control {
    generation: AtomicU32,
    address: AtomicU32,
    len: AtomicU32,
}

/// There is one for an instance.
pub(super) static CONTROL: Control =
    Control { generation: AtomicU32::new(0), address: AtomicU32::new(0), len: AtomicU32::new(0) };

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

    /// Notes how many bytes are in the buffer.
    #[allow(clippy::cast_possible_truncation)] // as above
    pub(super) fn set_len(&self, len: usize) {
        self.len.store(len as u32, Ordering::Relaxed);
    }
}
