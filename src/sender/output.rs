use core::fmt;

use tracing_core::{
    Event, Metadata,
    field::Visit,
    span::{Attributes, Record},
};

#[cfg(feature = "frames")]
use crate::wire::frame::FrameWriter;
use crate::wire::{
    CallSiteData, MetadataId, Parent, RawSpanId, ThreadIndex, TracedValues, TracingEvent,
};

/// What a sender has to say, before it is put into a form in which it is sent.
pub(crate) enum Outgoing<'a> {
    NewCallSite {
        id: MetadataId,
        metadata: &'static Metadata<'static>,
    },
    NewSpan {
        id: RawSpanId,
        parent: Parent,
        call_site: MetadataId,
        values: &'a Attributes<'a>,
        thread: ThreadIndex,
    },
    FollowsFrom {
        id: RawSpanId,
        follows_from: RawSpanId,
    },
    SpanEntered {
        id: RawSpanId,
        thread: ThreadIndex,
    },
    SpanExited {
        id: RawSpanId,
        thread: ThreadIndex,
    },
    SpanCloned {
        id: RawSpanId,
    },
    SpanDropped {
        id: RawSpanId,
    },
    ValuesRecorded {
        id: RawSpanId,
        values: &'a Record<'a>,
    },
    NewEvent {
        parent: Parent,
        call_site: MetadataId,
        event: &'a Event<'a>,
        thread: ThreadIndex,
    },
}

/// A function that records leave through, and the form that it takes them in.
pub(crate) trait Output {
    fn send(&self, outgoing: Outgoing<'_>);
}

impl<F: Fn(TracingEvent)> Output for F {
    fn send(&self, outgoing: Outgoing<'_>) {
        self(match outgoing {
            Outgoing::NewCallSite { id, metadata } => {
                TracingEvent::NewCallSite { id, data: CallSiteData::from(metadata) }
            }
            Outgoing::NewSpan { id, parent, call_site, values, thread } => {
                let (parent_id, is_root) = parent.into_fields();
                let values = TracedValues::from_values(values.values());
                TracingEvent::NewSpan {
                    id,
                    parent_id,
                    is_root,
                    metadata_id: call_site,
                    values,
                    thread,
                }
            }
            Outgoing::FollowsFrom { id, follows_from } => {
                TracingEvent::FollowsFrom { id, follows_from }
            }
            Outgoing::SpanEntered { id, thread } => TracingEvent::SpanEntered { id, thread },
            Outgoing::SpanExited { id, thread } => TracingEvent::SpanExited { id, thread },
            Outgoing::SpanCloned { id } => TracingEvent::SpanCloned { id },
            Outgoing::SpanDropped { id } => TracingEvent::SpanDropped { id },
            Outgoing::ValuesRecorded { id, values } => {
                TracingEvent::ValuesRecorded { id, values: TracedValues::from_record(values) }
            }
            Outgoing::NewEvent { parent, call_site, event, thread } => {
                let (parent, is_root) = parent.into_fields();
                let values = TracedValues::from_event(event);
                TracingEvent::NewEvent { metadata_id: call_site, parent, is_root, values, thread }
            }
        });
    }
}

/// A function that takes [frames](crate::frame), in the type of a
/// [`TracingEventSender::encoded`](super::TracingEventSender::encoded).
///
/// # Example
///
/// ```
/// use spanshot::{Frames, TracingEventSender};
///
/// fn send(frame: &[u8]) { /* hand it to the host */ }
///
/// let sender: TracingEventSender<Frames<fn(&[u8])>> = TracingEventSender::encoded(send as fn(&[u8]));
/// ```
#[cfg(feature = "frames")]
#[cfg_attr(docsrs, doc(cfg(feature = "frames")))]
pub struct Frames<F> {
    pub(super) on_frame: F,
}

#[cfg(feature = "frames")]
impl<F> fmt::Debug for Frames<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Frames").finish_non_exhaustive()
    }
}

#[cfg(feature = "frames")]
impl<F: Fn(&[u8])> Output for Frames<F> {
    fn send(&self, outgoing: Outgoing<'_>) {
        let frame = match outgoing {
            Outgoing::NewCallSite { id, metadata } => FrameWriter::new_call_site(id, metadata),
            Outgoing::NewSpan { id, parent, call_site, values, thread } => {
                let frame = FrameWriter::new_span(id, parent, call_site, thread);
                with_values(frame, |visitor| values.record(visitor))
            }
            Outgoing::FollowsFrom { id, follows_from } => {
                FrameWriter::follows_from(id, follows_from)
            }
            Outgoing::SpanEntered { id, thread } => FrameWriter::span_entered(id, thread),
            Outgoing::SpanExited { id, thread } => FrameWriter::span_exited(id, thread),
            Outgoing::SpanCloned { id } => FrameWriter::span_cloned(id),
            Outgoing::SpanDropped { id } => FrameWriter::span_dropped(id),
            Outgoing::ValuesRecorded { id, values } => {
                with_values(FrameWriter::values_recorded(id), |visitor| values.record(visitor))
            }
            Outgoing::NewEvent { parent, call_site, event, thread } => {
                let frame = FrameWriter::new_event(parent, call_site, thread);
                with_values(frame, |visitor| event.record(visitor))
            }
        };
        (self.on_frame)(frame.as_bytes());
    }
}

#[cfg(feature = "frames")]
fn with_values(frame: FrameWriter, record: impl FnOnce(&mut dyn Visit)) -> FrameWriter {
    let mut visitor = crate::wire::visit::FieldVisitor(frame);
    record(&mut visitor);
    visitor.0
}
