use alloc::{borrow::Cow, sync::Arc};

use tracing_core::{Level, Metadata};

use crate::wire::{CallSiteData, CallSiteKind};

/// Call site of a captured span or event: what the program was compiled with, or a description that
/// a guest sent, or that a record of the `log` crate has in its values.
#[derive(Debug, Clone)]
pub(crate) enum CallSite {
    Native(&'static Metadata<'static>),
    Received(Arc<CallSiteData>),
}

impl CallSite {
    pub(crate) fn metadata(&self) -> CapturedMetadata<'_> {
        CapturedMetadata { call_site: self }
    }

    /// Name of the field with this index.
    pub(crate) fn field_name(&self, index: usize) -> Option<&str> {
        match self {
            Self::Native(metadata) => metadata.fields().iter().nth(index).map(|field| field.name()),
            Self::Received(data) => data.fields.get(index).map(Cow::as_ref),
        }
    }
}

/// Static description of a captured span or event.
///
/// It has the methods of [`Metadata`], and stands for one; but where a guest's stream was captured
/// directly, there is none, since nothing of it lives forever.
///
/// # Example
///
/// ```
/// use spanshot::Capture;
/// use tracing::Level;
///
/// let capture = Capture::start();
/// tracing::info!(target: "net", port = 8_080, "listening");
///
/// let trace = capture.trace();
/// let metadata = trace.all_events().next().unwrap().metadata();
/// assert_eq!((metadata.target(), *metadata.level()), ("net", Level::INFO));
/// assert!(metadata.is_event());
/// assert!(metadata.fields().eq(["message", "port"]));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CapturedMetadata<'a> {
    call_site: &'a CallSite,
}

impl<'a> CapturedMetadata<'a> {
    /// Returns the name of the span; for events, by `tracing`'s convention, `event FILE:LINE`.
    pub fn name(&self) -> &'a str {
        match self.call_site {
            CallSite::Native(metadata) => metadata.name(),
            CallSite::Received(data) => &data.name,
        }
    }

    /// Returns the part of the system that traced, by default the path of the module.
    pub fn target(&self) -> &'a str {
        match self.call_site {
            CallSite::Native(metadata) => metadata.target(),
            CallSite::Received(data) => &data.target,
        }
    }

    /// Returns the verbosity level.
    pub fn level(&self) -> &'static Level {
        match self.call_site {
            CallSite::Native(metadata) => metadata.level(),
            CallSite::Received(data) => data.level.as_level(),
        }
    }

    /// Returns the path of the module that contains the call site.
    pub fn module_path(&self) -> Option<&'a str> {
        match self.call_site {
            CallSite::Native(metadata) => metadata.module_path(),
            CallSite::Received(data) => data.module_path.as_deref(),
        }
    }

    /// Returns the source file that contains the call site.
    pub fn file(&self) -> Option<&'a str> {
        match self.call_site {
            CallSite::Native(metadata) => metadata.file(),
            CallSite::Received(data) => data.file.as_deref(),
        }
    }

    /// Returns the line in the source file, counted from 1.
    pub fn line(&self) -> Option<u32> {
        match self.call_site {
            CallSite::Native(metadata) => metadata.line(),
            CallSite::Received(data) => data.line,
        }
    }

    /// Iterates over the names of the declared fields, whether they have values or not.
    pub fn fields(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let call_site = self.call_site;
        (0..).map_while(|index| call_site.field_name(index))
    }

    /// Checks whether this is the call site of a span.
    pub fn is_span(&self) -> bool {
        match self.call_site {
            CallSite::Native(metadata) => metadata.is_span(),
            CallSite::Received(data) => data.kind == CallSiteKind::Span,
        }
    }

    /// Checks whether this is the call site of an event.
    pub fn is_event(&self) -> bool {
        !self.is_span()
    }
}
