use alloc::{boxed::Box, string::String, vec::Vec};
use core::{error::Error, fmt};

use super::text::lenient_format;

/// An error recorded as a value: its message and those of its sources, without its type.
///
/// It is itself an [`Error`] whose [`source()`](Error::source()) chain is that of the original,
/// so that a replayed trace shows a subscriber the same chain.
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
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TracedError {
    /// Output of the error's [`Display`](fmt::Display) implementation.
    pub message: String,
    /// The error that this one was caused by, if any.
    pub source: Option<Box<TracedError>>,
}

impl TracedError {
    /// Returns about how many bytes the chain takes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let chain = core::iter::successors(Some(self), |error| error.source.as_deref());
        chain.map(|error| error.message.len() + size_of::<Self>()).sum()
    }

    /// Takes over the messages of an error and its sources.
    pub fn new(error: &(dyn Error + 'static)) -> Self {
        let mut messages = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            messages.push(lenient_format(format_args!("{error}")));
            // A `source()` that leads back to itself must not hang the traced program.
            next = if messages.len() < MAX_CHAIN { error.source() } else { None };
        }
        Self::from_messages(messages)
            .unwrap_or_else(|| Self { message: String::new(), source: None })
    }

    /// Builds the chain from its messages, outermost first; `None` if there is none.
    pub fn from_messages(messages: Vec<String>) -> Option<Self> {
        let chain = messages
            .into_iter()
            .rev()
            .fold(None, |source, message| Some(Box::new(Self { message, source })));
        chain.map(|error| *error)
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

impl Error for TracedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
