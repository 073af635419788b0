use std::fmt;

/// An expression as a tree, which [`Display`](fmt::Display) shows with all its parentheses.
pub(crate) enum Expression {
    Number(f64),
    Negation(Box<Expression>),
    Factorial(Box<Expression>),
    Binary { operator: Operator, lhs: Box<Expression>, rhs: Box<Expression> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Expression {
    /// Counts the operations that it takes to compute the expression.
    pub(crate) fn operations(&self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::Negation(operand) | Self::Factorial(operand) => 1 + operand.operations(),
            Self::Binary { lhs, rhs, .. } => 1 + lhs.operations() + rhs.operations(),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Negation(operand) => write!(f, "(-{operand})"),
            Self::Factorial(operand) => write!(f, "({operand}!)"),
            Self::Binary { operator, lhs, rhs } => write!(f, "({lhs} {operator} {rhs})"),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "^",
        })
    }
}
