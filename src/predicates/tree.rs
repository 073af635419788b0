//! Patterns of whole subtrees.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, Child, Parameter, PredicateReflection},
};

use super::{
    combinators::{Behind, Operator},
    related::with_history,
};
use crate::capture::{CapturedEvent, CapturedSpan};

/// Matches spans whose subtree fits a pattern.
///
/// Add children and events one after another. They have to be there in this order, and others may come between them.
/// You can also allow [any order](TreePredicate::in_any_order), or [nothing else](TreePredicate::and_nothing_else).
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
/// use tracing::Level;
///
/// let capture = Capture::start();
/// tracing::info_span!("serve").in_scope(|| {
///     tracing::info!("accepted");
///     tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
///     tracing::info!("done");
/// });
///
/// let connect = tree(name(eq("connect")) & field("port", 8_080)).event(level(Level::WARN));
/// let serve = tree(name(eq("serve")))
///     .event(message(eq("accepted")))
///     .span(connect.and_nothing_else())
///     .event(message(eq("done")));
/// capture.trace().scan_spans().single(&serve);
/// ```
pub fn tree<P>(span: P) -> TreePredicate
where
    P: for<'a> Predicate<CapturedSpan<'a>> + 'static,
{
    TreePredicate {
        span: Behind(Box::new(span)),
        nodes: Vec::new(),
        in_any_order: false,
        allows_others: true,
    }
}

type SpanMatcher = Box<dyn for<'a> Predicate<CapturedSpan<'a>>>;
type EventMatcher = Box<dyn for<'a> Predicate<CapturedEvent<'a>>>;

/// Predicate for a span with its descendants, returned by [`tree()`].
pub struct TreePredicate {
    /// The span itself has to match for the tree to match.
    pub(super) span: Behind<SpanMatcher>,
    pub(super) nodes: Vec<NodePredicate>,
    pub(super) in_any_order: bool,
    pub(super) allows_others: bool,
}

impl_operators!({} TreePredicate);

impl TreePredicate {
    /// Adds a child: another [`tree()`], or another predicate for spans in square brackets.
    ///
    /// # Example
    ///
    /// See [`tree()`].
    #[must_use]
    pub fn span(mut self, child: impl IntoTree) -> Self {
        self.nodes.push(NodePredicate::Span(child.into_tree()));
        self
    }

    /// Adds an event in the span itself.
    ///
    /// # Example
    ///
    /// See [`tree()`].
    #[must_use]
    pub fn event<P>(mut self, event: P) -> Self
    where
        P: for<'a> Predicate<CapturedEvent<'a>> + 'static,
    {
        self.nodes.push(NodePredicate::Event(Box::new(event)));
        self
    }

    /// Allows the children and events of this span in any order.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    ///
    /// let capture = Capture::start();
    /// tracing::info_span!("serve").in_scope(|| {
    ///     tracing::info!("first");
    ///     tracing::info!("second");
    /// });
    /// let serve = || tree(name(eq("serve"))).event(message(eq("second"))).event(message(eq("first")));
    /// capture.trace().scan_spans().none(&serve());
    /// capture.trace().scan_spans().single(&serve().in_any_order());
    /// ```
    #[must_use]
    pub fn in_any_order(mut self) -> Self {
        self.in_any_order = true;
        self
    }

    /// Allows nothing else directly in this span.
    ///
    /// # Example
    ///
    /// See [`tree()`].
    #[must_use]
    pub fn and_nothing_else(mut self) -> Self {
        self.allows_others = false;
        self
    }
}

/// Predicate for a child or an event. Its text describes only the node itself, and not its descendants.
pub(super) enum NodePredicate {
    Span(TreePredicate),
    Event(EventMatcher),
}

impl NodePredicate {
    fn kind(&self) -> &'static str {
        match self {
            Self::Span(_) => "span",
            Self::Event(_) => "event",
        }
    }
}

impl fmt::Display for NodePredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(tree) => write!(formatter, "span {}", tree.span),
            Self::Event(predicate) => write!(formatter, "event {predicate}"),
        }
    }
}

impl PredicateReflection for NodePredicate {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        match self {
            Self::Span(tree) => tree.parameters(),
            Self::Event(predicate) => predicate.parameters(),
        }
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        match self {
            Self::Span(tree) => tree.children(),
            Self::Event(predicate) => predicate.children(),
        }
    }
}

impl fmt::Debug for TreePredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for TreePredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "tree({}", self.span)?;
        for node in &self.nodes {
            match node {
                NodePredicate::Span(tree) => write!(formatter, ", span {tree}")?,
                NodePredicate::Event(_) => write!(formatter, ", {node}")?,
            }
        }
        formatter.write_str(if self.in_any_order { ", in any order" } else { "" })?;
        formatter.write_str(if self.allows_others { ")" } else { ", and nothing else)" })
    }
}

impl PredicateReflection for TreePredicate {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        let operator = if self.allows_others { Operator::Tree } else { Operator::TreeAlone };
        operator.parameters()
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        let nodes = self.nodes.iter().map(|node| Child::new(node.kind(), node));
        Box::new(core::iter::once(Child::new("span", &self.span)).chain(nodes))
    }
}

impl<'a> Predicate<CapturedSpan<'a>> for TreePredicate {
    fn eval(&self, span: &CapturedSpan<'a>) -> bool {
        self.matches(*span)
    }

    fn find_case(&self, expected: bool, span: &CapturedSpan<'a>) -> Option<Case<'_>> {
        if self.matches(*span) != expected {
            return None;
        }
        Some(if expected {
            with_history(Case::new(Some(self), true), &*self.span.0, Some(*span))
        } else {
            self.case(*span)
        })
    }
}

/// The types that [`TreePredicate::span()`] takes: a tree, or another predicate for spans in square brackets.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tree",
    label = "not a tree",
    note = "`span()` takes a `tree(…)`, or a predicate for spans in square brackets: `span([name(\"child\")])`"
)]
pub trait IntoTree {
    /// Makes the tree.
    fn into_tree(self) -> TreePredicate;
}

impl IntoTree for TreePredicate {
    fn into_tree(self) -> TreePredicate {
        self
    }
}

impl<P> IntoTree for [P; 1]
where
    P: for<'a> Predicate<CapturedSpan<'a>> + 'static,
{
    fn into_tree(self) -> TreePredicate {
        let [span] = self;
        tree(span)
    }
}
