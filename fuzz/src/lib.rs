//! What each fuzz target does with its input.
//!
//! A body asserts more than that nothing panics: what is refused changes nothing, the ways to take a stream agree,
//! and afterwards a valid record is still taken. `tests/corpus.rs` in the repository runs the same bodies over
//! `fuzz/corpus`, with a stable compiler, whenever tests are run.

mod frame;
mod json;
mod recorded;
mod records;
mod restore;
mod stream;
mod support;

pub use self::{
    frame::frame, json::json, recorded::recorded, records::records, restore::restore,
    stream::stream,
};

/// Takes the bytes for what its target takes them for.
pub type Body = fn(&[u8]);

/// The targets, and so the directories of the corpus.
#[allow(dead_code)] // only a test wants them all
pub const TARGETS: [(&str, Body); 6] = [
    ("frame", frame),
    ("json", json),
    ("recorded", recorded),
    ("records", records),
    ("restore", restore),
    ("stream", stream),
];
