//! Views of a trace: as text, as data, as a timeline, and its differences from another trace.
//!
//! For snapshots alone, you do not need this module. You start with [`assert_trace_snapshot!`](crate::assert_trace_snapshot) and
//! [`SnapshotSettings`] at the root of the crate. Their methods return the types of this module:
//!
//! | you want to | with |
//! |---|---|
//! | print a trace with settings, or serialize it | [`TraceView`], from [`SnapshotSettings::view()`] |
//! | compare two traces, and look at the differences | [`TraceComparison`] and [`Difference`], from [`SnapshotSettings::compare()`] |
//! | apply settings to the rest of a scope | [`SnapshotScope`], from [`SnapshotSettings::bind_to_scope()`] |
//! | write a helper that takes a trace or any part of one | [`SnapshotSource`] |
//! | list everything that happened, in the order of time | [`TimelineText`], from [`Storage::timeline_text()`](crate::Storage::timeline_text) |
//!
//! By default, nothing here shows identifiers, lines, threads, times or addresses that would differ from run to run.
//! Values that your code traced are shown: redact those that differ. Text that a program traced is never trusted.
//! Characters that steer a terminal, or change the direction of the text around them, are escaped, and so is text that
//! could be mistaken for spanshot's own.

// All of them show one tree (`tree.rs`), which is built from a storage in steps: hidden nodes are left out, values
// are normalized, nodes without an order are sorted, and equal nodes are folded. The text, the data and comparisons
// agree because they are made from the same tree.
//
// | file | contents |
// |---|---|
// | `tree.rs`, `node.rs`, `build.rs` | the tree, its nodes, and how it is built |
// | `visible.rs`, `order.rs`, `fold.rs` | the steps: hiding, sorting, folding |
// | `number.rs`, `follows.rs` | more steps: numbers of redactions, and for comparisons of spans that others follow from |
// | `digest.rs` | whether two nodes are shown alike |
// | `options.rs` | the parts of each node that are shown, and the rules for it |
// | `display.rs` | the tree as text, all of it or a part |
// | `line.rs`, `short_line.rs` | the line of a node |
// | `text.rs`, `cut.rs`, `drawing.rs` | the text of a value, how it is cut and escaped, and how trees are drawn |
// | `around.rs` | the part of a tree that a failure shows |
// | `serialize.rs` | the tree as data |
// | `settings/`, `trace_view.rs`, `source.rs` | `SnapshotSettings`, the views that they return, and the sources that they take |
// | `redact.rs`, `recognize.rs`, `durations.rs` | redactions, and the forms that they recognize |
// | `compare/`, `align.rs` | the differences between two traces, and the alignment of two lists |
// | `timeline.rs` | the happenings in a trace, one after another |
// | `stream/` | the records that crossed the boundary, one by one |
// | `assertion/` | `assert_trace_snapshot!` |

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
#[cfg(feature = "snapshot")]
mod follows;
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

#[cfg(feature = "snapshot")]
pub(crate) use self::at_root::*;
pub use self::timeline::TimelineText;
pub(crate) use self::{around::Around, short_line::ShortLine};
#[cfg(feature = "snapshot")]
pub use self::{
    compare::{Difference, TraceComparison},
    settings::SnapshotScope,
    source::SnapshotSource,
    trace_view::TraceView,
};

/// The items that are public at the root of the crate.
#[cfg(feature = "snapshot")]
pub(crate) mod at_root {
    pub use super::{settings::SnapshotSettings, stream::StreamSnapshot};
}
