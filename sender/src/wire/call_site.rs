use alloc::{borrow::Cow, vec::Vec};

use tracing_core::Metadata;

use super::TracingLevel;

/// What a call site produces: spans or events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallSiteKind {
    /// The call site creates spans.
    Span,
    /// The call site emits events.
    Event,
}

/// Static description of a call site: [`Metadata`] in a form that can be (de)serialized.
///
/// # Example
///
/// ```
/// use spanshot::{CallSiteData, CallSiteKind, TracingLevel};
///
/// let data = CallSiteData {
///     kind: CallSiteKind::Span,
///     name: "compute".into(),
///     target: "plugin::math".into(),
///     level: TracingLevel::Info,
///     module_path: None,
///     file: None,
///     line: None,
///     fields: vec!["input".into()],
/// };
/// assert_eq!(data.fields.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallSiteData {
    /// Whether spans or events come from here.
    pub kind: CallSiteKind,
    /// Name of the span; for events, by `tracing`'s convention, `event FILE:LINE`.
    pub name: Cow<'static, str>,
    /// Part of the system that traces, by default the path of the module.
    pub target: Cow<'static, str>,
    /// Verbosity level.
    pub level: TracingLevel,
    /// Path of the module that contains the call site.
    pub module_path: Option<Cow<'static, str>>,
    /// Source file that contains the call site.
    pub file: Option<Cow<'static, str>>,
    /// Line in that file, counted from 1.
    pub line: Option<u32>,
    /// Names of the fields in the order of their declaration; a name may stand more than once.
    pub fields: Vec<Cow<'static, str>>,
}

impl CallSiteData {
    /// Whether the name is the one that `tracing` gives to events: `event FILE:LINE`, or what
    /// [`TracingEvent::normalize()`](super::TracingEvent::normalize) left of it.
    #[doc(hidden)]
    pub fn is_named_by_line(&self) -> bool {
        self.kind == CallSiteKind::Event
            && (self.name == "event" || self.name.starts_with("event "))
    }
}

impl From<&Metadata<'static>> for CallSiteData {
    fn from(metadata: &Metadata<'static>) -> Self {
        Self {
            kind: if metadata.is_span() { CallSiteKind::Span } else { CallSiteKind::Event },
            name: Cow::Borrowed(metadata.name()),
            target: Cow::Borrowed(metadata.target()),
            level: TracingLevel::from(*metadata.level()),
            module_path: metadata.module_path().map(Cow::Borrowed),
            file: metadata.file().map(Cow::Borrowed),
            line: metadata.line(),
            fields: metadata.fields().iter().map(|field| Cow::Borrowed(field.name())).collect(),
        }
    }
}
