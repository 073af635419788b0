//! How the wire types are written in JSON and other formats of serde: as `tracing-tunnel` 0.2 writes them.
//!
//! | file | type |
//! |---|---|
//! | `event.rs` | `TracingEvent` |
//! | `values.rs` | `TracedValues` |
//! | `value.rs` | `TracedValue` and `DebugObject` |
//! | `error.rs` | `TracedError` |

mod error;
mod event;
mod value;
mod values;

pub use self::event::{names_of_bytes, restore};
