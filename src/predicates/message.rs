use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::{
    IntoTextPredicate,
    failure::{absent, actual},
    shown_value::{NOT_THERE, what_it_is},
};
use crate::{capture::CapturedEvent, wire::text::Quoted};

/// Creates a predicate for the message of an event.
///
/// It takes a string that the message has to be equal to, or any predicate for strings.
///
/// An event without a message does not match, whatever the predicate.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::warn!("took {} ms", 850);
/// let trace = capture.trace();
/// trace.scan_events().single(&message("took 850 ms"));
/// trace.scan_events().single(&message(contains("850")));
/// ```
pub fn message<Form, P>(matches: P) -> MessagePredicate<P::Predicate>
where
    P: IntoTextPredicate<Form>,
{
    MessagePredicate { matches: matches.into_predicate() }
}

/// Predicate for the message of an event, returned by [`message()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagePredicate<P> {
    matches: P,
}

impl_operators!({P,} MessagePredicate<P>);

impl<P: fmt::Display> fmt::Display for MessagePredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "message({})", self.matches)
    }
}

impl<P: PredicateReflection> PredicateReflection for MessagePredicate<P> {}

impl<P: Predicate<str>> Predicate<CapturedEvent<'_>> for MessagePredicate<P> {
    fn eval(&self, event: &CapturedEvent<'_>) -> bool {
        event.message().is_some_and(|message| self.matches.eval(message))
    }

    fn find_case(&self, expected: bool, event: &CapturedEvent<'_>) -> Option<Case<'_>> {
        if self.eval(event) != expected {
            return None;
        }
        Some(match (event.message(), event.value("message")) {
            (Some(message), _) => actual(self, expected, event, "message", &Quoted(message)),
            (None, Some(value)) => {
                let no_text = format!("{value} ({})", what_it_is(value));
                actual(self, expected, event, "message", &no_text)
            }
            (None, None) => absent(self, expected, event, "message", NOT_THERE),
        })
    }
}
