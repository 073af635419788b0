//! Predicates for captured spans and events, and scanners that assert with them.
//!
//! A predicate is a condition on a span or an event:
//!
//! - on both: the [`level()`], [`name()`], [`target()`], [`module()`] or [`file()`], a [`field()`] or [`any_field()`]
//!   with a value, now or [`ever()`], [`only_fields()`] with these names, the [`message()`], the [`parent()`] or an
//!   [`ancestor()`], how it got its parent ([`parent_kind()`]), or anything that a closure checks ([`satisfies()`]);
//! - on a span: a [`child()`] or a [`descendant()`], an [`event()`] or [`deep_event()`] in it, a span that it
//!   [`follows_from()`], how often it was [`entered()`] and [`exited()`], how often its handles were [`cloned()`] and
//!   [`dropped()`], whether it is [`closed()`], and the [`tree()`] below it.
//!
//! Combine predicates with `&`, `|` and `!`. Wrap predicates of other crates, and of helpers that return
//! `impl Predicate<…>`, in [`that()`] first. Most take a predicate of the crate [`predicates`] for a part of the span
//! or event. The most useful of these are exported here, so one `use` is enough. Values compare as a person means them:
//! see [`field()`].
//!
//! A [`Scanner`] goes through the spans or events of a trace or of a span, asserts how many match, or in which order,
//! and returns the matches. An assertion that fails names the predicate and the nearest candidate, with a tick or a
//! cross for each condition, and marks the candidate in the trace. An assertion that [says nothing](Scanner#negatives)
//! fails as well.
//!
//! To make sure that no password or token is traced, call
//! [`assert_never_contains()`](crate::Storage::assert_never_contains) on the trace.
//!
//! # Example
//!
//! ```
//! use spanshot::{Capture, predicates::*};
//! use tracing::Level;
//!
//! let capture = Capture::start();
//! tracing::info_span!("connect", port = 8_080).in_scope(|| {
//!     tracing::warn!(millis = 850, "slow");
//! });
//!
//! let trace = capture.trace();
//! let span = trace.scan_spans().single(&(name(eq("connect")) & field("port", 8_080)));
//! span.scan_events().single(&(level(Level::WARN) & field("millis", value(gt(500_i64)))));
//! trace.scan_events().none(&level(Level::ERROR));
//! ```
//!
//! # Coming from `tracing-mock`
//!
//! There, you say what is going to happen, and run the code in the mock. Here, you run the code in a capture, and then
//! assert on the trace. So your test checks only the part that it is about, and a failure shows the rest.
//!
//! | `tracing-mock` | spanshot |
//! |---|---|
//! | `subscriber::mock() … .run_with_handle()`, `handle.assert_finished()` | [`Capture::start()`](crate::Capture::start), [`capture.trace()`](crate::Capture::trace) |
//! | `.with_filter(…)` | [`CaptureBuilder::filter()`](crate::CaptureBuilder::filter) |
//! | `.event(…)`, `.new_span(…)`, in this order | [`in_order()`](Scanner::in_order) |
//! | the same, with nothing between | [`in_a_row()`](Scanner::in_a_row) |
//! | the same with `.only()`: nothing else | [`exactly()`](Scanner::exactly) |
//! | the order of everything | [`timeline_text()`](crate::Storage::timeline_text), with `…` for the lines that do not matter |
//! | `expect::span().named("x")` | [`name("x")`](name()) |
//! | `expect::event().named("x")` | <code>[satisfies]\("named x", \|event: &CapturedEvent<'_>\| event.metadata().name() == "x")</code> |
//! | `.at_level(…)`, `.with_target(…)` | [`level()`], [`target()`] |
//! | `expect::msg("x")` | [`message("x")`](message()) |
//! | `expect::field("a").with_value(&1)` | [`field("a", 1)`](field()) |
//! | `.with_fields(a.and(b).only())` | `field(…) & field(…) &` [`only_fields(["a", "b"])`](only_fields()) |
//! | `has_explicit_parent("p")` | [`parent_kind(ParentKind::Explicit)`](parent_kind()) `&` [`parent(name("p"))`](parent()) |
//! | `has_contextual_parent("p")` | `parent_kind(ParentKind::Contextual) & parent(name("p"))` |
//! | `is_explicit_root()`, `is_contextual_root()` | `parent_kind(ParentKind::ExplicitRoot)`, `parent_kind(ParentKind::ContextualRoot)` |
//! | `.in_scope([inner, outer])` | `parent(name("inner") & parent(name("outer")))`, or [`ancestor()`] |
//! | `.enter(…)`, `.exit(…)` | [`entered(1)`](entered()), [`exited(1)`](exited()); their places in `timeline_text()` |
//! | `.clone_span(…)`, `.drop_span(…)` | [`cloned(1)`](cloned()), [`dropped(1)`](dropped()) |
//! | `.record(span, field)` | `field(…)`, or [`ever(field(…))`](ever()) for a value that was overwritten; `recorded` in `timeline_text()` |
//! | `.follows_from(a, b)` | `name("a") &` [`follows_from(name("b"))`](follows_from()) |
//! | `expect::id()`, to tell spans apart | [`single()`](Scanner::single) returns the span; `timeline_text()` numbers them |
//!
//! ```
//! use spanshot::{Capture, ParentKind, assert_trace_snapshot, predicates::*};
//!
//! let capture = Capture::start();
//! let job = tracing::info_span!("job", id = 7);
//! let clone = job.clone();
//! clone.in_scope(|| tracing::info!(parent: &job, step = 1, "started"));
//! drop((job, clone));
//!
//! let trace = capture.trace();
//! let job = name("job") & field("id", 7) & only_fields(["id"]);
//! trace.scan_spans().single(&(job & cloned(1) & dropped(2) & closed()));
//! let started = message("started") & field("step", 1) & only_fields(["message", "step"]);
//! let in_job = parent_kind(ParentKind::Explicit) & parent(name("job"));
//! trace.scan_events().exactly(&[&(started & in_job)]);
//! assert_trace_snapshot!(trace.timeline_text(), @r"
//! new span 1: INFO job{id=7}
//! span 1 job: entered
//! …
//! span 1 job: exited
//! span 1 job: closed
//! ");
//! ```
//!
//! `tracing-mock` also sees `register_callsite`, `max_level_hint` and `on_register_dispatch`. These concern authors of
//! subscribers; a capture does not show them.

#[macro_use]
mod operators;

mod allow;
mod answers;
mod any_field;
mod checks;
mod close_to;
mod colour;
mod combinators;
mod count;
mod debug;
mod error_chain;
mod ever;
mod failure;
mod field;
mod level;
mod nearest;
mod only_fields;
mod order;
mod parent;
mod parent_kind;
mod plain;
mod related;
mod satisfies;
mod scan_ext;
mod scanner;
mod scope;
mod secret;
mod shown_value;
mod sight;
mod stats;
mod subtree;
mod target;
mod text;
mod that;
mod tree;
mod unattributed;
mod value;

#[doc(no_inline)]
pub use ::predicates::{
    BoxPredicate, Predicate, PredicateBoxExt,
    boolean::PredicateBooleanExt,
    constant::{always, never},
    function::function,
    ord::{eq, ge, gt, le, lt, ne},
    str::{contains, ends_with, is_empty, starts_with},
};

#[cfg(feature = "snapshot")]
pub(crate) use self::answers::KeptAnswers;
pub use self::{
    any_field::{AnyFieldPredicate, any_field},
    checks::ScanError,
    close_to::{CloseToPredicate, close_to},
    combinators::{And, Not, Or},
    count::IntoCount,
    debug::{DebugPredicate, debug},
    error_chain::{ErrorChainPredicate, error_chain},
    ever::{EverPredicate, ever},
    field::{FieldPredicate, IntoFieldPredicate, field},
    level::{IntoLevelPredicate, LevelPredicate, level},
    only_fields::{OnlyFieldsPredicate, only_fields},
    parent::{AncestorPredicate, ParentPredicate, ancestor, parent},
    parent_kind::{ParentKindPredicate, parent_kind},
    plain::{EquivPredicate, OptionPredicate},
    related::{
        ChildPredicate, DeepEventPredicate, DescendantPredicate, EventPredicate,
        FollowsFromPredicate, child, deep_event, descendant, event, follows_from,
    },
    satisfies::{SatisfiesPredicate, satisfies},
    scan_ext::{Ancestors, ScanExt},
    scanner::Scanner,
    scope::Scope,
    stats::{
        ClonedPredicate, ClosedPredicate, DroppedPredicate, EnteredPredicate, ExitedPredicate,
        IntoCountPredicate, cloned, closed, dropped, entered, exited,
    },
    target::{
        IntoTargetPredicate, ModulePredicate, TargetPredicate, TargetStrPredicate, module, target,
    },
    text::{
        FilePredicate, IntoTextPredicate, MessagePredicate, NamePredicate, file, message, name,
    },
    that::{ThatPredicate, that},
    tree::{IntoTree, TreePredicate, tree},
    value::{ValuePredicate, value},
};

/// Turns a predicate into a closure, for [`Iterator::filter()`] and the like.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!("started");
/// tracing::info!("stopped");
/// let trace = capture.trace();
/// assert_eq!(trace.all_events().filter(into_fn(message(eq("started")))).count(), 1);
/// ```
pub fn into_fn<Item>(predicate: impl Predicate<Item>) -> impl Fn(&Item) -> bool {
    move |item| predicate.eval(item)
}
