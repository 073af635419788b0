//! How the wire types are written in JSON and other formats of serde: as `tracing-tunnel` 0.2 writes them.
//!
//! | file | type |
//! |---|---|
//! | `event.rs` | `TracingEvent` |
//! | `values.rs` | `TracedValues` |
//! | `value.rs` | `TracedValue` and `DebugObject` |
//! | `error.rs` | `TracedError` |
//! | `call_site.rs` | `CallSiteData` and the enums in it |
//! | `record.rs` | macros in the place of serde's `derive` |

mod call_site;
mod error;
mod event;
pub mod record;
mod value;
mod values;

pub use self::event::{names_of_bytes, restore};
