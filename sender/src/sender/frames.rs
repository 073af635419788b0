use core::fmt;

use super::{
    context::{Sending, Thread},
    output::{Outgoing, Output},
};
use crate::wire::frame::FrameWriter;

/// The parameter of a [`TracingEventSender`](super::TracingEventSender) that is made by
/// [`encoded`](super::TracingEventSender::encoded). It is needed only to name its type.
///
/// # Example
///
/// ```
/// use spanshot_sender::{Frames, TracingEventSender};
///
/// fn send(frame: &[u8]) { /* hand it to the host */ }
///
/// let sender: TracingEventSender<Frames<fn(&[u8])>> = TracingEventSender::encoded(send as fn(&[u8]));
/// ```
pub struct Frames<F> {
    pub(super) on_frame: F,
}

impl<F> fmt::Debug for Frames<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Frames").finish_non_exhaustive()
    }
}

impl<F: Fn(&[u8])> Output for Frames<F> {
    // Small guests have it once, for all kinds of records; elsewhere each has what it takes of it.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    fn emit(&self, outgoing: &Outgoing<'_>, thread: &Thread<'_>) {
        let mut frame = FrameWriter::new();
        encode(outgoing, &mut frame);
        let _sending = Sending::start(thread);
        (self.on_frame)(frame.as_bytes());
    }
}

#[inline]
fn encode(outgoing: &Outgoing<'_>, frame: &mut FrameWriter) {
    match *outgoing {
        Outgoing::NewCallSite { id, metadata } => frame.write_new_call_site(id, metadata),
        Outgoing::NewSpan { id, parent, call_site, values, thread } => {
            frame.write_new_span(id, parent, call_site, thread);
            values.record(frame);
        }
        Outgoing::FollowsFrom { id, follows_from } => frame.write_follows_from(id, follows_from),
        Outgoing::SpanEntered { id, thread } => frame.write_span_entered(id, thread),
        Outgoing::SpanExited { id, thread } => frame.write_span_exited(id, thread),
        Outgoing::SpanCloned { id } => frame.write_span_cloned(id),
        Outgoing::SpanDropped { id } => frame.write_span_dropped(id),
        Outgoing::ValuesRecorded { id, values, .. } => {
            frame.write_values_recorded(id);
            values.record(frame);
        }
        Outgoing::NewEvent { parent, call_site, event, thread } => {
            frame.write_new_event(parent, call_site, thread);
            event.record(frame);
        }
    }
}
