use tracing_core::Level;

/// Verbosity level of a call site: [`tracing_core::Level`] in a form that can be (de)serialized.
///
/// # Example
///
/// ```
/// use spanshot::TracingLevel;
/// use tracing_core::Level;
///
/// assert_eq!(TracingLevel::from(Level::WARN), TracingLevel::Warn);
/// assert_eq!(Level::from(TracingLevel::Warn), Level::WARN);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TracingLevel {
    /// The level for serious failures, [`Level::ERROR`].
    Error,
    /// The level for hazards, [`Level::WARN`].
    Warn,
    /// The level for useful information, [`Level::INFO`].
    Info,
    /// The level for details that help in debugging, [`Level::DEBUG`].
    Debug,
    /// The most verbose level, [`Level::TRACE`].
    Trace,
}

impl TracingLevel {
    /// The same level, borrowed for as long as one likes, as `Metadata::level()` returns it.
    pub const fn as_level(self) -> &'static Level {
        match self {
            Self::Error => &Level::ERROR,
            Self::Warn => &Level::WARN,
            Self::Info => &Level::INFO,
            Self::Debug => &Level::DEBUG,
            Self::Trace => &Level::TRACE,
        }
    }
}

impl From<Level> for TracingLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            Level::TRACE => Self::Trace,
        }
    }
}

impl From<TracingLevel> for Level {
    fn from(level: TracingLevel) -> Self {
        *level.as_level()
    }
}
