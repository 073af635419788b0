use alloc::boxed::Box;

use tracing_core::{LevelFilter, Metadata};

type Predicate = Box<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>;

/// What a sender lets pass.
pub(super) struct Filter {
    max_level: LevelFilter,
    predicate: Option<Predicate>,
}

impl Filter {
    pub(super) const fn new() -> Self {
        Self { max_level: LevelFilter::TRACE, predicate: None }
    }

    pub(super) fn set_max_level(&mut self, max_level: LevelFilter) {
        self.max_level = max_level;
    }

    /// Adds a predicate to those that there are.
    pub(super) fn add(
        &mut self,
        predicate: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
    ) {
        self.predicate = Some(match self.predicate.take() {
            Some(first) => Box::new(move |metadata| first(metadata) && predicate(metadata)),
            None => Box::new(predicate),
        });
    }

    pub(super) fn max_level(&self) -> LevelFilter {
        self.max_level
    }

    pub(super) fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.max_level
            && self.predicate.as_ref().is_none_or(|predicate| predicate(metadata))
    }
}
