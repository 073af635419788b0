//! All hosts of the process, by the numbers that are their contexts.
//!
//! A context that is a number can be stale, and no harm is done: a thread that a library has left
//! running may send its frames to a host that is gone.

use alloc::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    vec::Vec,
};
use core::{
    cell::RefCell,
    sync::atomic::{AtomicBool, Ordering},
};

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

/// Adds a host, whose handle is never used again.
pub(super) fn add(receiver: TracingEventReceiver) -> Arc<Host> {
    let mut hosts = HOSTS.write();
    hosts.last_handle += 1; // it takes centuries to overflow
    let host = Arc::new(Host::new(hosts.last_handle, receiver));
    hosts.by_handle.insert(host.handle, Arc::clone(&host));
    host
}

fn remove(handle: usize) {
    let removed = HOSTS.write().by_handle.remove(&handle);
    drop(removed); // not while all hosts are locked: it may trace
}

/// What takes the frames of a library.
pub(super) struct Host {
    handle: usize,
    /// Locked by one thread of the library at a time, and borrowed by one of its calls.
    receiver: ReentrantMutex<RefCell<Receiver>>,
    later: Mutex<VecDeque<Vec<u8>>>,
    first_error: Mutex<Option<RelayError>>,
    /// Whether it was ended inside one of its own records. The one that receives it takes the receiver away afterwards.
    is_ended: AtomicBool,
}

struct Receiver {
    /// There is none when the host has ended.
    receiver: Option<TracingEventReceiver>,
    frames: u64,
}

impl Host {
    fn new(handle: usize, mut receiver: TracingEventReceiver) -> Self {
        receiver.relay_in_place();
        let receiver = Receiver { receiver: Some(receiver), frames: 0 };
        Self {
            handle,
            receiver: ReentrantMutex::new(RefCell::new(receiver)),
            later: Mutex::new(VecDeque::new()),
            first_error: Mutex::new(None),
            is_ended: AtomicBool::new(false),
        }
    }

    pub(super) fn first_error(&self) -> Option<RelayError> {
        self.first_error.lock().clone()
    }

    pub(super) fn handle(&self) -> usize {
        self.handle
    }

    /// Whether this thread is being told of a record of this host.
    pub(super) fn is_inside_record(&self) -> bool {
        self.receiver.is_owned_by_current_thread()
    }

    /// Waits for the frame at hand, and rolls the receiver back. Frames that come later are ignored.
    ///
    /// Inside one of its own records, it waits for nothing: the receiver is rolled back after the record.
    pub(super) fn end(&self) {
        remove(self.handle);
        if self.is_inside_record() {
            self.is_ended.store(true, Ordering::Release);
            return;
        }
        let locked = self.receiver.lock();
        let ended = take(&locked);
        drop(locked);
        drop(ended); // not while it is locked: subscribers are told of what is closed
    }

    fn receive(&self, frame: Option<&[u8]>, len: usize) {
        let locked = self.receiver.lock();
        // A subscriber that calls into the library while it is told of a record, on this thread.
        let Ok(mut receiver) = locked.try_borrow_mut() else {
            self.later.lock().extend(frame.map(<[u8]>::to_vec));
            return;
        };
        self.receive_with(&mut receiver, frame, len);
        while !self.is_ended() {
            let Some(frame) = self.later.lock().pop_front() else { break };
            self.receive_with(&mut receiver, Some(&frame), frame.len());
        }
        drop(receiver);
        let ended = if self.is_ended() { take(&locked) } else { None };
        drop(locked);
        drop(ended);
    }

    fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Acquire)
    }

    fn note_error(&self, error: RelayError) {
        self.first_error.lock().get_or_insert(error);
    }

    fn receive_with(&self, receiver: &mut Receiver, frame: Option<&[u8]>, len: usize) {
        let Receiver { receiver: Some(receiver), frames } = receiver else { return };
        *frames += 1;
        if let Err(error) = receive_frame(receiver, *frames, frame, len) {
            self.note_error(error);
        }
    }
}

/// Takes the receiver out, unless a record of it is at hand.
fn take(receiver: &RefCell<Receiver>) -> Option<TracingEventReceiver> {
    receiver.try_borrow_mut().ok()?.receiver.take()
}

/// Does not unwind, which could not be done through the library.
fn receive_frame(
    receiver: &mut TracingEventReceiver,
    nth: u64,
    frame: Option<&[u8]>,
    len: usize,
) -> Result<(), RelayError> {
    let relay = || {
        let Some(bytes) = frame else {
            let error = RelayError::NotInMemory { frame: nth, len };
            receiver.note_loss(&error);
            return Err(error);
        };
        let result = receiver.receive_encoded(bytes);
        result.map_err(|error| RelayError::Refused { frame: nth, error })
    };
    panics::catch(relay).unwrap_or_else(|message| {
        let error = RelayError::Panicked { frame: nth, message };
        // Perhaps the panic kept the record from other layers.
        let _ = panics::catch(|| receiver.note_loss(&error));
        Err(error)
    })
}
