//! Senders, receivers, and everything between them: frames, streams, JSON, files, persisted state.

mod asking;
mod attempts;
pub(crate) mod byte_streams;
mod frames;
pub(crate) mod guest;
mod in_scope;
mod json;
mod limits;
mod nested_calls;
mod persistence;
pub(crate) mod receiver;
mod recorded;
mod sender;
mod streams_in_turns;
mod suspended_streams;
mod tampering;
mod threads_of_host;
mod transparent;
mod values;
