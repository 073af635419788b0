//! The call sites of a storage, each once: a node refers to its call site by number.

use alloc::{sync::Arc, vec::Vec};
use core::{hash::BuildHasherDefault, num::NonZeroUsize};
use std::collections::HashMap;

#[cfg(feature = "predicates")]
use crate::capture::CapturedMetadata;
use crate::capture::{
    storage::metadata::{CallSite, KnownCallSite},
    storage::numbers::NumberHasher,
};
use crate::wire::CallSiteData;

/// Number of a call site in a storage, in the order of their first nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallSiteIndex(u32);

impl CallSiteIndex {
    pub(crate) fn get(self) -> usize {
        self.0 as usize
    }
}

/// Copies share the call sites, until one of them gets another one.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallSites {
    table: Arc<Table>,
    /// Recent call sites of nodes, each in the place of its address.
    recent: [Option<(NonZeroUsize, CallSiteIndex)>; RECENT],
}

const RECENT: usize = 32;

/// Call sites are about as far from one another as they are large.
const SIZE_BITS: u32 = 6;

#[derive(Debug, Clone, Default)]
struct Table {
    all: Vec<KnownCallSite>,
    /// By address. The call sites in `all` keep theirs alive.
    by_address: HashMap<NonZeroUsize, CallSiteIndex, BuildHasherDefault<NumberHasher>>,
    /// Call sites from the values of `log` records, each of which is allocated anew.
    logged: HashMap<Arc<CallSiteData>, CallSiteIndex>,
}

impl CallSites {
    #[inline]
    pub(crate) fn get(&self, index: CallSiteIndex) -> &KnownCallSite {
        &self.table.all[index.get()]
    }

    /// Iterates over all call sites that nodes came from.
    #[cfg(feature = "predicates")]
    pub(crate) fn all(&self) -> impl Iterator<Item = CapturedMetadata<'_>> {
        self.table.all.iter().map(KnownCallSite::metadata)
    }

    /// Returns the number of a call site, which is added if it is new; `None` if numbers have run out.
    #[inline]
    pub(crate) fn index(&mut self, call_site: &CallSite) -> Option<CallSiteIndex> {
        let address = call_site.address();
        let place = (address.get() >> SIZE_BITS) % RECENT;
        match self.recent[place] {
            Some((recent, index)) if recent == address => Some(index),
            _ => self.look_up(call_site, address, place),
        }
    }

    #[inline(never)] // programs come from few places, for a while
    fn look_up(
        &mut self,
        call_site: &CallSite,
        address: NonZeroUsize,
        place: usize,
    ) -> Option<CallSiteIndex> {
        let index = match self.table.find(call_site, address) {
            Some(index) => index,
            None => Arc::make_mut(&mut self.table).add(call_site, address)?,
        };
        if !matches!(call_site, CallSite::Logged(_)) {
            self.recent[place] = Some((address, index));
        }
        Some(index)
    }
}

impl Table {
    fn find(&self, call_site: &CallSite, address: NonZeroUsize) -> Option<CallSiteIndex> {
        match call_site {
            CallSite::Native(_) | CallSite::Received(_) => self.by_address.get(&address),
            CallSite::Logged(data) => self.logged.get(data),
        }
        .copied()
    }

    fn add(&mut self, call_site: &CallSite, address: NonZeroUsize) -> Option<CallSiteIndex> {
        let index = CallSiteIndex(u32::try_from(self.all.len()).ok()?);
        match call_site {
            CallSite::Native(_) | CallSite::Received(_) => self.by_address.insert(address, index),
            CallSite::Logged(data) => self.logged.insert(Arc::clone(data), index),
        };
        self.all.push(KnownCallSite::new(call_site.clone()));
        Some(index)
    }
}
