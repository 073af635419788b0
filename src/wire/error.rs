use alloc::{boxed::Box, string::String, vec::Vec};
use core::{error::Error, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeSeed, IgnoredAny},
};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TracedError {
    /// Output of the error's [`Display`](fmt::Display) implementation.
    pub message: String,
    /// The error that this one was caused by, if any.
    pub source: Option<Box<TracedError>>,
}

impl TracedError {
    /// Returns about how many bytes the chain takes on the heap.
    #[cfg(feature = "capture")]
    pub(crate) fn heap_bytes(&self) -> usize {
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
    pub(crate) fn from_messages(messages: Vec<String>) -> Option<Self> {
        let chain = messages
            .into_iter()
            .rev()
            .fold(None, |source, message| Some(Box::new(Self { message, source })));
        chain.map(|error| *error)
    }

    /// Iterates over the messages of the chain, outermost first.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &str> {
        core::iter::successors(Some(self), |error| error.source.as_deref())
            .map(|error| error.message.as_str())
    }
}

/// Messages of a chain that are kept. It is more than any honest chain has, and less than what
/// makes `serde_json` refuse to go deeper.
pub(crate) const MAX_CHAIN: usize = 100;

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

impl<'de> Deserialize<'de> for TracedError {
    /// Fails for a chain that is longer than those which are carried. It has to be stopped on the
    /// way: each error is within the one before, and so goes down the stack.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ErrorSeed { left: MAX_CHAIN }.deserialize(deserializer)
    }
}

/// Deserializes an error with its sources.
#[derive(Clone, Copy)]
struct ErrorSeed {
    /// Messages that there may be.
    left: usize,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Message,
    Source,
    #[serde(other)]
    Unknown,
}

impl<'de> DeserializeSeed<'de> for ErrorSeed {
    type Value = TracedError;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TracedError, D::Error> {
        if self.left == 0 {
            return Err(de::Error::custom(format_args!("a chain of more than {MAX_CHAIN} errors")));
        }
        deserializer.deserialize_struct("TracedError", &["message", "source"], self)
    }
}

impl<'de> de::Visitor<'de> for ErrorSeed {
    type Value = TracedError;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an error with its message and source")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<TracedError, A::Error> {
        let message = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let source = seq.next_element_seed(SourceSeed(self))?;
        Ok(TracedError { message, source: source.flatten() })
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<TracedError, A::Error> {
        let (mut message, mut source) = (None, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Message => message = Some(map.next_value()?),
                Key::Source => source = map.next_value_seed(SourceSeed(self))?,
                Key::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let message = message.ok_or_else(|| de::Error::missing_field("message"))?;
        Ok(TracedError { message, source })
    }
}

/// Deserializes the source of an error, if there is one.
struct SourceSeed(ErrorSeed);

impl<'de> DeserializeSeed<'de> for SourceSeed {
    type Value = Option<Box<TracedError>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> de::Visitor<'de> for SourceSeed {
    type Value = Option<Box<TracedError>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an error, or nothing")
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let seed = ErrorSeed { left: self.0.left - 1 };
        seed.deserialize(deserializer).map(Box::new).map(Some)
    }
}
