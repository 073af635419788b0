use super::RawSpanId;

/// Which span a new span or event is a child of, as the program said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// The current span.
    // A saved span never has this parent: it was determined before.
    Contextual,
    /// None, even if a span is current.
    Root,
    /// This one.
    Explicit(RawSpanId),
}

impl Parent {
    /// From the two fields of a [`TracingEvent`](super::TracingEvent). An ID wins over `is_root`,
    /// as it does for a reader that does not know the latter.
    pub fn new(id: Option<RawSpanId>, is_root: bool) -> Self {
        match id {
            Some(id) => Self::Explicit(id),
            None if is_root => Self::Root,
            None => Self::Contextual,
        }
    }

    /// The two fields of a [`TracingEvent`](super::TracingEvent).
    pub fn into_fields(self) -> (Option<RawSpanId>, bool) {
        match self {
            Self::Contextual => (None, false),
            Self::Root => (None, true),
            Self::Explicit(id) => (Some(id), false),
        }
    }
}
