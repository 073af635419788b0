use alloc::{borrow::Cow, format, string::String};

use serde::Serialize;

use super::arguments::{Arguments, number};
use crate::{
    capture::{CapturedEvent, CapturedSpan},
    export::short,
};

/// The only process. Its first thread has the same number, which makes it the main one.
const PROCESS: usize = 1;

/// Categories, by which viewers tell arrows and slices of different kinds apart.
const SPAN: &str = "span";
const ENTERED: &str = "entered";
const EVENT: &str = "event";
const FOLLOWS_FROM: &str = "follows_from";

/// What the format calls an event.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    ph: &'static str,
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    /// In microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    pid: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    tid: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Of an instant: that it is one of its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    /// Of the end of an arrow: that it is in the slice around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    args: About<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum About<'a> {
    Name { name: Cow<'a, str> },
    Arguments(Arguments<'a>),
}

/// When and on which thread something happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) ts: f64,
    pub(super) thread: usize,
}

impl<'a> Record<'a> {
    fn new(ph: &'static str, name: Cow<'a, str>, at: Place, arguments: Arguments<'a>) -> Self {
        Self {
            ph,
            name,
            cat: None,
            ts: Some(at.ts),
            pid: PROCESS,
            tid: Some(at.thread + 1),
            id: None,
            s: None,
            bp: None,
            args: About::Arguments(arguments),
        }
    }

    /// Names the process or a thread of it.
    pub(super) fn naming(thread: Option<usize>, name: Cow<'a, str>) -> Self {
        let what = if thread.is_some() { "thread_name" } else { "process_name" };
        Self {
            ts: None,
            tid: thread.map(|thread| thread + 1),
            args: About::Name { name },
            ..Self::new("M", what.into(), Place { ts: 0.0, thread: 0 }, Arguments::default())
        }
    }

    fn of_span(
        ph: &'static str,
        span: CapturedSpan<'a>,
        at: Place,
        arguments: Arguments<'a>,
    ) -> Self {
        let name = short::name(span.metadata().name());
        let cat = Some(SPAN);
        let id = Some(format!("{:#x}", number(span)));
        Self { cat, id, ..Self::new(ph, name, at, arguments) }
    }

    pub(super) fn created(span: CapturedSpan<'a>, at: Place) -> Self {
        Self::of_span("b", span, at, Arguments::of_span(span))
    }

    pub(super) fn closed(span: CapturedSpan<'a>, at: Place, is_open: bool) -> Self {
        let arguments = Arguments::of_slice(span);
        let arguments = if is_open { arguments.note("still open") } else { arguments };
        Self::of_span("e", span, at, arguments)
    }

    /// The start of a slice in which the span is entered.
    pub(super) fn start(span: CapturedSpan<'a>, at: Place, arguments: Arguments<'a>) -> Self {
        let name = short::name(span.metadata().name());
        Self { cat: Some(ENTERED), ..Self::new("B", name, at, arguments) }
    }

    /// The end of such a slice.
    pub(super) fn end(span: CapturedSpan<'a>, at: Place, arguments: Arguments<'a>) -> Self {
        let name = short::name(span.metadata().name());
        Self { cat: Some(ENTERED), ..Self::new("E", name, at, arguments) }
    }

    pub(super) fn emitted(event: CapturedEvent<'a>, at: Place) -> Self {
        let message = event.message().filter(|message| !message.is_empty());
        let name = short::name(message.unwrap_or(event.metadata().name()));
        let (cat, s) = (Some(EVENT), Some("t"));
        Self { cat, s, ..Self::new("i", name, at, Arguments::of_event(event)) }
    }

    /// The start of an arrow.
    pub(super) fn arrow_start(number: usize, at: Place) -> Self {
        let (cat, id) = (Some(FOLLOWS_FROM), Some(format!("{number:#x}")));
        Self { cat, id, ..Self::new("s", "follows from".into(), at, Arguments::default()) }
    }

    /// The end of an arrow.
    pub(super) fn arrow_end(number: usize, at: Place) -> Self {
        let (cat, id, bp) = (Some(FOLLOWS_FROM), Some(format!("{number:#x}")), Some("e"));
        Self { cat, id, bp, ..Self::new("f", "follows from".into(), at, Arguments::default()) }
    }
}
