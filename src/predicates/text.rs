use alloc::string::String;

use ::predicates::{
    Predicate,
    ord::{EqPredicate, eq},
};

/// What predicates for a text take: a string, which the text has to be equal to, or a predicate for
/// strings, which may stand in square brackets.
///
/// `Form` is which of these it is; it follows from the type.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!("took {} ms", 850);
/// let trace = capture.trace();
/// trace.scan_events().single(&message("took 850 ms"));
/// trace.scan_events().single(&message(starts_with("took")));
/// ```
#[diagnostic::on_unimplemented(note = "a text is matched by a string, or by a predicate for `str`")]
pub trait IntoTextPredicate<Form> {
    /// The predicate for the text.
    type Predicate: Predicate<str>;

    /// Makes the predicate.
    fn into_predicate(self) -> Self::Predicate;
}

/// The form of a text that is written out.
#[derive(Debug)]
pub enum Literal {}

/// The form of a predicate.
#[derive(Debug)]
pub enum Matching {}

/// The form of a predicate in square brackets, as `tracing-capture` has it.
#[derive(Debug)]
pub enum Bracketed {}

impl<P: Predicate<str>> IntoTextPredicate<Bracketed> for [P; 1] {
    type Predicate = P;

    fn into_predicate(self) -> P {
        let [predicate] = self;
        predicate
    }
}

impl<P: Predicate<str>> IntoTextPredicate<Matching> for P {
    type Predicate = P;

    fn into_predicate(self) -> P {
        self
    }
}

impl<'a> IntoTextPredicate<Literal> for &'a str {
    type Predicate = EqPredicate<&'a str>;

    fn into_predicate(self) -> EqPredicate<&'a str> {
        eq(self)
    }
}

impl<'a> IntoTextPredicate<Literal> for &'a String {
    type Predicate = EqPredicate<&'a str>;

    fn into_predicate(self) -> EqPredicate<&'a str> {
        eq(self)
    }
}

impl IntoTextPredicate<Literal> for String {
    type Predicate = EqPredicate<String>;

    fn into_predicate(self) -> EqPredicate<String> {
        eq(self)
    }
}
