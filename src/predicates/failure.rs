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

use super::combinators::OPERATOR;
use crate::{
    capture::{Captured, CapturedNode, Shown, Storage, excerpt::MAX_LISTED},
    snapshot::Around,
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

/// Too few match: what came nearest, and which conditions of the predicate it meets.
pub(super) fn missing<'a, T, P>(
    headline: &str,
    storage: &Storage,
    items: impl Iterator<Item = T>,
    predicate: &P,
) -> String
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let [noun, nouns] = T::NOUNS;
    let (count, nearest) = nearest(items, predicate);
    let mut message = Message::new(headline);
    match count {
        0 => message.line(&format_args!("\nthere are no {nouns} to look at")),
        1 => message.line(&format_args!("\nthe only {noun}:")),
        _ => message.line(&format_args!("\nnearest of {count} {nouns}:")),
    }
    for item in &nearest {
        message.item(item);
        message.conditions(predicate.find_case(false, item).as_ref());
    }
    message.finish(storage, &nearest)
}

/// Some items should not be there, or not be as they are: those, and why.
pub(super) fn unwanted<'a, T, P>(
    headline: &str,
    storage: &Storage,
    unwanted: impl Iterator<Item = T>,
    predicate: &P,
) -> String
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut message = Message::new(headline);
    message.line(&"");
    let mut listed = Vec::new();
    let mut count = 0_usize;
    for item in unwanted {
        count += 1;
        if listed.len() < MAX_LISTED {
            message.item(&item);
            // An item that matches is not wanted because it does: the conditions say nothing new.
            message.conditions(predicate.find_case(false, &item).as_ref());
            listed.push(item);
        }
    }
    if count > MAX_LISTED {
        message.line(&format_args!("  (and {} more)", count - MAX_LISTED));
    }
    message.finish(storage, &listed)
}

/// Items do not come as expected: how far they do, what should come next, and what comes instead.
pub(super) fn out_of_order<'a, T: Captured<'a>>(
    headline: &str,
    storage: &Storage,
    expected: &[&dyn Predicate<T>],
    found: &[T],
    instead: Option<T>,
    rest: impl Iterator<Item = T>,
) -> String {
    let mut message = Message::new(headline);
    message.line(&"");
    for (item, predicate) in found.iter().zip(expected) {
        message.line(&format_args!("✓ {predicate}"));
        message.item(item);
    }
    let mut marked = found.to_vec();
    if let Some(predicate) = expected.get(found.len()) {
        message.line(&format_args!("✗ {predicate}"));
        let (items, what) = match instead {
            Some(instead) => (alloc::vec![instead], "instead"),
            None => (nearest(rest, *predicate).1, "nearest of what follows"),
        };
        if items.is_empty() {
            message.line(&"  (nothing follows)");
        } else {
            message.line(&format_args!("  {what}:"));
        }
        for item in items {
            message.item(&item);
            message.conditions(predicate.find_case(false, &item).as_ref());
            marked.push(item);
        }
    } else {
        message.line(&"✗ nothing more; instead:");
        if let Some(item) = instead {
            message.item(&item);
            marked.push(item);
        }
    }
    let left = expected.len().saturating_sub(found.len() + 1);
    if left > 0 {
        message.line(&format_args!("  (and {left} more expected)"));
    }
    message.finish(storage, &marked)
}

/// What was asked for cannot be answered, for a reason that the headline names.
pub(super) fn blind(headline: &str, storage: &Storage) -> String {
    Message::new(headline).finish::<crate::capture::CapturedSpan<'_>>(storage, &[])
}

/// Counts the items that do not match, and finds those that meet the most conditions; among equals,
/// the first.
fn nearest<'a, T, P>(items: impl Iterator<Item = T>, predicate: &P) -> (usize, Vec<T>)
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut count = 0;
    let mut nearest = Vec::<(usize, T)>::new();
    for item in items {
        let Some(case) = predicate.find_case(false, &item) else { continue };
        count += 1;
        let unmet = unmet(&case);
        let position = nearest.partition_point(|(other, _)| *other <= unmet);
        if position < MAX_LISTED {
            nearest.truncate(MAX_LISTED - 1);
            nearest.insert(position, (unmet, item));
        }
    }
    (count, nearest.into_iter().map(|(_, item)| item).collect())
}

/// Counts the conditions that would have to be met for the case to be another one. Of alternatives, one
/// is enough.
fn unmet(case: &Case<'_>) -> usize {
    if case.result() {
        return 0;
    }
    let children = || case.children().map(unmet);
    if case.children().next().is_none() {
        1
    } else if is_alternative(case) {
        children().min().unwrap_or(1)
    } else {
        children().sum()
    }
}

fn is_alternative(case: &Case<'_>) -> bool {
    let mut parameters = case.predicate().into_iter().flat_map(PredicateReflection::parameters);
    parameters
        .any(|parameter| parameter.name() == OPERATOR && parameter.value().to_string() == "or")
}

/// Text of a message, as far as it is made.
struct Message {
    text: String,
}

impl Message {
    fn new(headline: &str) -> Self {
        let mut message = Self { text: String::new() };
        message.line(&headline);
        message
    }

    fn line(&mut self, line: &dyn fmt::Display) {
        // Writing to a string fails only if `line` does, which is then cut short.
        let _ = writeln!(self.text, "{line}");
    }

    fn item(&mut self, item: &dyn fmt::Display) {
        self.line(&format_args!("  {item:.0}"));
    }

    /// Lists conditions, each with a tick or a cross, and what there actually is.
    fn conditions(&mut self, case: Option<&Case<'_>>) {
        let Some(case) = case else { return };
        let mut unvisited = alloc::vec![(case, 2_usize)];
        while let Some((case, indent)) = unvisited.pop() {
            let children: Vec<_> = case.children().collect();
            let mark = if case.result() { '✓' } else { '✗' };
            let indent = if children.is_empty() {
                self.line(&format_args!(
                    "{:indent$}{mark} {}",
                    "",
                    reason(case),
                    indent = 2 * indent
                ));
                indent
            } else if is_alternative(case) {
                let one_of = format!("{mark} one of");
                self.line(&format_args!("{:indent$}{one_of}:", "", indent = 2 * indent));
                indent + 1
            } else {
                indent
            };
            unvisited.extend(children.into_iter().rev().map(|child| (child, indent)));
        }
    }

    /// Adds the trace, with these items marked.
    fn finish<'a, T: Captured<'a>>(mut self, storage: &Storage, items: &[T]) -> String {
        let marked: Vec<CapturedNode<'_>> = items.iter().map(T::node).collect();
        let Some(trace) = marked.first().map(CapturedNode::trace).or(Some(storage)) else {
            return self.text;
        };
        if trace.roots().len() > 0 {
            let around = Around::new(trace, marked);
            self.line(&format_args!("\n{around}"));
            if around.is_whole() {
                Shown::plain(trace).set_seen();
            }
        }
        self.text
    }
}

fn reason(leaf: &Case<'_>) -> String {
    let mut reason = leaf.predicate().map_or_else(String::new, ToString::to_string);
    for product in leaf.products() {
        let _ = write!(reason, ": {} is {}", product.name(), product.value());
    }
    reason
}
