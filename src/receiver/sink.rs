use alloc::sync::Arc;
use core::{fmt, num::NonZeroU64};

use super::{GuestScope, ReceiveError, ReceiverLimits, unsent::Unsent};
use crate::{
    said_parent::SaidParent,
    wire::{CallSiteData, FilterAnswer, ThreadIndex, ValueRef, frame::Question},
};

/// The name of a span in a sink. A span that the sink does not want has no name, and is never mentioned.
pub(crate) type SinkSpan = NonZeroU64;

/// Values and the indexes of their fields, in the order in which they were recorded.
pub(crate) type SinkValues<'a> = [(usize, ValueRef<'a>)];

/// Which span a new span or event is a child of, as a sink has to know it. What the program said of the parent is told
/// beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SinkParent {
    /// The innermost span that the record's thread has entered, if any.
    Contextual(Innermost),
    /// None.
    Root,
    /// This one.
    Explicit(SinkSpan),
}

/// The innermost span that a thread has entered, of those that the sink wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Innermost {
    /// There is none: the thread is wherever the host is.
    None,
    Open(SinkSpan),
    /// One that was closed since. A thread that is in it is in no span, even if others are around it.
    Closed,
}

/// Where a stream goes: the state machine has checked it, and calls nothing out of order.
pub(crate) trait Sink: Send + Sync {
    /// Whether it takes the values of new spans and events one by one, before it is told of these, wherever that
    /// is possible.
    #[inline]
    fn takes_each_value(&self) -> bool {
        false
    }

    /// Begins to take values. Those that it took before are no longer needed.
    #[inline]
    fn begin_values(&mut self) {}

    /// Takes the next value and the index of its field.
    #[inline]
    fn take_value(&mut self, _field: usize, _value: &ValueRef<'_>) {}

    /// The stream is suspended, and nothing is entered. It may go on with this sink.
    fn suspend(&mut self) {}

    /// Learns of a call site. The first one is number 0 from now on, the next one 1, and so on.
    /// It may refuse one for which there is no room within the limits.
    fn new_call_site(
        &mut self,
        data: &Arc<CallSiteData>,
        limits: &ReceiverLimits,
    ) -> Result<(), ReceiveError>;

    /// Creates a span with one handle, unless the sink does not want it. It has these values, or those that
    /// were taken.
    fn new_span(
        &mut self,
        call_site: usize,
        thread: ThreadIndex,
        parent: SinkParent,
        said: SaidParent,
        values: Option<&SinkValues<'_>>,
    ) -> Option<SinkSpan>;

    /// Emits an event, with these values, or those that were taken.
    fn new_event(
        &mut self,
        call_site: usize,
        thread: ThreadIndex,
        parent: SinkParent,
        said: SaidParent,
        values: Option<&SinkValues<'_>>,
    );

    fn record(&mut self, span: SinkSpan, call_site: usize, values: &SinkValues<'_>);

    fn follows_from(&mut self, span: SinkSpan, follows_from: SinkSpan);

    fn enter(&mut self, span: SinkSpan, thread: ThreadIndex);

    fn exit(&mut self, span: SinkSpan, thread: ThreadIndex);

    /// Learns that the program cloned a handle. What it has to do about it is told by [`Self::clone_handle()`].
    fn note_cloned(&mut self, _span: SinkSpan) {}

    /// Learns that the program dropped a handle. What it has to do about it is told by [`Self::drop_handle()`].
    fn note_dropped(&mut self, _span: SinkSpan) {}

    /// A handle of the span is cloned.
    fn clone_handle(&mut self, span: SinkSpan);

    /// A handle of the span is dropped.
    fn drop_handle(&mut self, span: SinkSpan);

    /// The span is closed: it has no handles, and its children are closed. It may be entered.
    fn closed(&mut self, span: SinkSpan, is_entered: bool);

    /// Learns that a record was lost before it was one for the sink.
    fn lose(&mut self, _reason: &dyn fmt::Display) {}

    /// Says what it wants of a call site.
    fn answer(
        &mut self,
        _question: &Question,
        _limits: &ReceiverLimits,
    ) -> Result<FilterAnswer, ReceiveError> {
        Ok(FilterAnswer::Always)
    }

    /// Looks at what a guest may not have sent, from now on. A sink that relays does so when the guest is called.
    fn watch_guest(&mut self, _guest: &Arc<Unsent>) {}

    /// Gets ready for a record, if it is not yet.
    fn start(&mut self) {}

    /// Whether the sink keeps the thread that receives out of the spans.
    fn is_elsewhere(&self) -> bool {
        false
    }

    /// From now on, the thread that receives is not one of the stream's.
    fn relay_elsewhere(&mut self) {}

    /// From now on, each thread of the stream is that which hands over its records.
    fn relay_in_place(&mut self) {}

    /// Returns the scope in which the host is in spans of the stream.
    fn scope(&self) -> GuestScope {
        GuestScope::default()
    }

    /// From now on, the host is in spans of the stream in its scope only, which may be set to this one.
    fn enter_only_in_scope(&mut self, _scope: Option<GuestScope>) {}

    /// Whether the program may enter and exit spans now.
    #[inline]
    fn is_in_scope(&self, _thread: ThreadIndex) -> bool {
        true
    }

    /// Whether spans can be created.
    fn is_ready(&self) -> bool {
        true
    }
}
