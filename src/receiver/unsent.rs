//! Records that a guest may have traced, and that have not come to its host.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What a host knows of the records that one of its guests does not send. The guest's scope and the captures that watch
/// the guest share it: these look at it whenever a trace is read.
///
/// A guest that asks for the host's filter remembers which call sites nobody wants. It does not ask again until it is
/// told that the filter is another one, which takes its memory. So when its records go to another capture, it may run
/// in silence:
///
/// ```text
/// told never   a call site is not wanted: the guest has no reason to call its host
/// relay here   another capture: what the guest knows is of the earlier one
/// run          it may trace what this capture wants, and send nothing: records may be missing
/// tell filter  it asks anew from now on
/// ```
///
/// A guest that buffers may have something in its buffer whenever it has run since that was read. Which code runs in a
/// call of the guest, the host cannot tell: the guest, or a function of the host that the guest calls. So the buffer
/// counts as read only until the call ends.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    /// Whether the guest buffers.
    buffers: AtomicBool,
    /// Whether it has run since its buffer was read.
    has_run: AtomicBool,
    /// Whether the guest was told that something is not wanted, and has not been told of another filter since.
    knows_unwanted: AtomicBool,
    /// Whether it knows that from an earlier capture than that which watches it.
    is_outdated: AtomicBool,
    /// Whether it has run while that was so.
    has_run_outdated: AtomicBool,
    /// Whether a capture watches it.
    #[cfg_attr(not(feature = "capture"), allow(dead_code))]
    is_watched: AtomicBool,
}

/// Why records of a guest may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "capture"), allow(dead_code))]
pub(crate) enum WhyUnsent {
    OutdatedFilter,
    UnreadBuffer,
}

impl Unsent {
    /// Notes that the guest runs.
    pub(super) fn note_run(&self) {
        self.has_run.store(true, Relaxed);
        if self.is_outdated.load(Relaxed) {
            self.has_run_outdated.store(true, Relaxed);
        }
    }

    /// Notes that a call of the guest ends: the buffer may have been read in the middle of it.
    pub(super) fn note_end(&self) {
        self.has_run.store(true, Relaxed);
    }

    /// Notes whether the guest buffers.
    pub(crate) fn set_buffers(&self, buffers: bool) {
        self.buffers.store(buffers, Relaxed);
    }

    pub(crate) fn buffers(&self) -> bool {
        self.buffers.load(Relaxed)
    }

    /// Notes that the buffer is empty.
    pub(super) fn note_read(&self) {
        self.has_run.store(false, Relaxed);
    }

    /// Notes that the guest learns that something is not wanted.
    pub(crate) fn note_unwanted(&self) {
        self.knows_unwanted.store(true, Relaxed);
    }

    pub(crate) fn knows_unwanted(&self) -> bool {
        self.knows_unwanted.load(Relaxed)
    }

    /// Whether the guest has to be told of the filter.
    pub(crate) fn is_outdated(&self) -> bool {
        self.is_outdated.load(Relaxed)
    }

    /// Notes that the guest was told of the filter.
    pub(crate) fn note_told(&self) {
        self.knows_unwanted.store(false, Relaxed);
        self.is_outdated.store(false, Relaxed);
    }

    /// Notes that the guest is restored, with what it knew, unless a capture has watched it until now.
    pub(crate) fn note_restored(&self, knows_unwanted: bool, buffers: bool) {
        if !self.is_watched.load(Relaxed) {
            self.buffers.store(buffers, Relaxed);
            self.has_run.store(buffers, Relaxed); // its memory may have come with a full buffer
            self.knows_unwanted.store(knows_unwanted, Relaxed);
            self.is_outdated.store(knows_unwanted, Relaxed);
        }
    }
}

#[cfg(feature = "capture")]
impl Unsent {
    /// Says why records may be missing, if some may.
    pub(crate) fn why(&self) -> Option<WhyUnsent> {
        if self.has_run_outdated.load(Relaxed) {
            Some(WhyUnsent::OutdatedFilter)
        } else if self.buffers() && self.has_run.load(Relaxed) {
            Some(WhyUnsent::UnreadBuffer)
        } else {
            None
        }
    }

    /// Forgets what belongs to a trace that was taken.
    pub(crate) fn go_on(&self) {
        self.has_run_outdated.store(self.is_outdated(), Relaxed);
    }

    /// Notes that a capture watches the guest. Returns what that is to look at, if another one has watched the guest
    /// before, which keeps this.
    pub(crate) fn begin_watch(&self) -> Option<Self> {
        let knows_unwanted = self.knows_unwanted();
        self.is_watched.swap(true, Relaxed).then(|| Self {
            buffers: self.buffers().into(),
            has_run: self.has_run.load(Relaxed).into(),
            knows_unwanted: knows_unwanted.into(),
            is_outdated: knows_unwanted.into(),
            has_run_outdated: false.into(),
            is_watched: true.into(),
        })
    }
}

#[cfg(feature = "capture")]
impl WhyUnsent {
    /// Returns a description of the problem.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::OutdatedFilter => {
                "a guest that asks for the filter has run with answers from an earlier capture, so that it may have \
                 sent too little"
            }
            Self::UnreadBuffer => {
                "a guest that buffers has run since its buffer was read, so that its last records may be missing"
            }
        }
    }

    /// Returns the remedy.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::OutdatedFilter => {
                "call `GuestTrace::tell_filter(memory)` right after `relay_here()` or `restore()`, before you call the \
                 guest"
            }
            Self::UnreadBuffer => {
                "call `GuestTrace::read_buffer(memory)` after each call of the guest, when its scope has ended"
            }
        }
    }
}
