use alloc::borrow::Cow;
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use crate::capture::{CapturedEvent, CapturedSpan};

/// Matches spans or events for which a closure returns `true`. A failure message shows your words for it.
///
/// Your closure has to name the type of its argument, `&CapturedSpan<'_>` or `&CapturedEvent<'_>`: it decides whether
/// the predicate is for spans or for events.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, CapturedSpan, predicates::*};
///
/// let capture = Capture::start();
/// drop(tracing::info_span!("connect", host = "localhost", port = 80));
/// let trace = capture.trace();
/// let has_fields = satisfies("has fields", |span: &CapturedSpan<'_>| span.values().count() > 0);
/// trace.scan_spans().all(&has_fields);
/// let predicate = name("connect") & !has_fields;
/// assert_eq!(predicate.to_string(), r#"(name(var == "connect") && !has fields)"#);
/// ```
pub fn satisfies<F>(words: impl Into<Cow<'static, str>>, condition: F) -> SatisfiesPredicate<F> {
    SatisfiesPredicate { words: words.into(), condition }
}

/// Predicate that is a closure with a name, returned by [`satisfies()`].
#[derive(Clone)]
pub struct SatisfiesPredicate<F> {
    words: Cow<'static, str>,
    condition: F,
}

impl_operators!({F,} SatisfiesPredicate<F>);

impl<F> fmt::Debug for SatisfiesPredicate<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SatisfiesPredicate")
            .field("words", &self.words)
            .finish_non_exhaustive()
    }
}

impl<F> fmt::Display for SatisfiesPredicate<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

impl<F> PredicateReflection for SatisfiesPredicate<F> {}

/// Only the closure knows which value it looks at, so the case shows none.
macro_rules! impl_predicate {
    ($item:ident) => {
        impl<F: Fn(&$item<'_>) -> bool> Predicate<$item<'_>> for SatisfiesPredicate<F> {
            fn eval(&self, item: &$item<'_>) -> bool {
                (self.condition)(item)
            }

            fn find_case(&self, expected: bool, item: &$item<'_>) -> Option<Case<'_>> {
                (self.eval(item) == expected).then(|| Case::new(Some(self), expected))
            }
        }
    };
}

impl_predicate!(CapturedSpan);
impl_predicate!(CapturedEvent);
