//! The call sites of a storage, each once, so that a node needs to have its number only.

use alloc::{sync::Arc, vec::Vec};
use core::{
    hash::{BuildHasherDefault, Hasher},
    ptr,
};
use std::collections::HashMap;

use super::metadata::{CallSite, KnownCallSite};
use crate::wire::CallSiteData;

/// Number of a call site in a storage, in the order in which nodes came from them first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallSiteIndex(u32);

impl CallSiteIndex {
    pub(crate) fn get(self) -> usize {
        self.0 as usize
    }
}

/// Copies share the call sites, until one of them gets another one.
#[derive(Debug, Clone, Default)]
pub(super) struct CallSites(Arc<Table>);

#[derive(Debug, Clone, Default)]
struct Table {
    all: Vec<KnownCallSite>,
    /// By where they are: what is in `all` stays there.
    by_address: HashMap<usize, CallSiteIndex, BuildHasherDefault<AddressHasher>>,
    /// Those that records of the `log` crate have in their values, each in one of its own.
    logged: HashMap<Arc<CallSiteData>, CallSiteIndex>,
}

impl CallSites {
    #[inline]
    pub(super) fn get(&self, index: CallSiteIndex) -> &KnownCallSite {
        &self.0.all[index.get()]
    }

    /// Returns the number of a call site, which gets one if it has none; `None` if there is none left.
    #[inline]
    pub(super) fn index(&mut self, call_site: &CallSite) -> Option<CallSiteIndex> {
        match self.0.find(call_site) {
            Some(index) => Some(index),
            None => Arc::make_mut(&mut self.0).add(call_site),
        }
    }
}

impl Table {
    #[inline]
    fn find(&self, call_site: &CallSite) -> Option<CallSiteIndex> {
        match call_site {
            CallSite::Native(metadata) => self.by_address.get(&ptr::from_ref(*metadata).addr()),
            CallSite::Received(data) => self.by_address.get(&Arc::as_ptr(data).addr()),
            CallSite::Logged(data) => self.logged.get(data),
        }
        .copied()
    }

    #[cold]
    fn add(&mut self, call_site: &CallSite) -> Option<CallSiteIndex> {
        let index = CallSiteIndex(u32::try_from(self.all.len()).ok()?);
        match call_site {
            CallSite::Native(metadata) => {
                self.by_address.insert(ptr::from_ref(*metadata).addr(), index);
            }
            CallSite::Received(data) => {
                self.by_address.insert(Arc::as_ptr(data).addr(), index);
            }
            CallSite::Logged(data) => {
                self.logged.insert(Arc::clone(data), index);
            }
        }
        self.all.push(KnownCallSite::new(call_site.clone()));
        Some(index)
    }
}

/// Hashes an address, which nobody outside of the process chooses.
#[derive(Debug, Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    /// Spreads addresses, which are multiples of 8 and close to one another, over all bits.
    #[inline]
    fn write_usize(&mut self, address: usize) {
        let product = u128::from(self.0 ^ address as u64) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product as u64) ^ (product >> u64::BITS) as u64;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
