//! The messages of failed assertions.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{self, Write};

use ::predicates::{
    Predicate,
    reflection::{Case, PredicateReflection, Product},
};

use super::{combinators::Operator, nearest::nearest, shown_value::shortened};
use crate::{
    capture::{
        Captured, CapturedNode, Nearest, ShownPart, Storage, excerpt::MAX_LISTED, short::Short,
    },
    view::{Around, ShortLine},
    wire::text::Visible,
};

/// Creates a case that names the actual value. The output of the value has to be safe to show.
pub(super) fn actual<'p, 'a>(
    predicate: &'p dyn PredicateReflection,
    expected: bool,
    item: &impl Captured<'a>,
    what: &str,
    value: &dyn fmt::Display,
) -> Case<'p> {
    if item.is_brief() {
        return Case::new(Some(predicate), expected);
    }
    actual_text(predicate, expected, what, shortened(predicate, value))
}

/// Creates a case that says that there is no value.
pub(super) fn absent<'p, 'a>(
    predicate: &'p dyn PredicateReflection,
    expected: bool,
    item: &impl Captured<'a>,
    what: &str,
    how: &'static str,
) -> Case<'p> {
    if item.is_brief() {
        // Brief cases have no other product.
        return Case::new(Some(predicate), expected).add_product(Product::new("", ""));
    }
    actual_text(predicate, expected, what, how.to_string())
}

/// Creates a case that names the actual value, in a text that is not too long.
pub(super) fn actual_text<'a>(
    predicate: &'a dyn PredicateReflection,
    expected: bool,
    what: &str,
    text: String,
) -> Case<'a> {
    Case::new(Some(predicate), expected).add_product(Product::new(what.to_string(), text))
}

/// Shows the first items, and whether there are more; `None` if there are none.
pub(super) fn first_few(
    mut items: impl Iterator<Item = impl fmt::Display>,
    max: usize,
    separator: &str,
) -> Option<String> {
    let mut shown: Vec<_> = items.by_ref().take(max).map(|item| item.to_string()).collect();
    if items.next().is_some() {
        shown.push("…".into());
    }
    (!shown.is_empty()).then(|| shown.join(separator))
}

/// Number of conditions that are listed of an item. If there are more, those that are met are not listed.
const MAX_CONDITIONS: usize = 16;

/// The place that an assertion searched.
#[derive(Clone, Copy)]
pub(super) struct Searched<'a> {
    pub(super) storage: &'a Storage,
    /// The scanned node, unless the whole trace was scanned.
    pub(super) scope: Option<CapturedNode<'a>>,
}

/// A message, and the part of the trace that it shows.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) text: String,
    pub(super) shown: Option<ShownPart>,
}

impl Failure {
    /// Notes the nearest item, for places that do not show the whole message.
    fn with_nearest(mut self, nearest: Option<CapturedNode<'_>>) -> Self {
        if let (Some(shown), Some(nearest)) = (&mut self.shown, nearest) {
            let headline = self.text.lines().next().unwrap_or_default().to_string();
            shown.set_nearest(Nearest { headline, line: ShortLine::new(nearest).to_string() });
        }
        self
    }
}

impl From<String> for Failure {
    /// Makes a message that shows nothing of the trace.
    fn from(text: String) -> Self {
        Self { text, shown: None }
    }
}

/// Remarks on why something may be missing, each a paragraph.
pub(super) type Hints = [String];

/// Makes the message that too few items match. It lists the matches, the nearest candidates, and the conditions of the
/// predicate that these meet.
pub(super) fn missing<'a, T, P>(
    headline: &dyn fmt::Display,
    searched: Searched<'a>,
    matching: impl Iterator<Item = T>,
    all: impl Iterator<Item = T>,
    predicate: &P,
    hints: &Hints,
) -> Failure
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let [noun, nouns] = T::NOUNS;
    let (count, nearest) = nearest(all, predicate);
    let mut message = Message::new(headline);
    message.line(&"");
    let mut marked = message.items(matching, |_| None);
    let others = if marked.is_empty() { "" } else { "other " };
    if !marked.is_empty() {
        message.line(&"");
    }
    match count {
        0 => message.line(&format_args!("there are no {others}{nouns} to look at")),
        1 => message.line(&format_args!("the only {others}{noun}:")),
        _ => message.line(&format_args!("nearest of {count} {others}{nouns}:")),
    }
    let first = nearest.first().copied();
    marked.extend(message.items(nearest.into_iter(), |item| predicate.find_case(false, item)));
    message.hints(hints);
    message.finish(searched, &marked).with_nearest(first.as_ref().map(T::node))
}

/// Makes the message that some items should not match, or should. It lists these items, with the reasons.
pub(super) fn unwanted<'a, T, P>(
    headline: &dyn fmt::Display,
    searched: Searched<'a>,
    unwanted: impl Iterator<Item = T>,
    predicate: &P,
    matches: bool,
) -> Failure
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut message = Message::new(headline);
    message.line(&"");
    let listed = message.items(unwanted, |item| {
        if predicate.eval(item) != matches {
            // An earlier value caused it, which the line of the item does not show.
            predicate.find_case(matches, &item.with_earlier_values())
        } else if matches {
            None // it is not wanted because it matches: there are no conditions then
        } else {
            predicate.find_case(false, item)
        }
    });
    message.finish(searched, &listed)
}

/// How far items match the expected order.
pub(super) struct Progress<'e, 'p, T> {
    pub(super) expected: &'e [&'p dyn Predicate<T>],
    pub(super) found: &'e [T],
    /// The item in the place of the next expected one, if that has to be exactly there.
    pub(super) instead: Option<T>,
    /// An item that would match if it did not come too early.
    pub(super) earlier: Option<T>,
}

/// Makes the message that items do not come as expected. It shows how far they do, the next expected item, and the item
/// that comes instead, or else the nearest of the items that follow.
pub(super) fn out_of_order<'a, T: Captured<'a>>(
    headline: &dyn fmt::Display,
    searched: Searched<'a>,
    progress: &Progress<'_, '_, T>,
    rest: impl Iterator<Item = T>,
    hints: &Hints,
) -> Failure {
    let Progress { expected, found, instead, earlier } = *progress;
    let mut message = Message::new(headline);
    message.line(&"");
    let before = if found.len() > MAX_LISTED + 1 { found.len() - MAX_LISTED } else { 0 };
    if before > 0 {
        message.line(&format_args!("✓ the first {before} of them"));
    }
    let mut marked = Vec::new();
    for (item, predicate) in found.iter().zip(expected).skip(before) {
        message.line(&format_args!("✓ {}", Short::phrase(predicate)));
        message.item(item);
        marked.push(*item);
    }
    let Some(predicate) = expected.get(found.len()) else {
        message.line(&"✗ nothing else; but:");
        marked.extend(message.items(rest, |_| None));
        return message.finish(searched, &marked);
    };
    message.line(&format_args!("✗ {}", Short::phrase(predicate)));
    let (items, what) = match instead {
        Some(instead) => (alloc::vec![instead], "instead"),
        None => (nearest(rest, *predicate).1, "nearest of what follows"),
    };
    if let Some(earlier) = earlier {
        message.line(&"  it comes too early:");
        message.item(&earlier);
        marked.push(earlier);
    }
    if items.is_empty() {
        message.line(&if found.is_empty() {
            "  (there is nothing)"
        } else {
            "  (nothing follows)"
        });
    } else {
        message.line(&format_args!("  {what}:"));
    }
    let first = items.first().copied();
    marked.extend(message.items(items.into_iter(), |item| predicate.find_case(false, item)));
    let left = expected.len() - found.len() - 1;
    if left > 0 {
        message.line(&format_args!("({left} more expected)"));
    }
    message.hints(hints);
    message.finish(searched, &marked).with_nearest(first.as_ref().map(T::node))
}

/// Makes the message that an assertion cannot be trusted to hold, for the reason in the headline.
pub(super) fn blind(headline: &dyn fmt::Display, searched: Searched<'_>) -> Failure {
    Message::new(headline).finish::<crate::capture::CapturedSpan<'_>>(searched, &[])
}

/// Makes the message that an assertion holds only because values are of other types, for the reason in the headline. It
/// lists the items whose values are, with the conditions.
pub(super) fn mistakable<'a, T, P>(
    headline: &dyn fmt::Display,
    searched: Searched<'a>,
    items: impl Iterator<Item = T>,
    predicate: &P,
    matches: bool,
) -> Failure
where
    T: Captured<'a>,
    P: Predicate<T> + ?Sized,
{
    let mut message = Message::new(headline);
    message.line(&"");
    let listed = message.items(items, |item| {
        let ever = predicate.find_case(!matches, &item.with_earlier_values());
        ever.or_else(|| predicate.find_case(!matches, item))
    });
    message.finish(searched, &listed)
}

/// Text of a message that is being made.
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
        // Writing to a string fails only if `line` fails, which is then cut short.
        let _ = writeln!(self.text, "{line}");
    }

    fn hints(&mut self, hints: &Hints) {
        for hint in hints {
            self.line(&format_args!("\n{hint}"));
        }
    }

    fn item<'a>(&mut self, item: &impl Captured<'a>) {
        self.line(&format_args!("  {}", ShortLine::new(item.node())));
    }

    /// Lists some items, each with the conditions that it meets and does not, and counts the others.
    fn items<'a, 'p, T: Captured<'a>>(
        &mut self,
        mut items: impl Iterator<Item = T>,
        case: impl Fn(&T) -> Option<Case<'p>>,
    ) -> Vec<T> {
        let mut listed: Vec<T> = items.by_ref().take(MAX_LISTED + 1).collect();
        let more = items.count();
        if more > 0 {
            listed.pop();
        }
        for item in &listed {
            self.item(item);
            if let Some(case) = case(item) {
                self.conditions(&case);
            }
        }
        if more > 0 {
            self.line(&format_args!("  (and {} more)", more + 1));
        }
        listed
    }

    /// Lists conditions, each with a tick or a cross, and the actual values. Of many, it lists the first ones that are
    /// not met, and counts the others.
    fn conditions(&mut self, case: &Case<'_>) {
        let mut lines = Vec::new();
        let mut unvisited = alloc::vec![(case, 2_usize, All)];
        while let Some((case, depth, around)) = unvisited.pop() {
            let children: Vec<_> = case.children().collect();
            let operator = case.predicate().and_then(Operator::of);
            let (heading, of) = match operator {
                _ if children.is_empty() => (Some(reason(case)), All),
                Some(Operator::And | Operator::Tree | Operator::TreeAlone) if around == All => {
                    (None, All)
                }
                Some(Operator::And | Operator::Tree | Operator::TreeAlone) => {
                    (Some("all of:".to_string()), All)
                }
                Some(Operator::Or) if around == OneOf => (None, OneOf),
                Some(Operator::Or) => (Some("one of:".to_string()), OneOf),
                _ => (Some(reason(case)), All),
            };
            let depth_of_children = depth + usize::from(heading.is_some());
            if let Some(heading) = heading {
                lines.push((case.result(), depth, heading));
            }
            let children = children.into_iter().rev();
            unvisited.extend(children.map(|child| (child, depth_of_children, of)));
        }
        let is_much = lines.len() > MAX_CONDITIONS;
        let mut listed = 0;
        for (is_met, depth, heading) in &lines {
            if !is_much || !is_met && listed < MAX_CONDITIONS {
                listed += 1;
                let mark = if *is_met { '✓' } else { '✗' };
                self.line(&format_args!("{:indent$}{mark} {heading}", "", indent = 2 * depth));
            }
        }
        if is_much {
            let met = lines.iter().filter(|(is_met, ..)| *is_met).count();
            let unmet = lines.len() - met - listed;
            self.line(&format_args!("    (and {met} ✓, {unmet} ✗ more)"));
        }
    }

    /// Adds the trace, with these items marked.
    fn finish<'a, T: Captured<'a>>(mut self, searched: Searched<'a>, items: &[T]) -> Failure {
        let marked: Vec<CapturedNode<'_>> = items.iter().map(T::node).collect();
        // An item may be in another storage than the scanned one.
        let trace = marked.first().map_or(searched.storage, CapturedNode::trace);
        let mut shown = None;
        if trace.roots().len() > 0 {
            let around = Around::new(trace, marked, searched.scope);
            self.line(&format_args!("\n{around}"));
            shown = Some(around.shown());
        }
        Failure { text: self.text, shown }
    }
}

/// The combination that conditions stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    All,
    OneOf,
}

use Within::{All, OneOf};

fn reason(case: &Case<'_>) -> String {
    let predicate = case.predicate().map(Short::phrase);
    let mut reason = predicate.map_or_else(String::new, |predicate| predicate.to_string());
    for product in case.products() {
        let value = product.value().to_string();
        let _ = write!(reason, ": {} is {}", Short::phrase(product.name()), Visible(&value));
    }
    reason
}
