//! What people see of a trace: the tree as text, the same as structured data, and snapshots of
//! both; and of a stream, its records, likewise.
//!
//! Everything here is stable from run to run by default: no identifiers, lines, threads, times or
//! addresses. Text that a program traced is never taken at its word: characters that steer a
//! terminal, or change the direction of the text around them, are escaped.

#[cfg(feature = "predicates")]
mod around;
#[cfg(feature = "snapshot")]
pub(crate) mod assert;
mod build;
#[cfg(feature = "snapshot")]
mod compare;
mod cut;
mod digest;
mod drawing;
mod fold;
mod line;
mod options;
mod order;
#[cfg(feature = "snapshot")]
mod redact;
mod serialize;
#[cfg(feature = "snapshot")]
mod settings;
#[cfg(feature = "predicates")]
mod short_line;
#[cfg(feature = "snapshot")]
mod source;
#[cfg(feature = "snapshot")]
mod stream;
mod text;
#[cfg(feature = "snapshot")]
mod trace_view;
mod tree;
mod view;
mod view_node;
mod visible;

#[cfg(feature = "predicates")]
pub(crate) use self::{around::Around, short_line::ShortLine};
#[cfg(feature = "snapshot")]
pub use self::{
    compare::{Difference, TraceComparison},
    settings::{SnapshotScope, SnapshotSettings},
    source::SnapshotSource,
    stream::StreamSnapshot,
    trace_view::TraceView,
};
