use alloc::{borrow::Cow, string::String};
use core::str;

use serde::Deserialize;

use super::{FrameError, HAS_THREAD, VERSION};
use crate::wire::ThreadIndex;

/// Reads a frame from its beginning on.
///
/// What most frames consist of is read right here, byte by byte: numbers of one byte, most of all.
/// The rest is left to `postcard`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    frame_len: usize,
    rest: &'a [u8],
}

/// Bytes of a number of 64 bits, and how much the last of them may hold.
const MAX_UINT_LEN: u32 = 10;
const MAX_LAST_BYTE: u8 = 1;

impl<'a> Reader<'a> {
    /// Reads what is not a whole frame. Offsets are those in there.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { frame_len: bytes.len(), rest: bytes }
    }

    /// Reads the header, and returns the kind of the frame, its thread, and what is left.
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

    pub(super) fn offset(self) -> usize {
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

    /// Reads whatever `postcard` can read.
    pub(super) fn read<T: Deserialize<'a>>(&mut self, what: &'static str) -> Result<T, FrameError> {
        match postcard::take_from_bytes(self.rest) {
            Ok((value, rest)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(postcard::Error::DeserializeUnexpectedEnd) => Err(self.truncated(what)),
            Err(_) => Err(self.malformed(what)),
        }
    }

    #[inline]
    pub(super) fn uint(&mut self, what: &'static str) -> Result<u64, FrameError> {
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

    /// Reads a number, and returns it with what follows.
    fn long_uint(self, what: &'static str) -> Result<(u64, &'a [u8]), FrameError> {
        let mut number = 0;
        let mut rest = self.rest;
        for nth in 0..MAX_UINT_LEN {
            let Some((&byte, after)) = rest.split_first() else {
                return Err(self.truncated(what));
            };
            rest = after;
            number |= u64::from(byte & 0x7f) << (7 * nth);
            if byte & 0x80 == 0 {
                if nth == MAX_UINT_LEN - 1 && byte > MAX_LAST_BYTE {
                    break;
                }
                return Ok((number, rest));
            }
        }
        Err(self.malformed(what))
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
    pub(super) fn str(&mut self, what: &'static str) -> Result<&'a str, FrameError> {
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
        Ok(self.read::<Option<String>>(what)?.map(Cow::Owned))
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        what: &'static str,
        choices: &[T],
    ) -> Result<T, FrameError> {
        let mut reader = *self;
        let index: u8 = reader.read(what)?;
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

    use alloc::{string::ToString, vec::Vec};
    use core::fmt::Debug;

    /// What `postcard` makes of the bytes: the value, or why there is none, and what it leaves.
    fn expected<'a, T: Deserialize<'a> + Debug>(bytes: &'a [u8]) -> (Result<T, FrameError>, usize) {
        let mut reader = Reader::new(bytes);
        let read = reader.read("it");
        (read, reader.rest.len())
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
