//! Which span a new span or event of a [`Stream`] is in.

use super::{
    ReceiveError,
    sink::{Innermost, SinkParent},
    span::{EnteredSpan, FoundParent, KnownSpan},
    stream::Stream,
};
use crate::wire::{Parent, RawSpanId, StackedSpan, ThreadIndex};

impl Stream {
    /// Finds the parent of a new span.
    pub(super) fn parent(
        &self,
        parent: Parent,
        thread: ThreadIndex,
    ) -> Result<FoundParent, ReceiveError> {
        Ok(match parent {
            Parent::Root => FoundParent::root(),
            Parent::Explicit(id) => match self.span(id)? {
                KnownSpan { sink_span: Some(span), depth, .. } => FoundParent {
                    in_program: Some(id),
                    depth: *depth,
                    in_sink: Some(id),
                    for_sink: SinkParent::Explicit(*span),
                },
                // The handle of a disabled span has no ID, so that what names it for its parent
                // is natively a root.
                KnownSpan { depth, .. } => {
                    FoundParent { in_program: Some(id), depth: *depth, ..FoundParent::root() }
                }
            },
            Parent::Contextual => self.contextual_parent(thread),
        })
    }

    /// Finds the parent of an event, which natively, too, may name a closed span, and is in none then.
    #[inline]
    pub(super) fn parent_of_event(
        &self,
        parent: Parent,
        thread: ThreadIndex,
    ) -> Result<SinkParent, ReceiveError> {
        match parent {
            Parent::Contextual => Ok(self.contextual_parent(thread).for_sink),
            Parent::Explicit(id) if self.is_closed(id) => Ok(SinkParent::Root),
            _ => Ok(self.parent(parent, thread)?.for_sink),
        }
    }

    #[inline]
    fn contextual_parent(&self, thread: ThreadIndex) -> FoundParent {
        match self.stacks.current(thread) {
            None => FoundParent {
                for_sink: SinkParent::Contextual(Innermost::None),
                ..FoundParent::root()
            },
            Some(EnteredSpan { id, sink_span: Some(sink_span), is_closed_elsewhere: false }) => {
                match self.spans.get(id) {
                    Some(KnownSpan { is_closed: false, depth, .. }) => FoundParent {
                        in_program: Some(*id),
                        depth: *depth,
                        in_sink: Some(*id),
                        for_sink: SinkParent::Contextual(Innermost::Open(*sink_span)),
                    },
                    _ => self.contextual_parent_around(thread),
                }
            }
            Some(_) => self.contextual_parent_around(thread),
        }
    }

    /// Finds the contextual parent of whatever is in a span that is closed, or that the sink does
    /// not want.
    #[cold]
    fn contextual_parent_around(&self, thread: ThreadIndex) -> FoundParent {
        let scope = || self.stacks.scope(thread);
        let is_open =
            |span: &EnteredSpan| self.spans.get(&span.id).is_some_and(|span| !span.is_closed);
        // Whoever is in a closed span is in none, whatever is around it; but a span that the sink
        // does not want is never entered there.
        let in_program = scope().find(|span| is_open(span) || span.is_wanted());
        let in_sink = self.stacks.in_sink(thread);
        let for_sink = match in_sink {
            Some(span) if span.is_closed_elsewhere => SinkParent::Root,
            Some(span) if !is_open(span) => SinkParent::Contextual(Innermost::Closed),
            Some(EnteredSpan { sink_span: Some(span), .. }) => {
                SinkParent::Contextual(Innermost::Open(*span))
            }
            _ => SinkParent::Contextual(Innermost::None),
        };
        let in_program = in_program.filter(|span| is_open(span)).map(|span| span.id);
        FoundParent {
            in_program,
            depth: self.depth(in_program),
            in_sink: in_sink.filter(|span| is_open(span)).map(|span| span.id),
            for_sink,
        }
    }

    /// Passes over spans on the stack of a thread that nobody can be in any more: the sink does not want
    /// them, and they are closed, which stays so.
    #[inline]
    pub(super) fn pass_over_closed(&mut self, thread: ThreadIndex) {
        let spans = &self.spans;
        let is_open = |id: &RawSpanId| spans.get(id).is_some_and(|span| !span.is_closed);
        self.stacks.pass_over(thread, |span| !span.is_wanted() && !is_open(&span.id));
    }

    /// Returns how many spans a span is in, and itself.
    pub(super) fn depth(&self, span: Option<RawSpanId>) -> usize {
        span.and_then(|id| self.spans.get(&id)).map_or(0, |span| span.depth)
    }
}
