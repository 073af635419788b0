//! Which test a thread is running, for the process-wide mode.

use alloc::{
    string::String,
    sync::{Arc, Weak},
    vec::Vec,
};
use core::cell::{Cell, RefCell};
use std::thread;

use tracing_core::{
    Callsite, Dispatch, Interest, Kind, Level, Metadata,
    field::Value,
    metadata,
    span::{Attributes, Id},
};
use tracing_subscriber::filter::Targets;

use crate::capture::{SharedStorage, subscriber::spans::CaptureSpans};

/// A process-wide capture that is under way. It is over when this is dropped, so that nobody keeps it:
/// neither spans, which live on, nor handles.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) spans: CaptureSpans,
    filter: Option<Targets>,
    name: String,
}

impl Test {
    /// Creates that of the current thread, which a test runner has named.
    pub(crate) fn new(storage: &SharedStorage, filter: Option<Targets>) -> Arc<Self> {
        let name = thread::current().name().unwrap_or_default().into();
        Arc::new(Self { spans: CaptureSpans::new(storage, true), filter, name })
    }

    pub(crate) fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| filter.would_enable(metadata.target(), metadata.level()))
    }
}

struct CallSite;

static CALL_SITE: CallSite = CallSite;

static METADATA: Metadata<'static> = metadata! {
    name: "test",
    target: "spanshot",
    level: Level::ERROR,
    fields: &["name"],
    callsite: &CALL_SITE,
    kind: Kind::SPAN,
};

impl Callsite for CallSite {
    /// Nothing is cached here: no filter is asked about it.
    fn set_interest(&self, _interest: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

/// Whether this is a span that stands for a test, and is no part of its trace.
pub(crate) fn is_test_span(metadata: &Metadata<'_>) -> bool {
    metadata.callsite() == METADATA.callsite()
}

std::thread_local! {
    /// Tests that the thread runs, the innermost last.
    static RUNNING: RefCell<Vec<Weak<Test>>> = const { RefCell::new(Vec::new()) };

    /// Whether the layer took notice of the latest test span.
    static IS_NOTICED: Cell<bool> = const { Cell::new(false) };
}

/// Returns the test that the current thread runs, if it is not over.
pub(crate) fn running() -> Option<Arc<Test>> {
    let find =
        |running: &RefCell<Vec<Weak<Test>>>| running.borrow().iter().rev().find_map(Weak::upgrade);
    RUNNING.try_with(find).ok().flatten()
}

/// Whether the current thread runs this test.
pub(crate) fn is_running(test: &Weak<Test>) -> bool {
    let is_last = |running: &RefCell<Vec<Weak<Test>>>| {
        running.borrow().last().is_some_and(|last| last.ptr_eq(test))
    };
    RUNNING.try_with(is_last).unwrap_or(false)
}

/// Returns the test whose span is being created, and takes notice of that.
pub(crate) fn notice() -> Option<Weak<Test>> {
    let _ = IS_NOTICED.try_with(|is_noticed| is_noticed.set(true));
    RUNNING.try_with(|running| running.borrow().last().cloned()).ok().flatten()
}

/// The current thread's time in a test: a span that is the root of what is traced meanwhile.
#[derive(Debug)]
pub(crate) struct TestSpan {
    dispatch: Dispatch,
    id: Id,
    test: Weak<Test>,
}

impl TestSpan {
    /// Has the current thread run a test.
    pub(crate) fn enter(dispatch: &Dispatch, test: &Weak<Test>) -> Self {
        let _ = RUNNING.try_with(|running| running.borrow_mut().push(test.clone()));
        let _ = IS_NOTICED.try_with(|is_noticed| is_noticed.set(false));
        let mut id = new_span(dispatch, test);
        // A filter of the layer is not asked, but its answer to a question that somebody asked for
        // nothing may be lying about. It is used up by now.
        if matches!(IS_NOTICED.try_with(Cell::get), Ok(false)) {
            dispatch.try_close(id);
            id = new_span(dispatch, test);
        }
        dispatch.enter(&id);
        Self { dispatch: dispatch.clone(), id, test: test.clone() }
    }

    /// Has the current thread run a test, if it does not already: in spans of that test it stays.
    pub(crate) fn carry(dispatch: &Dispatch, test: &Weak<Test>) -> Option<Self> {
        (!is_running(test)).then(|| Self::enter(dispatch, test))
    }
}

/// Each time a new one: one that is entered again would not become the current span.
fn new_span(dispatch: &Dispatch, test: &Weak<Test>) -> Id {
    let test = test.upgrade();
    let name = test.as_ref().map_or("", |test| &test.name);
    let fields = METADATA.fields();
    match fields.field("name") {
        Some(field) => {
            let values = [(&field, Some(&name as &dyn Value))];
            dispatch.new_span(&Attributes::new_root(&METADATA, &fields.value_set(&values)))
        }
        None => dispatch.new_span(&Attributes::new_root(&METADATA, &fields.value_set(&[]))),
    }
}

impl Drop for TestSpan {
    fn drop(&mut self) {
        self.dispatch.exit(&self.id);
        self.dispatch.try_close(self.id.clone());
        let _ = RUNNING.try_with(|running| {
            let mut running = running.borrow_mut();
            if let Some(position) = running.iter().rposition(|test| test.ptr_eq(&self.test)) {
                running.remove(position);
            }
        });
    }
}
