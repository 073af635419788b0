use alloc::{sync::Arc, vec::Vec};

use tracing_core::{
    Dispatch, Event, Metadata, dispatcher,
    span::{Attributes, Id, Record},
    subscriber::NoSubscriber,
};

use super::{
    call_sites::{self, DynamicCallSite},
    sink::{Sink, SinkParent, SinkSpan, SinkValues},
    value_set::with_value_set,
};
use crate::wire::CallSiteData;

/// Sink that hands a stream to a subscriber, as `tracing`'s macros would have done.
#[derive(Debug, Default)]
pub(super) struct Relay {
    /// The subscriber, once there is one.
    dispatch: Option<Dispatch>,
    call_sites: Vec<&'static DynamicCallSite>,
    /// Spans of the stream that are entered.
    entered: usize,
    /// The host's span that was current when the first of them was entered, kept open until the
    /// last of them is exited.
    host_span: Option<Id>,
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
        }
    }

    /// Runs the function while the subscriber is the default one: a subscriber may ask for it, as
    /// `Registry` does when it closes the parent of a closed span.
    ///
    /// A receiver may be fed by the hook of a sender, in the middle of a dispatch on this thread.
    /// Then the default cannot be changed; but neither has it a say, since `tracing-core` takes
    /// nothing that is traced meanwhile.
    fn with<T>(&self, f: impl FnOnce(&Dispatch) -> T) -> Option<T> {
        let dispatch = self.dispatch.as_ref()?;
        Some(if dispatcher::get_current(|_| ()).is_some() {
            dispatcher::with_default(dispatch, || f(dispatch))
        } else {
            f(dispatch)
        })
    }

    /// Does the same, and sees to it that nothing which the subscriber traces meanwhile comes back
    /// to it: `tracing`'s macros create spans and emit events in this way.
    fn with_guarded<T>(&self, f: impl Fn(&Dispatch) -> T) -> Option<T> {
        self.with(|dispatch| {
            dispatcher::get_current(|current| f(current)).unwrap_or_else(|| f(dispatch))
        })
    }

    /// Finds the parent. All threads of the stream are in the receiver's thread here, where spans of
    /// one may be around those of another: then the subscriber's current span is not the right one.
    fn parent(&self, parent: SinkParent) -> RelayedParent {
        match parent {
            SinkParent::Contextual { is_ambiguous: false, .. } => RelayedParent::Contextual,
            SinkParent::Contextual { .. } if self.entered == 0 => RelayedParent::Contextual,
            SinkParent::Contextual { current: None, .. } => {
                self.host_span.clone().map_or(RelayedParent::Root, RelayedParent::Explicit)
            }
            SinkParent::Contextual { current: Some(span), .. } | SinkParent::Explicit(span) => {
                RelayedParent::Explicit(id(span))
            }
            SinkParent::Root => RelayedParent::Root,
        }
    }

    fn call_site(
        &self,
        index: usize,
    ) -> Option<(&'static DynamicCallSite, &'static Metadata<'static>)> {
        let call_site = *self.call_sites.get(index)?;
        Some((call_site, call_site.static_metadata()))
    }
}

/// Parent of a new span or event, as `tracing` has it.
enum RelayedParent {
    Contextual,
    Root,
    Explicit(Id),
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

    fn forget_call_sites(&mut self) {
        self.call_sites.clear();
    }

    fn new_call_site(&mut self, data: &Arc<CallSiteData>) {
        let call_site = call_sites::intern(data);
        self.call_sites.push(call_site);
        if self.with(|_| call_site.register()).is_none() {
            call_site.register();
        }
    }

    fn new_span(
        &mut self,
        call_site: usize,
        parent: SinkParent,
        values: &SinkValues<'_>,
    ) -> Option<SinkSpan> {
        let (call_site, metadata) = self.call_site(call_site)?;
        let span = self.with_guarded(|dispatch| {
            if !call_site.is_enabled(dispatch) {
                return None;
            }
            with_value_set(metadata, values, |values| {
                let attributes = match self.parent(parent) {
                    RelayedParent::Contextual => Attributes::new(metadata, values),
                    RelayedParent::Root => Attributes::new_root(metadata, values),
                    RelayedParent::Explicit(id) => Attributes::child_of(id, metadata, values),
                };
                Some(dispatch.new_span(&attributes))
            })
        });
        span.flatten().map(|id| id.into_non_zero_u64())
    }

    fn new_event(&mut self, call_site: usize, parent: SinkParent, values: &SinkValues<'_>) {
        let Some((call_site, metadata)) = self.call_site(call_site) else { return };
        self.with_guarded(|dispatch| {
            if !call_site.is_enabled(dispatch) {
                return;
            }
            with_value_set(metadata, values, |values| {
                dispatch.event(&match self.parent(parent) {
                    RelayedParent::Contextual => Event::new(metadata, values),
                    RelayedParent::Root => Event::new_child_of(None, metadata, values),
                    RelayedParent::Explicit(id) => Event::new_child_of(id, metadata, values),
                });
            });
        });
    }

    fn record(&mut self, span: SinkSpan, call_site: usize, values: &SinkValues<'_>) {
        let Some((_, metadata)) = self.call_site(call_site) else { return };
        self.with(|dispatch| {
            with_value_set(metadata, values, |values| {
                dispatch.record(&id(span), &Record::new(values));
            });
        });
    }

    fn follows_from(&mut self, span: SinkSpan, follows_from: SinkSpan) {
        self.with(|dispatch| dispatch.record_follows_from(&id(span), &id(follows_from)));
    }

    fn enter(&mut self, span: SinkSpan) {
        if self.entered == 0 {
            let host_span = self
                .with(|dispatch| dispatch.current_span().id().map(|id| dispatch.clone_span(id)));
            self.host_span = host_span.flatten();
        }
        self.entered += 1;
        self.with(|dispatch| dispatch.enter(&id(span)));
    }

    fn exit(&mut self, span: SinkSpan) {
        self.with(|dispatch| dispatch.exit(&id(span)));
        self.entered = self.entered.saturating_sub(1);
        if self.entered == 0 {
            if let Some(host_span) = self.host_span.take() {
                self.with(|dispatch| dispatch.try_close(host_span));
            }
        }
    }

    fn clone_handle(&mut self, span: SinkSpan) {
        self.with(|dispatch| dispatch.clone_span(&id(span)));
    }

    fn drop_handle(&mut self, span: SinkSpan) {
        self.with(|dispatch| dispatch.try_close(id(span)));
    }

    /// The subscriber counts by itself.
    fn closed(&mut self, _span: SinkSpan) {}
}
