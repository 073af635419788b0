use ::predicates::Predicate;

use crate::capture::{CaptureBuilder, CapturedEvent};

impl CaptureBuilder {
    /// Allows events that match a predicate, and that the test would
    /// [fail on](Self::fail_on_events) otherwise.
    ///
    /// [`allow_events()`](Self::allow_events) does the same by a function. If either is called again,
    /// an event is allowed by any of them.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, predicates::*};
    /// use tracing::Level;
    ///
    /// let capture = Capture::builder()
    ///     .fail_on_events(Level::WARN)
    ///     .allow_events_matching(level(Level::WARN) & message(starts_with("slow")))
    ///     .start();
    /// tracing::warn!("slow: 850 ms");
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "predicates")))]
    pub fn allow_events_matching<P>(self, predicate: P) -> Self
    where
        P: for<'a> Predicate<CapturedEvent<'a>> + Send + Sync + 'static,
    {
        self.allow_events(move |event| predicate.eval(event))
    }
}
