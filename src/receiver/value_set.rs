//! Values in the form in which `tracing` takes them.

use alloc::vec::Vec;
use core::{error::Error, fmt};

use tracing_core::{
    Callsite, Interest, Kind, Level, Metadata,
    field::{self, DebugValue, Field, FieldSet, Value, ValueSet},
    identify_callsite,
};

use super::{
    call_sites::StaticCallSite,
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

/// The value of a field that a new span or event has none for: natively, the field is in the set of values.
const NO_VALUE: Option<&dyn Value> = Some(&field::Empty);

/// Values and fields for which there is room on the stack.
const FEW: usize = 6;

/// Runs the function with the values of a new span or event in the form of `tracing`, in the order of the slice.
///
/// The macros say of each field whether it has a value, as [`FieldSet::value_set_all()`] does. So does this
/// wherever it takes no longer than the values do: a call site may have many fields, and a record one value.
pub(super) fn with_value_set<T>(
    site: StaticCallSite,
    values: &SinkValues<'_>,
    f: impl FnOnce(&ValueSet<'_>) -> T,
) -> T {
    let fields = site.metadata.fields();
    if !is_as_declared(values) || fields.len() > FEW {
        return with_many_values(site, values, f);
    }
    let mut replayed = [const { Replayed::Bool(false) }; FEW];
    for (place, (_, value)) in replayed.iter_mut().zip(values) {
        let Some(value) = Replayed::new(value) else {
            return with_value_set(site, &borrowed(&owned(values)), f);
        };
        *place = value;
    }
    let mut by_field: [Option<&dyn Value>; FEW] = [NO_VALUE; FEW];
    for ((index, _), value) in values.iter().zip(&replayed) {
        if let Some(place) = by_field.get_mut(*index) {
            *place = Some(value.as_value());
        }
    }
    f(&fields.value_set_all(by_field.get(..fields.len()).unwrap_or_default()))
}

/// Whether values are in the order of their fields, one for each at the most. Another order is that of
/// records made by hand.
fn is_as_declared(values: &SinkValues<'_>) -> bool {
    values.is_sorted_by(|(index, _), (next, _)| index < next)
}

/// A call site with more fields than this is hostile: giving each field "no value" would take long.
const MANY_FIELDS: usize = 64;

/// Does the same with more values, or in another order. It is apart because of the stack it takes.
#[inline(never)]
fn with_many_values<T>(
    site: StaticCallSite,
    values: &SinkValues<'_>,
    f: impl FnOnce(&ValueSet<'_>) -> T,
) -> T {
    let fields = site.metadata.fields();
    let has_too_many = fields.len() > MANY_FIELDS && fields.len() / 8 > values.len();
    if !is_as_declared(values) || has_too_many {
        return with_values_alone(site, values, f);
    }
    let Some(replayed) = replayed(values) else {
        return with_value_set(site, &borrowed(&owned(values)), f);
    };
    let mut by_field = alloc::vec![NO_VALUE; fields.len()];
    for (index, value) in &replayed {
        if let Some(place) = by_field.get_mut(*index) {
            *place = Some(value.as_value());
        }
    }
    f(&fields.value_set_all(&by_field))
}

/// Runs the function with values in the form of `tracing`, and nothing for those fields that have none, as
/// when they are recorded into a span.
pub(super) fn with_values_alone<T>(
    site: StaticCallSite,
    values: &SinkValues<'_>,
    f: impl FnOnce(&ValueSet<'_>) -> T,
) -> T {
    let Some(replayed) = replayed(values) else {
        return with_values_alone(site, &borrowed(&owned(values)), f);
    };
    let pairs = replayed
        .iter()
        .filter_map(|(index, value)| Some((site.fields.get(*index)?, Some(value.as_value()))));
    let mut pairs: Vec<_> = pairs.collect();
    let padding = padding();
    pairs.resize(pairs.len().next_power_of_two(), (&padding, None));
    f(&value_set(site.metadata.fields(), &pairs))
}

/// Returns `None` if there is an error that is still encoded: values are to be decoded before then.
fn replayed<'a>(values: &'a SinkValues<'_>) -> Option<Vec<(usize, Replayed<'a>)>> {
    values.iter().map(|(index, value)| Some((*index, Replayed::new(value)?))).collect()
}

type Pair<'a> = (&'a Field, Option<&'a dyn Value>);

/// Turns fields and values, a power of two of them, into what `tracing` takes.
///
/// It takes them as arrays only, of lengths that are known when this is compiled. There are lengths for as
/// many values as [limits](super::ReceiverLimits::max_values) can be set to.
fn value_set<'a>(fields: &'a FieldSet, pairs: &'a [Pair<'a>]) -> ValueSet<'a> {
    macro_rules! of_lengths {
        ($($exponent:literal)*) => {$(
            if let Ok(pairs) = <&[Pair<'a>; 1 << $exponent]>::try_from(pairs) {
                return fields.value_set(pairs);
            }
        )*};
    }
    of_lengths!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24);
    fields.value_set(&[])
}

/// Maximal number of values of a record, and of fields of a call site.
pub(super) const MAX_VALUES: usize = 1 << 24;

/// Returns a field of a call site that does not exist. `tracing` passes over it, and does not count it.
fn padding() -> Field {
    struct Nowhere;

    impl Callsite for Nowhere {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            &METADATA
        }
    }

    static METADATA: Metadata<'static> = Metadata::new(
        "",
        "",
        Level::TRACE,
        None,
        None,
        None,
        FieldSet::new(&[""], identify_callsite!(&Nowhere)),
        Kind::HINT,
    );

    METADATA.fields().field("").expect("it has this field")
}
