use core::fmt;

use postcard::Serializer;
use serde::Serialize;
#[cfg(feature = "sender")]
use tracing_core::Metadata;
use tracing_core::field::Field;

#[cfg(feature = "sender")]
use super::asked_kind;
use super::{HAS_THREAD, VERSION, buffer::FrameBuffer, kind, value_type};
#[cfg(all(feature = "capture", feature = "stream"))]
use crate::wire::CallSiteData;
use crate::wire::{
    CallSiteKind, MetadataId, Parent, RawSpanId, ThreadIndex, TracingLevel,
    visit::{VisitValue, VisitedValue},
};

/// Writes one frame, straight from what the program hands to the subscriber.
pub(crate) struct FrameWriter {
    serializer: Serializer<FrameBuffer>,
}

impl FrameWriter {
    fn new(kind: u8, thread: ThreadIndex) -> Self {
        let mut writer = Self { serializer: Serializer { output: FrameBuffer::new() } };
        let header = VERSION << 5 | kind;
        if thread == 0 {
            writer.byte(header);
        } else {
            writer.byte(header | HAS_THREAD);
            writer.uint(thread);
        }
        writer
    }

    #[cfg(feature = "sender")]
    pub(crate) fn new_call_site(id: MetadataId, metadata: &Metadata<'static>) -> Self {
        let kind = if metadata.is_span() { CallSiteKind::Span } else { CallSiteKind::Event };
        let mut writer = Self::call_site(id, kind);
        writer.description(metadata);
        writer
    }

    #[cfg(all(feature = "capture", feature = "stream"))]
    pub(crate) fn described_call_site(id: MetadataId, data: &CallSiteData) -> Self {
        let mut writer = Self::call_site(id, data.kind);
        writer.level(data.level);
        writer.value(&data.name);
        writer.value(&data.target);
        writer.value(&data.module_path);
        writer.value(&data.file);
        writer.value(&data.line);
        writer.uint(data.fields.len() as u64);
        for field in &data.fields {
            writer.value(field);
        }
        writer
    }

    fn call_site(id: MetadataId, kind: CallSiteKind) -> Self {
        let mut writer = Self::new(kind::NEW_CALL_SITE, 0);
        writer.uint(id);
        writer.byte(match kind {
            CallSiteKind::Span => 0,
            CallSiteKind::Event => 1,
        });
        writer
    }

    /// Asks about a call site for the first time, or, without an ID, for the only time.
    #[cfg(feature = "sender")]
    pub(crate) fn question(
        id: Option<MetadataId>,
        metadata: &Metadata<'_>,
        thread: ThreadIndex,
    ) -> Self {
        let mut writer = Self::new(kind::QUESTION, thread);
        writer.uint(id.map_or(0, |id| id + 1));
        writer.byte(match () {
            () if metadata.is_span() => asked_kind::SPAN,
            () if metadata.is_event() => asked_kind::EVENT,
            () => asked_kind::HINT,
        });
        writer.description(metadata);
        writer
    }

    #[cfg(feature = "sender")]
    pub(crate) fn question_again(id: MetadataId, thread: ThreadIndex) -> Self {
        Self::of_span(kind::QUESTION_AGAIN, id, thread)
    }

    /// Writes what there is of a call site, from its level on.
    #[cfg(feature = "sender")]
    fn description(&mut self, metadata: &Metadata<'_>) {
        self.level((*metadata.level()).into());
        self.value(metadata.name());
        self.value(metadata.target());
        self.value(&metadata.module_path());
        self.value(&metadata.file());
        self.value(&metadata.line());
        self.uint(metadata.fields().len() as u64);
        for field in metadata.fields() {
            self.value(field.name());
        }
    }

    fn level(&mut self, level: TracingLevel) {
        self.byte(match level {
            TracingLevel::Error => 0,
            TracingLevel::Warn => 1,
            TracingLevel::Info => 2,
            TracingLevel::Debug => 3,
            TracingLevel::Trace => 4,
        });
    }

    pub(crate) fn new_span(
        id: RawSpanId,
        parent: Parent,
        call_site: MetadataId,
        thread: ThreadIndex,
    ) -> Self {
        let mut writer = Self::new(kind::NEW_SPAN, thread);
        writer.uint(id);
        writer.uint(call_site);
        writer.parent(parent);
        writer
    }

    pub(crate) fn new_event(parent: Parent, call_site: MetadataId, thread: ThreadIndex) -> Self {
        let mut writer = Self::new(kind::NEW_EVENT, thread);
        writer.uint(call_site);
        writer.parent(parent);
        writer
    }

    #[cfg(feature = "sender")]
    pub(crate) fn values_recorded(id: RawSpanId) -> Self {
        Self::of_span(kind::VALUES_RECORDED, id, 0)
    }

    pub(crate) fn follows_from(id: RawSpanId, follows_from: RawSpanId) -> Self {
        let mut writer = Self::of_span(kind::FOLLOWS_FROM, id, 0);
        writer.uint(follows_from);
        writer
    }

    pub(crate) fn span_entered(id: RawSpanId, thread: ThreadIndex) -> Self {
        Self::of_span(kind::SPAN_ENTERED, id, thread)
    }

    pub(crate) fn span_exited(id: RawSpanId, thread: ThreadIndex) -> Self {
        Self::of_span(kind::SPAN_EXITED, id, thread)
    }

    #[cfg(feature = "sender")]
    pub(crate) fn span_cloned(id: RawSpanId) -> Self {
        Self::of_span(kind::SPAN_CLONED, id, 0)
    }

    pub(crate) fn span_dropped(id: RawSpanId) -> Self {
        Self::of_span(kind::SPAN_DROPPED, id, 0)
    }

    fn of_span(kind: u8, id: RawSpanId, thread: ThreadIndex) -> Self {
        let mut writer = Self::new(kind, thread);
        writer.uint(id);
        writer
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.serializer.output.as_slice()
    }

    fn byte(&mut self, byte: u8) {
        self.serializer.output.extend(&[byte]);
    }

    fn uint(&mut self, value: u64) {
        self.value(&value);
    }

    fn parent(&mut self, parent: Parent) {
        self.uint(match parent {
            Parent::Contextual => 0,
            Parent::Root => 1,
            Parent::Explicit(id) => id + 1,
        });
    }

    /// Plain values serialize without fail into a buffer that grows.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        let _ = value.serialize(&mut self.serializer);
    }

    fn key(&mut self, field: usize, value_type: u64) {
        self.uint(field as u64 * value_type::COUNT + value_type);
    }

    fn keyed<T: Serialize + ?Sized>(&mut self, field: usize, value_type: u64, value: &T) {
        self.key(field, value_type);
        self.value(value);
    }

    /// Writes text of a length that is known only afterwards, formatting it once.
    fn text(&mut self, text: fmt::Arguments<'_>) {
        let output = &mut self.serializer.output;
        let start = output.len();
        // What an implementation wrote before it failed stays.
        let _ = fmt::write(output, text);
        let len = output.len() - start;
        self.insert_varint(start, len);
    }

    fn insert_varint(&mut self, position: usize, value: usize) {
        // A `usize` always fits, so that serializing it does not fail.
        if let Ok(varint) = postcard::to_slice(&value, &mut [0; MAX_VARINT]) {
            self.serializer.output.insert(position, varint);
        }
    }
}

/// Bytes of the longest varint of a `usize`.
const MAX_VARINT: usize = 10;

impl VisitValue for FrameWriter {
    fn visit(&mut self, field: &Field, value: VisitedValue<'_>) {
        self.field(field.index(), &value);
    }
}

impl FrameWriter {
    /// Writes the value of the field with this index.
    pub(crate) fn field(&mut self, field: usize, value: &VisitedValue<'_>) {
        match value {
            VisitedValue::Bool(false) => self.key(field, value_type::FALSE),
            VisitedValue::Bool(true) => self.key(field, value_type::TRUE),
            VisitedValue::I64(value) => self.keyed(field, value_type::INT, value),
            VisitedValue::U64(value) => self.keyed(field, value_type::UINT, value),
            VisitedValue::I128(value) => {
                if let Ok(value) = i64::try_from(*value) {
                    self.keyed(field, value_type::INT, &value);
                } else {
                    self.keyed(field, value_type::INT_128, value);
                }
            }
            VisitedValue::U128(value) => {
                if let Ok(value) = u64::try_from(*value) {
                    self.keyed(field, value_type::UINT, &value);
                } else {
                    self.keyed(field, value_type::UINT_128, value);
                }
            }
            VisitedValue::F64(value) => self.keyed(field, value_type::FLOAT, value),
            VisitedValue::Str(value) => self.keyed(field, value_type::STRING, *value),
            VisitedValue::Bytes(value) => {
                self.keyed(field, value_type::BYTES, &value.len());
                self.serializer.output.extend(value);
            }
            VisitedValue::Debug(value) => {
                self.key(field, value_type::OBJECT);
                self.text(format_args!("{value:?}"));
            }
            #[cfg(feature = "std")]
            VisitedValue::Error(value) => {
                self.key(field, value_type::ERROR);
                let start = self.serializer.output.len();
                let chain = core::iter::successors(Some(*value), |error| error.source());
                let mut count = 0;
                for error in chain.take(crate::wire::error::MAX_CHAIN) {
                    self.text(format_args!("{error}"));
                    count += 1;
                }
                self.insert_varint(start, count);
            }
        }
    }
}
