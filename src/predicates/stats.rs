//! Predicates for how a span was used: entries, exits, clones, drops, and whether it is closed.

use alloc::{boxed::Box, format, string::String};
use core::{fmt, iter};

use ::predicates::{
    Predicate,
    reflection::{Case, Parameter, PredicateReflection},
};

use super::{
    count::{IntoCount, limits},
    failure::actual,
    sight::HANDLES,
};
use crate::capture::CapturedSpan;

/// The types that [`entered()`], [`exited()`], [`cloned()`] and [`dropped()`] take.
///
/// # Example
///
/// See [`entered()`].
#[diagnostic::on_unimplemented(
    note = "`entered()`, `exited()`, `cloned()` and `dropped()` take a number, a range, or a predicate for `usize` in square brackets"
)]
pub trait IntoCountPredicate {
    /// The predicate for a number of times.
    type Predicate: Predicate<usize>;

    /// Makes the predicate.
    fn into_predicate(self) -> Self::Predicate;
}

impl<P: Predicate<usize>> IntoCountPredicate for [P; 1] {
    type Predicate = P;

    fn into_predicate(self) -> P {
        let [predicate] = self;
        predicate
    }
}

impl<C: IntoCount> IntoCountPredicate for C {
    type Predicate = CountPredicate;

    fn into_predicate(self) -> CountPredicate {
        let (min, max) = limits(self);
        CountPredicate { min, max }
    }
}

/// Predicate for a number of times, made from the number or from a range.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountPredicate {
    min: usize,
    max: Option<usize>,
}

impl fmt::Display for CountPredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => Times(min).fmt(formatter),
            (0, Some(max)) => write!(formatter, "at most {}", Times(max)),
            (min, Some(max)) => write!(formatter, "{min} to {max} times"),
            (min, None) => write!(formatter, "at least {}", Times(min)),
        }
    }
}

impl PredicateReflection for CountPredicate {}

impl Predicate<usize> for CountPredicate {
    fn eval(&self, count: &usize) -> bool {
        self.min <= *count && self.max.is_none_or(|max| *count <= max)
    }
}

/// Shows a number of times.
struct Times(usize);

impl fmt::Display for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => formatter.write_str("never"),
            1 => formatter.write_str("once"),
            count => write!(formatter, "{count} times"),
        }
    }
}

/// Implements a predicate for a number of times, which may be unknown. It names the subject that was entered or cloned so often.
macro_rules! impl_count {
    ($ty:ident, $name:ident, |$span:ident| $count:expr, $subject:literal $(, $parameter:expr)?) => {
        impl_operators_and_text!($ty, stringify!($name));

        impl<P: PredicateReflection> PredicateReflection for $ty<P> {
            $(fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
                Box::new(iter::once(Parameter::new($parameter, &"")))
            })?
        }

        impl<P: Predicate<usize>> Predicate<CapturedSpan<'_>> for $ty<P> {
            fn eval(&self, $span: &CapturedSpan<'_>) -> bool {
                $count.is_some_and(|count| self.matches.eval(&count))
            }

            fn find_case(&self, expected: bool, $span: &CapturedSpan<'_>) -> Option<Case<'_>> {
                (self.eval($span) == expected).then(|| {
                    let (subject, what): (_, String) = match $count {
                        None => ("that", "not known".into()),
                        Some(0) => ($subject, concat!("never ", stringify!($name)).into()),
                        Some(count) => {
                            ($subject, format!(concat!(stringify!($name), " {}"), Times(count)))
                        }
                    };
                    actual(self, expected, $span, subject, &what)
                })
            }
        }
    };
}

/// Matches spans by how often they were entered.
///
/// It takes a number of times, a range, or a predicate for `usize` in square brackets.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// let span = tracing::info_span!("poll");
/// span.in_scope(|| ());
/// span.in_scope(|| ());
/// let trace = capture.trace();
/// trace.scan_spans().single(&entered(2));
/// trace.scan_spans().none(&entered(3..));
/// ```
pub fn entered<P: IntoCountPredicate>(times: P) -> EnteredPredicate<P::Predicate> {
    EnteredPredicate { matches: times.into_predicate() }
}

/// Predicate for how often a span was entered, returned by [`entered()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnteredPredicate<P> {
    matches: P,
}

impl_count!(EnteredPredicate, entered, |span| Some(span.stats().entered), "it");

/// Matches spans by how often they were exited.
///
/// It takes a number of times, a range, or a predicate for `usize` in square brackets.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// let _work = tracing::info_span!("work").entered();
/// let trace = capture.trace();
/// trace.scan_spans().single(&(entered(1) & exited(0)));
/// ```
pub fn exited<P: IntoCountPredicate>(times: P) -> ExitedPredicate<P::Predicate> {
    ExitedPredicate { matches: times.into_predicate() }
}

/// Predicate for how often a span was exited, returned by [`exited()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitedPredicate<P> {
    matches: P,
}

impl_count!(ExitedPredicate, exited, |span| Some(span.stats().exited), "it");

/// Matches spans whose handles were cloned this often, as the subscriber was told by `clone_span`.
///
/// It takes a number of times, a range, or a predicate for `usize` in square brackets. If the number is [not
/// known](CapturedSpan::clones), the span does not match, and an assertion that holds for that reason
/// [fails](super::Scanner#negatives).
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// let span = tracing::info_span!("job");
/// drop(span.clone());
/// drop(span);
/// let trace = capture.trace();
/// trace.scan_spans().single(&(cloned(1) & dropped(2) & closed()));
/// trace.scan_spans().none(&cloned([gt(1)]));
/// ```
pub fn cloned<P: IntoCountPredicate>(times: P) -> ClonedPredicate<P::Predicate> {
    ClonedPredicate { matches: times.into_predicate() }
}

/// Predicate for how often a handle of a span was cloned, returned by [`cloned()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClonedPredicate<P> {
    matches: P,
}

impl_count!(ClonedPredicate, cloned, |span| span.clones(), "a handle", HANDLES);

/// Matches spans whose handles were dropped this often, as the subscriber was told by `try_close` or `drop_span`.
///
/// The last drop, which may close the span, counts as well. It takes the same arguments as [`cloned()`]. Likewise, a
/// span does not match if the number is not known.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// let open = tracing::info_span!("open");
/// drop(tracing::info_span!("closed"));
/// let trace = capture.trace();
/// trace.scan_spans().single(&(name("open") & dropped(0)));
/// trace.scan_spans().single(&(name("closed") & dropped(1)));
/// ```
pub fn dropped<P: IntoCountPredicate>(times: P) -> DroppedPredicate<P::Predicate> {
    DroppedPredicate { matches: times.into_predicate() }
}

/// Predicate for how often a handle of a span was dropped, returned by [`dropped()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DroppedPredicate<P> {
    matches: P,
}

impl_count!(DroppedPredicate, dropped, |span| span.drops(), "a handle", HANDLES);

/// Matches spans that are closed. The others are open: `!closed()`.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// drop(tracing::info_span!("connect"));
/// let _serve = tracing::info_span!("serve");
/// let trace = capture.trace();
/// trace.scan_spans().single(&(name("connect") & closed()));
/// trace.scan_spans().single(&(name("serve") & !closed()));
/// ```
pub fn closed() -> ClosedPredicate {
    ClosedPredicate(())
}

/// Predicate for spans that are closed, returned by [`closed()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedPredicate(());

impl_operators!({} ClosedPredicate);

impl fmt::Display for ClosedPredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("closed")
    }
}

impl PredicateReflection for ClosedPredicate {}

impl Predicate<CapturedSpan<'_>> for ClosedPredicate {
    fn eval(&self, span: &CapturedSpan<'_>) -> bool {
        span.stats().is_closed
    }

    fn find_case(&self, expected: bool, span: &CapturedSpan<'_>) -> Option<Case<'_>> {
        let is_closed = span.stats().is_closed;
        let state = if is_closed { "closed" } else { "open" };
        (is_closed == expected).then(|| actual(self, expected, span, "it", &state))
    }
}
