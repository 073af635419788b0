use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{fmt, iter};

use ::predicates::{
    Predicate,
    reflection::{Case, Parameter, PredicateReflection},
};

use super::{
    failure::{absent, actual, first_few},
    sight::{NO_OTHER_VALUE, VALUE_OF},
};
use crate::{
    capture::{Captured, short::Short},
    wire::text::Quoted,
};

/// Number of names of each kind that a reason lists.
const MAX_SHOWN: usize = 8;

/// Matches spans and events whose fields with a value are exactly these, in any order.
///
/// The message of an event is its field `message`. A field that was recorded without a value, such as a `None` or an
/// [`Empty`](tracing_core::field::Empty), does not count. For a span, all values that were recorded so far count.
///
/// It does not check the values: combine it with [`field()`](super::field()).
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!(host = "localhost", port = 8_080, path = None::<&str>, "connected");
/// let trace = capture.trace();
/// let exact = only_fields(["message", "port", "host"]);
/// trace.scan_events().single(&(exact & field("port", 8_080)));
/// trace.scan_events().none(&only_fields(["message", "port"]));
/// ```
pub fn only_fields<const N: usize>(names: [&'static str; N]) -> OnlyFieldsPredicate {
    OnlyFieldsPredicate { names: names.into() }
}

/// Predicate for the names of all fields, returned by [`only_fields()`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlyFieldsPredicate {
    names: Box<[&'static str]>,
}

impl OnlyFieldsPredicate {
    fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }
}

impl_operators!({} OnlyFieldsPredicate);

impl fmt::Display for OnlyFieldsPredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "only fields {:?}", self.names)
    }
}

impl PredicateReflection for OnlyFieldsPredicate {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        let named = self.names.iter().map(|name| Parameter::new(VALUE_OF, name));
        Box::new(named.chain(iter::once(Parameter::new(NO_OTHER_VALUE, &""))))
    }
}

impl<'a, T: Captured<'a>> Predicate<T> for OnlyFieldsPredicate {
    fn eval(&self, item: &T) -> bool {
        self.names.iter().all(|name| item.value(name).is_some())
            && !item.any_field(|name, _| !self.has(name))
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        if self.eval(item) != expected {
            return None;
        }
        if expected {
            let what = if self.names.is_empty() { "without fields" } else { "with these alone" };
            return Some(actual(self, true, item, "it", &what));
        }
        let is_missing = |name: &&&str| item.value(name).is_none();
        if !self.names.is_empty() && self.names.iter().all(|name| is_missing(&name)) {
            let is_empty = !item.any_field(|_, _| true);
            if is_empty {
                return Some(absent(self, false, item, "it", "without fields"));
            }
        }
        if item.is_brief() {
            return Some(Case::new(Some(self), false));
        }
        let missing = listed(self.names.iter().filter(is_missing).map(|name| Quoted(name)));
        let node = item.node();
        let mut surplus: Vec<_> = Vec::new();
        for (name, _) in node.values().filter(|(name, _)| !self.has(name)) {
            // A call site may declare several fields with one name.
            if surplus.len() <= MAX_SHOWN && !surplus.contains(&name) {
                surplus.push(name);
            }
        }
        let what = match (missing, listed(surplus.into_iter().map(Quoted))) {
            (Some(missing), Some(surplus)) => format!("without {missing}, and also with {surplus}"),
            (Some(missing), None) => format!("without {missing}"),
            (None, surplus) => format!("also with {}", surplus.unwrap_or_default()),
        };
        Some(actual(self, false, item, "it", &what))
    }
}

/// Lists names, if there are any.
fn listed(names: impl Iterator<Item = impl fmt::Display>) -> Option<String> {
    first_few(names.map(Short::phrase), MAX_SHOWN, ", ")
}
