use alloc::boxed::Box;
use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, IgnoredAny},
    ser::SerializeStruct,
};

use super::record::{FieldName, shortened};
use crate::wire::{TracedError, error::MAX_CHAIN};

impl Serialize for TracedError {
    /// Leaves out `debug` if there is none: the text is then the same as in `tracing-tunnel`. Other
    /// formats may be ones that cannot leave out anything.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let has_debug = self.debug.is_some() || !serializer.is_human_readable();
        let mut error = serializer.serialize_struct("TracedError", 2 + usize::from(has_debug))?;
        error.serialize_field("message", &self.message)?;
        error.serialize_field("source", &self.source)?;
        if has_debug {
            error.serialize_field("debug", &self.debug)?;
        }
        error.end()
    }
}

impl<'de> Deserialize<'de> for TracedError {
    /// Fails for a chain that is longer than those which are carried. It has to be stopped on the
    /// way: each error is within the one before, and so goes down the stack.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ErrorSeed { left: MAX_CHAIN }.deserialize(deserializer).map_err(shortened)
    }
}

/// Deserializes an error with its sources.
#[derive(Clone, Copy)]
struct ErrorSeed {
    /// Messages that there may be.
    left: usize,
}

const FIELDS: &[&str] = &["message", "source", "debug"];

impl<'de> DeserializeSeed<'de> for ErrorSeed {
    type Value = TracedError;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TracedError, D::Error> {
        if self.left == 0 {
            return Err(de::Error::custom(format_args!("a chain of more than {MAX_CHAIN} errors")));
        }
        deserializer.deserialize_struct("TracedError", FIELDS, self)
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
        let debug = seq.next_element()?.flatten();
        Ok(TracedError { message, debug, source: source.flatten() })
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<TracedError, A::Error> {
        let (mut message, mut debug, mut source) = (None, None, None);
        while let Some(key) = map.next_key_seed(FieldName(FIELDS))? {
            match key {
                Some("message") => message = Some(map.next_value()?),
                Some("debug") => debug = map.next_value()?,
                Some("source") => source = map.next_value_seed(SourceSeed(self))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let message = message.ok_or_else(|| de::Error::missing_field("message"))?;
        Ok(TracedError { message, debug, source })
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
