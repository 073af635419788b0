//! The parent rule: which span a new span or event of a [`Stream`] stands in.
//!
//! A sink may not want every span. Natively, nobody enters a disabled span, and its handle has no ID. So:
//!
//! | the program says | the span or event stands in |
//! |---|---|
//! | nothing | the innermost span that its thread has entered and the sink wants; in none if that one is closed |
//! | `parent: &span` | that span; in none if it is closed, or the sink does not want it |
//! | `parent: None` | none |
//!
//! A restored span follows the same rule, except that its thread may be elsewhere by now. The parent that was
//! persisted, and those around it, take the place of the spans that the thread had entered: see [`Around`].

use alloc::collections::BTreeMap;

use super::{
    ReceiveError,
    sink::{Innermost, SinkParent},
    span::{EnteredSpan, FoundParent, KnownSpan, SpanRef},
    stream::Stream,
};
use crate::{
    said_parent::SaidParent,
    wire::{Parent, RawSpanId, StackedSpan, ThreadIndex},
};

impl Stream {
    /// Finds the parent of a new span.
    pub(super) fn parent(
        &self,
        parent: Parent,
        thread: ThreadIndex,
    ) -> Result<FoundParent, ReceiveError> {
        Ok(match parent {
            Parent::Root => FoundParent::root(),
            Parent::Explicit(id) => {
                let span = self.span(id)?;
                FoundParent {
                    in_program: Some(span.named(id)),
                    depth: span.depth,
                    in_sink: span.sink_span.map(|_| id),
                    for_sink: span.sink_span.map_or(SinkParent::Root, SinkParent::Explicit),
                }
            }
            Parent::Contextual => self.contextual_parent(thread),
        })
    }

    /// Says what the program said of a parent, as it would be said in the host.
    #[inline]
    pub(super) fn said(&self, parent: Parent) -> SaidParent {
        match parent {
            _ if self.is_of_trace => SaidParent::Unknown,
            Parent::Contextual => SaidParent::Contextual,
            Parent::Root => SaidParent::Root,
            Parent::Explicit(id) => match self.spans.get(&id) {
                // Natively, the handle of a disabled span has no ID that could be named.
                Some(KnownSpan { sink_span: None, is_closed: false, .. }) => SaidParent::Root,
                _ => SaidParent::Explicit,
            },
        }
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
            Some(EnteredSpan { id, sink_span: Some(sink_span), .. }) => match self.spans.get(id) {
                Some(span) if !span.is_closed => FoundParent {
                    in_program: Some(span.named(*id)),
                    depth: span.depth,
                    in_sink: Some(*id),
                    for_sink: SinkParent::Contextual(Innermost::Open(*sink_span)),
                },
                _ => self.contextual_parent_around(thread),
            },
            Some(_) => self.contextual_parent_around(thread),
        }
    }

    /// Finds the contextual parent where the current span is closed, or the sink does not want it.
    #[cold]
    fn contextual_parent_around(&self, thread: ThreadIndex) -> FoundParent {
        let scope = || self.stacks.scope(thread);
        let open =
            |entered: &EnteredSpan| self.spans.get(&entered.id).filter(|span| !span.is_closed);
        // A thread that entered a span in the sink is in none once that is closed, whatever is around it.
        let in_program = scope().find(|entered| entered.is_wanted() || open(entered).is_some());
        let in_program = in_program.and_then(|entered| Some((entered.id, open(entered)?)));
        let in_sink = self.stacks.in_sink(thread);
        let for_sink = match in_sink {
            None => SinkParent::Contextual(Innermost::None),
            Some(entered) => match entered.sink_span {
                None => SinkParent::Root, // this sink never had that span
                Some(span) if open(entered).is_some() => {
                    SinkParent::Contextual(Innermost::Open(span))
                }
                Some(_) if self.attempt.is_some() => SinkParent::Root, // the sink may have set it aside
                Some(_) => SinkParent::Contextual(Innermost::Closed),
            },
        };
        let in_sink = in_sink.and_then(|entered| Some((entered.id, open(entered)?)));
        let depth =
            |found: Option<(RawSpanId, &KnownSpan)>| found.map_or(0, |(_, span)| span.depth);
        FoundParent {
            in_program: in_program.map(|(id, span)| span.named(id)),
            depth: depth(in_program).max(depth(in_sink)),
            in_sink: in_sink.map(|(id, _)| id),
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

    /// Returns a span that was named, unless it is closed; its ID may belong to another one by now.
    pub(super) fn still_open(&self, span: SpanRef) -> Option<&KnownSpan> {
        let known = self.spans.get(&span.id).filter(|known| known.created == span.created);
        known.filter(|known| !known.is_closed)
    }
}

/// Where the spans stand whose parents were persisted.
///
/// Spans are to be added in the order of their creation. So the place of an unwanted parent is known when it is
/// asked for, and nobody walks up a chain of such parents once for each of its spans.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// What each span that the sink does not want stands in.
    unwanted: BTreeMap<RawSpanId, Option<RawSpanId>>,
}

impl Around {
    /// Finds the span of the sink that a span with this parent stands in.
    ///
    /// `is_root` says that it is the parent or none: the program named it, or asked for a root.
    pub(super) fn find(
        &self,
        parent: Option<(RawSpanId, &KnownSpan)>,
        is_root: bool,
    ) -> Option<RawSpanId> {
        match parent? {
            (id, KnownSpan { sink_span: Some(_), .. }) => Some(id),
            (id, KnownSpan { is_closed: false, .. }) if !is_root => {
                self.unwanted.get(&id).copied().flatten()
            }
            _ => None,
        }
    }

    /// Adds a span that stands in another one, or in none.
    pub(super) fn add(&mut self, id: RawSpanId, span: &KnownSpan, stands_in: Option<RawSpanId>) {
        if span.sink_span.is_none() {
            self.unwanted.insert(id, stands_in);
        }
    }
}
