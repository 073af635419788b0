//! Predicates for captured spans and events, and scanners that assert with them.
//!
//! A predicate is a condition on a span or an event:
//!
//! | you look at | on | predicates |
//! |---|---|---|
//! | where it was traced | both | [`level()`], [`target()`], [`module()`], [`file()`] |
//! | its name | spans | [`name()`] |
//! | its message | events | [`message()`] |
//! | its values | both | [`field()`], [`any_field()`], [`only_fields()`], earlier ones by [`ever()`] |
//! | what it is in | both | [`parent()`], [`ancestor()`], how it got its parent: [`parent_kind()`] |
//! | its children and events | spans | [`child()`], [`descendant()`], [`event()`], [`deep_event()`], [`tree()`] |
//! | its life | spans | [`closed()`], [`entered()`], [`exited()`], [`cloned()`], [`dropped()`], [`follows_from()`] |
//! | anything else | both | [`satisfies()`], with a closure |
//!
//! For the value of a field, there are [`value()`], [`debug()`], [`close_to()`] and [`error_chain()`]. Plain values
//! compare as a person means them: see [`field()`].
//!
//! Combine predicates with `&`, `|` and `!`. Wrap predicates of other crates, and of helpers that return
//! `impl Predicate<…>`, in [`that()`] first. Most functions take a predicate of the crate
//! [`predicates`](https://docs.rs/predicates) for a part of the span or event. The most useful of these are exported here,
//! so one `use` is enough.
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
//! If you come from `tracing-mock`, the page *Migrating* of the guide (`docs/src/migration.md`) shows its expectations beside
//! these predicates.

// | file | content |
// |---|---|
// | `scanner.rs`, `scan_ext.rs`, `scope.rs` | [`Scanner`], and what it scans |
// | `checks.rs`, `order.rs`, `count.rs` | the assertions |
// | `sight.rs`, `unattributed.rs`, `loosely.rs` | why an assertion that holds may say nothing |
// | `failure.rs`, `nearest.rs`, `shown_value.rs`, `colour.rs` | the messages of assertions that fail |
// | `operators.rs`, `combinators.rs`, `that.rs` | `&`, `|` and `!`, also for predicates of other crates |
// | `level.rs`, `target.rs`, `text.rs` | where something was traced, its name and its message |
// | `field.rs`, `any_field.rs`, `only_fields.rs`, `ever.rs` | its fields |
// | `plain.rs`, `value.rs`, `debug.rs`, `close_to.rs`, `error_chain.rs` | the value of a field |
// | `parent.rs`, `parent_kind.rs`, `related.rs` | the spans and events around it |
// | `tree.rs`, `subtree.rs` | patterns of subtrees |
// | `stats.rs` | how a span was used |
// | `satisfies.rs` | closures |
// | `answers.rs` | keeps answers for spans that many items share, for the length of an assertion |
// | `secret.rs` | `assert_never_contains()` |
// | `allow.rs` | `CaptureBuilder::allow_events_matching()` |
// | `types.rs` | the types that users seldom name |

#[macro_use]
mod operators;

pub mod types;

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
mod loosely;
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
    any_field::any_field,
    checks::ScanError,
    close_to::close_to,
    debug::debug,
    error_chain::error_chain,
    ever::ever,
    field::field,
    level::level,
    only_fields::only_fields,
    parent::{ancestor, parent},
    parent_kind::parent_kind,
    related::{child, deep_event, descendant, event, follows_from},
    satisfies::satisfies,
    scan_ext::ScanExt,
    scanner::Scanner,
    stats::{cloned, closed, dropped, entered, exited},
    target::{module, target},
    text::{file, message, name},
    that::that,
    tree::tree,
    value::value,
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
