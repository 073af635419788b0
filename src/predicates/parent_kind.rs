use alloc::boxed::Box;
use core::{fmt, iter};

use ::predicates::{
    Predicate,
    reflection::{Case, Parameter, PredicateReflection},
};

use super::{
    failure::actual,
    sight::{PARENT_KIND, PARENT_SEEN},
};
use crate::capture::{Captured, ParentKind};

/// Matches spans and events that got their parent in this way: by an explicit parent, the current span, an explicit
/// root, or because there was no current span.
///
/// Combine it with [`parent()`](super::parent()) to say which span the parent is. If a stream does not tell the kind,
/// the predicate does not match, and an assertion that holds for that reason [fails](super::Scanner#negatives): see
/// [`ParentKind`].
///
/// # Example
///
/// ```
/// use spanshot::{Capture, capture::ParentKind, predicates::*};
/// use tracing::{info, info_span};
///
/// let capture = Capture::start();
/// let serve = info_span!("serve");
/// serve.in_scope(|| info!("accepted"));
/// info!(parent: &serve, "served");
///
/// let trace = capture.trace();
/// let explicit = parent_kind(ParentKind::Explicit) & parent(name("serve"));
/// assert_eq!(trace.scan_events().single(&explicit).message(), Some("served"));
/// trace.scan_events().single(&(message("accepted") & parent_kind(ParentKind::Contextual)));
/// trace.scan_spans().all(&parent_kind(ParentKind::ContextualRoot));
/// ```
pub fn parent_kind(kind: ParentKind) -> ParentKindPredicate {
    ParentKindPredicate { kind }
}

/// Predicate for how a span or event got its parent, returned by [`parent_kind()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParentKindPredicate {
    kind: ParentKind,
}

impl_operators!({} ParentKindPredicate);

impl fmt::Display for ParentKindPredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "parent kind({:?})", self.kind)
    }
}

impl PredicateReflection for ParentKindPredicate {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        let parent_seen = match self.kind {
            ParentKind::Contextual => Some(&true),
            ParentKind::ContextualRoot => Some(&false),
            ParentKind::Explicit | ParentKind::ExplicitRoot => None,
        };
        let parent_seen = parent_seen.map(|seen| Parameter::new(PARENT_SEEN, seen));
        Box::new(iter::once(Parameter::new(PARENT_KIND, &"")).chain(parent_seen))
    }
}

impl<'a, T: Captured<'a>> Predicate<T> for ParentKindPredicate {
    fn eval(&self, item: &T) -> bool {
        item.parent_kind() == Some(self.kind)
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        (self.eval(item) == expected).then(|| match item.parent_kind() {
            Some(kind) => actual(self, expected, item, "it", &format_args!("{kind:?}")),
            None => actual(self, expected, item, "it", &"not told by the stream"),
        })
    }
}
