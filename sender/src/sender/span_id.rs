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

/// Makes the ID that the program sees; `None` if the number is beyond what there are bits for.
///
/// It holds the call site, so that [`Span::current()`] can name it: a sender keeps no list of
/// the spans that are alive.
///
/// [`Span::current()`]: https://docs.rs/tracing/latest/tracing/struct.Span.html#method.current
pub(super) fn pack(number: RawSpanId, call_site: u32) -> Option<Id> {
    let call_site = u64::from(call_site).min(OTHER_CALL_SITE);
    let has_bits = (1..=NUMBER_MASK).contains(&number);
    has_bits.then(|| Id::from_u64(call_site << NUMBER_BITS | number))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_neither_wrap_nor_collide() {
        let last = NUMBER_MASK;
        let id = pack(last, 7).unwrap();
        assert_eq!((number(&id), call_site(&id)), (last, Some(7)));
        assert_eq!(pack(last + 1, 7), None);
        assert_eq!(pack(0, 7), None);
        assert_eq!(number(&unsent()), 0);
    }

    #[test]
    fn call_site_that_there_are_no_bits_for_is_not_known() {
        for site in [65_535, 65_536, u32::MAX] {
            let id = pack(1, site).unwrap();
            assert_eq!((number(&id), call_site(&id)), (1, None));
        }
        assert_eq!(call_site(&pack(1, 65_534).unwrap()), Some(65_534));
    }
}
