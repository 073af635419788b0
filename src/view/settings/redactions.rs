use alloc::{string::String, sync::Arc};

use regex_lite::Regex;

use super::SnapshotSettings;
use crate::{
    capture::CapturedNode,
    view::{recognize::Known, redact::Redaction},
    wire::TracedValue,
};

/// Redactions.
impl SnapshotSettings {
    /// Replaces the values of the fields of this name by a label: `id=⟨label⟩`. The message of an event is
    /// the field `message`.
    #[must_use]
    pub fn redact(mut self, field: impl Into<String>, label: impl Into<String>) -> Self {
        self.redactions.push(Redaction::Field { name: field.into(), label: label.into() });
        self
    }

    /// Replaces the matches of a regular expression, in the text of any value, by a label: `took ⟨label⟩`. The crate
    /// `regex-lite` defines the syntax.
    ///
    /// # Panics
    ///
    /// Panics if `pattern` is not a valid regular expression.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
    ///
    /// let capture = Capture::start();
    /// tracing::info!("worker 4711 is ready");
    /// let settings = SnapshotSettings::new().redact_matches(r"\b\d{4,5}\b", "process");
    /// assert_trace_snapshot!(settings.view(&capture.trace()), @"INFO worker ⟨process⟩ is ready");
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

    /// Replaces the values for which a function returns a label. Your function gets the span or event, and the name of
    /// a field with its value.
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

    /// Replaces pointers, such as `0x7ffd1234abcd`, by `⟨pointer⟩`. See the [table](Self#recognized-forms).
    #[must_use]
    pub fn redact_pointers(self) -> Self {
        self.redact_known(Known::Pointer)
    }

    /// Replaces UUIDs, with hyphens or without, by `⟨uuid⟩`. See the [table](Self#recognized-forms).
    #[must_use]
    pub fn redact_uuids(self) -> Self {
        self.redact_known(Known::Uuid)
    }

    /// Replaces ULIDs, such as `01ARZ3NDEKTSV4RRFFQ69G5FAV`, by `⟨ulid⟩`. See the
    /// [table](Self#recognized-forms).
    #[must_use]
    pub fn redact_ulids(self) -> Self {
        self.redact_known(Known::Ulid)
    }

    /// Replaces durations with their unit, such as `1.5ms`, `0 ms` and `2h 3min`, by `⟨duration⟩`. See the
    /// [table](Self#recognized-forms).
    ///
    /// A number without a unit is not recognized: [redact](Self::redact) its field.
    #[must_use]
    pub fn redact_durations(self) -> Self {
        self.redact_known(Known::Duration)
    }

    /// Replaces times with their date, such as `2026-02-03T04:05:06Z`, by `⟨timestamp⟩`. See the
    /// [table](Self#recognized-forms).
    ///
    /// A number of seconds is not recognized: [redact](Self::redact) its field.
    #[must_use]
    pub fn redact_timestamps(self) -> Self {
        self.redact_known(Known::Timestamp)
    }

    /// Replaces IPv4 and IPv6 addresses by `⟨ip⟩`, and leaves their ports. See the
    /// [table](Self#recognized-forms).
    #[must_use]
    pub fn redact_ip_addresses(self) -> Self {
        self.redact_known(Known::IpAddress)
    }

    /// Replaces the ports of hosts, as in `127.0.0.1:53412`, by `⟨port⟩`, and leaves the hosts. See the
    /// [table](Self#recognized-forms).
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
    ///
    /// let capture = Capture::start();
    /// tracing::info!(peer = %"192.0.2.7:49152", "listening on http://localhost:53412/");
    /// let settings = SnapshotSettings::new().redact_ports().redact_ip_addresses();
    /// assert_trace_snapshot!(
    ///     settings.view(&capture.trace()),
    ///     @"INFO listening on http://localhost:⟨port⟩/ peer=⟨ip⟩:⟨port⟩"
    /// );
    /// ```
    #[must_use]
    pub fn redact_ports(self) -> Self {
        self.redact_known(Known::Port)
    }

    /// Replaces the `Debug` output of a [`ThreadId`](std::thread::ThreadId) by `⟨thread id⟩`.
    #[must_use]
    pub fn redact_thread_ids(self) -> Self {
        self.redact_known(Known::ThreadId)
    }

    /// Numbers the redactions of this label: equal texts get equal numbers, `⟨uuid 1⟩`, `⟨uuid 2⟩`.
    ///
    /// A redaction hides which ID it replaced, and so it hides a wrong one: your test stays green even if a response
    /// carries the ID of another request. With numbers, it fails. Use them for IDs, but not for values that may be
    /// equal by chance, such as durations.
    ///
    /// Numbers begin with 1 for each label, in the order in which a view shows the texts; text and data
    /// agree on them. In a [comparison](Self::compare), each trace has numbers of its own. Redactions of
    /// fields, patterns and recognized forms that have the same label share their numbers. Nodes with
    /// different numbers are not folded.
    ///
    /// # Panics
    ///
    /// Panics if no redaction that you added before has this label, unless [`redact_with`](Self::redact_with) might
    /// return it.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
    /// use tracing::info;
    ///
    /// let (first, second) = ("a1b2", "c3d4"); // … which differ from run to run
    /// let capture = Capture::start();
    /// info!(request_id = first, "request");
    /// info!(request_id = second, "request");
    /// info!(request_id = first, "response");
    /// let trace = capture.finish();
    ///
    /// let settings = SnapshotSettings::new().redact("request_id", "id").number_redactions("id");
    /// assert_trace_snapshot!(settings.view(&trace), @r"
    /// INFO request request_id=⟨id 1⟩
    /// INFO request request_id=⟨id 2⟩
    /// INFO response request_id=⟨id 1⟩
    /// ");
    ///
    /// // The response to the first request has the ID of the second one.
    /// let capture = Capture::start();
    /// info!(request_id = first, "request");
    /// info!(request_id = second, "request");
    /// info!(request_id = second, "response");
    /// let swapped = capture.finish();
    /// assert!(settings.view(&swapped).to_string().ends_with("INFO response request_id=⟨id 2⟩"));
    /// assert!(!settings.compare(&trace, &swapped).is_equivalent());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn number_redactions(mut self, label: impl Into<String>) -> Self {
        let label = label.into();
        let may_have_it = self.redactions.iter().any(|redaction| redaction.may_have_label(&label));
        assert!(may_have_it, "no redaction has the label {label:?}; number it after it is added");
        self.numbered.push(label);
        self
    }

    fn redact_known(mut self, known: Known) -> Self {
        self.redactions.push(Redaction::Known(known));
        self
    }
}
