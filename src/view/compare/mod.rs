//! Compares two traces node by node, and not line by line.
//!
//! Both are viewed with the same settings. Nodes that look the same are matched first, then nodes with the same name or
//! message, then nodes of the same kind. Nodes that are left over on either side are gone, added or moved.

// | file | content |
// |---|---|
// | `matching.rs` | matches the nodes of two lists of siblings |
// | `merged.rs` | the two traces as one tree |
// | `changes.rs` | the differences between two nodes |
// | `show.rs` | draws all of it |

mod changes;
mod matching;
mod merged;
mod show;

use alloc::{string::String, vec::Vec};
use core::fmt;

use self::{
    matching::Step,
    merged::{Merged, MergedNode},
    show::Show,
};
use super::{SnapshotSettings, SnapshotSource, node::Place, options::Options, tree::View};
use crate::capture::CapturedNode;

/// The comparison of two traces, made by [`SnapshotSettings::compare()`].
///
/// [`Display`](fmt::Display) draws one tree of both, a screen or two of it. Equal nodes are left out unless they stand
/// beside others. [`differences()`](TraceComparison::differences) returns all differences:
///
/// | mark | node |
/// |---|---|
/// | `-` | is only in the expected trace |
/// | `+` | is only in the actual one |
/// | `~` | is in both, and differs: the differences stand below, `expected → actual` |
/// | `<`, `>` | has moved, from here and to here |
///
/// # Example
///
/// ```
/// use spanshot::{Capture, SnapshotSettings};
/// use tracing::{info, info_span, warn};
///
/// let capture = Capture::start();
/// info_span!("connect", port = 80).in_scope(|| info!("connected"));
/// let expected = capture.finish();
///
/// let capture = Capture::start();
/// info_span!("connect", port = 81).in_scope(|| {
///     warn!("slow");
///     info!("connected");
/// });
/// let actual = capture.finish();
///
/// let comparison = SnapshotSettings::new().compare(&expected, &actual);
/// assert!(!comparison.is_equivalent());
/// assert_eq!(
///     comparison.to_string(),
///     "1 changed, 1 added
///
/// ~ INFO connect{port=81}
///       port: 80 → 81
/// + ├─ WARN slow
///   └─ INFO connected"
/// );
/// ```
pub struct TraceComparison<'a> {
    expected: View<'a>,
    actual: View<'a>,
    merged: Merged,
}

/// A difference between two traces.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, SnapshotSettings, view::Difference};
///
/// let trace_of = |port: u16| {
///     let capture = Capture::start();
///     tracing::info!(port, "connected");
///     capture.finish()
/// };
/// let (expected, actual) = (trace_of(80), trace_of(81));
/// let comparison = SnapshotSettings::new().compare(&expected, &actual);
/// let differences = comparison.differences();
/// assert!(matches!(&differences[..], [Difference::Changed { fields, .. }] if fields == &["port"]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Difference<'a> {
    /// A node is only in the actual trace, with all its descendants.
    Added(CapturedNode<'a>),
    /// A node is only in the expected trace, with all its descendants.
    Gone(CapturedNode<'a>),
    /// A node is at another place, with all its descendants.
    Moved {
        /// The node in the expected trace.
        expected: CapturedNode<'a>,
        /// The node in the actual trace.
        actual: CapturedNode<'a>,
    },
    /// A node is in both traces, but differs.
    Changed {
        /// The node in the expected trace.
        expected: CapturedNode<'a>,
        /// The node in the actual trace.
        actual: CapturedNode<'a>,
        /// Names of the fields that differ, including `message`. Also `level`, `follows from`, `order of fields` and, if
        /// the settings show them, `target`, `module`, `line`, `thread` and `statistics`.
        fields: Vec<String>,
    },
}

/// Comparisons.
impl SnapshotSettings {
    /// Compares two traces, or parts of traces, as they look with these settings: hidden nodes and fields are not
    /// compared, redacted values are equal, and unordered siblings may be in any order. Times are never compared. The
    /// order of fields counts, since the text shows it; the forms of NaN do not.
    ///
    /// Where several spans have the name of one that another span follows from, the comparison tells which one it is, by
    /// its position among them: `job⟨#2⟩`. The text of a trace shows only names. Unordered spans, and spans in them, are
    /// not told apart.
    ///
    /// The traces may be large: equal parts are skipped. With hundreds of siblings, the difference that is shown may be
    /// longer than the shortest one, but it is the same on every machine.
    pub fn compare<'a>(
        &self,
        expected: &'a (impl SnapshotSource + ?Sized),
        actual: &'a (impl SnapshotSource + ?Sized),
    ) -> TraceComparison<'a> {
        let change = |options: Options| Options {
            times: false,
            folds: false,
            tells_sources: true,
            is_one_line: true,
            ..options
        };
        let expected = self.view_with(expected, change);
        let actual = self.view_with(actual, change);
        let merged = Merged::new([&expected, &actual]);
        TraceComparison { expected, actual, merged }
    }

    /// Asserts that two traces, or parts of traces, are equivalent, as [`compare()`](Self::compare) compares them.
    ///
    /// # Panics
    ///
    /// Panics if they are not, and shows their differences. Also panics if a whole trace lacks records, so that they may
    /// differ: a bounded capture left some out, other subscribers had some, a receiver lost some, or no test can claim
    /// them. The last reason is that nothing is compared, since both traces are empty, or the settings hide everything.
    /// [`is_equivalent()`](TraceComparison::is_equivalent) compares the records that are there.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings};
    ///
    /// let trace_of = |id: u64| {
    ///     let capture = Capture::start();
    ///     tracing::info!(id, "connected");
    ///     capture.finish()
    /// };
    /// SnapshotSettings::new().redact("id", "id").assert_equivalent(&trace_of(1), &trace_of(2));
    /// ```
    #[track_caller]
    pub fn assert_equivalent(
        &self,
        expected: &(impl SnapshotSource + ?Sized),
        actual: &(impl SnapshotSource + ?Sized),
    ) {
        let comparison = self.compare(expected, actual);
        assert!(
            comparison.is_equivalent(),
            "the traces are not equivalent (expected → actual): {comparison}"
        );
        for (trace, which) in
            [(expected.whole_trace(), "expected"), (actual.whole_trace(), "actual")]
        {
            let Some(trace) = trace else { continue };
            let left_out = trace.left_out();
            assert!(
                left_out == 0,
                "the traces may differ, since the {which} one is not whole: nodes were left out, {left_out} in all"
            );
            if let Some(reason) = trace.sight.incomplete() {
                panic!("the traces may differ, by the {which} one: {reason}");
            }
        }
        assert!(
            comparison.actual.first_child(Place::ROOT).is_some(),
            "nothing was compared: with these settings, both traces show nothing"
        );
    }
}

impl<'a> TraceComparison<'a> {
    /// Returns whether there is no difference.
    pub fn is_equivalent(&self) -> bool {
        self.expected.get(Place::ROOT).digest == self.actual.get(Place::ROOT).digest
    }

    /// Returns the differences, each node before the nodes in it.
    pub fn differences(&self) -> Vec<Difference<'a>> {
        let expected = |place: Place| self.expected.get(place).node;
        let actual = |place: Place| self.actual.get(place).node;
        let nodes = &self.merged.nodes;
        let difference = |node: &MergedNode| match (node.step, node.moved) {
            (Step::Equal(..), _) | (Step::Gone(_), Some(_)) => None,
            (Step::Gone(place), None) => expected(place).map(Difference::Gone),
            (Step::Added(place), None) => actual(place).map(Difference::Added),
            (Step::Added(place), Some(from)) => match nodes[from].step {
                Step::Gone(old) => {
                    Some(Difference::Moved { expected: expected(old)?, actual: actual(place)? })
                }
                _ => None,
            },
            (Step::Changed(old, new), _) => {
                let changes = self.show(0).changes(old, new);
                let fields: Vec<_> = changes.into_iter().map(|change| change.what).collect();
                (!fields.is_empty()).then_some(Difference::Changed {
                    expected: expected(old)?,
                    actual: actual(new)?,
                    fields,
                })
            }
        };
        self.merged.in_order().filter_map(difference).collect()
    }

    fn show(&self, differences: usize) -> Show<'_, 'a> {
        Show { views: [&self.expected, &self.actual], merged: &self.merged, differences }
    }
}

impl fmt::Display for TraceComparison<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_equivalent() {
            return formatter.write_str("they are equivalent");
        }
        let differences = self.differences();
        let number = |is: fn(&Difference<'_>) -> bool| differences.iter().filter(|d| is(d)).count();
        let numbers = [
            (number(|difference| matches!(difference, Difference::Changed { .. })), "changed"),
            (number(|difference| matches!(difference, Difference::Added(_))), "added"),
            (number(|difference| matches!(difference, Difference::Gone(_))), "gone"),
            (number(|difference| matches!(difference, Difference::Moved { .. })), "moved"),
        ];
        for (i, (number, what)) in numbers.into_iter().filter(|(number, _)| *number > 0).enumerate()
        {
            write!(formatter, "{}{number} {what}", if i > 0 { ", " } else { "" })?;
        }
        write!(formatter, "\n{}", self.show(differences.len()))
    }
}

impl fmt::Debug for TraceComparison<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.differences()).finish()
    }
}
