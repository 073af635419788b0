use tracing::trace;

use super::{
    error::ParseError,
    expression::{Expression, Operator},
    token::Token,
};

/// How tightly the sign `-` binds: tighter than the products, looser than the powers, so that `-2 ^ 2` is `-(2 ^ 2)`.
const SIGN_BINDS: u8 = 5;

/// Parses by precedence climbing: an operator takes what binds at least as tightly as its own side does.
pub(crate) struct Parser<'a> {
    tokens: &'a [(usize, Token)],
}

impl<'a> Parser<'a> {
    pub(crate) fn new(tokens: &'a [(usize, Token)]) -> Self {
        Self { tokens }
    }

    /// Parses all of the tokens as one expression.
    pub(crate) fn parse(mut self) -> Result<Expression, ParseError> {
        let expression = self.expression(0)?;
        match self.tokens.first() {
            None => Ok(expression),
            Some(&(at, _)) => Err(ParseError::UnexpectedToken { at }),
        }
    }

    fn expression(&mut self, least_binding: u8) -> Result<Expression, ParseError> {
        let mut lhs = self.operand()?;
        while let Some((at, operator, [_, right])) = self.next_operator(least_binding) {
            trace!(?operator, at, "operator");
            let rhs = self.expression(right)?;
            lhs = Expression::Binary { operator, lhs: Box::new(lhs), rhs: Box::new(rhs) };
        }
        Ok(lhs)
    }

    fn operand(&mut self) -> Result<Expression, ParseError> {
        let (at, token) = self.next()?;
        let mut operand = match token {
            Token::Number(number) => Expression::Number(number),
            Token::Minus => {
                let operand = self.expression(SIGN_BINDS)?;
                return Ok(Expression::Negation(Box::new(operand)));
            }
            Token::Open => {
                let inner = self.expression(0)?;
                self.close()?;
                inner
            }
            _ => return Err(ParseError::UnexpectedToken { at }),
        };
        while let [(_, Token::Bang), rest @ ..] = self.tokens {
            self.tokens = rest;
            operand = Expression::Factorial(Box::new(operand));
        }
        Ok(operand)
    }

    fn close(&mut self) -> Result<(), ParseError> {
        match self.next()? {
            (_, Token::Close) => Ok(()),
            (at, _) => Err(ParseError::UnexpectedToken { at }),
        }
    }

    fn next_operator(&mut self, least_binding: u8) -> Option<(usize, Operator, [u8; 2])> {
        let (&(at, token), rest) = self.tokens.split_first()?;
        let (operator, sides) = binary_operator(token)?;
        if sides[0] < least_binding {
            return None;
        }
        self.tokens = rest;
        Some((at, operator, sides))
    }

    fn next(&mut self) -> Result<(usize, Token), ParseError> {
        let (&next, rest) = self.tokens.split_first().ok_or(ParseError::UnexpectedEnd)?;
        self.tokens = rest;
        Ok(next)
    }
}

/// The operator that a token stands for between two operands, and how tightly it binds the left and the right one.
fn binary_operator(token: Token) -> Option<(Operator, [u8; 2])> {
    Some(match token {
        Token::Plus => (Operator::Add, [1, 2]),
        Token::Minus => (Operator::Subtract, [1, 2]),
        Token::Star => (Operator::Multiply, [3, 4]),
        Token::Slash => (Operator::Divide, [3, 4]),
        Token::Caret => (Operator::Power, [7, 6]),
        Token::Number(_) | Token::Bang | Token::Open | Token::Close => return None,
    })
}
