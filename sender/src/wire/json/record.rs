//! Implements the traits of serde as its `derive` would: that takes a tenth of the processor time of a user's build.
//!
//! | macro | for |
//! |---|---|
//! | `__record` | structs with named fields |
//! | `names` | enums whose variants are names |
//! | `__visitor`, `__write_fields` | the inside of these, also for the variants of an enum |
//!
//! Each field says what happens if it is not there:
//!
//! | | read | written |
//! |---|---|---|
//! | `required` | fails | always |
//! | `default` | takes the default | always |
//! | `optional` | takes the default | unless it is the default |

use alloc::string::{String, ToString};
use core::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, Expected, Unexpected, Visitor},
};

use crate::wire::text::{Escaped, beginning};

/// Whether a field of this value is left out.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Characters of a text of the input that an error repeats.
pub(crate) const MAX_REPEATED: usize = 200;

/// Bytes of an error of the format or of serde, which repeat whole texts of the input.
const MAX_ERROR: usize = 1_000;

/// Cuts the middle out of a long error. Its end tells the expectation, and the place.
pub fn shortened<E: Error>(error: E) -> E {
    let text = error.to_string();
    if text.len() <= MAX_ERROR {
        return error; // formats tell kinds of errors apart, which a new one would not be
    }
    let end = text.char_indices().rev().take(MAX_REPEATED).last().map_or(0, |(start, _)| start);
    let (beginning, end) = (beginning(&text, MAX_REPEATED), text.get(end..).unwrap_or_default());
    E::custom(format_args!("{beginning}…{end}"))
}

fn unknown_variant<E: Error>(name: &str, known: &'static [&'static str]) -> E {
    E::unknown_variant(&Escaped(beginning(name, MAX_REPEATED)).to_string(), known)
}

/// Reads one of these names of fields, and returns `None` for another one.
#[derive(Debug, Clone, Copy)]
pub struct FieldName(pub &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Option<&'static str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("field identifier")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(usize::try_from(number).ok().and_then(|number| self.0.get(number).copied()))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().copied().find(|known| *known == name))
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().copied().find(|known| known.as_bytes() == name))
    }
}

/// Reads one of these names of variants, and returns its number.
#[derive(Debug, Clone, Copy)]
pub struct VariantName(pub &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for VariantName {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for VariantName {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("variant identifier")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<usize, E> {
        let known = usize::try_from(number).ok().filter(|number| *number < self.0.len());
        known.ok_or_else(|| {
            let expected = alloc::format!("variant index 0 <= i < {}", self.0.len());
            E::invalid_value(Unexpected::Unsigned(number), &&*expected)
        })
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let number = self.0.iter().position(|known| *known == name);
        number.ok_or_else(|| unknown_variant(name, self.0))
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<usize, E> {
        let number = self.0.iter().position(|known| known.as_bytes() == name);
        number.ok_or_else(|| unknown_variant(&String::from_utf8_lossy(name), self.0))
    }
}

/// A record of so many fields, as a sequence.
#[derive(Debug)]
pub struct Elements(pub &'static str, pub usize);

impl Expected for Elements {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(record, count) = self;
        write!(formatter, "{record} with {count} element{}", if *count == 1 { "" } else { "s" })
    }
}

/// Writes the fields, variables that refer to them, into a [`SerializeStruct`](serde::ser::SerializeStruct) or the like.
#[doc(hidden)]
#[macro_export]
macro_rules! __write_fields {
    (|$len:ident| $start:expr, { $($mode:ident $field:ident),+ $(,)? }) => {{
        let $len = 0 $(+ usize::from($crate::__write_fields!(@is_written $mode $field)))+;
        let mut fields = $start?;
        $(
            if $crate::__write_fields!(@is_written $mode $field) {
                fields.serialize_field(stringify!($field), $field)?;
            } else {
                fields.skip_field(stringify!($field))?;
            }
        )+
        fields.end()
    }};
    (@is_written optional $field:ident) => { !$crate::__wire::record::is_default($field) };
    (@is_written $mode:ident $field:ident) => { true };
}

/// Creates a visitor that returns a record, from a map or a sequence.
#[doc(hidden)]
#[macro_export]
macro_rules! __visitor {
    ($expecting:expr, $value:ty, $record:ident $(:: $variant:ident)? { $($mode:ident $field:ident),+ $(,)? }) => {{
        struct RecordVisitor;

        impl<'de> ::serde::de::Visitor<'de> for RecordVisitor {
            type Value = $value;

            fn expecting(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.write_str($expecting)
            }

            fn visit_seq<A: ::serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Self::Value, A::Error> {
                let names = [$(stringify!($field)),+];
                let expected = $crate::__wire::record::Elements($expecting, names.len());
                let mut read = 0;
                $(
                    let $field = $crate::__visitor!(
                        @or $mode seq.next_element()?, ::serde::de::Error::invalid_length(read, &expected)
                    );
                    read += 1;
                )+
                let _ = read;
                Ok($record $(:: $variant)? { $($field),+ })
            }

            fn visit_map<A: ::serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                $(let mut $field = None;)+
                let names = $crate::__wire::record::FieldName(&[$(stringify!($field)),+]);
                while let Some(name) = map.next_key_seed(names)? {
                    match name {
                        $(
                            Some(name) if name == stringify!($field) => {
                                if $field.is_some() {
                                    return Err(::serde::de::Error::duplicate_field(name));
                                }
                                $field = Some(map.next_value()?);
                            }
                        )+
                        _ => drop(map.next_value::<::serde::de::IgnoredAny>()?),
                    }
                }
                $(
                    let $field = $crate::__visitor!(
                        @or $mode $field, ::serde::de::Error::missing_field(stringify!($field))
                    );
                )+
                Ok($record $(:: $variant)? { $($field),+ })
            }
        }

        RecordVisitor
    }};
    (@or required $value:expr, $error:expr) => { $value.ok_or_else(|| $error)? };
    (@or $mode:ident $value:expr, $error:expr) => { $value.unwrap_or_default() };
}

/// Implements `Serialize` and `Deserialize` for a struct with these fields, in the order in which they are written.
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($record:ident $(<$life:lifetime>)? { $($mode:ident $field:ident),+ $(,)? }) => {
        impl $(<$life>)? ::serde::Serialize for $record $(<$life>)? {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeStruct as _;

                let Self { $($field),+ } = self;
                $crate::__write_fields!(
                    |len| serializer.serialize_struct(stringify!($record), len),
                    { $($mode $field),+ }
                )
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $crate::__record!(@owned $record $(<$life>)?) {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor = $crate::__visitor!(
                    concat!("struct ", stringify!($record)),
                    $crate::__record!(@owned $record $(<$life>)?),
                    $record { $($mode $field),+ }
                );
                let record = deserializer.deserialize_struct(
                    stringify!($record),
                    &[$(stringify!($field)),+],
                    visitor,
                );
                record.map_err($crate::__wire::record::shortened)
            }
        }
    };
    (@owned $record:ident) => { $record };
    (@owned $record:ident <$life:lifetime>) => { $record<'static> };
}

/// Implements `Serialize` and `Deserialize` for an enum of names, in the order of its variants.
macro_rules! names {
    ($names:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl ::serde::Serialize for $names {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let name = match self { $(Self::$variant => $name),+ };
                serializer.serialize_unit_variant(stringify!($names), *self as u32, name)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $names {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct NameVisitor;

                impl<'de> ::serde::de::Visitor<'de> for NameVisitor {
                    type Value = $names;

                    fn expecting(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        formatter.write_str(concat!("enum ", stringify!($names)))
                    }

                    fn visit_enum<A: ::serde::de::EnumAccess<'de>>(self, data: A) -> Result<$names, A::Error> {
                        use ::serde::de::VariantAccess as _;

                        let known = $crate::__wire::record::VariantName(&[$($name),+]);
                        let (number, variant) = data.variant_seed(known)?;
                        variant.unit_variant()?;
                        Ok([$($names::$variant),+][number])
                    }
                }

                deserializer.deserialize_enum(stringify!($names), &[$($name),+], NameVisitor)
            }
        }
    };
}

pub(crate) use names;

#[cfg(test)]
mod tests {
    use std::{
        fmt::Debug,
        format,
        string::{String, ToString},
        vec::Vec,
    };

    use serde::{Serialize, de::DeserializeOwned};

    /// The same types twice: with the macros, and derived.
    mod ours {
        #[derive(Debug)]
        pub(super) struct Sample {
            pub(super) id: u32,
            pub(super) name: Option<u8>,
            pub(super) numbers: super::Vec<u8>,
        }

        crate::__record!(Sample { required id, default name, optional numbers });

        #[derive(Debug, Clone, Copy)]
        pub(super) enum Kind {
            First,
            Second,
        }

        super::super::names!(Kind { First = "first", Second = "second" });
    }

    mod derived {
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        pub(super) struct Sample {
            pub(super) id: u32,
            #[serde(default)]
            pub(super) name: Option<u8>,
            #[serde(default, skip_serializing_if = "super::super::is_default")]
            pub(super) numbers: super::Vec<u8>,
        }

        #[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum Kind {
            First,
            Second,
        }
    }

    /// Reads JSON, and returns the value, as it is shown and written again, or the error.
    fn read<T: Debug + DeserializeOwned + Serialize>(json: &str) -> String {
        match serde_json::from_str::<T>(json) {
            Ok(value) => {
                let bytes = postcard::to_allocvec(&value).unwrap();
                let again = postcard::from_bytes::<T>(&bytes).map_err(|error| error.to_string());
                format!("{value:?} {} {bytes:?} {again:?}", serde_json::to_string(&value).unwrap())
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn records_are_read_and_written_as_if_derived() {
        for json in [
            r#"{"id":1,"name":2,"numbers":[3]}"#,
            r#"{"numbers":[],"other":{"id":5},"id":1}"#,
            r#"{"id":1,"name":null}"#,
            r#"{"name":2}"#,
            r#"{"id":1,"id":1}"#,
            r#"{"id":1,"name":null,"name":null}"#,
            r#"{"id":"1"}"#,
            r#"{"id":1,"#,
            "[1,2,[3]]",
            "[1]",
            "[]",
            "[1,2,[3],4]",
            "7",
        ] {
            assert_eq!(read::<ours::Sample>(json), read::<derived::Sample>(json), "{json}");
        }
    }

    #[test]
    fn names_are_read_and_written_as_if_derived() {
        for json in
            [r#""first""#, r#""second""#, r#"{"first":null}"#, r#""third""#, r#"{"first":1}"#, "1"]
        {
            assert_eq!(read::<ours::Kind>(json), read::<derived::Kind>(json), "{json}");
        }
        let none = [2];
        assert_eq!(
            postcard::from_bytes::<ours::Kind>(&none).unwrap_err().to_string(),
            postcard::from_bytes::<derived::Kind>(&none).unwrap_err().to_string()
        );
    }
}
