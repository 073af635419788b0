//! The test that a thread is running, for the process-wide mode.

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

/// A process-wide capture that is under way. It is over when this is dropped. So neither spans, which may live on, nor
/// handles keep it alive.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) spans: CaptureSpans,
    filter: Option<Targets>,
    name: String,
}

impl Test {
    /// Creates the test of the current thread, which a test runner has named.
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
    /// Caches nothing: no filter is asked about this call site.
    fn set_interest(&self, _interest: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

/// Checks whether this is a span that stands for a test, and is not part of its trace.
pub(crate) fn is_test_span(metadata: &Metadata<'_>) -> bool {
    metadata.callsite() == METADATA.callsite()
}

std::thread_local! {
    /// Tests that the thread runs, the innermost last.
    static RUNNING: RefCell<Vec<Weak<Test>>> = const { RefCell::new(Vec::new()) };

    /// Whether the layer has noticed the latest test span.
    static IS_NOTICED: Cell<bool> = const { Cell::new(false) };
}

/// Returns the test that the current thread runs, unless that is over.
pub(crate) fn running() -> Option<Arc<Test>> {
    let find =
        |running: &RefCell<Vec<Weak<Test>>>| running.borrow().iter().rev().find_map(Weak::upgrade);
    RUNNING.try_with(find).ok().flatten()
}

/// Checks whether the current thread runs this test.
pub(crate) fn is_running(test: &Weak<Test>) -> bool {
    let is_last = |running: &RefCell<Vec<Weak<Test>>>| {
        running.borrow().last().is_some_and(|last| last.ptr_eq(test))
    };
    RUNNING.try_with(is_last).unwrap_or(false)
}

/// Returns the test whose span is being created, and marks the span as noticed.
pub(crate) fn notice() -> Option<Weak<Test>> {
    let _ = IS_NOTICED.try_with(|is_noticed| is_noticed.set(true));
    RUNNING.try_with(|running| running.borrow().last().cloned()).ok().flatten()
}

/// The current thread's time in a test: a span around all of its records.
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
        // A per-layer filter is not asked about this span. But if `enabled` was called before without tracing anything,
        // the stale answer may have hidden the span. It is used up by now.
        if matches!(IS_NOTICED.try_with(Cell::get), Ok(false)) {
            dispatch.try_close(id);
            id = new_span(dispatch, test);
        }
        dispatch.enter(&id);
        Self { dispatch: dispatch.clone(), id, test: test.clone() }
    }

    /// Has the current thread run a test, unless it already does: then it stays in the spans of that test.
    pub(crate) fn carry(dispatch: &Dispatch, test: &Weak<Test>) -> Option<Self> {
        (!is_running(test)).then(|| Self::enter(dispatch, test))
    }
}

/// Creates a new span each time: a span that is entered again would not become the current one.
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
