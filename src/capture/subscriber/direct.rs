#[cfg(feature = "log")]
use alloc::collections::BTreeMap;
use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{fmt, num::NonZeroU32};

#[cfg(feature = "log")]
use super::log_echo;
use crate::capture::{
    SharedStorage, Storage,
    storage::metadata::CallSite,
    storage::node::{NewParent, SpanKey},
    storage::threads::ThreadKey,
    storage::values::NewValues,
    subscriber::collect::take_place,
    subscriber::thread_spans,
};
use crate::{
    log_record,
    receiver::{
        Innermost, LocalSpans, ReceiveError, ReceiverLimits, Sink, SinkParent, SinkSpan,
        SinkValues, TracingEventReceiver, Unsent,
    },
    said_parent::SaidParent,
    wire::{CallSiteData, ThreadIndex, TracingLevel, ValueRef},
};

/// Sink that fills a storage, without a subscriber and without leaking anything.
#[derive(Debug)]
struct Direct {
    storage: SharedStorage,
    call_sites: Vec<KnownSite>,
    /// Values of the current record; its memory is reused for the next one.
    values: NewValues,
    /// Unique number of the stream.
    stream: u64,
    /// The latest event of each thread, which a record of the `log` crate may repeat.
    #[cfg(feature = "log")]
    latest: BTreeMap<ThreadKey, log_echo::Latest>,
}

/// Maximal number of threads whose latest event is known: a program may have any number of threads.
#[cfg(feature = "log")]
const MAX_LATEST: usize = 1_024;

/// A call site that the stream has announced.
#[derive(Debug)]
struct KnownSite {
    call_site: CallSite,
    /// The level, if records of the `log` crate come from it: each of these names its own place.
    of_log: Option<TracingLevel>,
}

impl TracingEventReceiver {
    /// Creates a receiver for a new stream that fills a storage directly.
    ///
    /// The result is the same as if you relayed the stream to a [`CaptureLayer`](crate::CaptureLayer) on an otherwise
    /// empty subscriber. But since there is no subscriber, nothing is filtered, and there is no current span of the
    /// host. Since no call sites are registered, nothing is leaked.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{SharedStorage, TracingEventReceiver, TracingEventSender};
    /// use std::sync::Mutex;
    ///
    /// let storage = SharedStorage::default();
    /// let receiver = Mutex::new(TracingEventReceiver::capturing(&storage));
    /// let sender = TracingEventSender::new(move |event| receiver.lock().unwrap().receive(event));
    /// tracing::subscriber::with_default(sender, || tracing::info!("started"));
    /// assert_eq!(storage.lock().all_events().next().unwrap().message(), Some("started"));
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "capture")))]
    pub fn capturing(storage: &SharedStorage) -> Self {
        Self::with_sink(Box::new(Direct::new(storage)))
    }
}

impl LocalSpans {
    /// Lets a restored receiver create its spans anew in a storage. The receiver then fills the storage directly, as
    /// with [`TracingEventReceiver::capturing()`] for a new stream.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{LocalSpans, SharedStorage, TracingEvent, TracingEventReceiver};
    ///
    /// let mut receiver = TracingEventReceiver::capturing(&SharedStorage::default());
    /// let stream = r#"[
    ///     {"new_call_site":{"id":0,"kind":"span","name":"job","target":"app","level":"info","fields":[]}},
    ///     {"new_span":{"id":1,"metadata_id":0,"values":{}}}
    /// ]"#;
    /// for event in serde_json::from_str::<Vec<TracingEvent>>(stream)? {
    ///     receiver.receive(event);
    /// }
    /// let metadata = receiver.persist_metadata();
    /// let (spans, _) = receiver.persist();
    ///
    /// // In another process, perhaps:
    /// let storage = SharedStorage::default();
    /// let local_spans = LocalSpans::capturing(&storage);
    /// let mut receiver = TracingEventReceiver::new(metadata, spans, local_spans);
    /// receiver.receive(TracingEvent::SpanDropped { id: 1 });
    /// assert!(storage.lock().all_spans().next().unwrap().stats().is_closed);
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "capture")))]
    pub fn capturing(storage: &SharedStorage) -> Self {
        Self::in_sink(Box::new(Direct::new(storage)))
    }
}

/// Set in the name of a span for which there was no room. The lower bits are the key of its nearest captured ancestor,
/// or 0.
const NOT_CAPTURED: SinkSpan = SinkSpan::new(1 << 32).unwrap();

/// Returns the name of a span for the receiver.
fn name(key: SpanKey) -> SinkSpan {
    key.into_raw().into()
}

fn name_not_captured(nearest: Option<SpanKey>) -> SinkSpan {
    NOT_CAPTURED | nearest.map_or(0, |key| name(key).get())
}

/// Returns the span, if it is captured.
fn key(span: SinkSpan) -> Option<SpanKey> {
    nearest(span).filter(|_| span.get() & NOT_CAPTURED.get() == 0)
}

/// Returns the span, or its nearest captured ancestor.
fn nearest(span: SinkSpan) -> Option<SpanKey> {
    let key = span.get() & !NOT_CAPTURED.get();
    NonZeroU32::new(u32::try_from(key).ok()?).map(SpanKey::from_raw)
}

impl SinkParent {
    fn key(self) -> Option<SpanKey> {
        match self {
            Self::Contextual(Innermost::Open(span)) | Self::Explicit(span) => nearest(span),
            Self::Contextual(Innermost::None | Innermost::Closed) | Self::Root => None,
        }
    }
}

impl Direct {
    fn new(storage: &SharedStorage) -> Self {
        let stream = thread_spans::next_number();
        Self {
            storage: storage.clone(),
            call_sites: Vec::new(),
            values: NewValues::new(),
            stream,
            #[cfg(feature = "log")]
            latest: BTreeMap::new(),
        }
    }

    fn thread(&self, thread: ThreadIndex) -> ThreadKey {
        ThreadKey::of_stream(self.stream, thread)
    }

    fn take(&mut self, values: &SinkValues<'_>) {
        self.values.clear();
        for (field, value) in values {
            self.values.push(*field, value.into());
        }
    }

    fn change(&self, span: SinkSpan, f: impl FnOnce(&mut Storage, SpanKey)) {
        if let Some(span) = key(span) {
            self.storage.write(|storage| f(storage, span));
        }
    }
}

impl Sink for Direct {
    #[inline]
    fn takes_each_value(&self) -> bool {
        true
    }

    #[inline]
    fn begin_values(&mut self) {
        self.values.clear();
    }

    #[inline(always)]
    fn take_value(&mut self, field: usize, value: &ValueRef<'_>) {
        self.values.push(field, value.into());
    }

    fn suspend(&mut self) {
        // A relaying receiver also starts other threads when it goes on.
        self.stream = thread_spans::next_number();
    }

    fn new_call_site(
        &mut self,
        data: &Arc<CallSiteData>,
        _limits: &ReceiverLimits,
    ) -> Result<(), ReceiveError> {
        let of_log = log_record::is_of_log(data).then_some(data.level);
        self.call_sites.push(KnownSite { call_site: CallSite::Received(Arc::clone(data)), of_log });
        Ok(())
    }

    fn new_span(
        &mut self,
        call_site: usize,
        thread: ThreadIndex,
        parent: SinkParent,
        said: SaidParent,
        values: Option<&SinkValues<'_>>,
    ) -> Option<SinkSpan> {
        let (around, thread) = (parent.key(), self.thread(thread));
        let parent = NewParent { span: around, said };
        if let Some(values) = values {
            self.take(values);
        }
        let (site, values) = (self.call_sites.get(call_site)?, &mut self.values);
        let call_site = &site.call_site;
        let key = self.storage.write(|storage| {
            let key = storage.push_span(call_site, parent, values, thread)?;
            storage.count_handles(key);
            Some(key)
        });
        Some(key.map_or_else(|| name_not_captured(around), name))
    }

    fn new_event(
        &mut self,
        call_site: usize,
        thread: ThreadIndex,
        parent: SinkParent,
        said: SaidParent,
        values: Option<&SinkValues<'_>>,
    ) {
        let thread = self.thread(thread);
        let parent = NewParent { span: parent.key(), said };
        if let Some(values) = values {
            self.take(values);
        }
        let Some(site) = self.call_sites.get(call_site) else { return };
        if let Some(level) = site.of_log {
            let place = take_place(level, &mut self.values);
            #[cfg(feature = "log")]
            if log_echo::is_echo(&place, &self.values, || self.latest.remove(&thread)) {
                return;
            }
            let call_site = CallSite::Logged(Arc::new(place));
            self.storage.emit(&call_site, parent, &mut self.values, thread);
        } else {
            #[cfg(feature = "log")]
            {
                if self.latest.len() >= MAX_LATEST {
                    self.latest.clear();
                }
                self.latest.insert(thread, log_echo::Latest::new(&site.call_site, &self.values));
            }
            self.storage.emit(&site.call_site, parent, &mut self.values, thread);
        }
    }

    fn record(&mut self, span: SinkSpan, _call_site: usize, values: &SinkValues<'_>) {
        let Some(span) = key(span) else { return };
        self.take(values);
        let values = &mut self.values;
        self.storage.write(|storage| storage.record(span, values));
    }

    fn follows_from(&mut self, span: SinkSpan, follows_from: SinkSpan) {
        let (Some(span), Some(follows_from)) = (key(span), key(follows_from)) else { return };
        self.storage.write(|storage| storage.follows_from(span, follows_from));
    }

    fn enter(&mut self, span: SinkSpan, thread: ThreadIndex) {
        let thread = self.thread(thread);
        self.change(span, |storage, span| storage.enter(span, thread));
    }

    fn exit(&mut self, span: SinkSpan, thread: ThreadIndex) {
        let thread = self.thread(thread);
        self.change(span, |storage, span| storage.exit(span, thread));
    }

    fn watch_guest(&mut self, guest: &Arc<Unsent>) {
        self.storage.watch_guest(&mut Arc::clone(guest));
    }

    fn lose(&mut self, reason: &dyn fmt::Display) {
        self.storage.note_lost(reason);
    }

    fn note_cloned(&mut self, span: SinkSpan) {
        self.change(span, Storage::clone_handle);
    }

    fn note_dropped(&mut self, span: SinkSpan) {
        self.change(span, Storage::count_drop);
    }

    fn clone_handle(&mut self, _span: SinkSpan) {}

    fn drop_handle(&mut self, _span: SinkSpan) {}

    fn closed(&mut self, span: SinkSpan, _is_entered: bool) {
        if span.get() & NOT_CAPTURED.get() == 0 {
            self.change(span, Storage::close);
        } else {
            self.storage.write(Storage::close_left_out);
        }
    }
}
