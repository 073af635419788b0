mod constructors;
mod primitives;
#[cfg(test)]
mod tests;
mod values;

use tracing_core::Metadata;

use super::asked_kind;
use super::{HAS_THREAD, VERSION, buffer::FrameBuffer, kind};
use crate::wire::{CallSiteKind, MetadataId, Parent, RawSpanId, ThreadIndex, TracingLevel};

/// Writes one frame, straight from what the program hands to the subscriber.
///
/// A frame is empty until one of the methods that are named like a record begins it. A sender has
/// them do so where it is: it is too large to be moved about for each record.
#[derive(Debug)]
pub struct FrameWriter {
    buffer: FrameBuffer,
}

impl Default for FrameWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameWriter {
    #[inline]
    pub const fn new() -> Self {
        Self { buffer: FrameBuffer::new() }
    }

    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.as_slice()
    }

    pub fn write_new_call_site(&mut self, id: MetadataId, metadata: &Metadata<'static>) {
        let kind = if metadata.is_span() { CallSiteKind::Span } else { CallSiteKind::Event };
        self.call_site(id, kind);
        self.description(metadata);
    }

    fn call_site(&mut self, id: MetadataId, kind: CallSiteKind) {
        self.starting(kind::NEW_CALL_SITE, id, 0);
        self.uint(match kind {
            CallSiteKind::Span => 0,
            CallSiteKind::Event => 1,
        });
    }

    /// Asks about a call site for the first time, or, without an ID, for the only time.
    pub fn write_question(
        &mut self,
        id: Option<MetadataId>,
        metadata: &Metadata<'_>,
        thread: ThreadIndex,
    ) {
        self.starting(kind::QUESTION, id.map_or(0, |id| id + 1), thread);
        let kind = match () {
            () if metadata.is_span() => asked_kind::SPAN,
            () if metadata.is_event() => asked_kind::EVENT,
            () => asked_kind::HINT,
        };
        self.uint(kind.into());
        self.description(metadata);
    }

    pub fn write_question_again(&mut self, id: MetadataId, thread: ThreadIndex) {
        self.starting(kind::QUESTION_AGAIN, id, thread);
    }

    /// Writes what there is of a call site, from its level on.
    fn description(&mut self, metadata: &Metadata<'_>) {
        self.level((*metadata.level()).into());
        self.str(metadata.name());
        self.str(metadata.target());
        self.optional_str(metadata.module_path());
        self.optional_str(metadata.file());
        self.optional_uint(metadata.line());
        self.len(metadata.fields().len());
        for field in metadata.fields() {
            self.str(field.name());
        }
    }

    fn level(&mut self, level: TracingLevel) {
        self.uint(match level {
            TracingLevel::Error => 0,
            TracingLevel::Warn => 1,
            TracingLevel::Info => 2,
            TracingLevel::Debug => 3,
            TracingLevel::Trace => 4,
        });
    }

    /// Writes a new span up to its values.
    pub fn write_new_span(
        &mut self,
        id: RawSpanId,
        parent: Parent,
        call_site: MetadataId,
        thread: ThreadIndex,
    ) {
        self.starting(kind::NEW_SPAN, id, thread);
        self.uints(call_site, parent_number(parent));
    }

    /// Writes a new event up to its values.
    pub fn write_new_event(&mut self, parent: Parent, call_site: MetadataId, thread: ThreadIndex) {
        self.starting(kind::NEW_EVENT, call_site, thread);
        self.uint(parent_number(parent));
    }

    /// Writes up to the values.
    pub fn write_values_recorded(&mut self, id: RawSpanId) {
        self.starting(kind::VALUES_RECORDED, id, 0);
    }

    pub fn write_follows_from(&mut self, id: RawSpanId, follows_from: RawSpanId) {
        self.starting(kind::FOLLOWS_FROM, id, 0);
        self.uint(follows_from);
    }

    pub fn write_span_entered(&mut self, id: RawSpanId, thread: ThreadIndex) {
        self.starting(kind::SPAN_ENTERED, id, thread);
    }

    pub fn write_span_exited(&mut self, id: RawSpanId, thread: ThreadIndex) {
        self.starting(kind::SPAN_EXITED, id, thread);
    }

    pub fn write_span_cloned(&mut self, id: RawSpanId) {
        self.starting(kind::SPAN_CLONED, id, 0);
    }

    pub fn write_span_dropped(&mut self, id: RawSpanId) {
        self.starting(kind::SPAN_DROPPED, id, 0);
    }

    /// Writes what all records begin with, and many consist of. As numbers, bytes of a header are
    /// small.
    fn starting(&mut self, kind: u8, id: u64, thread: ThreadIndex) {
        let header = VERSION << 5 | kind;
        if thread == 0 {
            self.uints(header.into(), id);
        } else {
            self.uints((header | HAS_THREAD).into(), thread);
            self.uint(id);
        }
    }
}

// The header is one byte.
const _: () = assert!(VERSION << 5 < primitives::MORE);

fn parent_number(parent: Parent) -> u64 {
    match parent {
        Parent::Contextual => 0,
        Parent::Root => 1,
        Parent::Explicit(id) => id + 1,
    }
}
