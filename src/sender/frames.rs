use core::fmt;

use tracing_core::field::Visit;

use super::output::{Outgoing, Output};
use crate::wire::{frame::FrameWriter, visit::FieldVisitor};

/// The parameter of a [`TracingEventSender`](super::TracingEventSender) that is made by
/// [`encoded`](super::TracingEventSender::encoded). It is needed only to name its type.
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
#[cfg_attr(docsrs, doc(cfg(feature = "frames")))]
pub struct Frames<F> {
    pub(super) on_frame: F,
}

impl<F> fmt::Debug for Frames<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Frames").finish_non_exhaustive()
    }
}

impl<F: Fn(&[u8])> Output for Frames<F> {
    type Record = FrameWriter;

    fn encode(outgoing: Outgoing<'_>) -> FrameWriter {
        match outgoing {
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
            Outgoing::ValuesRecorded { id, values, .. } => {
                with_values(FrameWriter::values_recorded(id), |visitor| values.record(visitor))
            }
            Outgoing::NewEvent { parent, call_site, event, thread } => {
                let frame = FrameWriter::new_event(parent, call_site, thread);
                with_values(frame, |visitor| event.record(visitor))
            }
        }
    }

    fn send(&self, frame: FrameWriter) {
        (self.on_frame)(frame.as_bytes());
    }
}

fn with_values(frame: FrameWriter, record: impl FnOnce(&mut dyn Visit)) -> FrameWriter {
    let mut visitor = FieldVisitor(frame);
    record(&mut visitor);
    visitor.0
}
