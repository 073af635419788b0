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

use super::combinators::OPERATOR;
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

/// Says why what matches a predicate could not have been captured, if that is so.
pub(super) fn blind_spot<P: PredicateReflection + ?Sized>(
    storage: &Storage,
    predicate: &P,
) -> Option<String> {
    let predicate: &dyn PredicateReflection = &Borrowed(predicate);
    if let Some(gap) = gap(storage) {
        return Some(gap);
    }
    let filter = storage.filter()?;
    let target = required_target(predicate);
    let is_seen = |level: &Level| sees(filter, target.as_deref(), *level);
    let mut levels = ALL_LEVELS.iter().filter(|level| is_true(predicate, **level) != Some(false));
    if levels.any(is_seen) {
        return None;
    }
    Some(match target {
        Some(target) => format!(
            "the capture's filter {:?} lets none of it pass from {}",
            filter.to_string(),
            Quoted(&target)
        ),
        None => format!("the capture's filter {:?} lets none of it pass", filter.to_string()),
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
    let in_module = |target: &str| {
        let below = module.and_then(|module| target.strip_prefix(module));
        module.is_none() || below.is_some_and(|below| below.starts_with("::"))
    };
    let has_directive =
        filter.iter().any(|(target, max_level)| in_module(target) && level <= max_level);
    has_directive
        || match module {
            Some(module) => filter.would_enable(module, &level),
            None => filter.default_level().is_some_and(|max_level| level <= max_level),
        }
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
        Some("and") => predicate.children().find_map(|child| required_target(child.value())),
        Some(_) => None,
        None => parameter(predicate, TARGET),
    }
}
