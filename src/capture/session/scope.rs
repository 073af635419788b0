//! Captures that end inside a test whose end is observed.
//!
//! A property runs its test function many times: for each case, and again for each smaller one when a case has failed.
//! A capture in the function ends with its case, before it is known whether a smaller case will fail, too. So it
//! reports nothing. It leaves its trace to the *scope* around it: a `#[spanshot::test]`, or the function of
//! `Capture::run()`. The scope shows the trace if the scope fails itself.
//!
//! ```text
//! capture ends:     in a scope? leave the trace there, with the captures that ended inside
//!                   else, if it has failed: show all of these traces
//! trace is left:    it replaces the traces of captures of the same line in earlier turns,
//!                   unless these have failed and it has not
//! ```
//!
//! A turn begins when a capture starts. Captures that end by the same panic share a turn, so none replaces another.

use alloc::vec::Vec;
use core::{cell::RefCell, mem};
use std::thread;

use super::ending::Ended;

/// Traces that a scope keeps. A test may start captures at any number of lines.
const MAX_LEFT: usize = 8;

std::thread_local! {
    /// The scopes of this thread, the innermost last.
    static SCOPES: RefCell<Vec<Open>> = const { RefCell::new(Vec::new()) };
}

/// A scope that is open.
struct Open {
    number: u64,
    turn: u64,
    left: Vec<Left>,
}

/// A trace that a capture has left.
struct Left {
    turn: u64,
    /// The captures that ended inside it, and then the capture itself.
    ended: Vec<Ended>,
}

impl Left {
    /// Returns the number of captures of this line that have failed, up to this one; 0 if it has not failed.
    fn failures(&self) -> usize {
        self.ended.last().map_or(0, |last| last.failures)
    }
}

/// Keeps a scope open.
#[derive(Debug)]
pub(super) struct Scope {
    number: u64,
}

impl Scope {
    /// Opens a scope on this thread.
    pub(super) fn open() -> Self {
        let open = |scopes: &RefCell<Vec<Open>>| {
            let mut scopes = scopes.borrow_mut();
            let number = scopes.last().map_or(0, |last| last.number + 1);
            scopes.push(Open { number, turn: 0, left: Vec::new() });
            number
        };
        Self { number: SCOPES.try_with(open).unwrap_or(u64::MAX) }
    }

    /// Closes the scope, and returns the captures that were left there, in the order in which they ended.
    pub(super) fn close(self) -> Vec<Ended> {
        self.take()
    }

    fn take(&self) -> Vec<Ended> {
        let take = |scopes: &RefCell<Vec<Open>>| {
            let mut scopes = scopes.borrow_mut();
            let mut taken = Vec::new();
            // There are none inside it, unless something was leaked.
            while scopes.last().is_some_and(|open| open.number >= self.number) {
                let left = scopes.pop().map(|open| open.left).unwrap_or_default();
                taken = left.into_iter().flat_map(|left| left.ended).chain(taken).collect();
            }
            taken
        };
        SCOPES.try_with(take).unwrap_or_default()
    }
}

impl Drop for Scope {
    /// Closes a scope whose capture has not even started.
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// Begins a turn in the innermost scope.
pub(super) fn begin_turn() {
    if thread::panicking() {
        return;
    }
    let _ = SCOPES.try_with(|scopes| {
        if let Some(open) = scopes.borrow_mut().last_mut() {
            open.turn += 1;
        }
    });
}

/// Leaves a capture that has ended in the innermost scope, behind the captures that ended inside it. Returns all of
/// them if there is no scope.
pub(super) fn leave(ended: Vec<Ended>) -> Result<(), Vec<Ended>> {
    let mut ended = Some(ended);
    let replaced = SCOPES.try_with(|scopes| {
        let mut scopes = scopes.borrow_mut();
        let open = scopes.last_mut()?;
        let ended = ended.take()?;
        let turn = open.turn;
        open.add(Left { turn, ended })
    });
    // Dropping a trace may run code of the user, which must not happen under the borrow.
    drop(replaced);
    ended.map_or(Ok(()), Err)
}

impl Open {
    /// Adds the trace of a capture. Returns the traces to drop: the replaced ones, or the new one.
    fn add(&mut self, mut new: Left) -> Option<Vec<Left>> {
        let last = new.ended.last()?;
        let (started_at, has_failed) = (last.started_at, last.has_failed());
        let is_earlier = |left: &Left| {
            left.turn != new.turn
                && left.ended.last().is_some_and(|last| last.started_at == started_at)
        };
        if !has_failed && self.left.iter().any(|left| is_earlier(left) && left.failures() > 0) {
            return Some(alloc::vec![new]);
        }
        let (mut replaced, kept): (Vec<_>, _) =
            mem::take(&mut self.left).into_iter().partition(is_earlier);
        self.left = kept;
        let failures: usize = replaced.iter().map(Left::failures).sum();
        if has_failed {
            new.ended.iter_mut().for_each(|ended| ended.failures = failures + 1);
        }
        self.left.push(new);
        if self.left.len() > MAX_LEFT {
            let passed = self.left.iter().position(|left| left.failures() == 0);
            replaced.push(self.left.remove(passed.unwrap_or(0)));
        }
        Some(replaced)
    }
}
