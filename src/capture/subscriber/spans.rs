//! The spans of a capture under the IDs that its own subscriber hands out.
//!
//! An ID tells its capture, since code may keep a span for longer than a capture, and name it to another subscriber: a
//! pool keeps the span of a connection, and a later test uses the pool. The other capture ignores such a span.
//!
//! ```text
//! bit 63 … 35   the tag of the capture
//! bit 34        whether the subscriber is that of a whole process
//! bit 33        whether the span is not captured: there was no room for it, or a filter did not want it
//! bit 32        always set: in the IDs of a `Registry`, which numbers spans from 1, it is not
//! bit 31 … 0    the key of the span in the storage, or the number of one that is not captured
//! ```

use core::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};
use std::collections::HashMap;

use tracing_core::{
    Metadata,
    span::{Attributes, Id, Record},
};

use crate::{
    capture::{
        SharedStorage, Storage,
        storage::{
            metadata::CallSite,
            node::{NewParent, SpanKey},
            threads::ThreadKey,
        },
        subscriber::collect::collect,
    },
    lock::Mutex,
    said_parent::SaidParent,
};

const OURS: u64 = 1 << 32;
const NOT_CAPTURED: u64 = 1 << 33;
const PROCESS_WIDE: u64 = 1 << 34;
const TAG_SHIFT: u32 = 35;

/// The common bits of all IDs of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tag(u64);

impl Tag {
    /// Returns the tag of a new capture. Tags repeat after half a billion captures.
    fn new(is_process_wide: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        /// An odd number: multiples of it differ in the high bits, unlike the addresses and the small
        /// numbers that other subscribers use.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(SPREAD);
        Self(number << TAG_SHIFT | if is_process_wide { PROCESS_WIDE | OURS } else { OURS })
    }

    /// Returns the tag of an ID that the subscriber of a whole process has handed out.
    pub(crate) fn of_process_wide(id: &Id) -> Option<Self> {
        let tag = Self::of(id);
        (tag.0 & (PROCESS_WIDE | OURS) == PROCESS_WIDE | OURS).then_some(tag)
    }

    fn of(id: &Id) -> Self {
        Self(id.into_u64() & !(NOT_CAPTURED | u64::from(u32::MAX)))
    }

    #[inline]
    fn id(self, key: SpanKey) -> Id {
        Id::from_u64(self.0 | u64::from(key.into_raw().get())) // it is not 0
    }

    fn id_not_captured(self, number: u32) -> Id {
        Id::from_u64(self.0 | NOT_CAPTURED | u64::from(number)) // likewise
    }

    /// Returns the span of this capture that an ID names; `None` for an ID of another subscriber.
    #[inline]
    fn span(self, id: &Id) -> Option<Named> {
        let [.., a, b, c, d] = id.into_u64().to_be_bytes();
        let number = u32::from_be_bytes([a, b, c, d]);
        if Self::of(id) != self {
            None
        } else if id.into_u64() & NOT_CAPTURED == 0 {
            NonZeroU32::new(number).map(SpanKey::from_raw).map(Named::Captured)
        } else {
            Some(Named::NotCaptured(number))
        }
    }
}

enum Named {
    Captured(SpanKey),
    NotCaptured(u32),
}

/// The spans of a capture, and their storage.
#[derive(Debug)]
pub(crate) struct CaptureSpans {
    pub(crate) storage: SharedStorage,
    pub(crate) tag: Tag,
    not_captured: Mutex<NotCaptured>,
}

/// Open spans that are not captured.
#[derive(Debug, Default)]
struct NotCaptured {
    spans: HashMap<u32, Span>,
    /// The number that the last one got.
    last: u32,
}

#[derive(Debug)]
struct Span {
    metadata: &'static Metadata<'static>,
    /// The nearest captured span around it, which it keeps open as a child does.
    around: Option<SpanKey>,
    handles: usize,
    /// Whether there was no room for it.
    is_left_out: bool,
}

impl CaptureSpans {
    pub(crate) fn new(storage: &SharedStorage, is_process_wide: bool) -> Self {
        let tag = Tag::new(is_process_wide);
        Self { storage: storage.clone(), tag, not_captured: Mutex::default() }
    }

    /// Adds a span. If there is no room for it, its children are attached to the span around it.
    pub(crate) fn create(&self, attributes: &Attributes<'_>, parent: Option<SpanKey>) -> Id {
        let call_site = CallSite::Native(attributes.metadata());
        let thread = ThreadKey::current();
        let placed = NewParent { span: parent, said: SaidParent::of_span(attributes) };
        let key = collect(
            |visitor| attributes.record(visitor),
            |values| {
                self.storage.write(|storage| storage.open_span(&call_site, placed, values, thread))
            },
        );
        if let Some(key) = key {
            return self.tag.id(key);
        }
        self.name_not_captured(attributes.metadata(), parent, true)
    }

    /// Names a span that is not captured, since a filter rejects it.
    pub(crate) fn create_not_captured(
        &self,
        metadata: &'static Metadata<'static>,
        around: Option<SpanKey>,
    ) -> Id {
        self.name_not_captured(metadata, around, false)
    }

    fn name_not_captured(
        &self,
        metadata: &'static Metadata<'static>,
        around: Option<SpanKey>,
        is_left_out: bool,
    ) -> Id {
        if let Some(around) = around {
            self.storage.write(|storage| storage.keep_open(around));
        }
        let mut not_captured = self.not_captured.lock();
        // Numbers repeat after four billion spans: the earlier span is hardly open any more.
        let number = not_captured.last.wrapping_add(1);
        not_captured.last = number;
        not_captured.spans.insert(number, Span { metadata, around, handles: 1, is_left_out });
        self.tag.id_not_captured(number)
    }

    /// Finds a span that is captured.
    #[inline]
    pub(crate) fn captured(&self, id: &Id) -> Option<SpanKey> {
        if let Some(Named::Captured(span)) = self.tag.span(id) { Some(span) } else { None }
    }

    /// Finds a span, or the nearest captured one around it; `None` if there is none.
    #[inline]
    pub(crate) fn nearest(&self, id: &Id) -> Option<SpanKey> {
        match self.tag.span(id)? {
            Named::Captured(span) => Some(span),
            Named::NotCaptured(number) => self.not_captured.lock().spans.get(&number)?.around,
        }
    }

    pub(crate) fn metadata(&self, id: &Id) -> Option<&'static Metadata<'static>> {
        match self.tag.span(id)? {
            Named::Captured(span) => self.storage.metadata_if_open(span),
            Named::NotCaptured(number) => {
                Some(self.not_captured.lock().spans.get(&number)?.metadata)
            }
        }
    }

    pub(crate) fn record(&self, id: &Id, record: &Record<'_>) {
        let Some(span) = self.captured(id) else { return };
        collect(
            |visitor| record.record(visitor),
            |values| self.storage.write(|storage| storage.record(span, values)),
        );
    }

    pub(crate) fn follows_from(&self, id: &Id, follows_from: &Id) {
        if let (Some(span), Some(follows_from)) = (self.captured(id), self.captured(follows_from)) {
            self.storage.write(|storage| storage.follows_from(span, follows_from));
        }
    }

    pub(crate) fn enter(&self, id: &Id) {
        self.on_thread(id, Storage::enter);
    }

    pub(crate) fn exit(&self, id: &Id) {
        self.on_thread(id, Storage::exit);
    }

    fn on_thread(&self, id: &Id, f: fn(&mut Storage, SpanKey, ThreadKey)) {
        if let Some(span) = self.captured(id) {
            let thread = ThreadKey::current();
            self.storage.write(|storage| f(storage, span, thread));
        }
    }

    pub(crate) fn clone_handle(&self, id: &Id) {
        match self.tag.span(id) {
            Some(Named::Captured(span)) => {
                self.storage.write(|storage| storage.clone_handle(span));
            }
            Some(Named::NotCaptured(number)) => {
                if let Some(span) = self.not_captured.lock().spans.get_mut(&number) {
                    span.handles += 1;
                }
            }
            None => {}
        }
    }

    /// Drops a handle. Returns whether this closes the span.
    pub(crate) fn drop_handle(&self, id: &Id) -> bool {
        match self.tag.span(id) {
            Some(Named::Captured(span)) => self.storage.write(|storage| storage.drop_handle(span)),
            Some(Named::NotCaptured(number)) => {
                let mut not_captured = self.not_captured.lock();
                let Some(span) = not_captured.spans.get_mut(&number) else { return false };
                span.handles = span.handles.saturating_sub(1);
                if span.handles > 0 {
                    return false;
                }
                let Some(span) = not_captured.spans.remove(&number) else { return false };
                drop(not_captured);
                self.storage.write(|storage| {
                    if span.is_left_out {
                        storage.close_left_out();
                    }
                    if let Some(around) = span.around {
                        storage.let_close(around);
                    }
                });
                true
            }
            None => false,
        }
    }
}
