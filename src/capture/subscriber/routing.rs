use alloc::sync::{Arc, Weak};

use tracing_core::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use crate::capture::{
    SharedStorage,
    storage::metadata::CallSite,
    storage::node::SpanKey,
    storage::threads::ThreadKey,
    subscriber::collect::{collect, collect_event},
    subscriber::process_wide::{only_test, unattributed_storage},
    subscriber::test_span::{self, Test},
};

/// [`Layer`] for one's own global subscriber, which gives
/// [process-wide captures](crate::Capture::start_process_wide) what is theirs.
///
/// They install a global subscriber that is nothing but this layer. It is only needed where tests
/// have a global subscriber of their own, be it that they print with `tracing_subscriber::fmt`. The
/// filters that apply to the layer apply to all process-wide captures. Other layers see a span named
/// `test` around what a test traces, with the name of its thread.
///
/// # Example
///
/// In a function that each test of the binary calls first, since they start in any order:
///
/// ```
/// use spanshot::{Capture, ProcessWideLayer};
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
    _private: (),
}

impl Default for ProcessWideLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl ProcessWideLayer {
    /// Creates a layer. One on a subscriber is enough.
    pub fn new() -> Self {
        crate::interest::ask_all_subscribers();
        Self { _private: () }
    }
}

/// To whom a span was given, and what it is called there, if it is captured.
#[derive(Debug, Clone)]
struct Routed {
    to: Destination,
    key: Option<SpanKey>,
}

#[derive(Debug, Clone)]
enum Destination {
    Test(Weak<Test>),
    /// It was in no span of a test.
    Nobody,
    /// It was in a span of a test that is over.
    Late,
}

impl Destination {
    /// Finds out who gets what is in a span that was given there.
    fn of_children(&self) -> Owner {
        let test = match self {
            Self::Nobody => return Owner::of_thread(),
            Self::Test(test) => test.upgrade(),
            Self::Late => None,
        };
        // What goes on after its test is not that of the test which the thread runs now: a runtime
        // may be shared between tests.
        test.or_else(only_test).map_or(Owner::Late, Owner::Test)
    }

    fn storage(&self) -> Option<SharedStorage> {
        match self {
            Self::Test(test) => Some(test.upgrade()?.storage.clone()),
            Self::Nobody | Self::Late => Some(unattributed_storage().clone()),
        }
    }
}

/// Whose something is that is traced: a test's, or, as above, that of none.
enum Owner {
    Test(Arc<Test>),
    Nobody,
    Late,
}

impl Owner {
    /// That of the test which the thread runs, in a span that is no test's or in none.
    fn of_thread() -> Self {
        test_span::running().or_else(only_test).map_or(Self::Nobody, Self::Test)
    }

    fn destination(&self) -> Destination {
        match self {
            Self::Test(test) => Destination::Test(Arc::downgrade(test)),
            Self::Nobody => Destination::Nobody,
            Self::Late => Destination::Late,
        }
    }

    fn has(&self, destination: &Destination) -> bool {
        match (self, destination) {
            (Self::Test(test), Destination::Test(other)) => {
                Weak::as_ptr(other) == Arc::as_ptr(test)
            }
            (Self::Test(_), _) | (_, Destination::Test(_)) => false,
            _ => true, // they are in one storage
        }
    }

    fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        match self {
            Self::Test(test) => test.is_enabled(metadata),
            Self::Nobody | Self::Late => true,
        }
    }

    fn storage(&self) -> &SharedStorage {
        match self {
            Self::Test(test) => &test.storage,
            Self::Nobody | Self::Late => unattributed_storage(),
        }
    }
}

fn routed<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> Option<Routed> {
    span.extensions().get::<Routed>().cloned()
}

/// Finds the owner of what is in these spans, the innermost of which comes first, and what of them
/// the owner has.
fn place<'a, S: for<'b> LookupSpan<'b> + 'a>(
    scope: impl Iterator<Item = SpanRef<'a, S>>,
) -> (Owner, Option<SpanKey>) {
    let mut owner = None;
    let key = scope.filter_map(|span| routed(&span)).find_map(|span| {
        let owner = owner.get_or_insert_with(|| span.to.of_children());
        span.key.filter(|_| owner.has(&span.to))
    });
    (owner.unwrap_or_else(Owner::of_thread), key)
}

/// Finds a span in the storage that has it.
fn captured<S>(id: &Id, context: &Context<'_, S>) -> Option<(SharedStorage, SpanKey)>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let routed = routed(&context.span(id)?)?;
    Some((routed.to.storage()?, routed.key?))
}

impl<S> Layer<S> for ProcessWideLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let metadata = attributes.metadata();
        if test_span::is_test_span(metadata) {
            let to = test_span::notice().map_or(Destination::Nobody, Destination::Test);
            span.extensions_mut().replace(Routed { to, key: None });
            return;
        }
        let (owner, parent) = place(span.scope().skip(1));
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
        let routed = Routed { to: owner.destination(), key: key.flatten() };
        span.extensions_mut().replace(routed);
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
        let (owner, parent) = place(context.event_scope(event).into_iter().flatten());
        if owner.is_enabled(event.metadata()) {
            let thread = ThreadKey::current();
            collect_event(event, |call_site, values| {
                owner.storage().emit(call_site, parent, values, thread);
            });
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some((storage, span)) = captured(id, &context) {
            let thread = ThreadKey::current();
            storage.write(|storage| storage.enter(span, thread));
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if let Some((storage, span)) = captured(id, &context) {
            let thread = ThreadKey::current();
            storage.write(|storage| storage.exit(span, thread));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some((storage, span)) = captured(&id, &context) {
            storage.write(|storage| storage.close(span));
        }
    }
}
