//! Send what a module traces to its host: the half of [spanshot] that you link into the module.
//!
//! A module behind a boundary (a WASM guest, a dynamic library, a child process) traces with the ordinary
//! [`tracing`] macros. Install one subscriber in it, the [`TracingEventSender`], and its spans and events
//! go to the host through one function. The host, usually a `#[test]`, receives them with [spanshot].
//!
//! | the module is | call in the module |
//! |---|---|
//! | a WASM guest | [`wasm_guest::install()`] |
//! | a dynamic library with a `tracing` of its own | [`export_dynamic_library!`] |
//! | a child process | `child_process::install_from_env()`, with the feature `stream` |
//! | anything else | [`TracingEventSender::encoded`], with a function that takes [frames](frame) |
//! | anything that sends text | [`TracingEventSender::new`], with a function that takes [`TracingEvent`]s, and the feature `serde` |
//!
//! # Example
//!
//! A WASM guest:
//!
//! ```no_run
//! #[unsafe(no_mangle)]
//! pub extern "C" fn run() {
//!     spanshot_sender::wasm_guest::install();
//!     tracing::info!(answer = 42, "the host will know");
//! }
//! ```
//!
//! Build the guest as a `cdylib` for the target `wasm32-unknown-unknown`.
//!
//! # Crate features
//!
//! Without features, the crate needs `alloc` and no `std`. It then takes the module for a single thread, and of an
//! error it carries the text only, not the sources.
//!
//! | feature | default | what it gives | needs |
//! |---|---|---|---|
//! | `std` | yes | one stack of spans per thread, error chains as values, [`dynamic_library`] | |
//! | `stream` | no | `stream` and `child_process`: frames in a stream of bytes (with `std`) | `crc32fast` |
//! | `serde` | no | [`TracingEvent`]s in JSON or any other format of serde | `serde` |
//!
//! [spanshot]: https://docs.rs/spanshot
//! [`tracing`]: https://docs.rs/tracing
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(unreachable_pub)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod guest;
mod sender;
mod wire;

#[cfg(feature = "std")]
pub use crate::guest::dynamic_library;
#[cfg(feature = "stream")]
pub use crate::guest::{child_process, stream};
pub use crate::guest::{wasm, wasm_guest};
pub use crate::sender::{Frames, HostFilter, TracingEventSender};
pub use crate::wire::{
    CallSiteData, CallSiteKind, DebugObject, FilterAnswer, FromTracedValue, MetadataId, RawSpanId,
    Record, ThreadIndex, TracedError, TracedValue, TracedValues, TracedValuesIter, TracingEvent,
    TracingLevel, frame,
};

/// The wire types as the receiver in `spanshot` needs them. Not for you: it changes without notice.
#[doc(hidden)]
pub mod __wire {
    pub use crate::wire::*;
}
