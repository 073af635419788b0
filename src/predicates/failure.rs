//! What a failed assertion says.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{self, Write};

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection, Product},
};

use crate::{
    capture::{Captured, Storage},
    wire::text::Escaped,
};

/// Spans or events that a message lists.
const MAX_LISTED: usize = 5;

/// Lines of the trace that a message shows.
const MAX_TRACE_LINES: usize = 60;

/// A case that says what there actually was.
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
    let mut message = format!("no {noun} matches {predicate}\n");

    let mut count = 0_usize;
    let mut nearest = Vec::<(usize, T)>::new();
    for item in items {
        count += 1;
        let unmet = predicate.find_case(false, &item).map_or(1, |case| leaves(&case).len());
        // The list is sorted, and among equals what came first stays first.
        let position = nearest.partition_point(|(other, _)| *other <= unmet);
        if position < MAX_LISTED {
            nearest.truncate(MAX_LISTED - 1);
            nearest.insert(position, (unmet, item));
        }
    }
    let Some((_, first)) = nearest.first() else {
        message.push_str(&format!("\nthere are no {nouns} to look at\n"));
        return message;
    };

    let storage = first.storage();
    let heading = if count == 1 {
        format!("the only {noun}:")
    } else {
        format!("nearest of {count} {nouns}:")
    };
    message.push_str(&format!("\n{heading}\n"));
    for (_, item) in &nearest {
        message.push_str(&format!("  {item:.0}\n"));
        if let Some(case) = predicate.find_case(false, item) {
            for leaf in leaves(&case) {
                message.push_str(&format!("    ✗ {}\n", reason(leaf)));
            }
        }
    }
    push_trace(&mut message, storage);
    message
}

/// Some match that should not, or more than should.
pub(super) fn unwanted<'a, T, P>(
    what: &str,
    unwanted: impl Iterator<Item = T>,
    predicate: &P,
    matching: bool,
) -> String
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut message = format!("{what} {predicate}\n\n");
    let mut storage = None;
    let mut listed = 0;
    let mut not_listed = 0_usize;
    for item in unwanted {
        if listed == MAX_LISTED {
            not_listed += 1;
            continue;
        }
        listed += 1;
        message.push_str(&format!("  {item:.0}\n"));
        let case = if matching { None } else { predicate.find_case(false, &item) };
        for leaf in case.iter().flat_map(leaves) {
            message.push_str(&format!("    ✗ {}\n", reason(leaf)));
        }
        storage = Some(item);
    }
    if not_listed > 0 {
        message.push_str(&format!("  (and {not_listed} more)\n"));
    }
    if let Some(item) = storage {
        push_trace(&mut message, item.storage());
    }
    message
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
        let value = product.value().to_string();
        let _ = write!(reason, ": {} is {}", product.name(), Escaped(&value));
    }
    reason
}

fn push_trace(message: &mut String, storage: &Storage) {
    message.push_str("\nthe trace:\n");
    let mut lines = FirstLines { text: message, left: MAX_TRACE_LINES };
    if write!(lines, "{storage}").is_ok() {
        return;
    }
    let nodes = storage.all_spans().len() + storage.all_events().len();
    message.push_str(&format!("(and more: it has {nodes} spans and events)\n"));
}

/// Takes text up to a number of lines, and fails from there on, so that the rest is not made.
struct FirstLines<'a> {
    text: &'a mut String,
    left: usize,
}

impl Write for FirstLines<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for line in text.split_inclusive('\n') {
            if self.left == 0 {
                return Err(fmt::Error);
            }
            self.text.push_str(line);
            self.left -= usize::from(line.ends_with('\n'));
        }
        Ok(())
    }
}
