use alloc::format;
use std::io;

use serde_json::ser::Formatter;

/// Compact JSON in which everything but ASCII is escaped: characters that are invisible, or change the direction of
/// text or the state of a terminal, have no effect on a reader of the file.
pub(super) struct Ascii;

impl Formatter for Ascii {
    /// Writes a part of a string in which quotes, backslashes and ASCII control characters up to
    /// `\u{1f}` are escaped already.
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let needs_escape = |char: char| !matches!(char, ' '..='~');
        let mut unescaped_from = 0;
        for (position, char) in fragment.char_indices().filter(|(_, char)| needs_escape(*char)) {
            writer.write_all(&fragment.as_bytes()[unescaped_from..position])?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                writer.write_all(format!("\\u{unit:04x}").as_bytes())?;
            }
            unescaped_from = position + char.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[unescaped_from..])
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use serde::Serialize;

    use super::*;

    #[test]
    fn strings_stay_what_they_are() {
        let text = "a\"\\\u{1b}\u{7f}\u{9b}ü\u{202e}🦀\u{e0041}b";
        let mut json = alloc::vec![];
        text.serialize(&mut serde_json::Serializer::with_formatter(&mut json, Ascii)).unwrap();
        let json = String::from_utf8(json).unwrap();
        let expected = concat!(
            r#""a\"\\\u001b"#,
            r"\u007f\u009b\u00fc\u202e\ud83e\udd80\udb40\udc41",
            r#"b""#
        );
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
