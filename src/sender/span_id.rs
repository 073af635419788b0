use tracing_core::span::Id;

use crate::wire::RawSpanId;

/// Bits of an [`Id`] that number the span; those above hold its call site.
const NUMBER_BITS: u32 = 48;

const NUMBER_MASK: u64 = (1 << NUMBER_BITS) - 1;

/// Stands for all call sites that have no room in an [`Id`].
const OTHER_CALL_SITE: u64 = u64::MAX >> NUMBER_BITS;

/// The ID of a span that nobody is told of. On the wire there is no number 0.
pub(super) fn unsent() -> Id {
    Id::from_u64(OTHER_CALL_SITE << NUMBER_BITS)
}

/// Whether a span has a number by which it was told of.
pub(super) fn is_sent(id: &Id) -> bool {
    number(id) != 0
}

/// Makes the ID that the program sees.
///
/// It holds the call site, so that [`Span::current()`] can name it: a sender keeps no list of
/// the spans that are alive.
///
/// [`Span::current()`]: https://docs.rs/tracing/latest/tracing/struct.Span.html#method.current
pub(super) fn pack(number: RawSpanId, call_site: u32) -> Id {
    let call_site = u64::from(call_site).min(OTHER_CALL_SITE);
    Id::from_u64(call_site << NUMBER_BITS | number & NUMBER_MASK)
}

/// Returns what the span is called on the wire.
pub(super) fn number(id: &Id) -> RawSpanId {
    id.into_u64() & NUMBER_MASK
}

/// Returns the call site, or `None` if the ID had no room for it.
pub(super) fn call_site(id: &Id) -> Option<u32> {
    let call_site = id.into_u64() >> NUMBER_BITS;
    if call_site == OTHER_CALL_SITE { None } else { u32::try_from(call_site).ok() }
}
