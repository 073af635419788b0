//! Spans as the state machine knows them.

use alloc::vec::Vec;
use core::num::NonZeroU64;

use super::{
    sink::{Innermost, SinkParent, SinkSpan},
    span_values::SpanValues,
};
use crate::wire::{MetadataId, RawSpanId, StackedSpan};

/// A span on the stack of a thread. It may be closed by now.
#[derive(Debug, Clone, Copy)]
pub(super) struct EnteredSpan {
    pub(super) id: RawSpanId,
    /// What the sink called the span when it was entered; `None` if the sink knew of none.
    pub(super) sink_span: Option<SinkSpan>,
    /// Whether it was entered in another sink, and closed there, so that this one does not know of it.
    pub(super) is_closed_elsewhere: bool,
}

impl StackedSpan for EnteredSpan {
    #[inline]
    fn key(&self) -> u64 {
        self.id
    }

    /// Whether this sink, or an earlier one, was told that the thread is in the span.
    #[inline]
    fn is_wanted(&self) -> bool {
        self.sink_span.is_some() || self.is_closed_elsewhere
    }
}

/// One span of the stream. An ID alone may belong to another one once the span is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpanRef {
    pub(super) id: RawSpanId,
    pub(super) created: NonZeroU64,
}

/// A span that the program can name. As in `tracing_subscriber::Registry`, a span is kept open by its
/// handles and by its children there, but not by the threads that are in it.
#[derive(Debug, Clone)]
pub(super) struct KnownSpan {
    pub(super) metadata_id: MetadataId,
    pub(super) call_site: usize,
    /// Its number among all spans of the stream, in the order of their creation.
    pub(super) created: NonZeroU64,
    /// The parent in the program, whether the sink wants it or not. It may be closed by now.
    pub(super) parent: Option<SpanRef>,
    /// Whether it stands in no span if the sink does not want its parent.
    pub(super) is_root: bool,
    /// How many spans it was created in, and itself.
    pub(super) depth: usize,
    /// The parent in the sink, which this span keeps open.
    pub(super) keeps_open: Option<RawSpanId>,
    /// Handles in the program.
    pub(super) handles: usize,
    /// Handles of these that the sink does not know: a span that is created anew has one there.
    pub(super) unshared: usize,
    pub(super) children: usize,
    /// Enters that were not undone, by all threads.
    pub(super) entered: usize,
    /// Whether it was closed in the sink while it was entered. It is as if the sink did not want it, but it can
    /// still be named: `Span::current()` in the program, which knows nothing of that, gives handles.
    pub(super) is_closed: bool,
    pub(super) last_handle: LastHandle,
    pub(super) values: SpanValues,
    pub(super) follows_from: Vec<SpanRef>,
    /// What the sink calls it; `None` if the sink does not want it, or it is closed.
    pub(super) sink_span: Option<SinkSpan>,
}

/// What became of the last handle of an open span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastHandle {
    /// It is there, or was dropped when nothing else kept the span open.
    InUse,
    /// It was dropped. Children keep the span open, and the sink knows.
    Dropped,
    /// The same, but the sink does not know.
    DropDeferred,
}

/// Parent of a new span or event.
pub(super) struct FoundParent {
    pub(super) in_program: Option<SpanRef>,
    /// How many spans that is in, and itself.
    pub(super) depth: usize,
    pub(super) in_sink: Option<RawSpanId>,
    pub(super) for_sink: SinkParent,
}

impl FoundParent {
    pub(super) fn root() -> Self {
        Self { in_program: None, depth: 0, in_sink: None, for_sink: SinkParent::Root }
    }

    /// Whether a span stands in no other if the sink does not want this parent.
    pub(super) fn is_root(&self) -> bool {
        !matches!(self.for_sink, SinkParent::Contextual(Innermost::None | Innermost::Open(_)))
    }
}

impl KnownSpan {
    pub(super) fn named(&self, id: RawSpanId) -> SpanRef {
        SpanRef { id, created: self.created }
    }

    /// Handles that the sink knows.
    pub(super) fn handles_in_sink(&self) -> usize {
        let deferred = usize::from(self.last_handle == LastHandle::DropDeferred);
        self.handles.saturating_add(deferred).saturating_sub(self.unshared)
    }

    /// Whether nothing keeps it open any more.
    pub(super) fn is_unused(&self) -> bool {
        self.handles == 0 && self.children == 0
    }

    /// Whether nothing can name it any more.
    pub(super) fn is_forgettable(&self) -> bool {
        self.sink_span.is_none() && self.is_unused() && self.entered == 0
    }
}
