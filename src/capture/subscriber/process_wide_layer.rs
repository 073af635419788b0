use alloc::sync::{Arc, Weak};

use tracing_core::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use crate::{
    capture::{
        SharedStorage, Storage,
        storage::{
            metadata::CallSite,
            node::{NewParent, SpanKey},
            threads::ThreadKey,
        },
        subscriber::{
            collect::{collect, collect_event},
            owner::{Around, Owner, ParentKind, place},
            test_span::{self, Test, is_test_span},
            thread_spans,
        },
    },
    said_parent::SaidParent,
};

/// [`Layer`] for your own global subscriber, which passes records to [process-wide
/// captures](crate::Capture::start_process_wide).
///
/// Process-wide captures install a global subscriber of their own. You only need this layer if your tests have another
/// global subscriber, for example to print with `tracing_subscriber::fmt`. Filters that apply to the layer apply to all
/// process-wide captures. Other layers see a span named `test` around the records of a test, with the name of its
/// thread.
///
/// # Example
///
/// Install the layer in a function that each test of the binary calls first, since tests start in any order:
///
/// ```
/// use spanshot::{Capture, capture::ProcessWideLayer};
/// use std::sync::Once;
/// use tracing_subscriber::prelude::*;
///
/// fn capture() -> Capture {
///     static INSTALLED: Once = Once::new();
///     INSTALLED.call_once(|| {
///         tracing_subscriber::registry()
///             .with(tracing_subscriber::fmt::layer().with_test_writer())
///             .with(ProcessWideLayer::new())
///             .init();
///     });
///     Capture::start_process_wide()
/// }
///
/// let capture = capture();
/// tracing::info!("printed and captured");
/// assert_eq!(capture.trace().to_string(), "INFO printed and captured");
/// ```
#[derive(Debug)]
pub struct ProcessWideLayer {
    /// Number under which a thread keeps the entered spans.
    number: u64,
}

impl Default for ProcessWideLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl ProcessWideLayer {
    /// Creates a layer. A subscriber needs only one.
    pub fn new() -> Self {
        crate::capture::subscriber::prepare();
        Self { number: thread_spans::next_number() }
    }
}

/// The destination of a span, and its key in the storage there, if it is captured.
#[derive(Debug, Clone)]
struct Routed {
    to: Destination,
    key: Option<SpanKey>,
    /// Whether there was no room for it.
    is_left_out: bool,
}

/// An [`Owner`] that does not keep its test alive.
#[derive(Debug, Clone)]
enum Destination {
    Test(Weak<Test>),
    Nobody,
    Ended,
}

impl From<&Owner> for Destination {
    fn from(owner: &Owner) -> Self {
        match owner {
            Owner::Test(test) => Self::Test(Arc::downgrade(test)),
            Owner::Nobody => Self::Nobody,
            Owner::Ended => Self::Ended,
        }
    }
}

impl Destination {
    fn owner(&self) -> Owner {
        match self {
            Self::Test(test) => Owner::of_test(test),
            Self::Nobody => Owner::Nobody,
            Self::Ended => Owner::Ended,
        }
    }

    /// Returns the storage of its spans; `None` for a test that has ended.
    fn storage(&self) -> Option<SharedStorage> {
        match (self, self.owner()) {
            (Self::Test(_), Owner::Ended) => None,
            (_, owner) => Some(owner.storage().clone()),
        }
    }

    /// Checks whether the spans of both destinations are in one storage.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Test(test), Self::Test(other)) => test.ptr_eq(other),
            (Self::Test(_), _) | (_, Self::Test(_)) => false,
            _ => true,
        }
    }
}

fn routed<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> Option<Routed> {
    span.extensions().get::<Routed>().cloned()
}

/// Finds the owner of a span, and the nearest span that the owner has captured: itself or an ancestor.
fn around<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> Option<Around> {
    let to = routed(span)?.to;
    let nearest = span
        .scope()
        .filter_map(|span| routed(&span))
        .find_map(|around| around.key.filter(|_| around.to.is_same(&to)));
    Some(Around { owner: to.owner(), nearest, is_whole_test: is_test_span(span.metadata()) })
}

/// Finds a span in its storage.
fn captured<S>(id: &Id, context: &Context<'_, S>) -> Option<(SharedStorage, SpanKey)>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let routed = routed(&context.span(id)?)?;
    Some((routed.to.storage()?, routed.key?))
}

impl ProcessWideLayer {
    /// Finds the owner of a record, and the owner's span that contains it.
    fn place<S>(
        &self,
        is_contextual: bool,
        explicit: Option<&Id>,
        context: &Context<'_, S>,
    ) -> (Owner, Option<SpanKey>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let find = |id: &Id| around(&context.span(id)?);
        let parent = match explicit {
            Some(parent) => ParentKind::Explicit(find(parent)),
            None if is_contextual => ParentKind::Contextual,
            None => ParentKind::Root,
        };
        place(parent, thread_spans::scope(self.number).iter().filter_map(find))
    }
}

impl<S> Layer<S> for ProcessWideLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let metadata = attributes.metadata();
        if is_test_span(metadata) {
            let to = test_span::notice().map_or(Destination::Nobody, Destination::Test);
            span.extensions_mut().replace(Routed { to, key: None, is_left_out: false });
            return;
        }
        let (owner, around) = self.place(attributes.is_contextual(), attributes.parent(), &context);
        let parent = NewParent { span: around, said: SaidParent::of_span(attributes) };
        let key = owner.is_enabled(metadata).then(|| {
            let call_site = CallSite::Native(metadata);
            let thread = ThreadKey::current();
            collect(
                |visitor| attributes.record(visitor),
                |values| {
                    let storage = owner.storage();
                    storage.write(|storage| storage.push_span(&call_site, parent, values, thread))
                },
            )
        });
        let is_left_out = key == Some(None);
        let to = Destination::from(&owner);
        span.extensions_mut().replace(Routed { to, key: key.flatten(), is_left_out });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some((storage, span)) = captured(id, &context) else { return };
        collect(
            |visitor| record.record(visitor),
            |values| storage.write(|storage| storage.record(span, values)),
        );
    }

    fn on_follows_from(&self, id: &Id, follows_from: &Id, context: Context<'_, S>) {
        let (span, follows_from) = (captured(id, &context), captured(follows_from, &context));
        if let (Some((storage, span)), Some((other, follows_from))) = (span, follows_from) {
            if storage.is_same(&other) {
                storage.write(|storage| storage.follows_from(span, follows_from));
            }
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let (owner, span) = self.place(event.is_contextual(), event.parent(), &context);
        if owner.is_enabled(event.metadata()) {
            let parent = NewParent { span, said: SaidParent::of_event(event) };
            let thread = ThreadKey::current();
            collect_event(event, |call_site, values| {
                owner.storage().emit(call_site, parent, values, thread);
            });
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        thread_spans::enter(self.number, id);
        if let Some((storage, span)) = captured(id, &context) {
            let thread = ThreadKey::current();
            storage.write(|storage| storage.enter(span, thread));
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        thread_spans::exit(self.number, id);
        if let Some((storage, span)) = captured(id, &context) {
            let thread = ThreadKey::current();
            storage.write(|storage| storage.exit(span, thread));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(routed) = context.span(&id).and_then(|span| routed(&span)) else { return };
        let Some(storage) = routed.to.storage() else { return };
        match routed.key {
            Some(span) => storage.write(|storage| storage.close(span)),
            None if routed.is_left_out => storage.write(Storage::close_left_out),
            None => {}
        }
    }
}
