//! All hosts of the process, by the numbers that are their contexts.
//!
//! A context that is a number can be stale, and no harm is done: a thread that a library has left
//! running may send its frames to a host that is gone.

use alloc::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    vec::Vec,
};
use core::cell::RefCell;

use parking_lot::{Mutex, ReentrantMutex, RwLock};

use super::RelayError;
use crate::{panics, receiver::TracingEventReceiver};

static HOSTS: RwLock<Hosts> = RwLock::new(Hosts { by_handle: BTreeMap::new(), last_handle: 0 });

struct Hosts {
    by_handle: BTreeMap<usize, Arc<Host>>,
    last_handle: usize,
}

/// Takes a frame for the host with this handle.
pub(super) fn receive(handle: usize, frame: Option<&[u8]>, len: usize) {
    let host = HOSTS.read().by_handle.get(&handle).cloned();
    if let Some(host) = host {
        host.receive(frame, len);
    }
}

/// Adds a host, and returns its handle, which is never used again.
pub(super) fn add(host: Arc<Host>) -> usize {
    let mut hosts = HOSTS.write();
    hosts.last_handle += 1; // it takes centuries to overflow
    let handle = hosts.last_handle;
    hosts.by_handle.insert(handle, host);
    handle
}

pub(super) fn remove(handle: usize) {
    let removed = HOSTS.write().by_handle.remove(&handle);
    drop(removed); // not while all hosts are locked: it may trace
}

/// What takes the frames of a library.
pub(super) struct Host {
    /// Locked by one thread of the library at a time, and borrowed by one of its calls.
    receiver: ReentrantMutex<RefCell<Receiver>>,
    later: Mutex<VecDeque<Vec<u8>>>,
    first_error: Mutex<Option<RelayError>>,
}

struct Receiver {
    /// There is none when the host has ended.
    receiver: Option<TracingEventReceiver>,
    frames: u64,
}

impl Host {
    pub(super) fn new(receiver: TracingEventReceiver) -> Self {
        let receiver = Receiver { receiver: Some(receiver), frames: 0 };
        Self {
            receiver: ReentrantMutex::new(RefCell::new(receiver)),
            later: Mutex::new(VecDeque::new()),
            first_error: Mutex::new(None),
        }
    }

    pub(super) fn first_error(&self) -> Option<RelayError> {
        self.first_error.lock().clone()
    }

    /// Waits for the frame at hand, and takes the receiver away from those that follow.
    pub(super) fn end(&self) -> Option<TracingEventReceiver> {
        let receiver = self.receiver.lock();
        let mut receiver = receiver.try_borrow_mut().ok()?;
        receiver.receiver.take()
    }

    fn receive(&self, frame: Option<&[u8]>, len: usize) {
        let receiver = self.receiver.lock();
        // A subscriber that calls into the library while it is told of a record, on this thread.
        let Ok(mut receiver) = receiver.try_borrow_mut() else {
            self.later.lock().extend(frame.map(<[u8]>::to_vec));
            return;
        };
        self.receive_with(&mut receiver, frame, len);
        loop {
            let Some(frame) = self.later.lock().pop_front() else { return };
            self.receive_with(&mut receiver, Some(&frame), frame.len());
        }
    }

    fn receive_with(&self, receiver: &mut Receiver, frame: Option<&[u8]>, len: usize) {
        let Receiver { receiver: Some(receiver), frames } = receiver else { return };
        *frames += 1;
        if let Err(error) = receive_frame(receiver, *frames, frame, len) {
            self.first_error.lock().get_or_insert(error);
        }
    }
}

/// Does not unwind, which could not be done through the library.
fn receive_frame(
    receiver: &mut TracingEventReceiver,
    nth: u64,
    frame: Option<&[u8]>,
    len: usize,
) -> Result<(), RelayError> {
    let bytes = frame.ok_or(RelayError::NotInMemory { frame: nth, len })?;
    match panics::catch(|| receiver.receive_encoded(bytes)) {
        Ok(result) => result.map_err(|error| RelayError::Refused { frame: nth, error }),
        Err(message) => Err(RelayError::Panicked { frame: nth, message }),
    }
}
