//! Attempts: going on from a persisted state, and going back to it.
//!
//! ```text
//! begin_attempt   keep a copy of the state, and one more handle of each open span
//! meanwhile       a span of the copy that nothing keeps open in the program is set aside, and stays open in the sink
//! persist         close what was set aside, and drop the additional handles
//! roll_back       close what was opened since, give spans the handles that the copy has, and take the copy
//! ```

use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};
use core::mem;

use super::{
    LocalSpans, TracingEventReceiver,
    relay::Relay,
    sink::{Sink, SinkSpan},
    span::{KnownSpan, LastHandle},
    stacks::Stacks,
    stream::Stream,
};
use crate::{
    panics::Steps,
    wire::{MetadataId, RawSpanId},
};

/// The state to go back to.
#[derive(Debug)]
pub(super) struct Checkpoint {
    call_site_ids: BTreeMap<MetadataId, usize>,
    /// How many call sites there were.
    call_sites: usize,
    spans: BTreeMap<RawSpanId, KnownSpan>,
    last_span_id: RawSpanId,
    without_handle: usize,
    stacks: Stacks,
    /// The last of the spans that were there, by the order of creation.
    created: u64,
    /// Spans of these that the program has closed since, in the order in which it did.
    set_aside: Vec<KnownSpan>,
}

impl TracingEventReceiver {
    /// Begins an attempt, which [`roll_back()`](Self::roll_back) undoes.
    ///
    /// Call it after you have restored a receiver from a state that you may go back to, if the guest traps for example.
    /// Spans that are open now stay open in the subscriber, or the storage, until the attempt is
    /// over: [`persist()`](Self::persist) closes those that the guest has closed by then. If you drop the receiver, they
    /// stay open.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, TracingEvent, TracingEventReceiver};
    ///
    /// let capture = Capture::start();
    /// let mut receiver = TracingEventReceiver::default();
    /// let stream = r#"[
    ///     {"new_call_site":{"id":0,"kind":"span","name":"job","target":"app","level":"info","fields":[]}},
    ///     {"new_span":{"id":1,"metadata_id":0,"values":{}}}
    /// ]"#;
    /// for event in serde_json::from_str::<Vec<TracingEvent>>(stream)? {
    ///     receiver.receive(event);
    /// }
    /// let metadata = receiver.persist_metadata();
    /// let (spans, mut local_spans) = receiver.persist();
    ///
    /// for _ in 0..3 {
    ///     let (metadata, spans) = (metadata.clone(), spans.clone());
    ///     let mut receiver = TracingEventReceiver::try_new(metadata, spans, local_spans)?;
    ///     receiver.begin_attempt();
    ///     receiver.receive(TracingEvent::SpanEntered { id: 1, thread: 0 });
    ///     local_spans = receiver.roll_back();
    /// }
    /// assert_eq!(capture.trace().to_string(), "INFO job{}");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn begin_attempt(&mut self) {
        self.start_if_possible();
        self.stream.end_attempt(&mut *self.sink);
        self.is_attempt_due = self.to_restore.is_some();
        if !self.is_attempt_due {
            self.stream.begin_attempt(&mut *self.sink);
        }
    }

    /// Undoes the guest's changes to its open spans since the [attempt began](Self::begin_attempt), and returns these
    /// spans for the next attempt.
    ///
    /// The receiver exits what the guest is in, closes the spans that the guest has opened since, and
    /// leaves those open that were open when the attempt began, even if the guest has closed them. Restore the next
    /// receiver from the same `metadata` and `spans` as this one, and with the spans that this returns. Events and values
    /// that the guest recorded stay in the trace.
    ///
    /// # Panics
    ///
    /// Panics if no attempt has begun.
    ///
    /// # Example
    ///
    /// See [`Self::begin_attempt()`].
    #[track_caller]
    pub fn roll_back(mut self) -> LocalSpans {
        if self.is_attempt_due {
            return LocalSpans::default(); // there was no subscriber yet
        }
        let Some(checkpoint) = self.stream.attempt.take() else {
            panic!(
                "no attempt has begun: call `begin_attempt()` after you have restored the state to go back to"
            )
        };
        let mut stream = mem::take(&mut self.stream);
        let mut sink = mem::replace(&mut self.sink, Box::new(Relay::default()));
        stream.go_back_to(*checkpoint, &mut *sink);
        sink.suspend();
        LocalSpans { stream: Some(stream), sink: Some(sink) }
    }
}

impl TracingEventReceiver {
    /// Whether an attempt has begun that is not over.
    pub(crate) fn is_in_attempt(&self) -> bool {
        self.is_attempt_due || self.stream.attempt.is_some()
    }
}

impl Checkpoint {
    /// Sets a span aside that the program has closed, if it is to stay open in the sink.
    pub(super) fn set_aside(&mut self, span: &KnownSpan, last_handle: LastHandle) -> bool {
        if span.created.get() > self.created {
            return false;
        }
        self.set_aside.push(KnownSpan { last_handle, ..span.clone() });
        true
    }
}

impl Stream {
    pub(super) fn begin_attempt(&mut self, sink: &mut (impl Sink + ?Sized)) {
        for span in self.spans.values().filter_map(|span| span.sink_span) {
            sink.clone_handle(span);
        }
        self.committed = self.created;
        self.attempt = Some(Box::new(Checkpoint {
            call_site_ids: self.call_site_ids.clone(),
            call_sites: self.call_sites.len(),
            spans: self.spans.clone(),
            last_span_id: self.last_span_id,
            without_handle: self.without_handle,
            stacks: self.stacks.clone(),
            created: self.created,
            set_aside: Vec::new(),
        }));
    }

    /// Ends an attempt that is not rolled back, if there is one.
    pub(super) fn end_attempt(&mut self, sink: &mut (impl Sink + ?Sized)) {
        let Some(attempt) = self.attempt.take() else { return };
        let still_open = self.spans.values().filter(|span| span.created.get() <= attempt.created);
        for span in still_open.filter_map(|span| span.sink_span) {
            sink.drop_handle(span);
        }
        for span in attempt.set_aside {
            let Some(sink_span) = span.sink_span else { continue };
            for _ in 0..=span.handles_in_sink() {
                sink.drop_handle(sink_span);
            }
            sink.closed(sink_span, span.entered > 0);
        }
    }

    fn go_back_to(&mut self, attempt: Checkpoint, sink: &mut (impl Sink + ?Sized)) {
        let mut steps = Steps::default();
        self.exit_all(sink, &mut steps);
        let Checkpoint {
            call_site_ids,
            call_sites,
            spans,
            last_span_id,
            without_handle,
            stacks,
            created,
            set_aside,
        } = attempt;
        let now = mem::replace(&mut self.spans, spans).into_values();
        let (opened, now): (Vec<_>, Vec<_>) = now.partition(|span| span.created.get() > created);
        close_all(opened, sink, &mut steps);
        let known = now.iter().chain(&set_aside);
        let handles: BTreeMap<_, _> =
            known.filter_map(|span| Some((span.sink_span?, span.handles_in_sink()))).collect();
        for span in self.spans.values() {
            let Some(sink_span) = span.sink_span else { continue };
            let (then, now) =
                (span.handles_in_sink(), handles.get(&sink_span).copied().unwrap_or_default());
            steps.run(|| {
                for _ in now..then {
                    sink.clone_handle(sink_span);
                }
                for _ in then..now {
                    sink.drop_handle(sink_span);
                }
                sink.drop_handle(sink_span); // the additional one
            });
        }
        steps.end();
        self.call_site_ids = call_site_ids;
        let opened = self.call_sites.iter().enumerate().skip(call_sites);
        self.rolled_back.extend(opened.map(|(index, site)| (Arc::clone(&site.data), index)));
        self.last_span_id = last_span_id;
        (self.without_handle, self.stacks) = (without_handle, stacks);
    }
}

/// Closes spans, the newest first.
pub(super) fn close_all(
    mut spans: Vec<KnownSpan>,
    sink: &mut (impl Sink + ?Sized),
    steps: &mut Steps,
) {
    spans.sort_unstable_by_key(|span| span.created);
    for span in spans.into_iter().rev() {
        if let Some(sink_span) = span.sink_span {
            steps.run(|| close(&span, sink_span, sink));
        }
    }
}

/// Drops those handles of a span that the sink knows.
fn close(span: &KnownSpan, sink_span: SinkSpan, sink: &mut (impl Sink + ?Sized)) {
    for _ in 0..span.handles_in_sink() {
        sink.drop_handle(sink_span);
    }
    sink.closed(sink_span, false); // all was exited
}
