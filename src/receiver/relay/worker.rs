use alloc::{boxed::Box, string::ToString};
use core::panic::AssertUnwindSafe;
use std::{
    io, panic,
    sync::mpsc,
    thread::{self, JoinHandle},
};

use tracing_core::{Dispatch, dispatcher};

use crate::panics;

type Job = Box<dyn FnOnce(&Dispatch) + Send>;

/// A thread of the host that stands for a thread of the stream. It runs one job at a time, and the
/// receiver waits for the job to end: only one of these threads runs at a time.
#[derive(Debug)]
pub(super) struct Worker {
    /// The way to the thread, until it is to end.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread on which this subscriber is the default one.
    pub(super) fn start(dispatch: Dispatch) -> io::Result<Self> {
        let (jobs, next) = mpsc::channel::<Job>();
        let thread =
            thread::Builder::new().name("spanshot relay".to_string()).spawn(move || {
                dispatcher::with_default(&dispatch, || next.iter().for_each(|job| job(&dispatch)));
            })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs the function on the thread, and panics if it does.
    pub(super) fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Dispatch) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, result) = mpsc::sync_channel(1);
        let job = move |dispatch: &Dispatch| {
            let result = panic::catch_unwind(AssertUnwindSafe(|| f(dispatch)));
            drop(sender.send(result)); // it fails only if nobody waits any more
        };
        self.jobs.as_ref()?.send(Box::new(job)).ok()?;
        match result.recv().ok()? {
            Ok(value) => Some(value),
            Err(payload) => panic::resume_unwind(payload),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        let Some(thread) = self.thread.take() else { return };
        // The subscriber is let go of when this returns, unless it is what drops the receiver.
        if thread.thread().id() != thread::current().id() {
            // Jobs do not unwind into it, but the subscriber may, which perhaps is dropped there.
            if let Err(payload) = thread.join() {
                panics::discard(payload);
            }
        }
    }
}
