use alloc::sync::{Arc, Weak};
use std::{collections::HashMap, sync::LazyLock};

use tracing_core::{
    Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Current, Id, Record},
};

use crate::{
    capture::{
        storage::{
            node::{NewParent, SpanKey},
            threads::ThreadKey,
        },
        subscriber::{
            collect::collect_event,
            owner::{Around, Owner, ParentKind, place},
            process_wide::unattributed,
            spans::{CaptureSpans, Tag},
            test_span::{self, Test, is_test_span},
            thread_spans,
        },
    },
    lock::RwLock,
    said_parent::SaidParent,
};

/// The subscriber of all process-wide captures, unless the process has one of its own with a
/// [`ProcessWideLayer`](crate::capture::ProcessWideLayer).
///
/// Each record goes to the capture that it belongs to. The ID of a span tells its capture.
#[derive(Debug)]
pub(crate) struct ProcessWideSubscriber {
    /// Number under which a thread keeps the entered spans.
    number: u64,
}

/// The captures that are under way, by the tags of their IDs.
static TESTS: LazyLock<RwLock<HashMap<Tag, Weak<Test>>>> = LazyLock::new(RwLock::default);

/// Registers a capture with the subscriber.
pub(crate) fn add(test: &Arc<Test>) {
    let mut tests = TESTS.write();
    tests.retain(|_, test| test.strong_count() > 0);
    tests.insert(test.spans.tag, Arc::downgrade(test));
}

/// Returns the owner of the span with an ID.
fn owner_of(id: &Id) -> Option<Owner> {
    let tag = Tag::of_process_wide(id)?;
    Some(if tag == unattributed().of_nobody.tag {
        Owner::Nobody
    } else {
        let test = TESTS.read().get(&tag).and_then(Weak::upgrade);
        test.map_or(Owner::Ended, Owner::Test)
    })
}

/// Calls a function with the spans of an ID's owner; `None` for an ID of another subscriber.
fn with_spans<T>(id: &Id, f: impl FnOnce(&CaptureSpans) -> T) -> Option<T> {
    Some(f(spans_of(&owner_of(id)?)))
}

/// Returns the spans of an owner, including new spans of a test that has ended.
fn spans_of(owner: &Owner) -> &CaptureSpans {
    match owner {
        Owner::Test(test) => &test.spans,
        Owner::Nobody => &unattributed().of_nobody,
        Owner::Ended => &unattributed().of_ended,
    }
}

fn around(id: &Id) -> Option<Around> {
    let owner = owner_of(id)?;
    let spans = spans_of(&owner);
    let (nearest, metadata) = (spans.nearest(id), spans.metadata(id));
    Some(Around { nearest, is_whole_test: metadata.is_some_and(is_test_span), owner })
}

impl ProcessWideSubscriber {
    pub(crate) fn new() -> Self {
        crate::capture::subscriber::prepare();
        Self { number: thread_spans::next_number() }
    }

    /// Checks whether no capture gets the records of the current thread.
    pub(crate) fn has_no_capture_here(&self) -> bool {
        !matches!(self.place(true, None), (Owner::Test(_), _))
    }

    fn place(&self, is_contextual: bool, explicit: Option<&Id>) -> (Owner, Option<SpanKey>) {
        let parent = match explicit {
            Some(parent) => ParentKind::Explicit(around(parent)),
            None if is_contextual => ParentKind::Contextual,
            None => ParentKind::Root,
        };
        place(parent, thread_spans::scope(self.number).iter().filter_map(around))
    }
}

impl Subscriber for ProcessWideSubscriber {
    /// Is always interested: the filter depends on the owner of each record.
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let metadata = attributes.metadata();
        if is_test_span(metadata) {
            let owner = test_span::notice().map_or(Owner::Nobody, |test| Owner::of_test(&test));
            return spans_of(&owner).create_not_captured(metadata, None);
        }
        let (owner, parent) = self.place(attributes.is_contextual(), attributes.parent());
        if owner.is_enabled(metadata) {
            spans_of(&owner).create(attributes, parent)
        } else {
            spans_of(&owner).create_not_captured(metadata, parent)
        }
    }

    fn record(&self, id: &Id, record: &Record<'_>) {
        with_spans(id, |spans| spans.record(id, record));
    }

    fn record_follows_from(&self, id: &Id, follows_from: &Id) {
        with_spans(id, |spans| spans.follows_from(id, follows_from));
    }

    fn event(&self, event: &Event<'_>) {
        let (owner, span) = self.place(event.is_contextual(), event.parent());
        if owner.is_enabled(event.metadata()) {
            let parent = NewParent { span, said: SaidParent::of_event(event) };
            let thread = ThreadKey::current();
            collect_event(event, |call_site, values| {
                owner.storage().emit(call_site, parent, values, thread);
            });
        }
    }

    fn enter(&self, id: &Id) {
        thread_spans::enter(self.number, id);
        with_spans(id, |spans| spans.enter(id));
    }

    fn exit(&self, id: &Id) {
        thread_spans::exit(self.number, id);
        with_spans(id, |spans| spans.exit(id));
    }

    fn clone_span(&self, id: &Id) -> Id {
        with_spans(id, |spans| spans.clone_handle(id));
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        with_spans(&id, |spans| spans.drop_handle(&id)).unwrap_or(false)
    }

    fn current_span(&self) -> Current {
        let Some(id) = thread_spans::current(self.number) else { return Current::none() };
        let metadata = with_spans(&id, |spans| spans.metadata(&id)).flatten();
        metadata.map_or_else(Current::none, |metadata| Current::new(id, metadata))
    }
}
