//! The host's filter, as a sender knows it: by asking.
//!
//! `tracing` would remember what a subscriber answers for a call site, but only asks while it holds
//! locks that a host in the same process needs, and forgets only if it is told to in the program. So
//! it is told "sometimes", asks each time, and the answers of the host are remembered here.

use alloc::boxed::Box;

use tracing_core::{Interest, LevelFilter, Metadata};

use super::{
    call_sites::{CallSites, LastAnswer},
    context::{Context, Sending, Thread},
};
use crate::wire::{FilterAnswer, MetadataId, frame::FrameWriter};

/// A host that a [`TracingEventSender`](crate::TracingEventSender) asks for what it wants.
///
/// A function that carries the question over to the host, and the answer back, is one. It is called
/// on the thread that traces, before the values of a span or event are evaluated, and has to keep
/// questions and frames in order. An answer of [`Never`](FilterAnswer::Never) or
/// [`Always`](FilterAnswer::Always) is remembered until [`generation()`](Self::generation()) changes;
/// by default, it does not.
///
/// # Example
///
/// A host in the same process, whose filter may change:
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use spanshot::TracingEventReceiver;
/// use spanshot_sender::{FilterAnswer, HostFilter, TracingEventSender};
///
/// struct Host(Arc<Mutex<TracingEventReceiver>>);
///
/// impl HostFilter for Host {
///     fn ask(&self, question: &[u8]) -> FilterAnswer {
///         // A question that is refused is none of this program's.
///         self.0.lock().unwrap().answer(question).unwrap_or(FilterAnswer::Always)
///     }
///
///     fn generation(&self) -> u32 {
///         TracingEventReceiver::filter_generation()
///     }
/// }
///
/// let host = Arc::new(Mutex::new(TracingEventReceiver::default()));
/// let sender = TracingEventSender::encoded(|_frame: &[u8]| {}).with_host_filter(Host(host));
/// ```
pub trait HostFilter: Send + Sync {
    /// Carries a [question](crate::frame#questions) to the host, and returns its answer.
    fn ask(&self, question: &[u8]) -> FilterAnswer;

    /// Returns a number that is another one whenever the host's filter has changed. It is called for
    /// each span and event that may be wanted, and should be fast.
    fn generation(&self) -> u32 {
        0
    }

    /// Returns the most verbose level that the host may want: the sender's
    /// [`max_level_hint()`](tracing_core::Subscriber::max_level_hint). With it, `LevelFilter::current()` in the
    /// program is at most the host's, and the program does not even ask about records that are more
    /// verbose. By default it asks about all.
    ///
    /// `tracing` remembers the level, and calls this again only when a subscriber is added, or after
    /// `tracing::callsite::rebuild_interest_cache()`. If the host's level may rise, have the program call
    /// that, or keep the default: the program would not send records that the host has come to want. A WASM
    /// guest keeps the default, since its host can call nothing in it.
    ///
    /// `tracing` holds locks while it calls this. Look the level up in memory; do not ask a receiver.
    ///
    /// # Example
    ///
    /// A host in the same process can ask the subscriber that it relays to:
    ///
    /// ```
    /// use std::sync::Arc;
    /// use spanshot_sender::{FilterAnswer, HostFilter};
    /// use tracing::{Subscriber, level_filters::LevelFilter};
    ///
    /// struct Host {
    ///     subscriber: Arc<dyn Subscriber + Send + Sync>,
    /// }
    ///
    /// impl HostFilter for Host {
    ///     fn ask(&self, _question: &[u8]) -> FilterAnswer {
    ///         FilterAnswer::Always // of what it is asked about
    ///     }
    ///
    ///     fn max_level(&self) -> LevelFilter {
    ///         self.subscriber.max_level_hint().unwrap_or(LevelFilter::TRACE)
    ///     }
    /// }
    /// ```
    fn max_level(&self) -> LevelFilter {
        LevelFilter::TRACE
    }
}

impl<F: Fn(&[u8]) -> FilterAnswer + Send + Sync> HostFilter for F {
    fn ask(&self, question: &[u8]) -> FilterAnswer {
        self(question)
    }
}

/// The host, if it is to be asked.
///
/// All that is there for asking is behind the one function that sets it up: a program that never
/// does so has nothing of it, which matters to small guests.
pub(super) struct AskedHost(Option<Box<dyn AskHost>>);

impl AskedHost {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    pub(super) fn asking(host: impl HostFilter + 'static) -> Self {
        Self(Some(Box::new(Asked(host))))
    }

    /// Says how often `tracing` is to ask about a call site that the sender itself lets pass.
    pub(super) fn register(
        &self,
        metadata: &'static Metadata<'static>,
        call_sites: &CallSites,
    ) -> Interest {
        if self.0.is_none() {
            return Interest::always();
        }
        call_sites.slot(metadata);
        Interest::sometimes()
    }

    /// The most verbose level that the host may want.
    pub(super) fn max_level(&self) -> LevelFilter {
        self.0.as_ref().map_or(LevelFilter::TRACE, |host| host.max_level())
    }

    /// Whether the host wants records of a call site now.
    pub(super) fn is_enabled(
        &self,
        metadata: &Metadata<'_>,
        call_sites: &CallSites,
        context: &Context,
    ) -> bool {
        self.0.as_ref().is_none_or(|host| host.wants(metadata, call_sites, context))
    }
}

trait AskHost: Send + Sync {
    fn wants(&self, metadata: &Metadata<'_>, call_sites: &CallSites, context: &Context) -> bool;

    fn max_level(&self) -> LevelFilter;
}

struct Asked<H>(H);

impl<H: HostFilter> AskHost for Asked<H> {
    fn wants(&self, metadata: &Metadata<'_>, call_sites: &CallSites, context: &Context) -> bool {
        is_wanted(&self.0, metadata, call_sites, &context.thread())
    }

    fn max_level(&self) -> LevelFilter {
        self.0.max_level()
    }
}

fn is_wanted(
    host: &dyn HostFilter,
    metadata: &Metadata<'_>,
    call_sites: &CallSites,
    thread: &Thread<'_>,
) -> bool {
    if thread.is_sending() {
        return false; // nothing is sent then
    }
    let generation = host.generation();
    let Some((metadata, call_site)) = call_sites.find(metadata) else {
        // Made for this moment, as `tracing-log` does it: not to be remembered.
        return ask(host, thread, None, metadata).is_wanted();
    };
    let last = call_site.answer(generation);
    if let LastAnswer::Valid(answer @ (FilterAnswer::Never | FilterAnswer::Always)) = last {
        return answer.is_wanted();
    }
    let Some(id) = call_sites.id(call_site, metadata).map(MetadataId::from) else {
        return true; // nothing can be said of it
    };
    let mut answer = FilterAnswer::Unknown;
    if last != LastAnswer::None {
        let mut question = FrameWriter::new();
        question.write_question_again(id, thread.index());
        answer = send(host, thread, &question);
    }
    if answer == FilterAnswer::Unknown {
        answer = ask(host, thread, Some(id), metadata);
    }
    call_site.set_answer(generation, answer);
    answer.is_wanted()
}

fn ask(
    host: &dyn HostFilter,
    thread: &Thread<'_>,
    id: Option<MetadataId>,
    metadata: &Metadata<'_>,
) -> FilterAnswer {
    let mut question = FrameWriter::new();
    question.write_question(id, metadata, thread.index());
    send(host, thread, &question)
}

/// What the function traces meanwhile is not sent, as it is with records.
fn send(host: &dyn HostFilter, thread: &Thread<'_>, question: &FrameWriter) -> FilterAnswer {
    let _sending = Sending::start(thread);
    host.ask(question.as_bytes())
}
