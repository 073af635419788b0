//! What needs no process of its own, in one binary: a directory for what users do, a module for a topic.
//!
//! `tests/README.md` says where a new test goes.

mod asserting;
mod boundary;
mod capturing;
mod docs;
mod showing;
mod support;
