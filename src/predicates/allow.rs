use ::predicates::Predicate;

use crate::capture::{CaptureBuilder, CapturedEvent};

impl CaptureBuilder {
    /// Allows events that match a predicate, on which the test would otherwise [fail](Self::fail_on_events).
    ///
    /// [`allow_events()`](Self::allow_events) does the same by a function. You can call both several times: an event is
    /// allowed if any of them allows it.
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
