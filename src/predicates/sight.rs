//! Reasons why a capture may not have seen a record.
//!
//! An assertion that holds because something is missing has to ask here first:
//!
//! | function | question |
//! |---|---|
//! | [`gap()`] | is the trace incomplete, regardless of the predicate? |
//! | [`limit()`] | do filters, or the levels that are compiled in, hide everything that could match? |
//! | [`absence()`] | does a predicate hold because something is missing that the capture perhaps only did not see, or that has another name? |

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::{fmt, iter};

use ::predicates::reflection::{Child, Parameter, PredicateReflection};
use tracing_core::{Level, LevelFilter};
use tracing_subscriber::filter::Targets;

use super::combinators::Operator::{self, And, Ever, Not, Or, Related, Tree, TreeAlone};
use crate::{
    capture::{CapturedSpan, RelayedElsewhere, Storage, short::Short},
    wire::{CallSiteKind, MAX_CHAIN, text::Quoted},
};

/// Name of the parameter of predicates that know for each level whether they are true. They have another parameter for
/// each level for which they are, named like the level.
pub(super) const LEVELS: &str = "levels";

/// Name of the parameter by which a predicate names the field whose value it wants.
pub(super) const VALUE_OF: &str = "value of";

/// Name of the parameter by which a predicate names a field that should have no value.
pub(super) const NO_VALUE_OF: &str = "no value of";

/// Name of the parameter by which a predicate says that it wants a value of any field.
pub(super) const ANY_VALUE: &str = "any value";

/// Name of the parameter by which a predicate says that no other field should have a value.
pub(super) const NO_OTHER_VALUE: &str = "no other value";

/// Name of the parameter by which a predicate says that it is true only for a module and the modules below.
pub(super) const TARGET: &str = "target";

/// Name of the parameter by which a predicate says that it looks at the kind of a parent.
pub(super) const PARENT_KIND: &str = "parent kind";

/// Name of the parameter by which such a predicate says whether there has to be a parent.
pub(super) const PARENT_SEEN: &str = "parent seen";

/// Name of the parameter by which a predicate says that it looks at the sources of an error. The value tells whether a
/// source that is missing could make it false, [`LESS_WITH_SOURCES`], or only true.
pub(super) const SOURCES: &str = "sources";

/// Value of [`SOURCES`].
pub(super) const LESS_WITH_SOURCES: &str = "less";

/// Name of the part of a predicate that looks at the spans that a span follows from.
pub(super) const SOURCE: &str = "source";

/// Name of the parameter by which a predicate says that it looks at the handles of a span.
pub(super) const HANDLES: &str = "handles";

pub(super) const ALL_LEVELS: [Level; 5] =
    [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

/// Says why a trace is incomplete, if it is.
pub(super) fn gap(storage: &Storage) -> Option<String> {
    let saw_nothing = || {
        let other = || other_subscriber(storage).map(|other| format!(": {other}"));
        let is_empty = storage.roots().len() == 0;
        is_empty.then(|| format!("the capture saw nothing at all{}", other().unwrap_or_default()))
    };
    incomplete(storage)
        .or_else(|| evicted_values(storage))
        .or_else(saw_nothing)
        .or_else(|| cut_chains(storage))
}

/// Says why records of captured spans may be missing, if some may.
fn incomplete(storage: &Storage) -> Option<String> {
    bypass(storage).or_else(|| left_out(storage.left_out()))
}

/// Says that earlier values of fields are missing from a trace, if some are.
fn evicted_values(storage: &Storage) -> Option<String> {
    let count = storage.evicted_values;
    (count > 0).then(|| format!("{count} earlier values of fields were left out of the trace"))
}

/// Says that sources of errors may be missing from a trace, or from records that no test can claim, if some may.
pub(super) fn cut_chains(storage: &Storage) -> Option<String> {
    let unattributed = storage.sight().unattributed.as_deref();
    let storages = iter::once(storage).chain(unattributed);
    let count = storages.map(|storage| storage.values.cut_chains()).sum::<usize>();
    let what = counted(count, "error has", "errors have")?;
    Some(format!(
        "{what} a chain of {MAX_CHAIN} errors, the maximum that is kept, so that further sources may be missing"
    ))
}

/// Says that records went elsewhere that should be here, if some did.
pub(super) fn bypass(storage: &Storage) -> Option<String> {
    storage.sight().bypass()
}

/// Says that a receiver relays to another subscriber, if one does. That may be intended.
pub(super) fn other_subscriber(storage: &Storage) -> Option<String> {
    let other = storage.sight().relayed_elsewhere;
    let other = other.filter(|other| *other == RelayedElsewhere::ToOther)?;
    let (what, remedy) = (other.what(), RelayedElsewhere::REMEDY);
    Some(format!("{what}; if its records are to come here, {remedy}"))
}

pub(super) fn left_out(count: u64) -> Option<String> {
    let what = counted(count, "span or event was", "spans and events were")?;
    Some(format!("{what} left out of the trace"))
}

/// Says that records that no test can claim were evicted, if some were.
pub(super) fn evicted_unattributed(storage: &Storage) -> Option<String> {
    counted(
        storage.sight().unattributed_evicted,
        "record that no test can claim was evicted",
        "records that no test can claim were evicted",
    )
}

/// Puts a number in front of what there is so often, if there is any.
pub(super) fn counted<N>(count: N, one: &str, several: &str) -> Option<String>
where
    N: Copy + fmt::Display + PartialEq + From<u8>,
{
    let what = if count == N::from(1) { one } else { several };
    (count != N::from(0)).then(|| format!("{count} {what}"))
}

/// Names the filter or level that hides everything that could match a predicate, or everything that could fail to, if
/// one does.
pub(super) fn limit(
    storage: &Storage,
    predicate: &dyn PredicateReflection,
    matches: bool,
) -> Option<String> {
    views(storage)
        .find_map(|view| view.hides(predicate, matches))
        .or_else(|| hidden(storage, predicate, matches))
}

/// Says that a layer beside the capture, or the `log` crate, hid a record that could match, or that could fail to, as far as
/// level and target tell.
fn hidden(storage: &Storage, predicate: &dyn PredicateReflection, matches: bool) -> Option<String> {
    let all = View { max_level: LevelFilter::TRACE, filter: None, is_only_filter: true };
    let ways = all.ways(predicate, matches);
    hidden_ways(storage, &ways)
}

/// Says that a layer beside the capture, or the `log` crate, hid a record from it, if one did.
pub(super) fn hidden_by_layer(storage: &Storage) -> Option<String> {
    hidden_ways(storage, &[Way::ANY])
}

fn hidden_ways(storage: &Storage, ways: &[Way]) -> Option<String> {
    let sight = storage.sight();
    let of_level = |level: Level| {
        let levels = levels(|one| one == level);
        ways.iter().filter(move |way| way.levels & levels != 0)
    };
    let by_layer = sight.hidden.iter().find(|(level, target)| {
        let is_of = |module: &String| target.is_empty() || is_within(target, module);
        of_level(*level).any(|way| way.module.as_ref().is_none_or(is_of))
    });
    let by_layer = by_layer.map(|(level, target)| {
        let target = Quoted(target);
        format!("a filter or another layer has hidden a record of level {level} from {target}")
    });
    by_layer.or_else(|| {
        let mut silenced = ALL_LEVELS.iter().filter(|level| of_level(**level).next().is_some());
        silenced.find_map(|level| sight.silenced_log(*level))
    })
}

/// Says why a predicate may have its result only because something was not seen, if that is so. `holds` tells whether
/// the result has to be true or false.
///
/// For example, the lack of a matching child says nothing if such a child was left out, or filtered out. The lack of
/// entries does say something: [`SpanStats`](crate::SpanStats) outlive the records that are left out. The lack of a
/// value in a field says nothing if no call site declares the field, or if the record of the value was lost. A mismatch
/// of a parent's kind says nothing if a stream does not tell the kind.
pub(super) fn absence(
    storage: &Storage,
    predicate: &dyn PredicateReflection,
    holds: bool,
    kind: CallSiteKind,
) -> Option<String> {
    let phrase = Short::phrase(predicate);
    let parts = |holds| {
        let mut parts = predicate.children();
        parts.find_map(|part| {
            let kind = kind_of_part(&part, kind);
            absence(storage, part.value(), holds, kind)
        })
    };
    let missed = || {
        let views_hide = || views(storage).find_map(|view| view.hides(predicate, true));
        let layer_hides =
            || predicate.children().find_map(|part| hidden(storage, part.value(), true));
        let lost_sources = || lost_sources(storage, predicate);
        let reason =
            incomplete(storage).or_else(views_hide).or_else(layer_hides).or_else(lost_sources)?;
        Some(format!("the capture may have missed what {phrase} looks for ({reason})"))
    };
    // A field that no item has may be intended, unless its name is nearly the name of another field.
    let undeclared = || {
        let undeclared = undeclared(storage, predicate, kind)?;
        let holds_without = holds && parameter(predicate, NO_VALUE_OF).is_some();
        (holds_without || undeclared.similar.is_some()).then(|| undeclared.to_string())
    };
    let unseen = || {
        let says = |name| parameter(predicate, name).is_some();
        // Values of events come with them, but those of spans may come later.
        let could_match = kind == CallSiteKind::Span && (says(VALUE_OF) || says(ANY_VALUE));
        let could_fail = says(NO_VALUE_OF) || says(NO_OTHER_VALUE);
        let wants_less = if holds { could_fail } else { could_match };
        let reason = bypass(storage).filter(|_| wants_less)?;
        let wants = if holds { "rules out" } else { "looks for" };
        Some(format!("the capture may have missed a value that {phrase} {wants} ({reason})"))
    };
    let unseen_earlier = || {
        let reason = evicted_values(storage).filter(|_| rules_out(predicate, holds))?;
        Some(format!("the capture may have missed a value that {phrase} looks at ({reason})"))
    };
    match Operator::of(predicate) {
        Some(And | Or) => parts(holds),
        Some(Ever) => unseen_earlier().or_else(|| parts(holds)),
        Some(Not) => parts(!holds),
        Some(Related | Tree | TreeAlone) if !holds => missed().or_else(|| parts(false)),
        Some(TreeAlone) => match incomplete(storage).or_else(|| hidden_by_layer(storage)) {
            Some(reason) => {
                Some(format!("the capture may have missed something else in {phrase} ({reason})"))
            }
            None => parts(true),
        },
        Some(Related | Tree) => parts(true),
        // For a combination of another crate, it is unknown what it does with its parts.
        _ => undeclared()
            .or_else(unseen)
            .or_else(|| parent_kind(storage, predicate, holds, kind))
            .or_else(|| handles(storage, predicate, holds))
            .or_else(|| sources(storage, predicate, holds))
            .or_else(|| parts(true))
            .or_else(|| parts(false)),
    }
}

/// Whether a part of a predicate must not match for the predicate to have its result.
fn rules_out(predicate: &dyn PredicateReflection, holds: bool) -> bool {
    let any_part = |holds| predicate.children().any(|part| rules_out(part.value(), holds));
    match Operator::of(predicate) {
        Some(Not) => any_part(!holds),
        Some(And | Or | Ever) => any_part(holds),
        Some(Related | Tree | TreeAlone) if holds => any_part(true),
        _ => !holds,
    }
}

/// Says that a predicate on the kind of a parent has its result because a stream does not tell the kind, or because the
/// parent is not in the trace.
fn parent_kind(
    storage: &Storage,
    predicate: &dyn PredicateReflection,
    holds: bool,
    kind: CallSiteKind,
) -> Option<String> {
    parameter(predicate, PARENT_KIND)?;
    if parameter(predicate, PARENT_SEEN).is_some_and(|seen| seen != holds.to_string()) {
        // The assertion holds because there is no parent.
        if let Some(reason) = incomplete(storage) {
            let predicate = Short::phrase(predicate);
            return Some(format!(
                "the capture may have missed the parent of {predicate} ({reason})"
            ));
        }
    }
    if holds {
        return None; // by one whose kind is known
    }
    let (noun, untold) = match kind {
        CallSiteKind::Span => {
            ("span", storage.all_spans().filter(|span| span.parent_kind().is_none()).count())
        }
        CallSiteKind::Event => {
            ("event", storage.all_events().filter(|event| event.parent_kind().is_none()).count())
        }
    };
    let what =
        counted(untold, &format!("{noun} of the trace is"), &format!("{noun}s of the trace are"))?;
    Some(format!("{what} of a stream that does not tell the kind of the parent"))
}

/// Says that spans follow from others that are not in the trace, if a predicate looks for these and some do.
fn lost_sources(storage: &Storage, predicate: &dyn PredicateReflection) -> Option<String> {
    predicate.children().find(|part| part.name() == SOURCE)?;
    let count = storage.all_spans().filter(CapturedSpan::has_lost_sources).count();
    let what = counted(count, "span follows", "spans follow")?;
    Some(format!("{what} from others that are not in the trace any more"))
}

/// Says that a predicate does not hold because it is unknown how the handles of a span were used.
fn handles(storage: &Storage, predicate: &dyn PredicateReflection, holds: bool) -> Option<String> {
    parameter(predicate, HANDLES).filter(|_| !holds)?;
    let count = storage.all_spans().filter(|span| span.clones().is_none()).count();
    let what = counted(count, "span", "spans")?;
    Some(format!(
        "of {what} of the trace it is not known how often handles were cloned and dropped"
    ))
}

/// Says that a predicate has its result because sources of an error may be missing.
fn sources(storage: &Storage, predicate: &dyn PredicateReflection, holds: bool) -> Option<String> {
    let effect = parameter(predicate, SOURCES)?;
    if holds && effect != LESS_WITH_SOURCES {
        return None;
    }
    cut_chains(storage)
}

/// Returns the parameter of a predicate for a value, by which it says that it looks at the sources of an error.
pub(super) fn sources_parameter(of_value: &dyn PredicateReflection) -> Option<Parameter<'_>> {
    fn is_below(predicate: &dyn PredicateReflection) -> bool {
        let mut children = predicate.children();
        children.any(|child| parameter(child.value(), SOURCES).is_some() || is_below(child.value()))
    }

    if of_value.parameters().any(|parameter| parameter.name() == SOURCES) {
        Some(Parameter::new(SOURCES, &"more"))
    } else if is_below(of_value) {
        // It is unknown what becomes of the result.
        Some(Parameter::new(SOURCES, &LESS_WITH_SOURCES))
    } else {
        None
    }
}

/// Returns the kind of item that a part of a predicate looks at: the same, unless the part is for something else.
fn kind_of_part(part: &Child<'_>, kind: CallSiteKind) -> CallSiteKind {
    match part.name() {
        "span" | SOURCE => CallSiteKind::Span,
        "event" => CallSiteKind::Event,
        _ => kind,
    }
}

/// Says that no call site declares a field of a predicate, if one declares another field with nearly the same name.
pub(super) fn misspelt(
    storage: &Storage,
    predicate: &dyn PredicateReflection,
    kind: CallSiteKind,
) -> Option<String> {
    let undeclared = undeclared(storage, predicate, kind);
    let undeclared = undeclared.filter(|undeclared| undeclared.similar.is_some());
    undeclared.map(|undeclared| undeclared.to_string()).or_else(|| {
        let mut parts = predicate.children();
        parts.find_map(|part| misspelt(storage, part.value(), kind_of_part(&part, kind)))
    })
}

/// A field of a predicate that no call site of the right kind declares.
struct Undeclared {
    field: String,
    kind: CallSiteKind,
    /// A field that is declared, and has nearly the same name.
    similar: Option<String>,
}

impl fmt::Display for Undeclared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CallSiteKind::Span => "span",
            CallSiteKind::Event => "event",
        };
        write!(formatter, "no {kind} of the trace declares a field {}", Quoted(&self.field))?;
        match &self.similar {
            Some(similar) => write!(formatter, ", but one declares {}", Quoted(similar)),
            None => Ok(()),
        }
    }
}

/// Returns a field of a predicate that no call site declares. If there are several, it prefers one whose name is nearly
/// the name of a declared field.
fn undeclared(
    storage: &Storage,
    predicate: &dyn PredicateReflection,
    kind: CallSiteKind,
) -> Option<Undeclared> {
    let declared = || {
        let unattributed = storage.sight().unattributed.as_deref();
        let storages = iter::once(storage).chain(unattributed);
        let call_sites = storages.flat_map(|storage| storage.call_sites.all());
        let of_kind =
            call_sites.filter(|call_site| call_site.is_span() == (kind == CallSiteKind::Span));
        of_kind.flat_map(|call_site| call_site.fields())
    };
    let of_field = |parameter: &Parameter<'_>| [VALUE_OF, NO_VALUE_OF].contains(&parameter.name());
    let fields = predicate.parameters().filter(of_field).map(|field| field.value().to_string());
    let undeclared = fields.filter(|field| !declared().any(|name| name == field));
    let mut undeclared = undeclared.map(|field| {
        let similar = declared().find(|name| is_similar(name, &field)).map(ToString::to_string);
        Undeclared { field, kind, similar }
    });
    let first = undeclared.next()?;
    match first.similar {
        Some(_) => Some(first),
        None => undeclared.find(|other| other.similar.is_some()).or(Some(first)),
    }
}

/// Minimum length of names that are similar if they differ by one character. Shorter ones may be two names, such as
/// `lhs` and `rhs`.
const MIN_SIMILAR: usize = 4;

/// Checks whether one name may be a misspelling of the other: they differ by a missing, wrong or swapped character, or
/// by their case and separators.
fn is_similar(one: &str, other: &str) -> bool {
    let letters = |name: &str| -> Vec<char> {
        name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (one, other) = (letters(one), letters(other));
    let same = |(one, other): &(&char, &char)| one == other;
    let start = one.iter().zip(&other).take_while(same).count();
    let (one_rest, other_rest) = (&one[start..], &other[start..]);
    let end = one_rest.iter().rev().zip(other_rest.iter().rev()).take_while(same).count();
    let one_rest = &one_rest[..one_rest.len() - end];
    let other_rest = &other_rest[..other_rest.len() - end];
    let is_one_edit = match (one_rest, other_rest) {
        ([], []) => return true,
        ([a], []) | ([], [a]) => !a.is_numeric(),
        // `arg1` and `arg2` are two names.
        ([a], [b]) => !(a.is_numeric() && b.is_numeric()),
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    };
    is_one_edit && one.len().min(other.len()) >= MIN_SIMILAR
}

/// The records that reach a capture: the levels that are compiled in, as far as a filter lets them pass.
#[derive(Clone, Copy)]
struct View<'a> {
    max_level: LevelFilter,
    filter: Option<&'a Targets>,
    is_only_filter: bool,
}

/// Returns a view without a filter, and then one for each filter that was in force.
fn views(storage: &Storage) -> impl Iterator<Item = View<'_>> {
    let sight = storage.sight();
    let max_level = sight.max_level();
    let is_only_filter = sight.filters.len() == 1;
    let filters = sight.filters.iter().map(|filter| Some(&**filter));
    let filters = iter::once(None).chain(filters);
    filters.map(move |filter| View { max_level, filter, is_only_filter })
}

/// A set of levels: a bit for each of [`ALL_LEVELS`].
type Levels = u8;

fn levels(contain: impl Fn(Level) -> bool) -> Levels {
    let levels = ALL_LEVELS.iter().enumerate().filter(|(_, level)| contain(**level));
    levels.fold(0, |levels, (bit, _)| levels | 1 << bit)
}

/// A way for an item to match a predicate, or to fail to, as far as its level and target tell.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    levels: Levels,
    /// The module that the item comes from, or from one below; `None` for any.
    module: Option<String>,
}

impl Way {
    const ANY: Self = Self { levels: Levels::MAX, module: None };

    /// Returns the way that both ways have in common, if there is one.
    fn and(&self, other: &Self) -> Option<Self> {
        let levels = self.levels & other.levels;
        let module = match (&self.module, &other.module) {
            (Some(one), Some(other)) if is_within(one, other) => Some(one.clone()),
            (Some(one), Some(other)) if is_within(other, one) => Some(other.clone()),
            (Some(_), Some(_)) => return None,
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        (levels != 0).then_some(Self { levels, module })
    }
}

/// Whether a target is a module, or one below it.
fn is_within(target: &str, module: &str) -> bool {
    let below = target.strip_prefix(module);
    below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
}

impl View<'_> {
    /// Names the filter or level that hides everything that could match a predicate, or everything that could fail to,
    /// if one does.
    fn hides(self, predicate: &dyn PredicateReflection, matches: bool) -> Option<String> {
        if self.shows(predicate, matches) {
            return None;
        }
        let Some(filter) = self.filter else {
            let all = View { max_level: LevelFilter::TRACE, ..self };
            // If it is impossible at every level, the levels do not hide it.
            return all.shows(predicate, matches).then(|| compiled_out(self.max_level));
        };
        let filter = filter.to_string();
        let filter = if self.is_only_filter {
            format!("the capture's filter {filter:?}")
        } else {
            format!("the capture's filter of a time, {filter:?},")
        };
        Some(match required_target(predicate).filter(|_| matches) {
            Some(target) => format!("{filter} lets none of it pass from {}", Quoted(&target)),
            None if matches => format!("{filter} lets none of it pass"),
            None => format!("{filter} lets nothing pass that could fail to match"),
        })
    }

    /// Whether records get through that could match a predicate, or fail to.
    fn shows(self, predicate: &dyn PredicateReflection, matches: bool) -> bool {
        self.ways(predicate, matches)
            .iter()
            .any(|way| way.levels & levels(|level| self.sees(way.module.as_deref(), level)) != 0)
    }

    /// Whether any record gets through at this level: from a module and the modules below, or at all.
    fn sees(self, module: Option<&str>, level: Level) -> bool {
        level <= self.max_level && self.filter.is_none_or(|filter| passes(filter, module, level))
    }

    /// Returns the ways in which an item may match a predicate, or fail to.
    fn ways(self, predicate: &dyn PredicateReflection, matches: bool) -> Vec<Way> {
        let of_parts = |matches: bool| -> Vec<Vec<Way>> {
            predicate.children().map(|part| self.ways(part.value(), matches)).collect()
        };
        // It matches only if something else does, at any level.
        let are_seen = |skipped: usize| {
            predicate.children().skip(skipped).all(|other| self.shows(other.value(), true))
        };
        match Operator::of(predicate) {
            Some(Not) => of_parts(!matches).concat(),
            Some(Ever) => of_parts(matches).concat(),
            Some(And) if matches => all_of(of_parts(true)),
            Some(Or) if !matches => all_of(of_parts(false)),
            Some(And | Or) => any_of(of_parts(matches).concat()),
            Some(Related | Tree | TreeAlone) if !matches => vec![Way::ANY],
            Some(Related) if are_seen(0) => vec![Way::ANY],
            // The span itself has to match, and each part needs a matching item in the span.
            Some(Tree | TreeAlone) if are_seen(1) => {
                let own = predicate.children().next();
                own.map_or_else(|| vec![Way::ANY], |own| self.ways(own.value(), true))
            }
            Some(Related | Tree | TreeAlone) => Vec::new(),
            None if parameter(predicate, LEVELS).is_some() => {
                let is_named = |level: Level| {
                    predicate.parameters().any(|parameter| parameter.name() == level.as_str())
                };
                vec![Way { levels: levels(|level| is_named(level) == matches), module: None }]
            }
            None => {
                vec![Way { module: parameter(predicate, TARGET).filter(|_| matches), ..Way::ANY }]
            }
        }
    }
}

/// Returns the ways in which all parts of a predicate have their results.
fn all_of(parts: Vec<Vec<Way>>) -> Vec<Way> {
    let both = |one: Vec<Way>, other: Vec<Way>| {
        any_of(one.iter().flat_map(|one| other.iter().filter_map(|other| one.and(other))).collect())
    };
    parts.into_iter().reduce(both).unwrap_or_else(|| vec![Way::ANY])
}

/// Returns each way once: there are few modules, but there may be many ways to combine parts.
fn any_of(ways: Vec<Way>) -> Vec<Way> {
    let mut once = Vec::new();
    for way in ways {
        if !once.contains(&way) {
            once.push(way);
        }
    }
    once
}

/// Whether a filter lets any record pass at this level: from a module and the modules below, or at all.
fn passes(filter: &Targets, module: Option<&str>, level: Level) -> bool {
    let Some(module) = module else {
        return filter.iter().map(|(_, max_level)| max_level).any(|max_level| level <= max_level)
            || filter.default_level().is_some_and(|max_level| level <= max_level);
    };
    let is_below =
        |target: &str| target.strip_prefix(module).is_some_and(|below| below.starts_with("::"));
    // For modules below, the filter's own directives apply if it has any, and otherwise the one for this module.
    let unnamed = format!("{module}::\0");
    filter.would_enable(module, &level)
        || filter.would_enable(&unnamed, &level)
        || filter.iter().any(|(target, max_level)| is_below(target) && level <= max_level)
}

fn compiled_out(max_level: LevelFilter) -> String {
    let (what, feature) = match max_level.into_level() {
        Some(level) => (format!("levels above {level} are"), level.as_str().to_lowercase()),
        None => ("everything is".to_string(), "off".to_string()),
    };
    format!(
        "{what} compiled out (by `tracing`'s feature `max_level_{feature}` or \
         `release_max_level_{feature}`)"
    )
}

fn parameter(predicate: &dyn PredicateReflection, name: &str) -> Option<String> {
    let mut parameters = predicate.parameters();
    parameters.find(|parameter| parameter.name() == name).map(|found| found.value().to_string())
}

/// Returns the module that all matches of a predicate come from.
fn required_target(predicate: &dyn PredicateReflection) -> Option<String> {
    match Operator::of(predicate) {
        Some(And | Ever) => predicate.children().find_map(|child| required_target(child.value())),
        Some(Tree | TreeAlone) => {
            predicate.children().next().and_then(|own| required_target(own.value()))
        }
        Some(_) => None,
        None => parameter(predicate, TARGET),
    }
}
