//! Traces, as plain data and as they are captured.

use proptest::{prelude::*, sample::Index};
use spanshot::{
    CallSiteData, CallSiteKind, RawSpanId, SharedStorage, Trace, TracedValues, TracingEvent,
    TracingEventReceiver, TracingLevel,
};

use crate::value::{Value, value};

pub(crate) const FIELDS: [&str; 3] = ["x", "y", "message"];
pub(crate) const NAMES: [&str; 3] = ["a", "ab", "b"];
pub(crate) const MODULES: [&str; 4] = ["net", "net::dns", "network", "app"];
pub(crate) const FILES: [&str; 3] = ["src/a.rs", "src/b.rs", "b.rs"];

#[derive(Debug, Clone)]
pub(crate) struct CallSite {
    pub(crate) name: &'static str,
    /// 0 is `TRACE`.
    pub(crate) severity: usize,
    pub(crate) target: &'static str,
    pub(crate) module: Option<&'static str>,
    pub(crate) file: Option<&'static str>,
}

pub(crate) type Values = Vec<(&'static str, Value)>;

#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) call_site: CallSite,
    pub(crate) values: Values,
    pub(crate) parent: Option<usize>,
    pub(crate) follows_from: Vec<usize>,
    pub(crate) entered: usize,
    pub(crate) exited: usize,
    pub(crate) is_dropped: bool,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) call_site: CallSite,
    pub(crate) values: Values,
    pub(crate) parent: Option<usize>,
}

/// A trace as plain data: spans and events in their order.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) spans: Vec<Span>,
    pub(crate) events: Vec<Event>,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Span { call_site: CallSite, parent: Option<Index>, values: Values },
    Event { call_site: CallSite, parent: Option<Index>, values: Values },
    Enter(Index),
    Exit(Index),
    Record(Index, Values),
    FollowsFrom(Index, Index),
    Drop(Index),
}

fn call_site() -> impl Strategy<Value = CallSite> {
    use prop::{option, sample::select};
    let names = (select(&NAMES[..]), 0..5_usize, select(&MODULES[..]));
    let source = (option::of(select(&MODULES[..])), option::of(select(&FILES[..])));
    (names, source).prop_map(|((name, severity, target), (module, file))| CallSite {
        name,
        severity,
        target,
        module,
        file,
    })
}

fn values() -> impl Strategy<Value = Values> {
    let field = |name: &'static str| prop::option::of(value().prop_map(move |value| (name, value)));
    let values = (field(FIELDS[0]), field(FIELDS[1]), field(FIELDS[2]));
    values.prop_map(|(x, y, message)| [x, y, message].into_iter().flatten().collect())
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let parent = || prop::option::weighted(0.8, any::<Index>());
    let step = prop_oneof![
        5 => (call_site(), parent(), values())
            .prop_map(|(call_site, parent, values)| Step::Span { call_site, parent, values }),
        5 => (call_site(), parent(), values())
            .prop_map(|(call_site, parent, values)| Step::Event { call_site, parent, values }),
        3 => any::<Index>().prop_map(Step::Enter),
        3 => any::<Index>().prop_map(Step::Exit),
        1 => (any::<Index>(), values()).prop_map(|(span, values)| Step::Record(span, values)),
        3 => any::<(Index, Index)>().prop_map(|(span, other)| Step::FollowsFrom(span, other)),
        3 => any::<Index>().prop_map(Step::Drop),
    ];
    prop::collection::vec(step, 1..30)
}

/// Builds the model of a trace, and has the same captured.
pub(crate) fn run(steps: &[Step]) -> (Model, Trace) {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let mut model = Model::default();
    for (number, step) in steps.iter().enumerate() {
        for event in model.take(step, number as u64) {
            receiver.receive(event);
        }
    }
    (model, storage.lock())
}

fn id(span: usize) -> RawSpanId {
    span as u64 + 1
}

fn traced(values: &Values) -> TracedValues<String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), value.traced())).collect()
}

impl Model {
    /// One of the spans that there are handles of.
    fn find(&self, index: Index) -> Option<usize> {
        let spans: Vec<_> = (0..self.spans.len()).filter(|i| !self.spans[*i].is_dropped).collect();
        (!spans.is_empty()).then(|| *index.get(&spans))
    }

    /// Adds a step to the model, and returns what a program sends for it.
    fn take(&mut self, step: &Step, metadata_id: u64) -> Vec<TracingEvent> {
        let thread = 0;
        match step {
            Step::Span { call_site, parent, values } => {
                let parent = parent.and_then(|parent| self.find(parent));
                self.spans.push(Span {
                    call_site: call_site.clone(),
                    values: values.clone(),
                    parent,
                    follows_from: vec![],
                    entered: 0,
                    exited: 0,
                    is_dropped: false,
                });
                let new_span = TracingEvent::NewSpan {
                    id: id(self.spans.len() - 1),
                    parent_id: parent.map(id),
                    is_root: parent.is_none(),
                    metadata_id,
                    values: traced(values),
                    thread,
                };
                vec![call_site.announce(metadata_id, CallSiteKind::Span), new_span]
            }
            Step::Event { call_site, parent, values } => {
                let parent = parent.and_then(|parent| self.find(parent));
                let (call_site, values) = (call_site.clone(), values.clone());
                let new_event = TracingEvent::NewEvent {
                    metadata_id,
                    parent: parent.map(id),
                    is_root: parent.is_none(),
                    values: traced(&values),
                    thread,
                };
                let announced = call_site.announce(metadata_id, CallSiteKind::Event);
                self.events.push(Event { call_site, values, parent });
                vec![announced, new_event]
            }
            Step::FollowsFrom(span, other) => match (self.find(*span), self.find(*other)) {
                (Some(span), Some(other)) => {
                    self.spans[span].follows_from.push(other);
                    vec![TracingEvent::FollowsFrom { id: id(span), follows_from: id(other) }]
                }
                _ => vec![],
            },
            Step::Enter(span) | Step::Exit(span) | Step::Record(span, _) | Step::Drop(span) => {
                let span = self.find(*span);
                span.map_or(vec![], |index| self.change(index, step).into_iter().collect())
            }
        }
    }

    /// Has something done to a span.
    fn change(&mut self, index: usize, step: &Step) -> Option<TracingEvent> {
        let id = id(index);
        let span = &mut self.spans[index];
        match step {
            Step::Enter(_) => {
                span.entered += 1;
                Some(TracingEvent::SpanEntered { id, thread: 0 })
            }
            Step::Exit(_) if span.entered > span.exited => {
                span.exited += 1;
                Some(TracingEvent::SpanExited { id, thread: 0 })
            }
            Step::Record(_, values) => {
                for (name, value) in values {
                    span.values.retain(|(other, _)| other != name);
                    span.values.push((*name, value.clone()));
                }
                Some(TracingEvent::ValuesRecorded { id, values: traced(values) })
            }
            Step::Drop(_) => {
                span.is_dropped = true;
                Some(TracingEvent::SpanDropped { id })
            }
            _ => None,
        }
    }
}

impl CallSite {
    fn announce(&self, id: u64, kind: CallSiteKind) -> TracingEvent {
        let level = [
            TracingLevel::Trace,
            TracingLevel::Debug,
            TracingLevel::Info,
            TracingLevel::Warn,
            TracingLevel::Error,
        ][self.severity];
        let data = CallSiteData {
            kind,
            name: self.name.into(),
            target: self.target.into(),
            level,
            module_path: self.module.map(Into::into),
            file: self.file.map(Into::into),
            line: None,
            fields: FIELDS.map(Into::into).to_vec(),
        };
        TracingEvent::NewCallSite { id, data }
    }
}
