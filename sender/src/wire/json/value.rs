//! How a [`TracedValue`] is (de)serialized.

use alloc::{
    boxed::Box,
    string::{String, ToString},
};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::wire::{DebugObject, TracedError, TracedValue, hex};

/// Variants and names of `tracing-tunnel` 0.2. It knows no byte strings: they are written as the
/// `Debug` output that `tracing` gives them, and the record around them says which they are.
#[derive(Serialize, Deserialize)]
#[serde(rename = "TracedValue", rename_all = "snake_case")]
enum ValueModel<S, E> {
    Bool(bool),
    Int(i128),
    UInt(u128),
    Float(FloatModel),
    String(S),
    Object(S),
    Error(E),
}

/// A float, which self-describing text formats get as a string where they have no number for it.
struct FloatModel(f64);

impl Serialize for TracedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes;
        let model = match self {
            Self::Bool(value) => ValueModel::Bool(*value),
            Self::Int(value) => ValueModel::Int(*value),
            Self::UInt(value) => ValueModel::UInt(*value),
            Self::Float(value) => ValueModel::Float(FloatModel(*value)),
            Self::String(value) => ValueModel::String(value.as_str()),
            Self::Object(value) => ValueModel::Object(value.as_ref()),
            Self::Error(value) => ValueModel::Error(value),
            Self::Bytes(value) => {
                bytes = hex::Hex(value).to_string();
                ValueModel::Object(bytes.as_str())
            }
        };
        model.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TracedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match ValueModel::<String, Box<TracedError>>::deserialize(deserializer)? {
            ValueModel::Bool(value) => Self::Bool(value),
            ValueModel::Int(value) => Self::Int(value),
            ValueModel::UInt(value) => Self::UInt(value),
            ValueModel::Float(value) => Self::Float(value.0),
            ValueModel::String(value) => Self::String(value),
            ValueModel::Object(value) => Self::Object(DebugObject::new(value)),
            ValueModel::Error(value) => Self::Error(value),
        })
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
                    _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
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
