use alloc::{boxed::Box, string::String, vec::Vec};
use core::{error::Error, fmt};

use super::text::lenient_format;

/// An error recorded as a value: its message, its `Debug` output, and the same of its sources.
///
/// It is itself an [`Error`] that prints as the original does, by `{}` and by `{:?}`, and so does each
/// [`source()`](Error::source()). A subscriber that derives the type of an error from its `Debug` output,
/// as Sentry's does, finds the same types in a replayed trace. It cannot downcast the error:
/// the type itself stays in the program.
///
/// The chain is cut after 100 errors: see [`may_be_cut()`](Self::may_be_cut).
///
/// # Example
///
/// ```
/// use std::error::Error;
/// use spanshot::TracedError;
///
/// let parse_error = "ten".parse::<f64>().unwrap_err();
/// let error = std::io::Error::other(parse_error);
/// let traced = TracedError::new(&error);
/// assert_eq!(traced.message, "invalid float literal");
/// assert!(traced.source().is_none()); // `io::Error` shows the inner error as itself
/// assert_eq!(format!("{traced:?}"), "Custom { kind: Other, error: ParseFloatError { kind: Invalid } }");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TracedError {
    /// Output of the error's [`Display`](fmt::Display) implementation.
    pub message: String,
    /// Output of the error's [`Debug`](fmt::Debug) implementation by `{:?}`. A stream of `tracing-tunnel` has
    /// none.
    pub debug: Option<String>,
    /// The error that this one was caused by, if any.
    pub source: Option<Box<TracedError>>,
}

impl TracedError {
    /// Returns about how many bytes the chain takes on the heap.
    #[doc(hidden)]
    pub fn heap_bytes(&self) -> usize {
        let chain = core::iter::successors(Some(self), |error| error.source.as_deref());
        let texts =
            |error: &Self| error.message.len() + error.debug.as_ref().map_or(0, String::len);
        chain.map(|error| texts(error) + size_of::<Self>()).sum()
    }

    /// Takes over the texts of an error and its sources, of 100 errors at most.
    pub fn new(error: &(dyn Error + 'static)) -> Self {
        let mut texts = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            let debug = lenient_format(format_args!("{error:?}"));
            texts.push((lenient_format(format_args!("{error}")), Some(debug)));
            // A `source()` that leads back to itself must not hang the traced program.
            next = if texts.len() < MAX_CHAIN { error.source() } else { None };
        }
        Self::from_texts(texts)
    }

    /// Builds the chain from its messages and their `Debug` outputs, outermost first.
    pub(crate) fn from_texts(texts: Vec<(String, Option<String>)>) -> Self {
        let chain = texts
            .into_iter()
            .rev()
            .fold(None, |source, (message, debug)| Some(Box::new(Self { message, debug, source })));
        chain.map_or_else(
            || Self { message: String::new(), debug: None, source: None },
            |error| *error,
        )
    }

    /// Iterates over the messages of the chain and their `Debug` outputs, outermost first.
    #[doc(hidden)]
    pub fn texts(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        core::iter::successors(Some(self), |error| error.source.as_deref())
            .map(|error| (error.message.as_str(), error.debug.as_deref()))
    }

    /// Returns whether sources may be missing at the end of the chain: it has 100 errors, which is the maximum.
    ///
    /// No chain is longer: a [`source()`](Error::source()) that leads back to itself must not hang the traced
    /// program. A chain of exactly 100 errors is complete, but nothing tells it from a longer one.
    pub fn may_be_cut(&self) -> bool {
        self.messages().nth(MAX_CHAIN - 1).is_some()
    }

    /// Iterates over the messages of the chain, outermost first.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        core::iter::successors(Some(self), |error| error.source.as_deref())
            .map(|error| error.message.as_str())
    }
}

/// Messages of a chain that are kept. It is more than any honest chain has, and less than what
/// makes `serde_json` refuse to go deeper.
pub const MAX_CHAIN: usize = 100;

impl fmt::Display for TracedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl fmt::Debug for TracedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(debug) = &self.debug else {
            return formatter
                .debug_struct("TracedError")
                .field("message", &self.message)
                .field("source", &self.source)
                .finish();
        };
        formatter.write_str(debug)
    }
}

impl Error for TracedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
