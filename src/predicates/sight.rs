//! What a capture could not have seen.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
};
use core::fmt;

use ::predicates::reflection::{Child, Parameter, PredicateReflection};
use tracing_core::Level;
use tracing_subscriber::filter::Targets;

use super::combinators::{OPERATOR, TREE};
use crate::{capture::Storage, wire::text::Quoted};

/// Name of the parameter that a predicate has which knows for each level whether it is true.
pub(super) const LEVELS: &str = "levels";

/// Name of the parameters that such a predicate has for each level for which it is true.
pub(super) const LEVEL: &str = "level";

/// Name of the parameter by which a predicate says that it is true only for a module, and those below.
pub(super) const TARGET: &str = "target";

pub(super) const ALL_LEVELS: [Level; 5] =
    [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

/// Says why a trace is not all that there was, if that is so.
pub(super) fn gap(storage: &Storage) -> Option<String> {
    if storage.left_out() > 0 {
        Some(format!("{} spans and events were left out of the trace", storage.left_out()))
    } else if storage.roots().len() == 0 {
        Some("the capture saw nothing at all".to_string())
    } else {
        None
    }
}

/// Says why what matches a predicate, or what does not, could not have been captured, if that is so.
pub(super) fn blind_spot<P: PredicateReflection + ?Sized>(
    storage: &Storage,
    predicate: &P,
    matches: bool,
) -> Option<String> {
    let predicate: &dyn PredicateReflection = &Borrowed(predicate);
    if let Some(gap) = gap(storage) {
        return Some(gap);
    }
    let filter = storage.sight().filters.first()?;
    let target = required_target(predicate).filter(|_| matches);
    let is_seen = |level: &Level| sees(filter, target.as_deref(), *level);
    let mut levels =
        ALL_LEVELS.iter().filter(|level| is_true(predicate, **level) != Some(!matches));
    if levels.any(is_seen) {
        return None;
    }
    let filter = format!("the capture's filter {:?}", filter.to_string());
    Some(match target {
        Some(target) => format!("{filter} lets none of it pass from {}", Quoted(&target)),
        None if matches => format!("{filter} lets none of it pass"),
        None => format!("{filter} lets nothing pass that could fail to match"),
    })
}

/// A predicate that may be a trait object of another kind.
struct Borrowed<'a, P: ?Sized>(&'a P);

impl<P: PredicateReflection + ?Sized> fmt::Display for Borrowed<'_, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<P: PredicateReflection + ?Sized> PredicateReflection for Borrowed<'_, P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        self.0.parameters()
    }

    fn children<'a>(&'a self) -> Box<dyn Iterator<Item = Child<'a>> + 'a> {
        self.0.children()
    }
}

/// Whether a filter lets anything pass at this level: from a module or those below, or at all.
fn sees(filter: &Targets, module: Option<&str>, level: Level) -> bool {
    let Some(module) = module else {
        return filter.iter().map(|(_, max_level)| max_level).any(|max_level| level <= max_level)
            || filter.default_level().is_some_and(|max_level| level <= max_level);
    };
    let is_below =
        |target: &str| target.strip_prefix(module).is_some_and(|below| below.starts_with("::"));
    // Modules below that the filter names are seen as it says, and others as this one.
    let unnamed = format!("{module}::\0");
    filter.would_enable(module, &level)
        || filter.would_enable(&unnamed, &level)
        || filter.iter().any(|(target, max_level)| is_below(target) && level <= max_level)
}

/// Whether a predicate is true for everything of a level, or for nothing of it; `None` if that depends
/// on more than the level.
fn is_true(predicate: &dyn PredicateReflection, level: Level) -> Option<bool> {
    let parts = || predicate.children().map(|child| is_true(child.value(), level));
    match operator(predicate).as_deref() {
        Some("and") if parts().any(|part| part == Some(false)) => Some(false),
        Some("and") => parts().all(|part| part == Some(true)).then_some(true),
        Some("or") if parts().any(|part| part == Some(true)) => Some(true),
        Some("or") => parts().all(|part| part == Some(false)).then_some(false),
        Some("not") => parts().next().flatten().map(|part| !part),
        // Whatever there is to be in it, the span itself has to match.
        Some(TREE) => parts().next().flatten().filter(|part| !part),
        _ => {
            let named = |name| predicate.parameters().filter(move |one| one.name() == name);
            let is_named = || named(LEVEL).any(|one| one.value().to_string() == level.as_str());
            named(LEVELS).next().map(|_| is_named())
        }
    }
}

fn operator(predicate: &dyn PredicateReflection) -> Option<String> {
    parameter(predicate, OPERATOR)
}

fn parameter(predicate: &dyn PredicateReflection, name: &str) -> Option<String> {
    let mut parameters = predicate.parameters();
    parameters.find(|parameter| parameter.name() == name).map(|found| found.value().to_string())
}

/// The module that everything which matches a predicate is from.
fn required_target(predicate: &dyn PredicateReflection) -> Option<String> {
    match operator(predicate).as_deref() {
        Some("and" | TREE) => predicate.children().find_map(|child| required_target(child.value())),
        Some(_) => None,
        None => parameter(predicate, TARGET),
    }
}
