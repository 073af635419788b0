//! The bytes are those that postcard writes.

use core::fmt;
use std::{format, string::String, vec, vec::Vec};

use proptest::prelude::*;
use serde::Serialize;

use super::*;

fn postcard<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap()
}

/// Returns the written bytes, behind others that bring it close to where frames move to the heap.
fn written(before: usize, write: impl FnOnce(&mut FrameWriter)) -> Vec<u8> {
    let mut writer = FrameWriter::new();
    writer.buffer.extend(&vec![0xaa; before]);
    write(&mut writer);
    let (filler, written) = writer.as_bytes().split_at(before);
    assert_eq!(filler, vec![0xaa; before]);
    written.to_vec()
}

fn keyed<T: Serialize + ?Sized>(field: usize, value_type: u64, value: &T) -> Vec<u8> {
    [postcard(&(field as u64 * 16 + value_type)), postcard(value)].concat()
}

/// Numbers of all lengths, not only the longest.
fn any_u128() -> impl Strategy<Value = u128> {
    (any::<u128>(), 0..128_u32).prop_map(|(value, shift)| value >> shift)
}

/// Text that is formatted in pieces.
struct Pieces<'a>(&'a [String]);

impl fmt::Debug for Pieces<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| formatter.write_str(piece))
    }
}

proptest! {
    #[test]
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // to get all numbers
    fn numbers(before in 0..300_usize, field in 0..40_usize, value in any_u128()) {
        let uint = value as u64;
        prop_assert_eq!(written(before, |writer| writer.uint(uint)), postcard(&uint));
        prop_assert_eq!(written(before, |writer| writer.uint_128(value)), postcard(&value));
        prop_assert_eq!(written(before, |writer| writer.u64(field, uint)), keyed(field, 3, &uint));
        for int in [uint as i64, (uint as i64).wrapping_neg()] {
            prop_assert_eq!(written(before, |writer| writer.i64(field, int)), keyed(field, 2, &int));
            prop_assert_eq!(
                written(before, |writer| writer.i128(field, int.into())),
                keyed(field, 2, &int)
            );
        }
        for int in [value as i128, (value as i128).wrapping_neg()] {
            let expected = match i64::try_from(int) {
                Ok(int) => keyed(field, 2, &int),
                Err(_) => keyed(field, 4, &int),
            };
            prop_assert_eq!(written(before, |writer| writer.i128(field, int)), expected);
        }
        let expected = match u64::try_from(value) {
            Ok(uint) => keyed(field, 3, &uint),
            Err(_) => keyed(field, 5, &value),
        };
        prop_assert_eq!(written(before, |writer| writer.u128(field, value)), expected);
        let float = f64::from_bits(uint);
        prop_assert_eq!(written(before, |writer| writer.f64(field, float)), keyed(field, 6, &float));
        let line = Some(value as u32).filter(|line| line % 4 != 0);
        prop_assert_eq!(written(before, |writer| writer.optional_uint(line)), postcard(&line));
    }

    #[test]
    fn text(before in 0..300_usize, field in 0..40_usize, text in ".{0,300}") {
        let text = text.as_str();
        prop_assert_eq!(written(before, |writer| writer.string(field, text)), keyed(field, 7, text));
        prop_assert_eq!(
            written(before, |writer| writer.byte_string(field, text.as_bytes())),
            keyed(field, 10, text)
        );
        let optional = Some(text).filter(|text| !text.starts_with('a'));
        prop_assert_eq!(written(before, |writer| writer.optional_str(optional)), postcard(&optional));
    }

    #[test]
    fn output_of_debug(
        before in 0..300_usize,
        field in 0..40_usize,
        pieces in prop::collection::vec(".{0,90}", 0..5),
    ) {
        prop_assert_eq!(
            written(before, |writer| writer.debug(field, &Pieces(&pieces))),
            keyed(field, 8, &pieces.concat())
        );
    }
}

#[test]
fn lengths_around_those_of_one_more_byte() {
    for before in [0, 130, 250] {
        for len in [0, 1, 127, 128, 129, 255, 256, 16_383, 16_384, 16_385, 2_097_151, 2_097_152] {
            let text: String = ('a'..='z').cycle().take(len).collect();
            let value = format_args!("{text}");
            assert_eq!(written(before, |writer| writer.debug(1, &value)), keyed(1, 8, &text));
        }
    }
}

#[cfg(feature = "std")]
#[test]
fn chain_of_errors_has_its_length_in_front() {
    for count in [1, 2, 99, 100] {
        let text = |i: usize| (format!("{i}{}", "!".repeat(i * 3)), "?".repeat(i));
        let texts: Vec<_> = (0..count).map(text).collect();
        let chain = texts.iter().cloned().map(|(message, debug)| (message, Some(debug)));
        let error = crate::wire::TracedError::from_texts(chain.collect());
        assert_eq!(written(9, |writer| writer.error(2, &error)), keyed(2, 11, &texts));
    }
}
