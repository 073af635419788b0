use alloc::{
    rc::Rc,
    string::{String, ToString},
};
use core::{ptr, slice};
use std::collections::HashMap;

use super::text::name;
use crate::log_record;
use crate::wire::{
    CallSiteData, CallSiteKind, MetadataId, RawSpanId, ThreadIndex, TracedValue, TracedValues,
    TracingEvent, numbering::Numbering,
};

/// Goes through a stream, and returns the data to show for each record.
pub(super) struct Records<'a> {
    events: slice::Iter<'a, TracingEvent>,
    numbering: Numbering,
    /// Call sites by their numbers.
    call_sites: HashMap<MetadataId, Rc<CallSite<'a>>>,
    /// Call sites of created spans by their numbers.
    spans: HashMap<RawSpanId, Option<Rc<CallSite<'a>>>>,
}

/// An event of a stream, with numbers and names instead of IDs.
pub(super) struct Record<'a> {
    pub(super) thread: ThreadIndex,
    pub(super) what: What<'a>,
}

pub(super) enum What<'a> {
    CallSite {
        number: MetadataId,
        site: Rc<CallSite<'a>>,
    },
    NewSpan {
        span: SpanRef<'a>,
        site: SiteRef<'a>,
        parent: ParentRef<'a>,
        values: Values<'a>,
    },
    NewEvent {
        site: SiteRef<'a>,
        parent: ParentRef<'a>,
        values: Values<'a>,
    },
    Recorded {
        span: SpanRef<'a>,
        values: Values<'a>,
    },
    FollowsFrom {
        span: SpanRef<'a>,
        source: SpanRef<'a>,
    },
    /// The span was entered, exited, cloned or dropped.
    Handled {
        span: SpanRef<'a>,
        how: &'static str,
    },
}

pub(super) struct CallSite<'a> {
    pub(super) data: &'a CallSiteData,
    /// The name as it is shown, unless it is an event's default name, made of its line. It is shown beside every
    /// number, but made only once, since it may be long.
    pub(super) name: Option<Rc<str>>,
    /// Whether records of the `log` crate come from here.
    is_log: bool,
}

/// A call site that a new span or event names.
pub(super) struct SiteRef<'a> {
    pub(super) number: MetadataId,
    /// `None` if it is unknown.
    pub(super) site: Option<Rc<CallSite<'a>>>,
    /// The kind of the record that names it.
    pub(super) kind: CallSiteKind,
}

/// A span that a record names.
pub(super) struct SpanRef<'a> {
    pub(super) number: RawSpanId,
    pub(super) is_known: bool,
    /// `None` if it is unknown.
    pub(super) site: Option<Rc<CallSite<'a>>>,
}

pub(super) enum ParentRef<'a> {
    Current,
    Root,
    Span(SpanRef<'a>),
}

/// The values of a record that are shown.
pub(super) struct Values<'a> {
    values: &'a TracedValues<String>,
    is_log: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(events: &'a [TracingEvent]) -> Self {
        Self {
            events: events.iter(),
            numbering: Numbering::default(),
            call_sites: HashMap::new(),
            spans: HashMap::new(),
        }
    }

    fn record(&mut self, event: &'a TracingEvent) -> Record<'a> {
        let thread = match event {
            TracingEvent::NewSpan { thread, .. }
            | TracingEvent::SpanEntered { thread, .. }
            | TracingEvent::SpanExited { thread, .. }
            | TracingEvent::NewEvent { thread, .. } => self.numbering.thread(*thread),
            // The others belong to no thread.
            _ => 0,
        };
        Record { thread, what: self.what(event) }
    }

    fn what(&mut self, event: &'a TracingEvent) -> What<'a> {
        match event {
            TracingEvent::NewCallSite { id, data } => {
                let number = self.numbering.call_site(*id);
                let site = Rc::new(CallSite::new(data));
                self.call_sites.insert(number, Rc::clone(&site));
                What::CallSite { number, site }
            }
            TracingEvent::NewSpan { id, parent_id, is_root, metadata_id, values, .. } => {
                let site = self.site(*metadata_id, CallSiteKind::Span);
                let parent = self.parent(*parent_id, *is_root);
                let number = self.numbering.new_span(*id);
                self.spans.entry(number).or_insert_with(|| site.site.clone());
                let values = Values::of(values, site.site.as_deref());
                What::NewSpan { span: self.span(number), site, parent, values }
            }
            TracingEvent::FollowsFrom { id, follows_from } => {
                let (span, source) = (self.numbering.span(*id), self.numbering.span(*follows_from));
                What::FollowsFrom { span: self.span(span), source: self.span(source) }
            }
            TracingEvent::SpanEntered { id, .. } => {
                let number = self.numbering.span(*id);
                What::Handled { span: self.span(number), how: "entered" }
            }
            TracingEvent::SpanExited { id, .. } => {
                let number = self.numbering.span(*id);
                What::Handled { span: self.span(number), how: "exited" }
            }
            TracingEvent::SpanCloned { id } => {
                let number = self.numbering.cloned_span(*id);
                What::Handled { span: self.span(number), how: "cloned" }
            }
            TracingEvent::SpanDropped { id } => {
                let number = self.numbering.dropped_span(*id);
                What::Handled { span: self.span(number), how: "dropped" }
            }
            TracingEvent::ValuesRecorded { id, values } => {
                let number = self.numbering.span(*id);
                let span = self.span(number);
                let values = Values::of(values, span.site.as_deref());
                What::Recorded { span, values }
            }
            TracingEvent::NewEvent { metadata_id, parent, is_root, values, .. } => {
                let site = self.site(*metadata_id, CallSiteKind::Event);
                let parent = self.parent(*parent, *is_root);
                let values = Values::of(values, site.site.as_deref());
                What::NewEvent { site, parent, values }
            }
        }
    }

    fn site(&mut self, id: MetadataId, kind: CallSiteKind) -> SiteRef<'a> {
        let number = self.numbering.call_site(id);
        SiteRef { number, site: self.call_sites.get(&number).cloned(), kind }
    }

    /// As for a receiver, an ID wins over `is_root`.
    fn parent(&mut self, id: Option<RawSpanId>, is_root: bool) -> ParentRef<'a> {
        match id {
            Some(id) => {
                let number = self.numbering.span(id);
                ParentRef::Span(self.span(number))
            }
            None if is_root => ParentRef::Root,
            None => ParentRef::Current,
        }
    }

    fn span(&self, number: RawSpanId) -> SpanRef<'a> {
        let span = self.spans.get(&number);
        SpanRef { number, is_known: span.is_some(), site: span.cloned().flatten() }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = self.events.next()?;
        Some(self.record(event))
    }
}

impl<'a> CallSite<'a> {
    fn new(data: &'a CallSiteData) -> Self {
        let name = (!data.is_named_by_line()).then(|| name(&data.name).to_string().into());
        Self { data, name, is_log: log_record::is_of_log(data) }
    }
}

impl SiteRef<'_> {
    pub(super) fn name(&self) -> Option<&str> {
        self.site.as_ref()?.name.as_deref()
    }
}

impl<'a> Values<'a> {
    fn of(values: &'a TracedValues<String>, site: Option<&CallSite<'_>>) -> Self {
        Self { values, is_log: site.is_some_and(|site| site.is_log) }
    }

    /// Iterates over all values, without the place of a record of the `log` crate in its source.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + '_ {
        let is_place = |name| matches!(name, "log.file" | "log.line");
        self.values.iter().filter(move |(name, _)| !self.is_log || !is_place(*name))
    }

    /// Returns the message of an event: the value `message`, if that is a text.
    pub(super) fn message(&self) -> Option<&'a str> {
        self.message_value()?.as_text()
    }

    /// Iterates over the values without the message.
    pub(super) fn beside_message(&self) -> impl Iterator<Item = (&'a str, &'a TracedValue)> + '_ {
        let message = self.message_value();
        self.iter()
            .filter(move |(_, value)| message.is_none_or(|message| !ptr::eq(*value, message)))
    }

    /// An error has more to show than a message.
    fn message_value(&self) -> Option<&'a TracedValue> {
        let is_text = |value: &&_| matches!(value, TracedValue::String(_) | TracedValue::Object(_));
        self.values.get("message").filter(is_text)
    }
}
