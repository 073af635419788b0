//! What people see of a trace: the tree as text, the same as structured data, snapshots of both, and where
//! two traces differ.
//!
//! Everything here is stable from run to run by default: no identifiers, lines, threads, times or
//! addresses. Text that a program traced is never taken at its word: characters that steer a
//! terminal, or change the direction of the text around them, are escaped, and so is what could be
//! taken for something that spanshot says.
//!
//! Between a storage and all that shows it there is one [view](tree::View), built in steps: what is hidden
//! is left out, values are normalized, nodes that have no order are sorted, equal ones are folded. The
//! tree, the data and comparisons are made of it, so that they agree.

#[cfg(feature = "snapshot")]
mod align;
#[cfg(feature = "predicates")]
mod around;
#[cfg(feature = "snapshot")]
pub(crate) mod assertion;
mod build;
#[cfg(feature = "snapshot")]
mod compare;
mod cut;
mod digest;
mod display;
mod drawing;
#[cfg(feature = "snapshot")]
mod durations;
mod fold;
mod line;
mod node;
#[cfg(feature = "snapshot")]
mod number;
mod options;
mod order;
#[cfg(feature = "snapshot")]
mod recognize;
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
