//! How a [`TracedValue`] is (de)serialized.

use alloc::string::{String, ToString};
use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, VariantAccess as _},
};

use super::record::{MAX_REPEATED, VariantName, shortened};
use crate::wire::{DebugObject, TracedValue, hex, text::beginning};

/// Variants of `tracing-tunnel` 0.2. It knows no byte strings: they are written as the
/// `Debug` output that `tracing` gives them, and the record around them says which they are.
const VARIANTS: &[&str] = &["bool", "int", "u_int", "float", "string", "object", "error"];

/// A float, which self-describing text formats get as a string where they have no number for it.
struct FloatModel(f64);

impl Serialize for TracedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn write<S: Serializer, T: Serialize + ?Sized>(
            serializer: S,
            number: u8,
            value: &T,
        ) -> Result<S::Ok, S::Error> {
            let name = VARIANTS[usize::from(number)];
            serializer.serialize_newtype_variant("TracedValue", number.into(), name, value)
        }

        match self {
            Self::Bool(value) => write(serializer, 0, value),
            Self::Int(value) => write(serializer, 1, value),
            Self::UInt(value) => write(serializer, 2, value),
            Self::Float(value) => write(serializer, 3, &FloatModel(*value)),
            Self::String(value) => write(serializer, 4, value.as_str()),
            Self::Object(value) => write(serializer, 5, value.as_ref()),
            Self::Bytes(value) => write(serializer, 5, hex::Hex(value).to_string().as_str()),
            Self::Error(value) => write(serializer, 6, value),
        }
    }
}

impl<'de> Deserialize<'de> for TracedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> de::Visitor<'de> for ValueVisitor {
            type Value = TracedValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("enum TracedValue")
            }

            fn visit_enum<A: de::EnumAccess<'de>>(self, data: A) -> Result<TracedValue, A::Error> {
                let (number, variant) = data.variant_seed(VariantName(VARIANTS))?;
                Ok(match number {
                    0 => TracedValue::Bool(variant.newtype_variant()?),
                    1 => TracedValue::Int(variant.newtype_variant()?),
                    2 => TracedValue::UInt(variant.newtype_variant()?),
                    3 => TracedValue::Float(variant.newtype_variant::<FloatModel>()?.0),
                    4 => TracedValue::String(variant.newtype_variant()?),
                    5 => TracedValue::Object(variant.newtype_variant()?),
                    _ => TracedValue::Error(variant.newtype_variant()?),
                })
            }
        }

        deserializer.deserialize_enum("TracedValue", VARIANTS, ValueVisitor).map_err(shortened)
    }
}

impl Serialize for DebugObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_ref())
    }
}

impl<'de> Deserialize<'de> for DebugObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for FloatModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() || !serializer.is_human_readable() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&self.0) // "NaN", "inf", "-inf"
        }
    }
}

impl<'de> Deserialize<'de> for FloatModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FloatVisitor;

        #[allow(clippy::cast_precision_loss)] // an integer in the text is a float without a fraction
        impl de::Visitor<'_> for FloatVisitor {
            type Value = f64;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
                Ok(value)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<f64, E> {
                match value {
                    "NaN" => Ok(f64::NAN),
                    "inf" => Ok(f64::INFINITY),
                    "-inf" => Ok(f64::NEG_INFINITY),
                    _ => {
                        let value = de::Unexpected::Str(beginning(value, MAX_REPEATED));
                        Err(E::invalid_value(value, &self))
                    }
                }
            }
        }

        let value = if deserializer.is_human_readable() {
            deserializer.deserialize_any(FloatVisitor)
        } else {
            deserializer.deserialize_f64(FloatVisitor)
        };
        value.map(Self)
    }
}
