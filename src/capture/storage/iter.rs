use core::{iter::FusedIterator, ops::Range, slice};

use crate::capture::{
    CapturedEvent, CapturedMetadata, CapturedSpan, Moment, Storage,
    storage::captured::Reading,
    storage::event::named,
    storage::node::{Children, EventIndex, NodeIndex, NodeKind, SpanIndex},
};
use crate::wire::TracedValue;

/// A span or an event.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, capture::CapturedNode};
///
/// let capture = Capture::start();
/// tracing::info!("before");
/// drop(tracing::info_span!("connect"));
///
/// let trace = capture.trace();
/// let nodes: Vec<_> = trace.roots().collect();
/// assert!(matches!(nodes[..], [CapturedNode::Event(_), CapturedNode::Span(_)]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CapturedNode<'a> {
    /// A span.
    Span(CapturedSpan<'a>),
    /// An event.
    Event(CapturedEvent<'a>),
}

impl<'a> CapturedNode<'a> {
    /// Returns the static description of the span or event.
    pub fn metadata(&self) -> CapturedMetadata<'a> {
        match self {
            Self::Span(span) => span.metadata(),
            Self::Event(event) => event.metadata(),
        }
    }

    /// Iterates over names and values of the fields, in the order in which they were first recorded.
    pub fn values(&self) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + use<'a> {
        let (call_site, values) = match self {
            Self::Span(span) => span.named_values(),
            Self::Event(event) => event.named_values(),
        };
        named(call_site, values)
    }

    /// Returns the value of a field, or `None` if it has none.
    pub fn value(&self, name: &str) -> Option<&'a TracedValue> {
        match self {
            Self::Span(span) => span.value(name),
            Self::Event(event) => event.value(name),
        }
    }

    /// Returns the span that contains this node, or `None` for a root.
    pub fn parent(&self) -> Option<CapturedSpan<'a>> {
        match self {
            Self::Span(span) => span.parent(),
            Self::Event(event) => event.parent(),
        }
    }

    /// Iterates over the spans around the node, from the parent to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = CapturedSpan<'a>> + use<'a> {
        core::iter::successors(self.parent(), CapturedSpan::parent)
    }

    /// Returns the moment when the span was created, or the event emitted.
    pub fn moment(&self) -> Moment {
        match self {
            Self::Span(span) => span.moment(),
            Self::Event(event) => event.moment(),
        }
    }

    /// Sets how predicates read values.
    pub(crate) fn read_as(self, reading: Reading) -> Self {
        match self {
            Self::Span(span) => Self::Span(span.read_as(reading)),
            Self::Event(event) => Self::Event(event.read_as(reading)),
        }
    }

    /// Returns the trace of the node.
    pub(crate) fn trace(&self) -> &'a Storage {
        match self {
            Self::Span(span) => span.trace(),
            Self::Event(event) => event.trace(),
        }
    }

    /// Returns the next span or event with the same parent.
    pub(crate) fn next_sibling(&self) -> Option<Self> {
        match self {
            Self::Span(span) => span.next_sibling(),
            Self::Event(event) => event.next_sibling(),
        }
    }

    /// Returns the previous span or event with the same parent.
    pub(crate) fn previous_sibling(&self) -> Option<Self> {
        match self {
            Self::Span(span) => span.previous_sibling(),
            Self::Event(event) => event.previous_sibling(),
        }
    }
}

/// Walks the children of one node from both ends.
#[derive(Debug, Clone)]
struct Siblings<'a> {
    storage: &'a Storage,
    front: Option<NodeIndex>,
    back: Option<NodeIndex>,
    /// Spans and events that the walk has yet to pass.
    remaining: usize,
}

impl<'a> Siblings<'a> {
    fn new(storage: &'a Storage, children: Children) -> Self {
        let remaining = children.spans as usize + children.events as usize;
        Self { storage, front: children.first, back: children.last, remaining }
    }

    fn next(&mut self) -> Option<NodeKind> {
        self.remaining = self.remaining.checked_sub(1)?;
        let node = self.front?;
        self.front = self.storage.links(node).next;
        Some(node.kind())
    }

    fn next_back(&mut self) -> Option<NodeKind> {
        self.remaining = self.remaining.checked_sub(1)?;
        let node = self.back?;
        self.back = self.storage.links(node).previous;
        Some(node.kind())
    }
}

/// Iterator over spans and events in the order of their capture, returned by
/// [`Storage::roots()`] and [`CapturedSpan::nodes()`].
#[derive(Debug, Clone)]
pub struct CapturedNodes<'a> {
    siblings: Siblings<'a>,
    reading: Reading,
}

impl<'a> CapturedNodes<'a> {
    pub(crate) fn new(storage: &'a Storage, children: Children) -> Self {
        Self { siblings: Siblings::new(storage, children), reading: Reading::default() }
    }

    /// Sets how predicates read values.
    pub(crate) fn read_as(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    fn node(&self, kind: NodeKind) -> CapturedNode<'a> {
        self.siblings.storage.node(kind.into()).read_as(self.reading)
    }
}

impl<'a> Iterator for CapturedNodes<'a> {
    type Item = CapturedNode<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.siblings.next().map(|kind| self.node(kind))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.siblings.remaining, Some(self.siblings.remaining))
    }
}

impl DoubleEndedIterator for CapturedNodes<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.siblings.next_back().map(|kind| self.node(kind))
    }
}

impl ExactSizeIterator for CapturedNodes<'_> {}
impl FusedIterator for CapturedNodes<'_> {}

/// The source of an iterator's spans or events, and how many are left.
#[derive(Debug, Clone)]
enum Source<'a, Index> {
    All(Range<usize>),
    Children { siblings: Siblings<'a>, remaining: usize },
    Listed(slice::Iter<'a, Index>),
}

impl<Index> Source<'_, Index> {
    fn len(&self) -> usize {
        match self {
            Self::All(indexes) => indexes.len(),
            Self::Children { remaining, .. } => *remaining,
            Self::Listed(indexes) => indexes.len(),
        }
    }
}

macro_rules! impl_iterator {
    ($name:ident, $item:ident, $index:ident, $variant:ident, $get:ident, $count:ident) => {
        impl<'a> $name<'a> {
            pub(crate) fn all(storage: &'a Storage) -> Self {
                Self {
                    storage,
                    source: Source::All(0..storage.$count()),
                    reading: Reading::default(),
                }
            }

            /// Sets how predicates read values.
            pub(crate) fn read_as(self, reading: Reading) -> Self {
                Self { reading, ..self }
            }

            fn step(
                &mut self,
                all: fn(&mut Range<usize>) -> Option<usize>,
                sibling: fn(&mut Siblings<'a>) -> Option<NodeKind>,
                listed: fn(&mut slice::Iter<'a, $index>) -> Option<&'a $index>,
            ) -> Option<$item<'a>> {
                let index = match &mut self.source {
                    Source::All(indexes) => $index::new(all(indexes)?)?,
                    Source::Children { siblings, remaining } => {
                        *remaining = remaining.checked_sub(1)?;
                        loop {
                            if let NodeKind::$variant(index) = sibling(siblings)? {
                                break index;
                            }
                        }
                    }
                    Source::Listed(indexes) => *listed(indexes)?,
                };
                Some(self.storage.$get(index).read_as(self.reading))
            }
        }

        impl<'a> Iterator for $name<'a> {
            type Item = $item<'a>;

            #[inline]
            fn next(&mut self) -> Option<Self::Item> {
                if let Source::All(indexes) = &mut self.source {
                    let index = $index::new(indexes.next()?)?;
                    return Some(self.storage.$get(index).read_as(self.reading));
                }
                self.step(Range::next, Siblings::next, slice::Iter::next)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.source.len(), Some(self.source.len()))
            }
        }

        impl DoubleEndedIterator for $name<'_> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.step(Range::next_back, Siblings::next_back, slice::Iter::next_back)
            }
        }

        impl ExactSizeIterator for $name<'_> {}
        impl FusedIterator for $name<'_> {}
    };
}

/// Iterator over spans, returned by [`Storage::all_spans()`] and others.
#[derive(Debug, Clone)]
pub struct CapturedSpans<'a> {
    storage: &'a Storage,
    source: Source<'a, SpanIndex>,
    /// How predicates read the values of its items.
    reading: Reading,
}

impl<'a> CapturedSpans<'a> {
    pub(crate) fn children(storage: &'a Storage, children: Children) -> Self {
        let siblings = Siblings::new(storage, children);
        let remaining = children.spans as usize;
        Self {
            storage,
            source: Source::Children { siblings, remaining },
            reading: Reading::default(),
        }
    }

    pub(crate) fn listed(storage: &'a Storage, indexes: &'a [SpanIndex]) -> Self {
        Self { storage, source: Source::Listed(indexes.iter()), reading: Reading::default() }
    }
}

impl_iterator!(CapturedSpans, CapturedSpan, SpanIndex, Span, span, span_count);

/// Iterator over events, returned by [`Storage::all_events()`] and others.
#[derive(Debug, Clone)]
pub struct CapturedEvents<'a> {
    storage: &'a Storage,
    source: Source<'a, EventIndex>,
    /// How predicates read the values of its items.
    reading: Reading,
}

impl<'a> CapturedEvents<'a> {
    pub(crate) fn children(storage: &'a Storage, children: Children) -> Self {
        let siblings = Siblings::new(storage, children);
        let remaining = children.events as usize;
        Self {
            storage,
            source: Source::Children { siblings, remaining },
            reading: Reading::default(),
        }
    }
}

impl_iterator!(CapturedEvents, CapturedEvent, EventIndex, Event, event, event_count);
