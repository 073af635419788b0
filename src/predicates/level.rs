use alloc::{
    boxed::Box,
    string::{String, ToString},
};
use core::fmt;

use ::predicates::{
    Predicate,
    reflection::{Case, Parameter, PredicateReflection},
};
use tracing_core::{Level, LevelFilter};

use super::{
    failure::actual,
    sight::{ALL_LEVELS, LEVELS},
    text::{Literal, impl_into_predicate},
};
use crate::capture::Captured;

/// The types that [`level()`] takes.
///
/// # Example
///
/// See [`level()`].
#[diagnostic::on_unimplemented(
    note = "`level()` takes a `Level`, a `LevelFilter`, or a predicate for `Level`"
)]
pub trait IntoLevelPredicate<Form> {
    /// The predicate for a level.
    type Predicate: Predicate<Level>;

    /// Makes the predicate.
    fn into_predicate(self) -> Self::Predicate;
}

impl_into_predicate!(IntoLevelPredicate for Level);

impl IntoLevelPredicate<Literal> for Level {
    type Predicate = ExactLevel;

    fn into_predicate(self) -> ExactLevel {
        ExactLevel(self)
    }
}

impl IntoLevelPredicate<Literal> for LevelFilter {
    type Predicate = EnabledLevel;

    fn into_predicate(self) -> EnabledLevel {
        EnabledLevel(self)
    }
}

/// Matches spans and events by their level.
///
/// Pass
///
/// - a [`Level`]: this level exactly, unless you call [`or_more_severe()`](LevelPredicate::or_more_severe) or
///   [`or_less_severe()`](LevelPredicate::or_less_severe);
/// - a [`LevelFilter`]: this level or a more severe one, as filters are used elsewhere;
/// - a predicate for [`Level`], which may stand in square brackets. Levels are ordered by verbosity: `ERROR` is the
///   least.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, predicates::*};
/// use tracing::{Level, level_filters::LevelFilter};
///
/// let capture = Capture::start();
/// tracing::warn!("slow");
/// let trace = capture.trace();
/// trace.scan_events().single(&level(Level::WARN));
/// trace.scan_events().single(&level(Level::INFO).or_more_severe());
/// trace.scan_events().single(&level(LevelFilter::INFO));
/// trace.scan_events().none(&level(gt(Level::WARN)));
/// ```
pub fn level<Form, P: IntoLevelPredicate<Form>>(matches: P) -> LevelPredicate<P::Predicate> {
    LevelPredicate { matches: matches.into_predicate() }
}

/// Predicate for the level of a span or event, returned by [`level()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelPredicate<P> {
    matches: P,
}

impl_operators!({P,} LevelPredicate<P>);

impl LevelPredicate<ExactLevel> {
    /// Matches more severe levels, too.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    /// use tracing::Level;
    ///
    /// let capture = Capture::start();
    /// tracing::warn!("slow");
    /// tracing::error!("failed");
    /// let trace = capture.trace();
    /// trace.scan_events().all(&level(Level::WARN).or_more_severe());
    /// ```
    pub fn or_more_severe(self) -> LevelPredicate<EnabledLevel> {
        LevelPredicate { matches: EnabledLevel(self.matches.0.into()) }
    }

    /// Matches less severe levels, too.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    /// use tracing::Level;
    ///
    /// let capture = Capture::start();
    /// tracing::debug!("connecting");
    /// tracing::info!("connected");
    /// let trace = capture.trace();
    /// trace.scan_events().all(&level(Level::INFO).or_less_severe());
    /// ```
    pub fn or_less_severe(self) -> LevelPredicate<LessSevereLevel> {
        LevelPredicate { matches: LessSevereLevel(self.matches.0) }
    }
}

impl<P: fmt::Display> fmt::Display for LevelPredicate<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `Debug` output of a level takes several lines.
        let matches = self.matches.to_string();
        let matches: String = matches.lines().map(str::trim).collect();
        write!(formatter, "level({})", matches.replace(",)", ")"))
    }
}

impl<P: Predicate<Level>> PredicateReflection for LevelPredicate<P> {
    fn parameters<'a>(&'a self) -> Box<dyn Iterator<Item = Parameter<'a>> + 'a> {
        let levels = ALL_LEVELS.iter().filter(|level| self.matches.eval(level));
        let levels = levels.map(|level| Parameter::new(level.as_str(), &""));
        Box::new(core::iter::once(Parameter::new(LEVELS, &self.matches)).chain(levels))
    }
}

impl<'a, P: Predicate<Level>, T: Captured<'a>> Predicate<T> for LevelPredicate<P> {
    fn eval(&self, item: &T) -> bool {
        self.matches.eval(item.metadata().level())
    }

    fn find_case(&self, expected: bool, item: &T) -> Option<Case<'_>> {
        (self.eval(item) == expected)
            .then(|| actual(self, expected, item, "level", item.metadata().level()))
    }
}

/// Predicate for one level, made from a [`Level`].
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactLevel(Level);

impl fmt::Display for ExactLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl PredicateReflection for ExactLevel {}

impl Predicate<Level> for ExactLevel {
    fn eval(&self, level: &Level) -> bool {
        *level == self.0
    }
}

/// Predicate for the levels that a filter lets pass, made from a [`LevelFilter`].
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnabledLevel(LevelFilter);

impl fmt::Display for EnabledLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.into_level() {
            Some(level) => write!(formatter, "{level} or more severe"),
            None => formatter.write_str("none"),
        }
    }
}

impl PredicateReflection for EnabledLevel {}

impl Predicate<Level> for EnabledLevel {
    fn eval(&self, level: &Level) -> bool {
        *level <= self.0
    }
}

/// Predicate for a level and less severe ones.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessSevereLevel(Level);

impl fmt::Display for LessSevereLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} or less severe", self.0)
    }
}

impl PredicateReflection for LessSevereLevel {}

impl Predicate<Level> for LessSevereLevel {
    fn eval(&self, level: &Level) -> bool {
        *level >= self.0
    }
}
