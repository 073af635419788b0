//! What spans are called outside of a storage: also those that there was no room for, which are known
//! by the span that their children stand in.

use core::num::{NonZeroU32, NonZeroU64};

use crate::capture::storage::node::SpanKey;

/// Set for a span that there was no room for. Below it stands the nearest span around it that there was
/// room for, or 0, and above it a number that tells it from others, for a long time.
const LEFT_OUT: NonZeroU64 = NonZeroU64::new(1 << 32).unwrap();
const NUMBER_SHIFT: u32 = 33;

pub(crate) fn name(key: SpanKey) -> NonZeroU64 {
    key.into_raw().into()
}

pub(crate) fn name_left_out(nearest: Option<SpanKey>, number: u64) -> NonZeroU64 {
    LEFT_OUT | nearest.map_or(0, |key| name(key).get()) | number << NUMBER_SHIFT
}

/// Returns the span, if it is captured.
pub(crate) fn captured(name: u64) -> Option<SpanKey> {
    nearest(name).filter(|_| name & LEFT_OUT.get() == 0)
}

/// Returns the span, or the nearest one around it that is captured.
pub(crate) fn nearest(name: u64) -> Option<SpanKey> {
    let [.., a, b, c, d] = name.to_be_bytes();
    NonZeroU32::new(u32::from_be_bytes([a, b, c, d])).map(SpanKey::from_raw)
}
