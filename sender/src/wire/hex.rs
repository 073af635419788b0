//! The text that `tracing` gives a byte string by default: `[de ad be ef]`.
//!
//! Streams that `tracing-tunnel` reads carry byte strings in it, as it does itself.

use alloc::vec::Vec;
use core::fmt;

/// Displays bytes as `tracing_core::field::Visit::record_bytes` does where it is not overridden.
#[derive(Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[")?;
        for (i, byte) in self.0.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(formatter, "{space}{byte:02x}")?;
        }
        formatter.write_str("]")
    }
}

/// Reads the bytes back; `None` if the text has another form.
pub fn parse(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix('[')?.strip_suffix(']')?;
    if digits.is_empty() {
        return Some(Vec::new());
    }
    digits
        .split(' ')
        .map(|byte| {
            let is_hex = byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_hex.then(|| u8::from_str_radix(byte, 16).ok()).flatten()
        })
        .collect()
}
