//! Frames of what a storage holds, one made after another.

use super::FrameWriter;
use crate::wire::{CallSiteData, MetadataId, Parent, RawSpanId, ThreadIndex};

impl FrameWriter {
    fn of(write: impl FnOnce(&mut Self)) -> Self {
        let mut writer = Self::new();
        write(&mut writer);
        writer
    }

    pub fn described_call_site(id: MetadataId, data: &CallSiteData) -> Self {
        Self::of(|writer| {
            writer.call_site(id, data.kind);
            writer.level(data.level);
            writer.str(&data.name);
            writer.str(&data.target);
            writer.optional_str(data.module_path.as_deref());
            writer.optional_str(data.file.as_deref());
            writer.optional_uint(data.line);
            writer.len(data.fields.len());
            for field in &data.fields {
                writer.str(field);
            }
        })
    }

    pub fn new_span(
        id: RawSpanId,
        parent: Parent,
        call_site: MetadataId,
        thread: ThreadIndex,
    ) -> Self {
        Self::of(|writer| writer.write_new_span(id, parent, call_site, thread))
    }

    pub fn new_event(parent: Parent, call_site: MetadataId, thread: ThreadIndex) -> Self {
        Self::of(|writer| writer.write_new_event(parent, call_site, thread))
    }

    pub fn follows_from(id: RawSpanId, follows_from: RawSpanId) -> Self {
        Self::of(|writer| writer.write_follows_from(id, follows_from))
    }

    pub fn values_recorded(id: RawSpanId) -> Self {
        Self::of(|writer| writer.write_values_recorded(id))
    }

    pub fn span_entered(id: RawSpanId, thread: ThreadIndex) -> Self {
        Self::of(|writer| writer.write_span_entered(id, thread))
    }

    pub fn span_exited(id: RawSpanId, thread: ThreadIndex) -> Self {
        Self::of(|writer| writer.write_span_exited(id, thread))
    }

    pub fn span_dropped(id: RawSpanId) -> Self {
        Self::of(|writer| writer.write_span_dropped(id))
    }
}
