use alloc::{format, string::String};
use core::{any, fmt};
use std::process::ExitCode;

/// The result of a test that [`Capture::run()`](crate::Capture::run) runs: `()`, a [`Result`] whose error can be shown,
/// or an [`ExitCode`].
///
/// An `ExitCode` within a `Result` is not looked at.
///
/// You never need to name or implement this trait.
///
/// # Example
///
/// ```
/// use spanshot::Capture;
///
/// Capture::run(|_| tracing::info!("a test that returns nothing"));
/// let result = Capture::run(|_| "8080".parse::<u16>());
/// assert_eq!(result, Ok(8_080));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the result of a test",
    label = "not the result of a test",
    note = "a test returns `()`, an `ExitCode`, or a `Result` whose error is `Debug`"
)]
pub trait TestResult: sealed::Sealed {
    /// Returns the text of the error, if there is one.
    #[doc(hidden)]
    fn error(&self) -> Option<String>;
}

impl TestResult for () {
    fn error(&self) -> Option<String> {
        None
    }
}

impl<T, E: fmt::Debug> TestResult for Result<T, E> {
    fn error(&self) -> Option<String> {
        self.as_ref().err().and_then(error_text)
    }
}

impl TestResult for ExitCode {
    fn error(&self) -> Option<String> {
        (*self != Self::SUCCESS).then(|| format!("{self:?}"))
    }
}

/// Returns the text of an error that fails a test. A rejected case of a proptest property, as by `prop_assume!`, has
/// not failed.
pub(super) fn error_text<E: fmt::Debug>(error: &E) -> Option<String> {
    let text = format!("{error:?}");
    let name = any::type_name::<E>();
    let is_case = name.starts_with("proptest::") && name.ends_with("::TestCaseError");
    (!is_case || !text.starts_with("Reject(")).then_some(text)
}

mod sealed {
    use super::ExitCode;

    pub trait Sealed {}

    impl Sealed for () {}
    impl<T, E> Sealed for Result<T, E> {}
    impl Sealed for ExitCode {}
}
