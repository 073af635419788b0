//! Predicates for the texts of spans and events: names, messages and files.

use alloc::{format, string::String};

use ::predicates::{
    Predicate,
    ord::{EqPredicate, eq},
    reflection::{Case, PredicateReflection, Product},
};

use super::{
    failure::{absent, actual},
    shown_value::{NOT_THERE, details, what_it_is},
};
use crate::{
    capture::{Captured, CapturedEvent, CapturedSpan},
    wire::{TracedValue, text::Quoted},
};

/// The text that a predicate looks at in a span or event.
pub(super) enum FoundText<'a> {
    Text(&'a str),
    /// A value that is not a text.
    Other(&'a TracedValue),
    /// No text, and the words for this case.
    Absent(&'static str),
}

impl<'a> FoundText<'a> {
    pub(super) fn known(text: Option<&'a str>) -> Self {
        text.map_or(Self::Absent("not known"), Self::Text)
    }

    pub(super) fn matches(self, predicate: &impl Predicate<str>) -> bool {
        matches!(self, Self::Text(text) if predicate.eval(text))
    }

    /// Creates a case that names the text.
    pub(super) fn case<'p, 'b>(
        self,
        predicate: &'p dyn PredicateReflection,
        expected: bool,
        item: &impl Captured<'b>,
        what: &str,
        matches: &impl Predicate<str>,
    ) -> Case<'p> {
        match self {
            Self::Text(text) => {
                let case = actual(predicate, expected, item, what, &Quoted(text));
                if item.is_brief() {
                    return case;
                }
                let details = details(matches.find_case(expected, text).as_ref(), text).into_iter();
                let products = details.map(|(name, value)| Product::new(name, value));
                products.fold(case, Case::add_product)
            }
            Self::Other(value) => {
                let no_text = format!("{value} ({})", what_it_is(value));
                actual(predicate, expected, item, what, &no_text)
            }
            Self::Absent(how) => absent(predicate, expected, item, what, how),
        }
    }
}

/// Implements a predicate for the text that a function finds in a span or event.
macro_rules! impl_text_predicate {
    ($ty:ident for {$($generics:tt)*} $item:ty: $name:literal, $find:expr) => {
        impl_operators_and_text!($ty, $name);

        impl<$($generics)* P: ::predicates::Predicate<str>> ::predicates::Predicate<$item> for $ty<P> {
            fn eval(&self, item: &$item) -> bool {
                $find(item).matches(&self.matches)
            }

            fn find_case(
                &self,
                expected: bool,
                item: &$item,
            ) -> Option<::predicates::reflection::Case<'_>> {
                (self.eval(item) == expected)
                    .then(|| $find(item).case(self, expected, item, $name, &self.matches))
            }
        }
    };
}

pub(super) use impl_text_predicate;

/// The types that predicates for a text take: a string, which the text has to be equal to, or a predicate for strings,
/// which may stand in square brackets.
///
/// `Form` tells which of these it is, and is inferred from the type.
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

/// The form of a string.
#[derive(Debug)]
pub enum Literal {}

/// The form of a predicate.
#[derive(Debug)]
pub enum Matching {}

/// The form of a predicate in square brackets, as in `tracing-capture`.
#[derive(Debug)]
pub enum Bracketed {}

/// Lets a function take any predicate for a type, in square brackets or without them.
macro_rules! impl_into_predicate {
    ($into:ident for $ty:ty) => {
        impl<P: ::predicates::Predicate<$ty>> $into<$crate::predicates::text::Matching> for P {
            type Predicate = P;

            fn into_predicate(self) -> P {
                self
            }
        }

        impl<P: ::predicates::Predicate<$ty>> $into<$crate::predicates::text::Bracketed>
            for [P; 1]
        {
            type Predicate = P;

            fn into_predicate(self) -> P {
                let [predicate] = self;
                predicate
            }
        }
    };
}

pub(super) use impl_into_predicate;

impl_into_predicate!(IntoTextPredicate for str);

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

/// Matches spans by their name.
///
/// Pass a string that the name has to be equal to, or any predicate for strings.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// drop(tracing::info_span!("connect"));
/// let trace = capture.trace();
/// trace.scan_spans().single(&name("connect"));
/// trace.scan_spans().single(&name(starts_with("co")));
/// ```
pub fn name<Form, P>(matches: P) -> NamePredicate<P::Predicate>
where
    P: IntoTextPredicate<Form>,
{
    NamePredicate { matches: matches.into_predicate() }
}

/// Predicate for the name of a span, returned by [`name()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamePredicate<P> {
    matches: P,
}

impl<P: PredicateReflection> PredicateReflection for NamePredicate<P> {}

impl_text_predicate!(NamePredicate for {'a,} CapturedSpan<'a>: "name", |span: &CapturedSpan<'a>| {
    FoundText::Text(span.metadata().name())
});

/// Matches events by their message.
///
/// Pass a string that the message has to be equal to, or any predicate for strings.
///
/// An event without a message never matches.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::warn!("took {} ms", 850);
/// let trace = capture.trace();
/// trace.scan_events().single(&message("took 850 ms"));
/// trace.scan_events().single(&message(contains("850")));
/// ```
pub fn message<Form, P>(matches: P) -> MessagePredicate<P::Predicate>
where
    P: IntoTextPredicate<Form>,
{
    MessagePredicate { matches: matches.into_predicate() }
}

/// Predicate for the message of an event, returned by [`message()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagePredicate<P> {
    matches: P,
}

impl<P: PredicateReflection> PredicateReflection for MessagePredicate<P> {}

impl_text_predicate!(MessagePredicate for {'a,} CapturedEvent<'a>: "message", |event: &CapturedEvent<'a>| {
    match event.message() {
        Some(message) => FoundText::Text(message),
        None => event.value("message").map_or(FoundText::Absent(NOT_THERE), FoundText::Other),
    }
});

/// Matches spans and events by their source file.
///
/// Pass a string that the path has to be equal to, or any predicate for strings. The path is the same as from
/// `file!()`, with the separators of the platform that the program was compiled on. A call site that does not know its
/// file never matches.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// let capture = Capture::start();
/// tracing::info!("started");
/// let trace = capture.trace();
/// trace.scan_events().single(&file(file!()));
/// trace.scan_events().single(&file(ends_with(".rs")));
/// ```
pub fn file<Form, P>(matches: P) -> FilePredicate<P::Predicate>
where
    P: IntoTextPredicate<Form>,
{
    FilePredicate { matches: matches.into_predicate() }
}

/// Predicate for the source file of a span or event, returned by [`file()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePredicate<P> {
    matches: P,
}

impl<P: PredicateReflection> PredicateReflection for FilePredicate<P> {}

impl_text_predicate!(FilePredicate for {'a, T: Captured<'a>,} T: "file", |item: &T| {
    FoundText::known(item.metadata().file())
});
