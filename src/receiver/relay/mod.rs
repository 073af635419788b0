//! Relaying a stream to a subscriber.
//!
//! A stream has threads; its receiver has one, on which it calls the subscriber. That would be the
//! same thing, but for what `tracing` keeps for each thread: the spans that it is in. So each further
//! thread of the stream has one of the host's: see [`Lanes`].

// | file | content |
// |---|---|
// | `lanes.rs`, `occupants.rs` | which thread of the host stands for which thread of the stream |
// | `worker.rs` | a thread of the host that stands for one |
// | `host_threads.rs` | which threads of the host are in the spans of a stream's first thread |
// | `guard.rs` | what the rest of the program sees of a subscriber while it is told of a record |
// | `answers.rs` | what a subscriber wants, for programs that ask |
// | `observers.rs` | tells a capture where the receivers on its threads relay to |
// | `log_records.rs` | records of the `log` crate |

mod answers;
mod guard;
mod host_threads;
mod lanes;
mod log_records;
mod observers;
mod occupants;
mod worker;

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use core::fmt;

use tracing_core::{
    Dispatch, Event, dispatcher,
    span::{Attributes, Id, Record},
    subscriber::NoSubscriber,
};

pub(super) use self::host_threads::{HostThreads, Turn};
#[cfg(feature = "capture")]
pub(crate) use self::observers::{
    RelayObserver, RelayObserverGuard, note_ended_subscriber, observe_guests, observe_losses,
    observe_relays,
};
use self::{
    guard::{guarded, guarded_here, with_default},
    lanes::{Lane, Lanes},
    observers::{Told, tell_loss},
};
use super::{
    GuestScope, ReceiveError, ReceiverLimits,
    call_sites::{self, DynamicCallSite, StaticCallSite},
    per_thread::FIRST_THREAD,
    sink::{Innermost, Sink, SinkParent, SinkSpan, SinkValues},
    value_set::{with_value_set, with_values_alone},
    values::{borrowed, owned},
};
use crate::{
    log_record,
    said_parent::{SaidParent, handing_over},
    wire::{CallSiteData, FilterAnswer, ThreadIndex, frame::Question},
};

/// Sink that hands a stream to a subscriber, as `tracing`'s macros would have done.
#[derive(Debug, Default)]
pub(super) struct Relay {
    /// The subscriber, once there is one.
    dispatch: Option<Dispatch>,
    call_sites: Vec<CallSite>,
    lanes: Lanes,
    answers: answers::Answers,
    /// Which thread each open span was last on, unless that was the first one. A stream does not tell
    /// on which thread a handle is dropped, and there it mostly is.
    last_on: BTreeMap<SinkSpan, ThreadIndex>,
    /// IDs that the subscriber returned for cloned handles, if they are not the span's ID. A stream does
    /// not tell which handle is dropped: the latest clone is taken for it.
    cloned: BTreeMap<SinkSpan, Vec<Id>>,
    told: Told,
}

#[derive(Debug, Clone, Copy)]
struct CallSite {
    /// `None` for records of the `log` crate, which use the call sites of `tracing-log`.
    dynamic: Option<&'static DynamicCallSite>,
    site: StaticCallSite,
}

impl CallSite {
    #[inline]
    fn reach(self, dispatch: &Dispatch) {
        if let Some(site) = self.dynamic {
            site.reach(dispatch);
        }
    }

    /// Decides whether the subscriber gets a span or event with these values.
    #[inline]
    fn is_enabled(self, dispatch: &Dispatch, values: &SinkValues<'_>) -> bool {
        match self.dynamic {
            Some(site) => site.is_enabled(dispatch),
            None => log_records::is_enabled(dispatch, self.site.metadata, values),
        }
    }
}

/// Parent of a new span or event, as `tracing` has it.
#[derive(Clone)]
enum RelayedParent {
    Contextual,
    Root,
    Explicit(Id),
}

impl Relay {
    pub(super) fn new() -> Self {
        let mut relay = Self::default();
        relay.pin();
        relay
    }

    /// Decides for the current subscriber, unless that is done or there is none.
    fn pin(&mut self) {
        if self.dispatch.is_none() {
            let dispatch = dispatcher::get_default(Dispatch::clone);
            self.dispatch = Some(dispatch).filter(|dispatch| !dispatch.is::<NoSubscriber>());
            if let Some(dispatch) = &self.dispatch {
                self.lanes.host().set_dispatch(dispatch);
                let sites = self.call_sites.iter().filter_map(|call_site| call_site.dynamic);
                sites.for_each(|site| site.reach(dispatch));
            }
        }
    }

    /// Runs the function in the lane of a thread, with values, as `tracing`'s macros would create a
    /// span or emit an event: nothing comes back to the subscriber that it traces meanwhile.
    fn run<T: Send + 'static>(
        &mut self,
        thread: ThreadIndex,
        parent: SinkParent,
        values: &SinkValues<'_>,
        f: impl Fn(&Dispatch, &RelayedParent, &SinkValues<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let dispatch = self.dispatch.as_ref()?;
        let lane = self.lanes.lane(thread, dispatch);
        let is_exact = self.lanes.catch_up(thread, lane, dispatch);
        match self.lanes.worker(lane) {
            None => Some(guarded_here(dispatch, |dispatch| {
                let parent = self.parent(lane, is_exact, parent, dispatch);
                f(dispatch, &parent, values)
            })),
            Some(worker) => {
                let parent = with_default(dispatch, |dispatch| {
                    self.parent(lane, is_exact, parent, dispatch)
                });
                let values = owned(values);
                worker.run(move |dispatch| {
                    guarded(dispatch, |dispatch| f(dispatch, &parent, &borrowed(&values)))
                })
            }
        }
    }

    /// Finds the parent, which is contextual wherever the subscriber knows what the thread is in.
    fn parent(
        &self,
        lane: Lane,
        is_exact: bool,
        parent: SinkParent,
        dispatch: &Dispatch,
    ) -> RelayedParent {
        let innermost = match parent {
            SinkParent::Explicit(span) => return RelayedParent::Explicit(id(span)),
            SinkParent::Root => return RelayedParent::Root,
            SinkParent::Contextual(innermost) => innermost,
        };
        let in_host_span = || self.lanes.host_span(dispatch).map(RelayedParent::Explicit);
        match innermost {
            // The host's span is current on the thread that receives only.
            Innermost::None if matches!(lane, Lane::Worker(_)) => {
                in_host_span().unwrap_or(RelayedParent::Contextual)
            }
            _ if is_exact => RelayedParent::Contextual,
            Innermost::None => in_host_span().unwrap_or(RelayedParent::Root),
            Innermost::Open(span) => RelayedParent::Explicit(id(span)),
            Innermost::Closed => RelayedParent::Root,
        }
    }

    /// Notes that an open span is created, entered or exited on a thread.
    #[inline]
    fn note_thread(&mut self, span: SinkSpan, thread: ThreadIndex) {
        if thread != FIRST_THREAD {
            self.last_on.insert(span, thread);
        } else if !self.last_on.is_empty() {
            self.last_on.remove(&span);
        }
    }

    fn run_here(&self, f: impl FnOnce(&Dispatch)) {
        if let Some(dispatch) = &self.dispatch {
            with_default(dispatch, f);
        }
    }
}

fn id(span: SinkSpan) -> Id {
    Id::from_non_zero_u64(span)
}

impl Sink for Relay {
    fn start(&mut self) {
        self.pin();
    }

    fn is_ready(&self) -> bool {
        self.dispatch.is_some()
    }

    fn relay_elsewhere(&mut self) {
        self.lanes.leave_here();
    }

    fn is_elsewhere(&self) -> bool {
        self.lanes.is_elsewhere()
    }

    fn relay_in_place(&mut self) {
        self.lanes.stay_in_place();
    }

    fn scope(&self) -> GuestScope {
        GuestScope::new(self.lanes.host().clone())
    }

    fn enter_only_in_scope(&mut self, scope: Option<GuestScope>) {
        if let (Some(scope), Some(dispatch)) = (&scope, &self.dispatch) {
            scope.threads().set_dispatch(dispatch);
        }
        self.lanes.leave_after_calls(scope.map(|scope| scope.threads().clone()));
    }

    #[inline]
    fn is_in_scope(&self, thread: ThreadIndex) -> bool {
        self.lanes.is_in_scope(thread)
    }

    fn suspend(&mut self) {
        self.last_on.clear();
        self.lanes.end_workers();
    }

    fn answer(
        &mut self,
        question: &Question,
        limits: &ReceiverLimits,
    ) -> Result<FilterAnswer, ReceiveError> {
        self.answer_question(question, limits)
    }

    fn new_call_site(
        &mut self,
        data: &Arc<CallSiteData>,
        limits: &ReceiverLimits,
    ) -> Result<(), ReceiveError> {
        if log_record::is_of_log(data) {
            let site = log_records::call_site(data.level);
            self.call_sites.push(CallSite { dynamic: None, site });
            return Ok(());
        }
        let site = call_sites::intern(data, limits)?;
        self.call_sites.push(CallSite { dynamic: Some(site), site: site.as_static() });
        if let Some(dispatch) = &self.dispatch {
            site.reach(dispatch);
        }
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
        let values = values?;
        let call_site = *self.call_sites.get(call_site)?;
        let dispatch = self.dispatch.as_ref()?;
        self.told.tell(dispatch);
        call_site.reach(dispatch);
        let site = call_site.site;
        let is_granted = call_site.dynamic.is_some_and(|site| self.take_grant(site, thread));
        let span = self.run(thread, parent, values, move |dispatch, parent, values| {
            if !is_granted && !call_site.is_enabled(dispatch, values) {
                return None;
            }
            let metadata = site.metadata;
            with_value_set(site, values, |values| {
                let attributes = match parent {
                    RelayedParent::Contextual => Attributes::new(metadata, values),
                    RelayedParent::Root => Attributes::new_root(metadata, values),
                    RelayedParent::Explicit(id) => {
                        Attributes::child_of(id.clone(), metadata, values)
                    }
                };
                let id = handing_over(said, metadata, || dispatch.new_span(&attributes));
                Some(id.into_non_zero_u64())
            })
        });
        let span = span.flatten()?;
        self.note_thread(span, thread);
        Some(span)
    }

    fn new_event(
        &mut self,
        call_site: usize,
        thread: ThreadIndex,
        parent: SinkParent,
        said: SaidParent,
        values: Option<&SinkValues<'_>>,
    ) {
        let Some(values) = values else { return };
        let Some(call_site) = self.call_sites.get(call_site).copied() else { return };
        let Some(dispatch) = &self.dispatch else { return };
        self.told.tell(dispatch);
        call_site.reach(dispatch);
        let site = call_site.site;
        let is_granted = call_site.dynamic.is_some_and(|site| self.take_grant(site, thread));
        self.run(thread, parent, values, move |dispatch, parent, values| {
            if !is_granted && !call_site.is_enabled(dispatch, values) {
                return;
            }
            let metadata = site.metadata;
            with_value_set(site, values, |values| {
                let event = match parent {
                    RelayedParent::Contextual => Event::new(metadata, values),
                    RelayedParent::Root => Event::new_child_of(None, metadata, values),
                    RelayedParent::Explicit(id) => {
                        Event::new_child_of(id.clone(), metadata, values)
                    }
                };
                handing_over(said, metadata, || dispatch.event(&event));
            });
        });
    }

    fn record(&mut self, span: SinkSpan, call_site: usize, values: &SinkValues<'_>) {
        let Some(site) = self.call_sites.get(call_site).copied() else { return };
        if let Some(dispatch) = &self.dispatch {
            self.told.tell(dispatch);
        }
        self.run_here(|dispatch| {
            with_values_alone(site.site, values, |values| {
                dispatch.record(&id(span), &Record::new(values));
            });
        });
    }

    fn follows_from(&mut self, span: SinkSpan, follows_from: SinkSpan) {
        self.run_here(|dispatch| dispatch.record_follows_from(&id(span), &id(follows_from)));
    }

    fn enter(&mut self, span: SinkSpan, thread: ThreadIndex) {
        let Some(dispatch) = &self.dispatch else { return };
        self.told.tell(dispatch);
        self.lanes.enter(span, thread, dispatch);
        self.note_thread(span, thread);
    }

    fn exit(&mut self, span: SinkSpan, thread: ThreadIndex) {
        let Some(dispatch) = &self.dispatch else { return };
        self.lanes.exit(span, thread, dispatch);
        if self.last_on.contains_key(&span) {
            self.note_thread(span, thread); // it may be closed, and is not to be known again then
        }
    }

    fn clone_handle(&mut self, span: SinkSpan) {
        let Some(dispatch) = &self.dispatch else { return };
        let clone = with_default(dispatch, |dispatch| dispatch.clone_span(&id(span)));
        if clone != id(span) {
            self.cloned.entry(span).or_default().push(clone);
        }
    }

    fn drop_handle(&mut self, span: SinkSpan) {
        let thread = self.last_on.get(&span).copied().unwrap_or(FIRST_THREAD);
        let clone = self.cloned.get_mut(&span).and_then(Vec::pop);
        let Some(dispatch) = &self.dispatch else { return };
        self.lanes.run_in(self.lanes.lane_if_any(thread), dispatch, move |dispatch| {
            dispatch.try_close(clone.unwrap_or_else(|| id(span)));
        });
    }

    fn lose(&mut self, reason: &dyn fmt::Display) {
        if let Some(dispatch) = &self.dispatch {
            self.told.tell(dispatch);
            tell_loss(dispatch, reason);
        }
    }

    /// The subscriber counts by itself.
    fn closed(&mut self, span: SinkSpan, is_entered: bool) {
        if is_entered {
            self.lanes.host().closed(span);
        }
        if !self.last_on.is_empty() {
            self.last_on.remove(&span);
        }
        if !self.cloned.is_empty() {
            self.cloned.remove(&span);
        }
    }
}
