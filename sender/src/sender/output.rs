use tracing_core::{
    Event, Metadata,
    span::{Attributes, Record},
};

use super::context::{Sending, Thread};
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
        /// Call site of the span, if it is known.
        metadata: Option<&'static Metadata<'static>>,
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
    /// Puts a record into the form, which is where the program's values are formatted, and then calls
    /// the function. What that traces is not sent, as nothing is that a subscriber traces while
    /// `tracing-core` dispatches to it: it would be called for it again, without an end.
    fn emit(&self, outgoing: &Outgoing<'_>, thread: &Thread<'_>);
}

impl<F: Fn(TracingEvent)> Output for F {
    fn emit(&self, outgoing: &Outgoing<'_>, thread: &Thread<'_>) {
        let record = collect(outgoing);
        let _sending = Sending::start(thread);
        self(record);
    }
}

fn collect(outgoing: &Outgoing<'_>) -> TracingEvent {
    match *outgoing {
        Outgoing::NewCallSite { id, metadata } => {
            TracingEvent::NewCallSite { id, data: CallSiteData::from(metadata) }
        }
        Outgoing::NewSpan { id, parent, call_site, values, thread } => {
            let (parent_id, is_root) = parent.into_fields();
            let fields = Some(values.metadata().fields());
            let values = TracedValues::collect(fields, |visitor| values.record(visitor));
            TracingEvent::NewSpan { id, parent_id, is_root, metadata_id: call_site, values, thread }
        }
        Outgoing::FollowsFrom { id, follows_from } => {
            TracingEvent::FollowsFrom { id, follows_from }
        }
        Outgoing::SpanEntered { id, thread } => TracingEvent::SpanEntered { id, thread },
        Outgoing::SpanExited { id, thread } => TracingEvent::SpanExited { id, thread },
        Outgoing::SpanCloned { id } => TracingEvent::SpanCloned { id },
        Outgoing::SpanDropped { id } => TracingEvent::SpanDropped { id },
        Outgoing::ValuesRecorded { id, metadata, values } => {
            let fields = metadata.map(Metadata::fields);
            let values = TracedValues::collect(fields, |visitor| values.record(visitor));
            TracingEvent::ValuesRecorded { id, values }
        }
        Outgoing::NewEvent { parent, call_site, event, thread } => {
            let (parent, is_root) = parent.into_fields();
            let values = TracedValues::from_event(event);
            TracingEvent::NewEvent { metadata_id: call_site, parent, is_root, values, thread }
        }
    }
}
