use alloc::{string::String, sync::Arc};

use regex_lite::Regex;

use super::SnapshotSettings;
use crate::{
    capture::CapturedNode,
    snapshot::redact::{Known, Redaction},
    wire::TracedValue,
};

/// What is replaced.
impl SnapshotSettings {
    /// Replaces the values of the fields of this name by a label: `id=⟨label⟩`. The message of an event is
    /// the field `message`.
    #[must_use]
    pub fn redact(mut self, field: impl Into<String>, label: impl Into<String>) -> Self {
        self.redactions.push(Redaction::Field { name: field.into(), label: label.into() });
        self
    }

    /// Replaces what a regular expression matches, in the text of any value, by a label: `took
    /// ⟨label⟩`. The syntax is that of the crate `regex-lite`.
    ///
    /// # Panics
    ///
    /// Panics if it is not a regular expression.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
    ///
    /// let capture = Capture::start();
    /// tracing::info!("listening on 127.0.0.1:49152");
    /// let settings = SnapshotSettings::new().redact_matches(r"\b\d{4,5}\b", "port");
    /// assert_trace_snapshot!(settings.view(&capture.trace()), @"INFO listening on 127.0.0.1:⟨port⟩");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn redact_matches(mut self, pattern: &str, label: impl Into<String>) -> Self {
        let compiled = match Regex::new(pattern) {
            Ok(compiled) => compiled,
            Err(error) => panic!("{pattern:?} is not a regular expression: {error}"),
        };
        self.redactions.push(Redaction::Pattern { pattern: compiled, label: label.into() });
        self
    }

    /// Replaces the values for which a function returns a label. It is called with the span or event, and
    /// with the name of a field and its value.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
    ///
    /// let capture = Capture::start();
    /// tracing::info!(port = 49_152, "listening");
    /// let settings = SnapshotSettings::new().redact_with(|_, name, value| {
    ///     (name == "port" && value.as_int()? > 1_024).then(|| "some port".to_owned())
    /// });
    /// assert_trace_snapshot!(settings.view(&capture.trace()), @"INFO listening port=⟨some port⟩");
    /// ```
    #[must_use]
    pub fn redact_with(
        mut self,
        label: impl Fn(CapturedNode<'_>, &str, &TracedValue) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.redactions.push(Redaction::With(Arc::new(label)));
        self
    }

    /// Replaces addresses, such as `0x7ffd1234abcd`, by `⟨pointer⟩`.
    #[must_use]
    pub fn redact_pointers(self) -> Self {
        self.redact_known(Known::Pointer)
    }

    /// Replaces UUIDs in their usual form, with hyphens, by `⟨uuid⟩`.
    #[must_use]
    pub fn redact_uuids(self) -> Self {
        self.redact_known(Known::Uuid)
    }

    /// Replaces durations with their unit, such as `1.5ms` and `2h 3min`, by `⟨duration⟩`. Numbers
    /// without a unit are none: [redact](Self::redact) their field.
    #[must_use]
    pub fn redact_durations(self) -> Self {
        self.redact_known(Known::Duration)
    }

    /// Replaces times with their date, such as `2026-02-03T04:05:06Z`, the dates of HTTP and the `Debug`
    /// output of `SystemTime` and `Instant`, by `⟨timestamp⟩`. Numbers are none.
    #[must_use]
    pub fn redact_timestamps(self) -> Self {
        self.redact_known(Known::Timestamp)
    }

    fn redact_known(mut self, known: Known) -> Self {
        self.redactions.push(known.redaction());
        self
    }
}
