use alloc::string::String;
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection},
};

use super::{
    field::impl_into_itself,
    shown_value::{case_with_remark, look_alike},
};
use crate::wire::{
    TracedValue,
    text::{Escaped, lenient_format},
};

/// Matches values recorded with `?` that have the same [`Debug`](fmt::Debug) output as `value`, for
/// [`field()`](super::field()).
///
/// The output of `value` is made by `{:?}`, on one line. It is compared with `Debug` and `Display` output, which
/// `tracing` does not tell apart, but not with strings.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!(peers = ?["::1", "::2"], "connected");
/// let trace = capture.trace();
/// trace.scan_events().single(&field("peers", debug(&["::1", "::2"])));
/// trace.scan_events().single(&field("peers", r#"["::1", "::2"]"#)); // is the same
/// ```
pub fn debug<T: fmt::Debug + ?Sized>(value: &T) -> DebugPredicate {
    DebugPredicate { text: lenient_format(format_args!("{value:?}")) }
}

/// Predicate for `Debug` output, returned by [`debug()`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugPredicate {
    text: String,
}

impl_operators!({} DebugPredicate);
impl_into_itself!({} DebugPredicate);

impl fmt::Display for DebugPredicate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "var == ?{}", Escaped(&self.text))
    }
}

impl PredicateReflection for DebugPredicate {}

impl Predicate<TracedValue> for DebugPredicate {
    fn eval(&self, value: &TracedValue) -> bool {
        value.as_debug_str() == Some(&self.text)
    }

    fn find_case(&self, expected: bool, value: &TracedValue) -> Option<Case<'_>> {
        let remark = || look_alike(value, &Escaped(&self.text));
        (self.eval(value) == expected).then(|| case_with_remark(self, expected, remark()))
    }
}
