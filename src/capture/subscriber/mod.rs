//! The subscribers: how records of `tracing`, and of a guest's stream, come into a storage.
//!
//! | file | what is in it |
//! |---|---|
//! | `own.rs` | the subscriber of a capture that a thread has started |
//! | `layer.rs` | the layer for subscribers of the user's own |
//! | `layered.rs` | the subscriber of a capture next to layers of the user |
//! | `process_wide.rs`, `routing.rs`, `test_span.rs` | the subscriber of a whole process, and which test each record belongs to |
//! | `direct.rs` | the sink of a receiver that captures without a subscriber |
//! | `collect.rs`, `log_echo.rs` | the values of a record; records of the `log` crate that repeat an event |
//! | `span_id.rs` | the IDs that the subscriber of a capture hands out |
//! | `thread_spans.rs` | the spans that the current thread is in |

pub(crate) mod collect;
#[cfg(feature = "receiver")]
mod direct;
pub(crate) mod layer;
pub(crate) mod layered;
#[cfg(feature = "log")]
mod log_echo;
pub(crate) mod own;
pub(crate) mod process_wide;
pub(crate) mod routing;
pub(crate) mod span_id;
pub(crate) mod test_span;
pub(crate) mod thread_spans;
