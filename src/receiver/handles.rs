//! What keeps the spans of a [`Stream`] open: handles and children.

use alloc::vec::Vec;
use core::mem;

use super::{
    ReceiveError,
    sink::Sink,
    span::{KnownSpan, LastHandle},
    stream::Stream,
};
use crate::wire::RawSpanId;

/// Spans without a handle that may wait in the sink to be closed with their children.
///
/// `tracing_subscriber::Registry` closes such a span from within the closing of its last child, one
/// within the other. Of those beyond, the last handle is kept until their children are closed: it
/// makes no difference, but that a guest cannot use up the host's stack.
const MAX_WITHOUT_HANDLE: usize = 128;

impl Stream {
    pub(super) fn clone_handle(
        &mut self,
        id: RawSpanId,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        let span = self.span_mut(id)?;
        span.handles = span.handles.saturating_add(1);
        span.sink_span.into_iter().for_each(|span| sink.note_cloned(span));
        let last_handle = mem::replace(&mut span.last_handle, LastHandle::InUse);
        // A handle whose drop was deferred is in use again.
        let sink_span = span.sink_span.filter(|_| last_handle != LastHandle::DropDeferred);
        if let Some(span) = sink_span {
            sink.clone_handle(span);
        }
        self.without_handle -= usize::from(last_handle == LastHandle::Dropped);
        Ok(())
    }

    #[inline]
    pub(super) fn drop_handle(
        &mut self,
        id: RawSpanId,
        sink: &mut (impl Sink + ?Sized),
    ) -> Result<(), ReceiveError> {
        let can_wait_in_sink = self.without_handle < MAX_WITHOUT_HANDLE;
        let span = self.span_mut(id)?;
        span.handles = span.handles.checked_sub(1).ok_or(ReceiveError::UnknownSpanId(id))?;
        span.sink_span.into_iter().for_each(|span| sink.note_dropped(span));
        if let Some(unshared) = span.unshared.checked_sub(1) {
            span.unshared = unshared;
        } else if span.handles > 0 || span.children == 0 {
            span.sink_span.into_iter().for_each(|span| sink.drop_handle(span));
        } else if can_wait_in_sink {
            span.last_handle = LastHandle::Dropped;
            span.sink_span.into_iter().for_each(|span| sink.drop_handle(span));
            self.without_handle += 1;
        } else {
            span.last_handle = LastHandle::DropDeferred;
        }
        self.close_if_unused(id, sink);
        Ok(())
    }

    /// Closes a span that nothing keeps open any more, and those that only it kept open.
    pub(super) fn close_if_unused(&mut self, id: RawSpanId, sink: &mut (impl Sink + ?Sized)) {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let Some(span) = self.spans.get_mut(&id).filter(|span| span.is_unused()) else {
                return;
            };
            let last_handle = mem::replace(&mut span.last_handle, LastHandle::InUse);
            self.without_handle -= usize::from(last_handle == LastHandle::Dropped);
            let attempt = self.attempt.as_mut();
            let is_set_aside = attempt.is_some_and(|attempt| attempt.set_aside(span, last_handle));
            let sink_span = span.sink_span.take();
            span.is_closed |= sink_span.is_some();
            if let Some(sink_span) = sink_span.filter(|_| !is_set_aside) {
                if last_handle == LastHandle::DropDeferred {
                    sink.drop_handle(sink_span);
                }
                let is_entered = span.entered > 0;
                sink.closed(sink_span, is_entered);
            }
            let parent = span.keeps_open.take();
            self.forget_if_unused(id);
            if let Some(parent) = parent {
                if let Some(parent) = self.spans.get_mut(&parent) {
                    parent.children = parent.children.saturating_sub(1);
                }
                next = Some(parent);
            }
        }
    }

    /// Forgets a span that the sink does not have, once nothing can name it any more.
    pub(super) fn forget_if_unused(&mut self, id: RawSpanId) {
        if self.spans.get(&id).is_some_and(KnownSpan::is_forgettable) {
            let forgotten = self.spans.remove(&id);
            self.encoded_room = forgotten.map_or_else(Vec::new, |span| span.values.into_room());
        }
    }
}
