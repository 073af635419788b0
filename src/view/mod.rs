//! What people see of a trace: the tree as text, the same as structured data, snapshots of both, and where
//! two traces differ.
//!
//! Everything here is stable from run to run by default: no identifiers, lines, threads, times or
//! addresses. Text that a program traced is never taken at its word: characters that steer a
//! terminal, or change the direction of the text around them, are escaped, and so is what could be
//! taken for something that spanshot says.
//!
//! Between a storage and what shows it there is one [tree](tree::View), built in steps: what is hidden is left
//! out, values are normalized, nodes that have no order are sorted, equal ones are folded. The text, the data and
//! comparisons are made of it, so that they agree.
//!
//! | file | what is in it |
//! |---|---|
//! | `tree.rs`, `node.rs`, `build.rs` | the tree, its nodes, and how it comes about |
//! | `visible.rs`, `order.rs`, `fold.rs`, `number.rs` | the steps: hiding, sorting, folding, numbering redactions |
//! | `digest.rs` | whether two nodes are shown alike |
//! | `options.rs` | what is shown of each node, and the rules for it |
//! | `display.rs` | the tree as text, all of it or a part |
//! | `line.rs`, `short_line.rs` | the line of a node |
//! | `text.rs`, `cut.rs`, `drawing.rs` | the text of a value, where it is cut, and what is escaped and drawn |
//! | `around.rs` | the part of a tree that a failure shows |
//! | `serialize.rs` | the tree as data |
//! | `settings/`, `trace_view.rs`, `source.rs` | `SnapshotSettings`, what they return, and what they take |
//! | `redact.rs`, `recognize.rs`, `durations.rs` | what is replaced, and the forms that are recognized |
//! | `compare/`, `align.rs` | where two traces differ, and how two lists are aligned |
//! | `timeline.rs` | what happened in a trace, one after another |
//! | `stream/` | what crossed the boundary, record by record |
//! | `assertion/` | `assert_trace_snapshot!` |

#[cfg(feature = "snapshot")]
mod align;
#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
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
#[cfg_attr(not(feature = "predicates"), allow(dead_code))]
mod short_line;
#[cfg(feature = "snapshot")]
mod source;
#[cfg(feature = "snapshot")]
mod stream;
mod text;
mod timeline;
#[cfg(feature = "snapshot")]
mod trace_view;
mod tree;
mod visible;

pub use self::timeline::TimelineText;
pub(crate) use self::{around::Around, short_line::ShortLine};
#[cfg(feature = "snapshot")]
pub use self::{
    compare::{Difference, TraceComparison},
    settings::{SnapshotScope, SnapshotSettings},
    source::SnapshotSource,
    stream::StreamSnapshot,
    trace_view::TraceView,
};
