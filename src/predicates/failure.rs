//! What a failed assertion says.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{self, Write};

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection, Product},
};

use crate::capture::{
    Captured, Shown,
    excerpt::{MAX_LISTED, push_trace},
};

/// A case that says what there actually was. What the value shows has to be safe to show.
pub(super) fn actual<'a>(
    predicate: &'a dyn PredicateReflection,
    expected: bool,
    what: &str,
    value: &dyn fmt::Display,
) -> Case<'a> {
    let product = Product::new(what.to_string(), value.to_string());
    Case::new(Some(predicate), expected).add_product(product)
}

/// Nothing matches: what came nearest, and why it does not match.
pub(super) fn no_match<'a, T, P>(items: impl Iterator<Item = T>, predicate: &P) -> String
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let [noun, nouns] = T::NOUNS;
    let (count, nearest) = nearest(items, predicate);
    let mut message = Message::new(&format_args!("no {noun} matches {predicate}"));
    match count {
        0 => message.line(&format_args!("\nthere are no {nouns} to look at")),
        1 => message.line(&format_args!("\nthe only {noun}:")),
        _ => message.line(&format_args!("\nnearest of {count} {nouns}:")),
    }
    for item in &nearest {
        message.item(item);
        message.reasons(predicate.find_case(false, item).as_ref());
    }
    message.finish(nearest.first())
}

/// Some match that should not, or more than should.
pub(super) fn unwanted<'a, T, P>(
    what: &str,
    unwanted: impl Iterator<Item = T>,
    predicate: &P,
) -> String
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut message = Message::new(&format_args!("{what}: {predicate}\n"));
    let mut first = None;
    let mut count = 0_usize;
    for item in unwanted {
        if count < MAX_LISTED {
            message.item(&item);
            // There are none if the item is not wanted because it matches.
            message.reasons(predicate.find_case(false, &item).as_ref());
        }
        first = first.or(Some(item));
        count += 1;
    }
    if count > MAX_LISTED {
        message.line(&format_args!("  (and {} more)", count - MAX_LISTED));
    }
    message.finish(first.as_ref())
}

/// Counts the items, and finds those that miss the fewest conditions; among equals, the first.
fn nearest<'a, T, P>(items: impl Iterator<Item = T>, predicate: &P) -> (usize, Vec<T>)
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut count = 0;
    let mut nearest = Vec::<(usize, T)>::new();
    for item in items {
        count += 1;
        let unmet = predicate.find_case(false, &item).map_or(1, |case| leaves(&case).len());
        let position = nearest.partition_point(|(other, _)| *other <= unmet);
        if position < MAX_LISTED {
            nearest.truncate(MAX_LISTED - 1);
            nearest.insert(position, (unmet, item));
        }
    }
    (count, nearest.into_iter().map(|(_, item)| item).collect())
}

/// Text of a message, as far as it is made.
struct Message {
    text: String,
}

impl Message {
    fn new(headline: &dyn fmt::Display) -> Self {
        let mut message = Self { text: String::new() };
        message.line(headline);
        message
    }

    fn line(&mut self, line: &dyn fmt::Display) {
        // Writing to a string fails only if `line` does, which is then cut short.
        let _ = writeln!(self.text, "{line}");
    }

    fn item(&mut self, item: &dyn fmt::Display) {
        self.line(&format_args!("  {item:.0}"));
    }

    fn reasons(&mut self, case: Option<&Case<'_>>) {
        for leaf in case.into_iter().flat_map(leaves) {
            self.line(&format_args!("    ✗ {}", reason(leaf)));
        }
    }

    /// Adds the trace that the item is in.
    fn finish<'a, T: Captured<'a>>(mut self, item: Option<&T>) -> String {
        if let Some(storage) = item.map(T::storage) {
            push_trace(&mut self.text, Shown::plain(storage));
        }
        self.text
    }
}

/// The cases that are not made of others: each a condition, met or not.
fn leaves<'a>(case: &'a Case<'a>) -> Vec<&'a Case<'a>> {
    let mut leaves = Vec::new();
    let mut unvisited = alloc::vec![case];
    while let Some(case) = unvisited.pop() {
        let children: Vec<_> = case.children().collect();
        if children.is_empty() {
            leaves.push(case);
        }
        unvisited.extend(children.into_iter().rev());
    }
    leaves
}

fn reason(leaf: &Case<'_>) -> String {
    let mut reason = leaf.predicate().map_or_else(String::new, ToString::to_string);
    for product in leaf.products() {
        let _ = write!(reason, ": {} is {}", product.name(), product.value());
    }
    reason
}
