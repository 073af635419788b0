//! All hosts of the process, by the numbers that are their contexts.
//!
//! A context that is a number can be stale, and no harm is done: a thread that a library has left
//! running may send its frames to a host that is gone.

use alloc::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    vec::Vec,
};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::MutexGuard;

use super::RelayError;
use crate::{
    lock::{Mutex, RwLock},
    panics,
    receiver::TracingEventReceiver,
    this_thread::this_thread,
};

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
    /// Locked by one thread of the library at a time.
    receiver: Mutex<Receiver>,
    /// Number of the thread that has locked the receiver, or 0.
    inside: AtomicU64,
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
            receiver: Mutex::new(receiver),
            inside: AtomicU64::new(0),
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
        // Only this thread itself stores its number.
        self.inside.load(Ordering::Relaxed) == this_thread().get()
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
        let ended = self.receiver.lock().receiver.take();
        drop(ended); // not while it is locked: subscribers are told of what is closed
    }

    fn receive(&self, frame: Option<&[u8]>, len: usize) {
        // A subscriber that calls into the library while it is told of a record, on this thread.
        if self.is_inside_record() {
            self.later.lock().extend(frame.map(<[u8]>::to_vec));
            return;
        }
        let mut receiver = Inside::enter(self);
        self.receive_with(&mut receiver.locked, frame, len);
        while !self.is_ended() {
            let Some(frame) = self.later.lock().pop_front() else { break };
            self.receive_with(&mut receiver.locked, Some(&frame), frame.len());
        }
        let ended = if self.is_ended() { receiver.locked.receiver.take() } else { None };
        drop(receiver);
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

/// The receiver of a host, locked by this thread.
struct Inside<'a> {
    locked: MutexGuard<'a, Receiver>,
    thread: &'a AtomicU64,
}

impl<'a> Inside<'a> {
    fn enter(host: &'a Host) -> Self {
        let locked = host.receiver.lock();
        host.inside.store(this_thread().get(), Ordering::Relaxed);
        Self { locked, thread: &host.inside }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.thread.store(0, Ordering::Relaxed); // before it is unlocked
    }
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
