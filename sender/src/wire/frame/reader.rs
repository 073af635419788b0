use alloc::borrow::Cow;
use core::str;

use super::{FrameError, HAS_THREAD, VERSION};
use crate::wire::ThreadIndex;

/// Reads a frame from its beginning on.
///
/// Numbers, strings and options have postcard's format; the tests compare it with postcard. A guest does not
/// have to build postcard and all that it needs.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    frame_len: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads a part of a frame. Offsets count from its start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { frame_len: bytes.len(), rest: bytes }
    }

    /// Reads the header, and returns the kind of the frame, its thread, and a reader of the rest.
    #[inline]
    pub(super) fn start(frame: &'a [u8]) -> Result<(u8, ThreadIndex, Self), FrameError> {
        let Some((&header, rest)) = frame.split_first() else {
            return Err(FrameError::Empty);
        };
        let version = header >> 5;
        if version != VERSION {
            return Err(FrameError::UnsupportedVersion { actual: version, supported: VERSION });
        }
        let mut reader = Self { frame_len: frame.len(), rest };
        let thread = if header & HAS_THREAD == 0 { 0 } else { reader.uint("thread")? };
        Ok((header & 0b1111, thread, reader))
    }

    /// Checks that nothing follows.
    #[inline]
    pub(super) fn end(self) -> Result<(), FrameError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(FrameError::TrailingBytes { offset: self.offset() })
        }
    }

    #[inline]
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub fn offset(self) -> usize {
        self.frame_len - self.rest.len()
    }

    #[cold]
    pub(super) fn malformed(self, what: &'static str) -> FrameError {
        FrameError::Malformed { offset: self.offset(), what }
    }

    #[cold]
    fn truncated(self, what: &'static str) -> FrameError {
        FrameError::Truncated { offset: self.frame_len, what }
    }

    #[inline]
    pub fn byte(&mut self, what: &'static str) -> Result<u8, FrameError> {
        let Some((&byte, rest)) = self.rest.split_first() else {
            return Err(self.truncated(what));
        };
        self.rest = rest;
        Ok(byte)
    }

    #[inline]
    pub fn uint(&mut self, what: &'static str) -> Result<u64, FrameError> {
        let (number, rest) = match self.rest {
            [byte @ 0..=0x7f, rest @ ..] => (u64::from(*byte), rest),
            [low, high @ 0..=0x7f, rest @ ..] => {
                (u64::from(*low & 0x7f) | (u64::from(*high) << 7), rest)
            }
            _ => self.long_uint(what)?,
        };
        self.rest = rest;
        Ok(number)
    }

    /// Reads a number of 64 bits, and returns it with the bytes that follow.
    #[allow(clippy::cast_possible_truncation)] // it has no more bits
    fn long_uint(self, what: &'static str) -> Result<(u64, &'a [u8]), FrameError> {
        let (number, rest) = self.varint(u64::BITS, what)?;
        Ok((number as u64, rest))
    }

    /// Reads a number of up to so many bits, 7 to a byte, and returns it with the bytes that follow.
    fn varint(self, bits: u32, what: &'static str) -> Result<(u128, &'a [u8]), FrameError> {
        let max_len = bits.div_ceil(7);
        let mut number = 0;
        let mut rest = self.rest;
        for nth in 0..max_len {
            let Some((&byte, after)) = rest.split_first() else {
                return Err(self.truncated(what));
            };
            rest = after;
            number |= u128::from(byte & 0x7f) << (7 * nth);
            if byte & 0x80 == 0 {
                if nth == max_len - 1 && byte >= 1 << (bits % 7) {
                    break; // it has more bits
                }
                return Ok((number, rest));
            }
        }
        Err(self.malformed(what))
    }

    pub(super) fn uint_128(&mut self, what: &'static str) -> Result<u128, FrameError> {
        let (number, rest) = self.varint(u128::BITS, what)?;
        self.rest = rest;
        Ok(number)
    }

    #[allow(clippy::cast_possible_wrap)] // it is the same bits
    pub(super) fn sint_128(&mut self, what: &'static str) -> Result<i128, FrameError> {
        let zigzag = self.uint_128(what)?;
        Ok((zigzag >> 1) as i128 ^ -((zigzag & 1) as i128))
    }

    #[inline]
    #[allow(clippy::cast_possible_wrap)] // it is the same bits
    pub(super) fn sint(&mut self, what: &'static str) -> Result<i64, FrameError> {
        let zigzag = self.uint(what)?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    #[inline]
    pub(super) fn float(&mut self, what: &'static str) -> Result<f64, FrameError> {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else {
            return Err(self.truncated(what));
        };
        self.rest = rest;
        Ok(f64::from_le_bytes(*bytes))
    }

    #[inline]
    pub(super) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], FrameError> {
        let mut reader = *self;
        let len = reader.uint(what)?;
        let split = usize::try_from(len).ok().and_then(|len| reader.rest.split_at_checked(len));
        let Some((bytes, rest)) = split else {
            return Err(self.truncated(what));
        };
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    pub fn str(&mut self, what: &'static str) -> Result<&'a str, FrameError> {
        let mut reader = *self;
        let Ok(text) = str::from_utf8(reader.bytes(what)?) else {
            return Err(self.malformed(what));
        };
        *self = reader;
        Ok(text)
    }

    pub(super) fn cow(&mut self, what: &'static str) -> Result<Cow<'static, str>, FrameError> {
        self.str(what).map(|text| Cow::Owned(text.into()))
    }

    pub(super) fn optional_cow(
        &mut self,
        what: &'static str,
    ) -> Result<Option<Cow<'static, str>>, FrameError> {
        self.optional(what, Self::cow)
    }

    /// Reads a number of 32 bits that may be left out.
    #[allow(clippy::cast_possible_truncation)] // it has no more bits
    pub(super) fn optional_uint_32(
        &mut self,
        what: &'static str,
    ) -> Result<Option<u32>, FrameError> {
        self.optional(what, |reader, what| {
            let (number, rest) = reader.varint(u32::BITS, what)?;
            reader.rest = rest;
            Ok(number as u32)
        })
    }

    fn optional<T>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Result<T, FrameError>,
    ) -> Result<Option<T>, FrameError> {
        let mut reader = *self;
        let value = match reader.byte(what)? {
            0 => None,
            1 => Some(read(&mut reader, what).map_err(|error| match error {
                FrameError::Malformed { .. } => self.malformed(what),
                error => error,
            })?),
            _ => return Err(self.malformed(what)),
        };
        *self = reader;
        Ok(value)
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        what: &'static str,
        choices: &[T],
    ) -> Result<T, FrameError> {
        let mut reader = *self;
        let index = reader.byte(what)?;
        let Some(choice) = choices.get(usize::from(index)) else {
            return Err(self.malformed(what));
        };
        *self = reader;
        Ok(*choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use alloc::{
        string::{String, ToString},
        vec::Vec,
    };
    use core::fmt::Debug;

    use serde::Deserialize;

    /// What `postcard` makes of the bytes: the value, or why there is none, and what it leaves.
    fn expected<'a, T: Deserialize<'a> + Debug>(bytes: &'a [u8]) -> (Result<T, FrameError>, usize) {
        let reader = Reader::new(bytes);
        match postcard::take_from_bytes(bytes) {
            Ok((value, rest)) => (Ok(value), rest.len()),
            Err(postcard::Error::DeserializeUnexpectedEnd) => {
                (Err(reader.truncated("it")), bytes.len())
            }
            Err(_) => (Err(reader.malformed("it")), bytes.len()),
        }
    }

    fn check<'a, T: Deserialize<'a> + Debug>(
        bytes: &'a [u8],
        read: impl Fn(&mut Reader<'a>) -> Result<T, FrameError>,
    ) {
        let mut reader = Reader::new(bytes);
        let actual = (read(&mut reader), reader.rest.len());
        let (actual, expected) = (alloc::format!("{actual:?}"), expected::<T>(bytes));
        assert_eq!(actual, alloc::format!("{expected:?}"), "{bytes:x?}");
    }

    fn check_all(bytes: &[u8]) {
        check(bytes, |reader| reader.uint("it"));
        check(bytes, |reader| reader.sint("it"));
        check(bytes, |reader| reader.float("it"));
        check(bytes, |reader| reader.bytes("it"));
        check(bytes, |reader| reader.str("it"));
        check(bytes, |reader| reader.cow("it").map(|text| text.to_string()));
        check(bytes, |reader| reader.uint_128("it"));
        check(bytes, |reader| reader.sint_128("it"));
        check(bytes, |reader| reader.optional_uint_32("it"));
        check(bytes, |reader| Ok(reader.optional_cow("it")?.map(String::from)));
    }

    #[test]
    fn numbers_and_text_are_those_of_postcard() {
        let mut random = 1_u64;
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = random >> (random % 64);
            for bytes in [
                postcard::to_allocvec(&number).unwrap(),
                postcard::to_allocvec(&i64::from_ne_bytes(number.to_ne_bytes())).unwrap(),
                postcard::to_allocvec(&f64::from_bits(random)).unwrap(),
                postcard::to_allocvec(&random.to_string()).unwrap(),
                postcard::to_allocvec(&(u128::from(number) * u128::from(random))).unwrap(),
                postcard::to_allocvec(&Some((random >> 32) as u32 >> (random % 32))).unwrap(),
                postcard::to_allocvec(&Some(random.to_string())).unwrap(),
            ] {
                check_all(&bytes);
                check_all(&bytes[..bytes.len() - 1]);
            }
        }
    }

    #[test]
    fn nonsense_is_refused_as_by_postcard() {
        let mut random = 1_u64;
        for len in 0..20_000 {
            let bytes: Vec<u8> = (0..len % 13)
                .map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    // Long numbers, and short lengths.
                    let byte = random.to_be_bytes()[0];
                    if random & 0x30_0000 == 0 { byte & 0x87 } else { byte | 0x80 }
                })
                .collect();
            check_all(&bytes);
        }
        for last in 0..=0xff {
            let mut bytes = [0xff; 11];
            bytes[9] = last;
            check_all(&bytes);
        }
        check_all(&[0x80, 0x00]);
        check_all(&[0x01, 0xff]);
    }
}
