//! The types that the functions of [`predicates`](super) return, and the traits of their arguments.
//!
//! You need them only to write a signature. A helper that returns a predicate needs none of them:
//!
//! ```
//! use spanshot::{Capture, CapturedEvent, predicates::*};
//! use tracing::Level;
//!
//! /// Matches the warnings of a slow connection.
//! fn is_slow(port: u16) -> impl for<'a> Predicate<CapturedEvent<'a>> {
//!     level(Level::WARN) & message("slow") & field("port", port)
//! }
//!
//! let capture = Capture::start();
//! tracing::warn!(port = 80_u16, "slow");
//! capture.trace().scan_events().single(&is_slow(80));
//! ```
//!
//! A helper that passes its argument on to [`field()`](super::field) takes an [`IntoFieldPredicate`]; likewise
//! [`IntoLevelPredicate`], [`IntoTargetPredicate`], [`IntoTextPredicate`], [`IntoCountPredicate`], [`IntoCount`] and
//! [`IntoTree`] say what other functions take.

pub use super::{
    any_field::AnyFieldPredicate,
    close_to::CloseToPredicate,
    combinators::{And, Not, Or},
    count::IntoCount,
    debug::DebugPredicate,
    error_chain::ErrorChainPredicate,
    ever::EverPredicate,
    field::{FieldPredicate, IntoFieldPredicate},
    level::{IntoLevelPredicate, LevelPredicate},
    only_fields::OnlyFieldsPredicate,
    parent::{AncestorPredicate, ParentPredicate},
    parent_kind::ParentKindPredicate,
    related::{
        ChildPredicate, DeepEventPredicate, DescendantPredicate, EventPredicate,
        FollowsFromPredicate,
    },
    satisfies::SatisfiesPredicate,
    scan_ext::Ancestors,
    scope::Scope,
    stats::{
        ClonedPredicate, ClosedPredicate, DroppedPredicate, EnteredPredicate, ExitedPredicate,
        IntoCountPredicate,
    },
    target::{IntoTargetPredicate, ModulePredicate, TargetPredicate},
    text::{FilePredicate, IntoTextPredicate, MessagePredicate, NamePredicate},
    that::ThatPredicate,
    tree::{IntoTree, TreePredicate},
    value::ValuePredicate,
};
