use std::error::Error;

use tracing::{Span, debug, error, field, instrument};

use super::{
    arithmetic,
    error::{ComputeError, ParseError},
    expression::Expression,
    parser::Parser,
    token::tokenize,
};

/// A parsed expression, and the span that it was parsed in.
pub(crate) struct Formula {
    expression: Expression,
    parsing: Span,
}

impl Formula {
    #[instrument(level = "debug", skip_all, fields(bytes = text.len(), tokens = field::Empty))]
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        let parsing = Span::current();
        let parse_tokens = |tokens: Vec<_>| {
            parsing.record("tokens", tokens.len());
            Parser::new(&tokens).parse()
        };
        match tokenize(text).and_then(parse_tokens) {
            Ok(expression) => {
                debug!(%expression, "parsed");
                Ok(Self { expression, parsing })
            }
            Err(error) => {
                error!(error = &error as &dyn Error, "not an expression");
                Err(error)
            }
        }
    }

    #[instrument(
        level = "debug",
        skip_all,
        follows_from = [&self.parsing],
        fields(operations = self.expression.operations()),
    )]
    pub(crate) fn compute(&self) -> Result<f64, ComputeError> {
        arithmetic::value_of(&self.expression)
    }
}
