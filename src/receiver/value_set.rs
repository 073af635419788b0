//! Values in the form in which `tracing` takes them.

use alloc::vec::Vec;
use core::{error::Error, fmt};

use tracing_core::{
    Metadata,
    field::{self, DebugValue, Field, Value, ValueSet},
};

use super::{
    sink::SinkValues,
    values::{borrowed, owned},
};
use crate::wire::{ErrorRef, ValueRef};

/// A value in the form in which `tracing` visits it.
enum Replayed<'a> {
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    Debug(DebugValue<Verbatim<'a>>),
    Error(&'a (dyn Error + 'static)),
}

/// Text whose `Debug` output is itself.
struct Verbatim<'a>(&'a str);

impl fmt::Debug for Verbatim<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl<'a> Replayed<'a> {
    /// Returns `None` for an error that is still encoded.
    #[inline]
    fn new(value: &'a ValueRef<'_>) -> Option<Self> {
        Some(match value {
            ValueRef::Bool(value) => Self::Bool(*value),
            ValueRef::Int(value) => i64::try_from(*value).map_or(Self::I128(*value), Self::I64),
            ValueRef::UInt(value) => u64::try_from(*value).map_or(Self::U128(*value), Self::U64),
            ValueRef::Float(value) => Self::F64(*value),
            ValueRef::Str(value) => Self::Str(value),
            ValueRef::Object(value) => Self::Debug(field::debug(Verbatim(value))),
            ValueRef::Error(ErrorRef::Borrowed(error)) => Self::Error(*error),
            ValueRef::Error(ErrorRef::Encoded(_)) => return None,
            ValueRef::Bytes(value) => Self::Bytes(value),
        })
    }

    fn as_value(&self) -> &dyn Value {
        match self {
            Self::Bool(value) => value,
            Self::I64(value) => value,
            Self::U64(value) => value,
            Self::I128(value) => value,
            Self::U128(value) => value,
            Self::F64(value) => value,
            Self::Str(value) => value,
            Self::Bytes(value) => value,
            Self::Debug(value) => value,
            Self::Error(value) => value,
        }
    }
}

/// Values and fields for which there is room on the stack.
const FEW: usize = 6;

/// Runs the function with the values in the form of `tracing`, in the order of the slice.
pub(super) fn with_value_set<T>(
    metadata: &'static Metadata<'static>,
    values: &SinkValues<'_>,
    f: impl FnOnce(&ValueSet<'_>) -> T,
) -> T {
    let fields = metadata.fields();
    if !is_as_declared(values) || fields.len() > FEW {
        return with_many_values(metadata, values, f);
    }
    let mut replayed = [const { Replayed::Bool(false) }; FEW];
    for (place, (_, value)) in replayed.iter_mut().zip(values) {
        let Some(value) = Replayed::new(value) else { return with_decoded(metadata, values, f) };
        *place = value;
    }
    let mut by_field: [Option<&dyn Value>; FEW] = [None; FEW];
    for ((index, _), value) in values.iter().zip(&replayed) {
        if let Some(place) = by_field.get_mut(*index) {
            *place = Some(value.as_value());
        }
    }
    f(&fields.value_set_all(by_field.get(..fields.len()).unwrap_or_default()))
}

/// Whether values are in the order of their fields, one for each at the most.
///
/// The macros record fields as they are declared, all of them. Another order is that of records
/// made by hand; more of it than any array here has room for, only that of a forger.
fn is_as_declared(values: &SinkValues<'_>) -> bool {
    values.is_sorted_by(|(index, _), (next, _)| index < next)
}

/// Does the same with more values, or in another order. It is apart because of the stack it takes.
#[inline(never)]
fn with_many_values<T>(
    metadata: &'static Metadata<'static>,
    values: &SinkValues<'_>,
    f: impl FnOnce(&ValueSet<'_>) -> T,
) -> T {
    let fields = metadata.fields();
    let replayed = values.iter().map(|(index, value)| Some((*index, Replayed::new(value)?)));
    let Some(replayed) = replayed.collect::<Option<Vec<_>>>() else {
        return with_decoded(metadata, values, f);
    };
    if is_as_declared(values) || replayed.len() > MAX_PAIRS {
        let mut by_field = alloc::vec![None; fields.len()];
        for (index, value) in &replayed {
            if let Some(place) = by_field.get_mut(*index) {
                *place = Some(value.as_value());
            }
        }
        return f(&fields.value_set_all(&by_field));
    }

    let all_fields: Vec<Field> = fields.iter().collect();
    let pairs: Vec<_> = replayed
        .iter()
        .filter_map(|(index, value)| Some((all_fields.get(*index)?, Some(value.as_value()))))
        .collect();
    with_pairs(metadata, &pairs, f)
}

/// Does the same with errors that are decoded before.
#[cold]
fn with_decoded<T>(
    metadata: &'static Metadata<'static>,
    values: &SinkValues<'_>,
    f: impl FnOnce(&ValueSet<'_>) -> T,
) -> T {
    with_value_set(metadata, &borrowed(&owned(values)), f)
}

/// Values that can be replayed in an order other than that of their fields.
const MAX_PAIRS: usize = 512;

/// Runs the function with values in an order of their own. `tracing` takes such values as arrays
/// only, of lengths that are known when this is compiled; those that are too long for the values
/// are filled up with nothing.
#[inline(never)]
fn with_pairs<T>(
    metadata: &'static Metadata<'static>,
    pairs: &[(&Field, Option<&dyn Value>)],
    f: impl FnOnce(&ValueSet<'_>) -> T,
) -> T {
    fn padded<'a, const LEN: usize>(
        pairs: &[(&'a Field, Option<&'a dyn Value>)],
    ) -> Option<[(&'a Field, Option<&'a dyn Value>); LEN]> {
        let mut array = [(pairs.first()?.0, None); LEN];
        array.get_mut(..pairs.len())?.copy_from_slice(pairs);
        Some(array)
    }

    let fields = metadata.fields();
    if let Some(array) = padded::<8>(pairs) {
        f(&fields.value_set(&array))
    } else if let Some(array) = padded::<64>(pairs) {
        f(&fields.value_set(&array))
    } else if let Some(array) = padded::<MAX_PAIRS>(pairs) {
        f(&fields.value_set(&array))
    } else {
        f(&fields.value_set(&[])) // there are no pairs
    }
}
