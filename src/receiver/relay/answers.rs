//! What a subscriber wants, for programs that ask.

use alloc::collections::BTreeMap;
use core::ptr;

use tracing_core::{Dispatch, Interest};

use super::{
    Relay,
    guard::{guarded, with_default},
    log_records,
};
use crate::{
    receiver::{
        Limit, ReceiveError, ReceiverLimits,
        call_sites::{self, DynamicCallSite},
    },
    wire::{
        FilterAnswer, MetadataId, ThreadIndex,
        frame::{AskedSite, Question},
    },
};

/// Spans and events that may be outstanding at once: one for each place in the program that has
/// asked and has yet to send. A program that asks and never sends is not remembered for it.
const MAX_GRANTS: usize = 1_024;

/// What a program was told.
#[derive(Debug, Default)]
pub(super) struct Answers {
    call_sites: BTreeMap<MetadataId, AskedCallSite>,
    /// Spans and events that it was told are wanted now, by thread and address of the call site.
    grants: BTreeMap<(ThreadIndex, usize), u32>,
}

#[derive(Debug, Clone)]
struct AskedCallSite {
    site: &'static DynamicCallSite,
    /// What the subscriber says of the call site as such.
    interest: Interest,
    /// When it said so.
    generation: u32,
}

impl Relay {
    pub(super) fn answer_question(
        &mut self,
        question: &Question,
        limits: &ReceiverLimits,
    ) -> Result<FilterAnswer, ReceiveError> {
        let Some(dispatch) = self.dispatch.clone() else {
            // There may be a subscriber later.
            return Ok(FilterAnswer::NotNow);
        };
        self.told.tell(&dispatch); // what this subscriber filters out is never sent
        let thread = question.thread;
        let now = |is_enabled| if is_enabled { FilterAnswer::Now } else { FilterAnswer::NotNow };
        let (site, interest) = match &question.about {
            AskedSite::Described { id: None, data, .. } if log_records::is_question(data) => {
                limits.check_call_site(data)?;
                let data = data.clone();
                let ask = move |dispatch: &Dispatch| log_records::pass_on(dispatch, &data);
                return Ok(now(self.ask_now(thread, &dispatch, ask)));
            }
            AskedSite::Described { id, data, is_hint } => {
                let intern = if *is_hint { call_sites::intern_hint } else { call_sites::intern };
                if id.is_some_and(|id| !self.answers.call_sites.contains_key(&id)) {
                    limits.check_one_more(Limit::CallSites, self.answers.call_sites.len())?;
                }
                limits.check_call_site(data)?;
                let site = intern(data, limits)?;
                let Some(id) = *id else {
                    // It is of this moment only: no subscriber is told of it.
                    return Ok(now(self.is_enabled(site, thread, &dispatch)));
                };
                if !site.has_wanted_level() {
                    return Ok(FilterAnswer::Never); // as natively, no subscriber learns of it
                }
                site.reach(&dispatch);
                (site, self.ask(id, site, &dispatch))
            }
            AskedSite::Known(id) => match self.answers.call_sites.get(id).cloned() {
                None => return Ok(FilterAnswer::Unknown),
                Some(asked) if asked.generation == call_sites::filter_generation() => {
                    (asked.site, asked.interest)
                }
                Some(asked) if !asked.site.has_wanted_level() => return Ok(FilterAnswer::Never),
                Some(asked) => (asked.site, self.ask(*id, asked.site, &dispatch)),
            },
        };
        Ok(if site.is_of_no_interest() {
            FilterAnswer::Never
        } else if interest.is_always() {
            FilterAnswer::Always
        } else if self.is_enabled(site, thread, &dispatch) {
            self.grant(site, thread);
            FilterAnswer::Now
        } else {
            FilterAnswer::NotNow
        })
    }

    /// Asks the subscriber for its interest in a call site. If that is "always", the program need not
    /// ask again. If it is "never", it depends, natively too, on whether there are others in the
    /// process which are interested: the subscriber is asked then, and may answer otherwise.
    fn ask(
        &mut self,
        id: MetadataId,
        site: &'static DynamicCallSite,
        dispatch: &Dispatch,
    ) -> Interest {
        let generation = call_sites::filter_generation();
        let interest = with_default(dispatch, |dispatch| {
            guarded(dispatch, |dispatch| dispatch.register_callsite(site.static_metadata()))
        });
        let asked = AskedCallSite { site, interest: interest.clone(), generation };
        self.answers.call_sites.insert(id, asked);
        interest
    }

    /// Asks the subscriber whether it wants records of a call site now, on this thread of the
    /// program.
    fn is_enabled(
        &mut self,
        site: &'static DynamicCallSite,
        thread: ThreadIndex,
        dispatch: &Dispatch,
    ) -> bool {
        let ask = |dispatch: &Dispatch| dispatch.enabled(site.static_metadata());
        self.ask_now(thread, dispatch, ask)
    }

    /// Asks the subscriber in the lane of a thread.
    fn ask_now(
        &mut self,
        thread: ThreadIndex,
        dispatch: &Dispatch,
        ask: impl Fn(&Dispatch) -> bool + Send + 'static,
    ) -> bool {
        let ask = move |dispatch: &Dispatch| guarded(dispatch, &ask);
        let lane = self.lanes.lane(thread, dispatch);
        self.lanes.catch_up(thread, lane, dispatch);
        match self.lanes.worker(lane) {
            None => with_default(dispatch, ask),
            Some(worker) => worker.run(ask).unwrap_or(false),
        }
    }

    fn grant(&mut self, site: &'static DynamicCallSite, thread: ThreadIndex) {
        let grants = &mut self.answers.grants;
        let key = (thread, ptr::from_ref(site) as usize);
        if let Some(granted) = grants.get_mut(&key) {
            *granted = granted.saturating_add(1);
        } else if grants.len() < MAX_GRANTS {
            grants.insert(key, 1);
        }
    }

    /// Whether the program has asked for this span or event, and was told that it is wanted. A
    /// subscriber is to be asked once, as natively.
    pub(super) fn take_grant(
        &mut self,
        site: &'static DynamicCallSite,
        thread: ThreadIndex,
    ) -> bool {
        let grants = &mut self.answers.grants;
        if grants.is_empty() {
            return false; // as it always is where programs do not ask
        }
        let key = (thread, ptr::from_ref(site) as usize);
        let Some(granted) = grants.get_mut(&key) else { return false };
        *granted -= 1;
        if *granted == 0 {
            grants.remove(&key);
        }
        true
    }
}
