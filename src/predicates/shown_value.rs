//! Shows values in failures such that an actual value never looks like the expected one.
//!
//! `field("port", 8_080)` does not match the text `8080`, nor `field("name", "n")` the `Debug` output `"n"`. Shown
//! alone, both sides of such a failure look equal. So a remark names the type of the value and a way to match it:
//!
//! | source of the remark | values |
//! |---|---|
//! | [`Shown`] | texts without quotes that look like another value, regardless of the expected one |
//! | [`look_alike()`] | any value that is shown like the one that a predicate expects |
//! | `value(…)` | values of another type |
//!
//! The predicates for values put their remark into their case, as a product without a name.

use alloc::{
    format,
    string::{String, ToString},
};
use core::{cell::Cell, fmt};

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection, Product},
};

use crate::{
    capture::short::{MAX_PHRASE, MAX_VALUE, Short},
    wire::{
        TracedValue,
        text::{Quoted, Visible, beginning},
    },
};

/// The words of a condition for a missing value.
pub(super) const NOT_THERE: &str = "not there";

/// The words of a predicate that expects no value.
pub(super) const NO_VALUE: &str = "no value";

/// A remark repeats a text of up to this many characters.
const MAX_REPEATED: usize = 60;

/// Creates the case of a predicate for values, with a remark why a value does not match even though it looks as if it
/// should.
pub(super) fn case_with_remark(
    predicate: &dyn PredicateReflection,
    expected: bool,
    remark: Option<String>,
) -> Case<'_> {
    let remark = remark.filter(|_| !expected).map(|remark| Product::new("", remark));
    remark.into_iter().fold(Case::new(Some(predicate), expected), Case::add_product)
}

/// Describes a value if it is shown like the expected one, with or without its quotes.
pub(super) fn look_alike(value: &TracedValue, expected: &dyn fmt::Display) -> Option<String> {
    let (shown, expected) = (value.to_string(), expected.to_string());
    let unquoted =
        expected.strip_prefix(['"', '\'']).and_then(|text| text.strip_suffix(['"', '\'']));
    (shown == expected || unquoted == Some(&shown)).then(|| what_it_is(value))
}

/// Names the type of a value, and a way to match values that look like something else.
pub(super) fn what_it_is(value: &TracedValue) -> String {
    match value {
        TracedValue::Bool(_) => "a Boolean".to_string(),
        TracedValue::Int(_) | TracedValue::UInt(_) => "an integer".to_string(),
        TracedValue::Float(_) => "a float".to_string(),
        TracedValue::String(_) => "a string".to_string(),
        TracedValue::Bytes(_) => "a byte string".to_string(),
        TracedValue::Object(text) => {
            format!("Debug or Display output: {} or debug(…) matches it", literal(text.as_ref()))
        }
        TracedValue::Error(error) if error.messages().nth(1).is_some() => format!(
            "an error: {} matches it, and error_chain(…) its sources",
            literal(&error.message)
        ),
        TracedValue::Error(error) => format!("an error: {} matches it", literal(&error.message)),
    }
}

/// Returns the string that equals a text, as you would write it in a test.
fn literal(text: &str) -> String {
    if beginning(text, MAX_REPEATED) == text {
        Quoted(text).to_string()
    } else {
        "a string of this text".to_string()
    }
}

/// A value, with a remark if it may be mistaken for another one.
pub(super) struct Shown<'a> {
    value: &'a TracedValue,
    remark: Option<String>,
}

impl<'a> Shown<'a> {
    /// Creates the shown form of a value for which a predicate has this result.
    pub(super) fn new<P>(value: &'a TracedValue, predicate: &P, expected: bool) -> Self
    where
        P: Predicate<TracedValue> + ?Sized,
    {
        let case = predicate.find_case(expected, value).filter(|_| !expected);
        let remark = case.as_ref().and_then(find_remark);
        let what_it_is = || looks_like_another(value).then(|| what_it_is(value));
        Self { value, remark: remark.or_else(what_it_is) }
    }

    /// Shows a value among others.
    pub(super) fn short(&self) -> String {
        let value = Short { text: self.value, max_chars: MAX_VALUE, is_cut: None, escapes: false };
        self.with_remark(value.to_string())
    }

    /// Shows the value that a condition is about.
    pub(super) fn of(&self, condition: &dyn PredicateReflection) -> String {
        self.with_remark(shortened(condition, self.value))
    }

    fn with_remark(&self, value: String) -> String {
        match &self.remark {
            Some(remark) => format!("{value} ({remark})"),
            None => value,
        }
    }
}

/// Shows the beginning of a value. If the value and the condition differ only behind the cut, it also shows where they
/// begin to differ: otherwise they would look equal.
pub(super) fn shortened(condition: &dyn PredicateReflection, value: &dyn fmt::Display) -> String {
    let is_cut = Cell::new(false);
    let short = Short { text: value, max_chars: MAX_PHRASE, is_cut: Some(&is_cut), escapes: false }
        .to_string();
    let condition = || Visible(&condition.to_string()).to_string();
    let difference = || difference(&condition(), &value.to_string());
    match is_cut.get().then(difference).flatten() {
        Some(difference) => format!("{short}, {difference}"),
        None => short,
    }
}

/// Number of characters by which the beginning of an expected text is found, and of differing characters that are
/// shown.
const MAX_COMPARED: usize = 40;

fn difference(condition: &str, value: &str) -> Option<String> {
    let start = condition.find(beginning(value, MAX_COMPARED))?;
    let expected = &condition[start..];
    let is_same = |(one, other): &(char, char)| one == other;
    let count = expected.chars().zip(value.chars()).take_while(is_same).count();
    // The condition is cut sooner, since it has more in front of the text.
    if condition[..start].chars().count() + count < MAX_PHRASE {
        return None;
    }
    let common = beginning(value, count).len();
    let [expected, value] = [&expected[common..], &value[common..]];
    if value.is_empty() && expected.starts_with(['"', ')']) {
        return None; // it is the whole text, and the condition says something else of it
    }
    let [expected, value] = [expected, value].map(|rest| beginning(rest, MAX_COMPARED));
    Some(format!("which goes on with …{value} after {count} characters, and not with …{expected}"))
}

/// Number of details that a condition shows.
const MAX_DETAILS: usize = 4;

/// Lists what a predicate of another crate says about a text besides the text itself: the actual count of
/// `contains(…).count(…)`, and the text that it looked at, if that is another one.
pub(super) fn details(case: Option<&Case<'_>>, text: &str) -> Vec<(String, String)> {
    let mut details = Vec::new();
    let mut unvisited: Vec<&Case<'_>> = case.into_iter().collect();
    while let Some(case) = unvisited.pop() {
        for product in case.products().filter(|product| !product.name().is_empty()) {
            let value = product.value().to_string();
            let is_text = value == text || value == format!("{text:?}");
            if !is_text && details.len() < MAX_DETAILS {
                let value =
                    Short { text: value, max_chars: MAX_VALUE, is_cut: None, escapes: false };
                details.push((product.name().to_string(), value.to_string()));
            }
        }
        unvisited.extend(case.children());
    }
    details
}

/// Finds the first remark in a case, or in the cases of its parts.
fn find_remark(case: &Case<'_>) -> Option<String> {
    let mut unvisited = alloc::vec![case];
    while let Some(case) = unvisited.pop() {
        let mut products = case.products();
        if let Some(remark) = products.find(|product| product.name().is_empty()) {
            return Some(remark.value().to_string());
        }
        unvisited.extend(case.children());
    }
    None
}

/// Checks whether a value is a text that is shown without quotes, and looks like a value of another type.
fn looks_like_another(value: &TracedValue) -> bool {
    if matches!(value, TracedValue::String(_)) {
        return false;
    }
    value.as_text().is_some_and(|text| {
        let is_between =
            |left, right| text.len() > 1 && text.starts_with(left) && text.ends_with(right);
        matches!(text, "true" | "false" | "None" | NOT_THERE | NO_VALUE)
            || text.parse::<f64>().is_ok()
            || is_between('"', '"')
            || is_between('\'', '\'')
            || is_between('[', ']') && is_hex(&text[1..text.len() - 1])
    })
}

/// Checks whether a text looks like the content of a byte string's brackets.
fn is_hex(text: &str) -> bool {
    let is_byte = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(' ').all(is_byte)
}
