use crate::capture::{
    CapturedEvent, CapturedMetadata, CapturedNode, CapturedSpan, Moment, ParentKind,
};
#[cfg(feature = "predicates")]
use crate::wire::CallSiteKind;
use crate::wire::TracedValue;

/// How predicates read the values of a span or an event, and of those that are reached from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Whether they look at all values that a field ever had, and not only at the last one.
    #[cfg(feature = "predicates")]
    pub(crate) ever: bool,
    /// Whether they compare the plain values of fields regardless of their type.
    #[cfg(feature = "predicates")]
    pub(crate) loosely: bool,
}

/// The common methods of spans and events, for code that takes both.
///
/// It cannot be implemented outside of this crate.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, Captured};
///
/// fn port<'a>(node: &impl Captured<'a>) -> Option<u128> {
///     node.value("port")?.as_uint()
/// }
///
/// let capture = Capture::start();
/// tracing::info_span!("connect", port = 8_080_u16).in_scope(|| tracing::info!(port = 80_u16));
/// let trace = capture.trace();
/// assert_eq!(port(&trace.all_spans().next().unwrap()), Some(8_080));
/// assert_eq!(port(&trace.all_events().next().unwrap()), Some(80));
/// ```
pub trait Captured<'a>: Copy + Eq + PartialOrd + core::fmt::Display + sealed::Sealed {
    /// Returns the static description of the span or event.
    fn metadata(&self) -> CapturedMetadata<'a>;

    /// Returns the value of a field, or `None` if it has none.
    fn value(&self, name: &str) -> Option<&'a TracedValue>;

    /// Returns the span that contains this node, or `None` for a root.
    fn parent(&self) -> Option<CapturedSpan<'a>>;

    /// Returns how the parent was determined, or that there is none; `None` if a stream does not tell.
    fn parent_kind(&self) -> Option<ParentKind>;

    /// Returns the moment when the span was created, or the event emitted.
    fn moment(&self) -> Moment;
}

pub(crate) mod sealed {
    use crate::capture::CapturedNode;
    #[cfg(feature = "predicates")]
    use crate::wire::{CallSiteKind, TracedValue};

    /// Methods that only this crate implements and calls.
    pub trait Sealed {
        /// The noun for spans or events, in the singular and the plural.
        const NOUNS: [&'static str; 2];

        /// The kind of their call sites.
        #[cfg(feature = "predicates")]
        const KIND: CallSiteKind;

        /// The span or the event as a node of its trace.
        fn node(&self) -> CapturedNode<'_>;

        /// Returns a handle for which predicates look at all values that a field ever had, and not only at the last
        /// one. Handles that are reached from it behave in the same way.
        #[cfg(feature = "predicates")]
        #[must_use]
        fn with_earlier_values(self) -> Self;

        /// Checks whether predicates look at earlier values, too.
        #[cfg(feature = "predicates")]
        fn has_earlier_values(&self) -> bool;

        /// Returns a handle for which predicates compare the plain values of fields regardless of their type. Handles
        /// that are reached from it behave in the same way.
        #[cfg(feature = "predicates")]
        #[must_use]
        fn read_loosely(self) -> Self;

        /// Checks whether predicates compare plain values regardless of their type.
        #[cfg(feature = "predicates")]
        fn is_read_loosely(&self) -> bool;

        /// Returns a handle for which the cases of predicates say which conditions are met, and nothing else. They cost
        /// little, even if many items are compared. Handles that are reached from it are not brief.
        #[cfg(feature = "predicates")]
        #[must_use]
        fn in_brief(self) -> Self;

        /// Checks whether the handle is brief.
        #[cfg(feature = "predicates")]
        fn is_brief(&self) -> bool;

        /// Checks whether any value of a field matches. There may be several values, if the call site declares several
        /// fields of this name. Returns `None` if there is no value.
        #[cfg(feature = "predicates")]
        fn any_value(&self, name: &str, matches: impl Fn(&TracedValue) -> bool) -> Option<bool>;

        /// Checks whether a function returns true for a value of any field: for the last value or, if this is a handle
        /// with earlier values, for any value.
        #[cfg(feature = "predicates")]
        fn any_field(&self, matches: impl FnMut(&str, &TracedValue) -> bool) -> bool;

        /// Calls a function with the values that a field had before its last one, in order.
        #[cfg(feature = "predicates")]
        fn see_earlier_values(&self, name: &str, see: impl FnMut(&TracedValue));
    }
}

macro_rules! impl_captured {
    ($ty:ident, $variant:ident, $nouns:expr) => {
        impl sealed::Sealed for $ty<'_> {
            const NOUNS: [&'static str; 2] = $nouns;

            #[cfg(feature = "predicates")]
            const KIND: CallSiteKind = CallSiteKind::$variant;

            fn node(&self) -> CapturedNode<'_> {
                CapturedNode::$variant(*self)
            }

            #[cfg(feature = "predicates")]
            #[inline]
            fn with_earlier_values(self) -> Self {
                self.read_as(Reading { ever: true, ..self.reading() })
            }

            #[cfg(feature = "predicates")]
            #[inline]
            fn has_earlier_values(&self) -> bool {
                self.reading().ever
            }

            #[cfg(feature = "predicates")]
            #[inline]
            fn read_loosely(self) -> Self {
                self.read_as(Reading { loosely: true, ..self.reading() })
            }

            #[cfg(feature = "predicates")]
            #[inline]
            fn is_read_loosely(&self) -> bool {
                self.reading().loosely
            }

            #[cfg(feature = "predicates")]
            fn in_brief(self) -> Self {
                self.brief()
            }

            #[cfg(feature = "predicates")]
            fn is_brief(&self) -> bool {
                self.is_brief()
            }

            #[cfg(feature = "predicates")]
            #[inline]
            fn any_value(
                &self,
                name: &str,
                matches: impl Fn(&TracedValue) -> bool,
            ) -> Option<bool> {
                let (call_site, values) = self.named_values();
                let is_now = values.any_named(call_site, name, &matches)?;
                Some(is_now || (self.reading().ever && self.earlier_values(name).any(matches)))
            }

            #[cfg(feature = "predicates")]
            fn any_field(&self, mut matches: impl FnMut(&str, &TracedValue) -> bool) -> bool {
                self.all_values().any(|(name, value)| matches(name, value))
            }

            #[cfg(feature = "predicates")]
            fn see_earlier_values(&self, name: &str, see: impl FnMut(&TracedValue)) {
                self.earlier_values(name).for_each(see);
            }
        }

        impl<'a> Captured<'a> for $ty<'a> {
            fn metadata(&self) -> CapturedMetadata<'a> {
                self.metadata()
            }

            #[inline]
            fn value(&self, name: &str) -> Option<&'a TracedValue> {
                self.value(name)
            }

            fn parent(&self) -> Option<CapturedSpan<'a>> {
                self.parent()
            }

            fn parent_kind(&self) -> Option<ParentKind> {
                self.parent_kind()
            }

            #[inline]
            fn moment(&self) -> Moment {
                self.moment()
            }
        }
    };
}

impl_captured!(CapturedSpan, Span, ["span", "spans"]);
impl_captured!(CapturedEvent, Event, ["event", "events"]);
