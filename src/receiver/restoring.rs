//! How receivers are persisted and restored.

use alloc::{boxed::Box, sync::Arc};

use super::{
    RestoreError, TracingEventReceiver,
    persist::{LocalSpans, PersistedMetadata, PersistedSpans},
    relay::Relay,
    restore::SinkSpans,
    restore_check,
};

impl TracingEventReceiver {
    /// Restores a receiver from what an earlier one was [persisted](Self::persist) to.
    ///
    /// With the `local_spans` of the same execution, it goes on in the subscriber, or the storage,
    /// that they live in. Without them (after a restart of the host, say) the default is passed, and
    /// open spans are created, and entered, anew in the current subscriber; or
    /// [`LocalSpans::capturing()`], and they are in a storage.
    ///
    /// What was persisted should be of the program and the execution whose records follow.
    /// Otherwise they will be refused, or taken for what they are not. A span whose call site is
    /// not in `metadata` is left out; one that `local_spans` know and that is left out is closed. Call sites
    /// are left out that exceed the default [limits](super::ReceiverLimits). [`Self::try_new()`] tells.
    ///
    /// # Example
    ///
    /// See [`Self::persist()`].
    pub fn new(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
        mut local_spans: LocalSpans,
    ) -> Self {
        let mut receiver = Self::in_sink_of(&mut local_spans);
        let _ = receiver.announce(metadata); // what depends on it is left out, too
        receiver.restore(spans, local_spans.spans);
        receiver
    }

    fn in_sink_of(local_spans: &mut LocalSpans) -> Self {
        let sink = local_spans.sink.take();
        Self::with_sink(sink.unwrap_or_else(|| Box::new(Relay::new())))
    }

    /// Takes in those call sites that can be taken; returns an error if there are others.
    fn announce(&mut self, metadata: PersistedMetadata) -> Result<(), RestoreError> {
        let mut result = Ok(());
        for (metadata_id, data) in metadata.call_sites {
            let taken = self.stream.new_call_site(metadata_id, Arc::new(data), &mut *self.sink);
            let error =
                |error| RestoreError::InvalidCallSite { metadata_id, error: Box::new(error) };
            result = result.and(taken.map_err(error));
        }
        result
    }

    fn restore(&mut self, spans: PersistedSpans, sink_spans: SinkSpans) {
        self.to_restore = Some((spans, sink_spans));
        if self.sink.is_ready() {
            self.start();
        }
    }

    /// Restores a receiver, as [`Self::new()`] does, if what was persisted fits together.
    ///
    /// It comes back from somewhere: this finds out whether it was changed there, as far as that can be seen.
    ///
    /// # Errors
    ///
    /// Returns an error if a span is of a call site that is not in `metadata`, or that cannot create it with
    /// its values; if a call site exceeds one of the default [limits](super::ReceiverLimits); if two spans are said to
    /// be entered at the same place; or if `local_spans` know other spans than those in `spans`. Nothing is
    /// created in a subscriber or a storage then; what `local_spans` know stays open there.
    ///
    /// # Example
    ///
    /// See [`RestoreError`].
    pub fn try_new(
        metadata: PersistedMetadata,
        spans: PersistedSpans,
        mut local_spans: LocalSpans,
    ) -> Result<Self, RestoreError> {
        restore_check::check(&metadata, &spans, &local_spans.spans)?;
        let mut receiver = Self::in_sink_of(&mut local_spans);
        receiver.announce(metadata)?;
        receiver.restore(spans, local_spans.spans);
        Ok(receiver)
    }

    /// Returns the call sites that were announced, and those that the receiver was restored with.
    ///
    /// They belong to the program, rather than to one execution of it.
    ///
    /// # Example
    ///
    /// See [`Self::persist()`].
    pub fn persist_metadata(&self) -> PersistedMetadata {
        self.stream.persist_metadata()
    }

    /// Ends the receiver, and returns the spans that are open for one that goes on from here.
    ///
    /// In the subscriber, spans that are entered are exited, and entered again when they are
    /// restored. They are not closed.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{LocalSpans, TracingEvent, TracingEventReceiver};
    ///
    /// # let subscriber = tracing_subscriber::registry();
    /// # let _guard = tracing::subscriber::set_default(subscriber);
    /// let mut receiver = TracingEventReceiver::default();
    /// let stream = r#"[
    ///     {"new_call_site":{"id":0,"kind":"span","name":"job","target":"app","level":"info","fields":[]}},
    ///     {"new_span":{"id":1,"metadata_id":0,"values":{}}}
    /// ]"#;
    /// for event in serde_json::from_str::<Vec<TracingEvent>>(stream)? {
    ///     receiver.receive(event);
    /// }
    ///
    /// let metadata = serde_json::to_string(&receiver.persist_metadata())?;
    /// let (spans, _) = receiver.persist();
    /// assert_eq!(spans.len(), 1);
    /// let spans = serde_json::to_string(&spans)?;
    ///
    /// // In another process, perhaps:
    /// let (metadata, spans) = (serde_json::from_str(&metadata)?, serde_json::from_str(&spans)?);
    /// let mut receiver = TracingEventReceiver::new(metadata, spans, LocalSpans::default());
    /// receiver.receive(TracingEvent::SpanDropped { id: 1 });
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    pub fn persist(mut self) -> (PersistedSpans, LocalSpans) {
        let (persisted, spans) = match self.to_restore.take() {
            Some(not_restored) => not_restored,
            None => self.stream.persist(&mut *self.sink),
        };
        self.sink.suspend();
        let sink = core::mem::replace(&mut self.sink, Box::new(Relay::default()));
        (persisted, LocalSpans { spans, sink: Some(sink) })
    }
}
