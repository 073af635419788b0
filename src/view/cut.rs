use core::{cell::Cell, fmt, hash::Hasher};

use siphasher::sip::SipHasher13;

use super::{
    drawing::{Drawing, Mark, Traced},
    text::{Piece, Quote},
};
use crate::wire::text::needs_escape;

/// Pieces of a text on one line, cut after a maximum number of characters.
pub(super) struct Cut<'a> {
    pub(super) pieces: &'a [Piece<'a>],
    pub(super) quote: Quote,
    pub(super) drawing: Drawing,
    pub(super) max_chars: usize,
    /// If set, a cut is noted here, and the text shows no digest of the rest.
    pub(super) noted: Option<&'a Cell<bool>>,
    /// Whether the text is for data, where it stays as it was traced.
    pub(super) is_data: bool,
}

impl<'a> Cut<'a> {
    pub(super) fn new(
        pieces: &'a [Piece<'a>],
        quote: Quote,
        drawing: Drawing,
        max_chars: usize,
    ) -> Self {
        Self { pieces, quote, drawing, max_chars, noted: None, is_data: false }
    }
}

impl fmt::Display for Cut<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = self.quote.as_str();
        formatter.write_str(quote)?;
        let mut left = self.max_chars;
        let mut cut = 0;
        for piece in self.pieces {
            let text = match piece {
                Piece::Traced(text) => &**text,
                Piece::Mark(mark, _) if cut == 0 => {
                    Mark(self.drawing, Traced(self.drawing, mark)).fmt(formatter)?;
                    continue;
                }
                Piece::Mark(..) => continue,
            };
            let end = text.char_indices().nth(left).map_or(text.len(), |(end, _)| end);
            let (first, rest) = text.split_at(end);
            left -= first.chars().count();
            cut += rest.chars().count();
            self.write_quotable(formatter, first)?;
        }
        formatter.write_str(quote)?;
        match self.noted {
            _ if cut == 0 => Ok(()),
            Some(noted) => {
                noted.set(true);
                Mark(self.drawing, format_args!("{cut} more characters")).fmt(formatter)
            }
            None => {
                let rest = Rest { number: cut, noun: "characters", pieces: self.pieces };
                Mark(self.drawing, rest).fmt(formatter)
            }
        }
    }
}

impl Cut<'_> {
    fn write_quotable(&self, formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
        let quote = match self.quote {
            Quote::None if self.is_data => return write_data(formatter, self.drawing, text),
            Quote::None => return write!(formatter, "{}", Traced(self.drawing, text)),
            quote => quote.as_str(),
        };
        for (i, part) in text.split(quote).enumerate() {
            if i > 0 {
                write!(formatter, "\\{quote}")?;
            }
            write!(formatter, "{}", Traced(self.drawing, part))?;
        }
        Ok(())
    }
}

/// Whether a character of data is shown as its number. Formats escape ASCII characters themselves, but no others.
pub(super) fn is_numbered(char: char) -> bool {
    !char.is_ascii() && needs_escape(char)
}

/// Writes text as it was traced, except for characters that would be invisible, or would appear in another place.
fn write_data(formatter: &mut fmt::Formatter<'_>, drawing: Drawing, text: &str) -> fmt::Result {
    let mut written = 0;
    for (position, found) in text.match_indices(is_numbered) {
        formatter.write_str(&text[written..position])?;
        let number = found.chars().next().map_or(0, u32::from);
        write!(formatter, "{}", Mark(drawing, format_args!("u+{number:04x}")))?;
        written = position + found.len();
    }
    formatter.write_str(&text[written..])
}

/// The part of a text that is left out. A digest of the whole text stands for it: if the rest changes, the snapshot
/// changes, too.
pub(super) struct Rest<'a> {
    pub(super) number: usize,
    pub(super) noun: &'static str,
    pub(super) pieces: &'a [Piece<'a>],
}

impl fmt::Display for Rest<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} more {}, digest {:016x}", self.number, self.noun, digest(self.pieces))
    }
}

/// Returns a digest that is the same for the same text on every machine and with every version of the library. It is
/// impractical to find another text with the same digest, even if you know how it is made.
fn digest(pieces: &[Piece<'_>]) -> u64 {
    let mut hasher = SipHasher13::new();
    for piece in pieces {
        hasher.write_u8(u8::from(piece.is_traced()));
        hasher.write(piece.as_str().as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}
