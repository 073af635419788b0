use super::error::ParseError;

/// The most tokens of an expression; it bounds how deep an expression can nest, and so the stack that it takes.
pub(crate) const MAX_TOKENS: usize = 256;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    Bang,
    Open,
    Close,
}

impl Token {
    fn from_symbol(symbol: char) -> Option<Self> {
        Some(match symbol {
            '+' => Self::Plus,
            '-' => Self::Minus,
            '*' => Self::Star,
            '/' => Self::Slash,
            '^' => Self::Caret,
            '!' => Self::Bang,
            '(' => Self::Open,
            ')' => Self::Close,
            _ => return None,
        })
    }
}

/// Splits a text into its tokens, each with the byte that it starts at.
pub(crate) fn tokenize(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character.is_whitespace() {
            continue;
        }
        let token = if let Some(symbol) = Token::from_symbol(character) {
            symbol
        } else if is_numeric(character) {
            let mut literal = String::from(character);
            while let Some((_, digit)) = characters.next_if(|(_, next)| is_numeric(*next)) {
                literal.push(digit);
            }
            parse_number(&literal, at)?
        } else {
            return Err(ParseError::UnexpectedCharacter { at });
        };
        if tokens.len() == MAX_TOKENS {
            return Err(ParseError::TooLong);
        }
        tokens.push((at, token));
    }
    Ok(tokens)
}

fn is_numeric(character: char) -> bool {
    character.is_ascii_digit() || character == '.'
}

/// Parses a decimal number, exactly so up to 15 digits.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a number is the nearest float, and no text of a guest has 2^31 decimals"
)]
fn parse_number(literal: &str, at: usize) -> Result<Token, ParseError> {
    let (whole, decimals) = literal.split_once('.').unwrap_or((literal, ""));
    match [whole, decimals].concat().parse::<u64>() {
        Ok(digits) => Ok(Token::Number(digits as f64 / 10_f64.powi(decimals.len() as i32))),
        Err(source) => Err(ParseError::MalformedNumber { at, source }),
    }
}
