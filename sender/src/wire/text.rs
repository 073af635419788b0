use alloc::string::String;
use core::fmt::{self, Write};

use super::{TracedError, TracedValue, hex::Hex};

/// Shows text on one line and without effect on the text around it: line breaks, other control characters,
/// those that are invisible or change the direction of text, and spaces other than U+0020 are escaped as
/// in a Rust literal, and so is the backslash: no two texts look the same. The bracket of what a CI server
/// would take for a command is escaped, too.
#[derive(Debug)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(formatter, self.0, needs_escape)
    }
}

/// [`Escaped`] text in which backslashes stay: text that is escaped already is shown as it is.
#[derive(Debug)]
pub struct Visible<'a>(pub &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(formatter, self.0, |char| char != '\\' && needs_escape(char))
    }
}

fn write_text(
    formatter: &mut fmt::Formatter<'_>,
    text: &str,
    needs_escape: impl Fn(char) -> bool,
) -> fmt::Result {
    let mut unescaped_from = 0;
    let first = text.len() - text.trim_start_matches(' ').len();
    for (position, char) in text.char_indices() {
        if needs_escape(char)
            || char == '[' && is_command(text, position)
            || position == first && is_command_line(&text[first..])
        {
            formatter.write_str(&text[unescaped_from..position])?;
            write_escaped(formatter, char)?;
            unescaped_from = position + char.len_utf8();
        }
    }
    formatter.write_str(&text[unescaped_from..])
}

/// Whether this bracket makes a command of the text around it, for what reads the output of tests: GitHub's runner obeys
/// `##[error]` wherever it is on a line, Azure's `##vso[…]`, and `JUnit` reports attach the file of `[[ATTACHMENT|path]]`.
fn is_command(text: &str, bracket: usize) -> bool {
    let before = text[..bracket].trim_end_matches(|char: char| char.is_ascii_lowercase());
    before.ends_with("##") || text[bracket..].starts_with("[[ATTACHMENT|")
}

/// Whether GitHub's runner obeys a line that begins with this text: `::error::…`, `::group::…`. Other texts begin with two
/// colons as well, such as the address `::1`.
fn is_command_line(text: &str) -> bool {
    const COMMANDS: [&str; 15] = [
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    ];
    let Some(rest) = text.strip_prefix("::") else { return false };
    let behind = COMMANDS.iter().find_map(|command| rest.strip_prefix(command));
    behind.is_some_and(|behind| behind.starts_with([' ', ':']))
}

/// [`Escaped`] text between quotes, in which quotes are escaped, too.
#[derive(Debug)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('"')?;
        for (i, part) in self.0.split('"').enumerate() {
            if i > 0 {
                formatter.write_str("\\\"")?;
            }
            write!(formatter, "{}", Escaped(part))?;
        }
        formatter.write_char('"')
    }
}

/// `format!`, but what an implementation wrote before it failed stays: `format!` would panic, and
/// the traced program with it.
pub fn lenient_format(text: fmt::Arguments<'_>) -> String {
    let mut formatted = String::new();
    let _ = fmt::write(&mut formatted, text);
    formatted
}

/// Returns the beginning of a text, of so many characters at the most.
pub fn beginning(text: &str, max_chars: usize) -> &str {
    let end = text.char_indices().nth(max_chars).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}

/// Checks whether a character controls a terminal, is invisible, looks like a space, or begins an escape. All outputs
/// ask this function: no two texts look the same in any of them.
pub fn needs_escape(char: char) -> bool {
    match char {
        '\\' => true,
        ' '..='~' => false,
        _ => char.is_control() || is_unseen(char) || is_part(char),
    }
}

/// Whether a character is drawn as one with the character before it. Another character may look the same:
/// `e\u{301}` and `é`. Composed characters, which most programs write, are shown as they are.
fn is_part(char: char) -> bool {
    matches!(char,
        // Marks for letters of any script, and for signs.
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
        // Marks of Arabic letters, and of Kana.
        | '\u{653}'..='\u{655}' | '\u{3099}'..='\u{309a}'
        // Parts of the syllables of Hangul.
        | '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}')
}

/// Whether a character beyond ASCII has no ink, acts on those around it, or is a space that is not U+0020.
///
/// In Unicode 16.0, these are the characters with `Default_Ignorable_Code_Point` and those of the general
/// categories Cf, Zl, Zp and Zs; some of them have ink, but are shown in another place, or not at all.
/// Emoji that are made of several characters are escaped in part: `❤\u{fe0f}`.
fn is_unseen(char: char) -> bool {
    matches!(char,
        // No-break space, soft hyphen, combining grapheme joiner.
        '\u{a0}' | '\u{ad}' | '\u{34f}'
        // Arabic and Syriac signs around numbers and words, the Arabic letter mark among them.
        | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}'
        // Fillers of Hangul, the space of Ogham, inherent vowels of Khmer, selectors of Mongolian.
        | '\u{115f}'..='\u{1160}' | '\u{1680}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        // Spaces, zero-width and directional marks, separators of lines and paragraphs, embeddings,
        // overrides, isolates, word joiners and invisible operators.
        | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{3000}' | '\u{3164}'
        // Variation selectors, the byte order mark, interlinear annotations.
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        // Signs around numbers of Kaithi, joiners of hieroglyphs, controls of shorthand and of music.
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        // Tags and further variation selectors.
        | '\u{e0000}'..='\u{e0fff}'
        // Of other categories, but without ink: the blank pattern of Braille, a filler of Khitan, a note
        // without a head.
        | '\u{2800}' | '\u{16fe4}' | '\u{1d159}')
}

fn write_escaped(formatter: &mut fmt::Formatter<'_>, char: char) -> fmt::Result {
    match char {
        '\n' => formatter.write_str("\\n"),
        '\r' => formatter.write_str("\\r"),
        '\t' => formatter.write_str("\\t"),
        '\\' => formatter.write_str("\\\\"),
        char => write!(formatter, "{}", char.escape_unicode()),
    }
}

/// Shows the value on one line, with all that could steer a terminal escaped: strings between
/// quotes, `Debug` and `Display` output and the messages of errors without.
///
/// ```
/// use spanshot::TracedValue;
///
/// assert_eq!(TracedValue::from("say \"hi\"\n").to_string(), r#""say \"hi\"\n""#);
/// assert_eq!(TracedValue::from(8.0).to_string(), "8.0");
/// assert_eq!(TracedValue::from(&[0xde, 0xad][..]).to_string(), "[de ad]");
/// ```
impl fmt::Display for TracedValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(formatter),
            Self::Int(value) => value.fmt(formatter),
            Self::UInt(value) => value.fmt(formatter),
            Self::Float(value) => write!(formatter, "{value:?}"),
            Self::String(value) => Quoted(value).fmt(formatter),
            Self::Object(value) => Escaped(value.as_ref()).fmt(formatter),
            Self::Error(error) => write_error(formatter, error),
            Self::Bytes(value) => Hex(value).fmt(formatter),
        }
    }
}

fn write_error(formatter: &mut fmt::Formatter<'_>, error: &TracedError) -> fmt::Result {
    for (i, message) in error.messages().enumerate() {
        if i > 0 {
            formatter.write_str(", caused by: ")?;
        }
        write!(formatter, "{}", Escaped(message))?;
    }
    if error.may_be_cut() {
        formatter.write_str(", caused by: …")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[track_caller]
    fn check(value: impl Into<TracedValue>, expected: &str) {
        assert_eq!(value.into().to_string(), expected);
    }

    #[test]
    fn values() {
        check(true, "true");
        check(-5_i64, "-5");
        check(u128::MAX, "340282366920938463463374607431768211455");
        check(8.0, "8.0");
        check(-0.0, "-0.0");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-inf");
        check("it's \"quoted\"", r#""it's \"quoted\"""#);
        check("", r#""""#);
        check(&[0xde, 0xad][..], "[de ad]");
        check(TracedValue::debug(&Some(3)), "Some(3)");
    }

    #[test]
    fn error_shows_its_chain() {
        let texts = ["outer\n", "inner"].map(|message| (message.to_string(), None));
        check(TracedError::from_texts(texts.to_vec()), r"outer\n, caused by: inner");
    }

    #[test]
    fn text_stays_on_its_line_and_leaves_the_terminal_alone() {
        check("a\nb\r\tc", r#""a\nb\r\tc""#);
        check("\u{1b}[31mred\u{7}\0", r#""\u{1b}[31mred\u{7}\u{0}""#);
        check("\u{202e}evil\u{2066}", r#""\u{202e}evil\u{2066}""#);
        check("a\u{2028}b\u{85}c", r#""a\u{2028}b\u{85}c""#);
        check("größer 你好 🦀", r#""größer 你好 🦀""#);
    }

    #[test]
    fn text_commands_no_server() {
        check("##[error]a [#[b]]", r###""##\u{5b}error]a [#[b]]""###);
        check("###[group]", r####""###\u{5b}group]""####);
        check("##vso[task.x]#vso[a]", r###""##vso\u{5b}task.x]#vso[a]""###);
        for text in ["::error file=x::a", "  ::error::a", "::stop-commands::a", "::endgroup::"] {
            assert_eq!(Escaped(text).to_string(), text.replacen("::", "\\u{3a}:", 1));
        }
        for text in ["::1", "::errors::Error", "a ::error::a", ":error::", "::error"] {
            assert_eq!(Escaped(text).to_string(), text);
        }
        check("[[ATTACHMENT|/etc/passwd]]", r#""\u{5b}[ATTACHMENT|/etc/passwd]]""#);
        check("[[[ATTACHMENT|", r#""[\u{5b}[ATTACHMENT|""#);
        check("[[attached]]", r#""[[attached]]""#);
    }

    #[test]
    fn no_two_texts_look_the_same() {
        check("a\\nb", r#""a\\nb""#);
        check("\\\"", r#""\\\"""#);
        assert_eq!(Escaped(r"C:\temp").to_string(), r"C:\\temp");
    }
}
