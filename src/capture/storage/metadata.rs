use alloc::{borrow::Cow, collections::BTreeSet, sync::Arc, vec::Vec};
use core::{
    num::NonZeroUsize,
    ptr::{self, NonNull},
};

use tracing_core::{Level, Metadata};

use crate::wire::{CallSiteData, CallSiteKind};

/// Call site of a captured span or event.
#[derive(Debug, Clone)]
pub(crate) enum CallSite {
    /// A call site of this program.
    Native(&'static Metadata<'static>),
    /// A description that a guest sent.
    Received(Arc<CallSiteData>),
    /// A description from the values of a record of the `log` crate.
    Logged(Arc<CallSiteData>),
}

impl CallSite {
    /// Returns the level, which is known before the call site is part of a storage.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Native(metadata) => *metadata.level(),
            Self::Received(data) | Self::Logged(data) => *data.level.as_level(),
        }
    }

    /// Returns the address of the description, which does not move. Each record of the `log` crate has a description of
    /// its own.
    #[inline]
    pub(crate) fn address(&self) -> NonZeroUsize {
        match self {
            Self::Native(metadata) => NonNull::from(*metadata).addr(),
            Self::Received(data) | Self::Logged(data) => NonNull::from(&**data).addr(),
        }
    }
}

/// A call site with the names of its fields at hand.
#[derive(Debug, Clone)]
pub(crate) struct KnownCallSite {
    pub(crate) call_site: CallSite,
    /// Names of the fields of a native call site: `tracing` finds a field by counting.
    native_names: Vec<&'static str>,
    /// Whether no two fields have the same name.
    has_unique_names: bool,
}

impl KnownCallSite {
    pub(crate) fn new(call_site: CallSite) -> Self {
        let native_names = match &call_site {
            CallSite::Native(metadata) => {
                metadata.fields().iter().map(|field| field.name()).collect()
            }
            CallSite::Received(_) | CallSite::Logged(_) => Vec::new(),
        };
        let mut known = Self { call_site, native_names, has_unique_names: true };
        let mut names = BTreeSet::new();
        let is_new =
            (0..).map_while(|index| known.field_name(index)).all(|name| names.insert(name));
        drop(names);
        known.has_unique_names = is_new;
        known
    }

    #[inline]
    pub(crate) fn has_unique_names(&self) -> bool {
        self.has_unique_names
    }

    /// Returns the index of the first field with this name.
    #[inline]
    pub(crate) fn first_named(&self, name: &str) -> Option<usize> {
        match &self.call_site {
            CallSite::Native(_) => self.native_names.iter().position(|other| is_same(other, name)),
            CallSite::Received(data) | CallSite::Logged(data) => {
                data.fields.iter().position(|other| is_same(other, name))
            }
        }
    }

    pub(crate) fn metadata(&self) -> CapturedMetadata<'_> {
        CapturedMetadata { call_site: self }
    }

    /// Checks whether the field with this index has the name.
    #[inline]
    pub(crate) fn is_named(&self, index: usize, name: &str) -> bool {
        self.field_name(index).is_some_and(|other| is_same(other, name))
    }

    /// Name of the field with this index.
    #[inline]
    pub(crate) fn field_name(&self, index: usize) -> Option<&str> {
        match &self.call_site {
            CallSite::Native(_) => self.native_names.get(index).copied(),
            CallSite::Received(data) | CallSite::Logged(data) => {
                data.fields.get(index).map(Cow::as_ref)
            }
        }
    }
}

/// Compares names, which are mostly told apart by their lengths.
#[inline]
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && (ptr::eq(one, other) || one == other)
}

/// Static description of a captured span or event.
///
/// It has the methods of [`Metadata`]. It is a type of its own because a guest's stream that is captured directly has
/// no `'static` metadata.
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
    call_site: &'a KnownCallSite,
}

impl<'a> CapturedMetadata<'a> {
    /// Returns the address of the description in the storage, which is the same for all nodes of a call site.
    #[cfg(feature = "predicates")]
    pub(crate) fn address(&self) -> usize {
        ptr::from_ref(self.call_site).addr()
    }

    /// Returns the name of the span; for events, by `tracing`'s convention, `event FILE:LINE`.
    pub fn name(&self) -> &'a str {
        match &self.call_site.call_site {
            CallSite::Native(metadata) => metadata.name(),
            CallSite::Received(data) | CallSite::Logged(data) => &data.name,
        }
    }

    /// Returns the part of the system that traced, by default the path of the module.
    pub fn target(&self) -> &'a str {
        match &self.call_site.call_site {
            CallSite::Native(metadata) => metadata.target(),
            CallSite::Received(data) | CallSite::Logged(data) => &data.target,
        }
    }

    /// Returns the verbosity level.
    pub fn level(&self) -> &'static Level {
        match &self.call_site.call_site {
            CallSite::Native(metadata) => metadata.level(),
            CallSite::Received(data) | CallSite::Logged(data) => data.level.as_level(),
        }
    }

    /// Returns the path of the module that contains the call site.
    pub fn module_path(&self) -> Option<&'a str> {
        match &self.call_site.call_site {
            CallSite::Native(metadata) => metadata.module_path(),
            CallSite::Received(data) | CallSite::Logged(data) => data.module_path.as_deref(),
        }
    }

    /// Returns the source file that contains the call site.
    pub fn file(&self) -> Option<&'a str> {
        match &self.call_site.call_site {
            CallSite::Native(metadata) => metadata.file(),
            CallSite::Received(data) | CallSite::Logged(data) => data.file.as_deref(),
        }
    }

    /// Returns the line in the source file, counted from 1.
    pub fn line(&self) -> Option<u32> {
        match &self.call_site.call_site {
            CallSite::Native(metadata) => metadata.line(),
            CallSite::Received(data) | CallSite::Logged(data) => data.line,
        }
    }

    /// Iterates over the names of the declared fields, whether they have values or not.
    pub fn fields(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let call_site = self.call_site;
        (0..).map_while(|index| call_site.field_name(index))
    }

    /// Checks whether this is the call site of a span.
    pub fn is_span(&self) -> bool {
        match &self.call_site.call_site {
            CallSite::Native(metadata) => metadata.is_span(),
            CallSite::Received(data) | CallSite::Logged(data) => data.kind == CallSiteKind::Span,
        }
    }

    /// Checks whether this is the call site of an event.
    pub fn is_event(&self) -> bool {
        !self.is_span()
    }
}
