use core::{
    ptr,
    sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
};

use once_cell::race::OnceRef;
use tracing_core::Metadata;

use super::segments::Segments;
use crate::wire::FilterAnswer;

/// Slots of a table that are looked at before the next table is turned to.
const PROBES: usize = 4;

/// Numbers call sites in the order of their first use, and remembers which are announced.
///
/// A subscriber cannot leave this to `register_callsite`: it is called while `tracing-core` holds
/// locks that a receiver in the same process needs, for call sites that are never used, and not at
/// all for metadata that is not registered (as in `tracing-log`).
///
/// Each segment is a hash table. A slot once taken stays taken, and a call site that finds those
/// it hashes to taken goes to the next table, which is twice as large. Since there are at least as many
/// slots as call sites, the tables have room for the list that leads from an ID back to its call site.
pub(super) struct CallSites {
    tables: Segments<CallSite>,
    /// Number of the tables that call sites have come to.
    len: AtomicUsize,
    next_id: AtomicU32,
}

/// Slot of a table: everything known about one call site.
#[derive(Default)]
pub(super) struct CallSite {
    metadata: OnceRef<'static, Metadata<'static>>,
    /// ID plus 1, or 0 while there is none.
    id_plus_1: AtomicU32,
    is_announced: AtomicBool,
    /// The call site whose ID is the index of this slot among those of all tables, whichever slot
    /// that one has itself.
    numbered: OnceRef<'static, Metadata<'static>>,
    /// The last answer of the host, as [`CallSite::set_answer()`] packs it, or 0 while there is none.
    answer: AtomicU32,
}

/// Bits of a packed answer that hold its code.
const CODE_BITS: u32 = 3;

/// What a host said of a call site, last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastAnswer {
    /// It was never asked.
    None,
    /// Its filter may have changed since.
    Old,
    Valid(FilterAnswer),
}

impl CallSite {
    /// Returns the last answer of the host, whose filter is of this generation.
    pub(super) fn answer(&self, generation: u32) -> LastAnswer {
        let packed = self.answer.load(Ordering::Relaxed);
        match (packed & ((1 << CODE_BITS) - 1)).checked_sub(1) {
            None => LastAnswer::None,
            Some(_) if packed >> CODE_BITS != (generation << CODE_BITS) >> CODE_BITS => {
                LastAnswer::Old
            }
            Some(code) => LastAnswer::Valid(FilterAnswer::from_code(code)),
        }
    }

    pub(super) fn set_answer(&self, generation: u32, answer: FilterAnswer) {
        let packed = generation << CODE_BITS | (answer.code() + 1);
        self.answer.store(packed, Ordering::Relaxed);
    }
}

impl CallSite {
    /// Whether the announcement was sent, to its end.
    ///
    /// Two threads that come here first at once both announce the call site: waiting for one
    /// another could take forever if the function that sends traces itself.
    #[inline]
    pub(super) fn is_announced(&self) -> bool {
        self.is_announced.load(Ordering::Acquire)
    }

    pub(super) fn set_announced(&self) {
        self.is_announced.store(true, Ordering::Release);
    }
}

impl CallSites {
    pub(super) const fn new() -> Self {
        Self { tables: Segments::new(), len: AtomicUsize::new(0), next_id: AtomicU32::new(0) }
    }

    /// Finds a call site, or takes a slot for it; `None` if all four billion IDs are used up.
    #[inline]
    pub(super) fn get_or_insert(
        &self,
        metadata: &'static Metadata<'static>,
    ) -> Option<(u32, &CallSite)> {
        let slot = self.slot(metadata)?;
        Some((self.id(slot, metadata)?, slot))
    }

    /// Finds a call site, or takes a slot for it, in which it has no ID yet.
    #[inline]
    pub(super) fn slot(&self, metadata: &'static Metadata<'static>) -> Option<&CallSite> {
        // Mostly, it is where it is looked for first.
        let slots = self.tables.segment(0).unwrap_or(&[]);
        match probes(slots, hash(metadata)).next() {
            Some(slot) if slot.metadata.get().is_some_and(|first| ptr::eq(first, metadata)) => {
                Some(slot)
            }
            _ => self.search(metadata),
        }
    }

    #[inline(never)]
    fn search(&self, metadata: &'static Metadata<'static>) -> Option<&CallSite> {
        let hash = hash(metadata);
        // The last tables have more slots than all before them, so that it is likely to be there.
        for table in (0..self.len.load(Ordering::Acquire)).rev() {
            for slot in probes(self.tables.segment(table).unwrap_or(&[]), hash) {
                match slot.metadata.get() {
                    Some(taken_by) if ptr::eq(taken_by, metadata) => return Some(slot),
                    Some(_) => {}
                    None => break, // it would have taken this one
                }
            }
        }
        let mut table = 0;
        loop {
            self.len.fetch_max(table + 1, Ordering::AcqRel);
            let slots = self.tables.segment_or_default(table)?;
            for slot in probes(slots, hash) {
                // If another thread takes the slot first, it may be for the same call site.
                if ptr::eq(slot.metadata.get_or_init(|| metadata), metadata) {
                    return Some(slot);
                }
            }
            table += 1;
        }
    }

    /// Finds a call site that has a slot, by metadata that may not be static.
    pub(super) fn find(
        &self,
        metadata: &Metadata<'_>,
    ) -> Option<(&'static Metadata<'static>, &CallSite)> {
        let hash = hash(metadata);
        let mut table = 0;
        loop {
            let slots = self.tables.segment(table)?;
            for slot in probes(slots, hash) {
                let taken_by = slot.metadata.get()?; // no slot is ever given up
                if address(taken_by) == address(metadata) {
                    return Some((taken_by, slot));
                }
            }
            table += 1;
        }
    }

    /// Returns the call site with this ID.
    pub(super) fn metadata(&self, id: u32) -> Option<&'static Metadata<'static>> {
        self.tables.get(usize::try_from(id).ok()?)?.numbered.get()
    }

    /// Returns the ID of a call site in this slot, which gets one if it has none.
    #[inline]
    pub(super) fn id(&self, slot: &CallSite, metadata: &'static Metadata<'static>) -> Option<u32> {
        match slot.id_plus_1.load(Ordering::Acquire).checked_sub(1) {
            Some(id) => Some(id),
            None => self.number(slot, metadata),
        }
    }

    #[cold]
    fn number(&self, slot: &CallSite, metadata: &'static Metadata<'static>) -> Option<u32> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let id_plus_1 = id.checked_add(1)?;
        // The place is this ID's alone, so that nothing can be there already.
        let place = self.tables.get_or_default(usize::try_from(id).ok()?)?;
        let _ = place.numbered.set(metadata);
        match slot.id_plus_1.compare_exchange(0, id_plus_1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Some(id),
            // Another thread was faster: its ID counts, and this one is never used.
            Err(winner) => winner.checked_sub(1),
        }
    }
}

/// The slots of a table that a call site may have.
#[inline]
fn probes(slots: &[CallSite], hash: usize) -> impl Iterator<Item = &CallSite> {
    // The length is a power of two.
    let mask = slots.len().wrapping_sub(1);
    (0..PROBES).filter_map(move |probe| slots.get(hash.wrapping_add(probe) & mask))
}

#[inline]
fn address(metadata: &Metadata<'_>) -> usize {
    ptr::from_ref(metadata) as usize
}

/// Spreads addresses, which are multiples of 8 and close to one another.
#[inline]
fn hash(metadata: &Metadata<'_>) -> usize {
    #[allow(clippy::cast_possible_truncation)] // any odd number will do
    const GOLDEN_RATIO: usize = 0x9e37_79b9_7f4a_7c15_u64 as usize;
    let product = address(metadata).wrapping_mul(GOLDEN_RATIO);
    product >> (usize::BITS / 2)
}

#[cfg(test)]
mod tests {
    use std::{boxed::Box, collections::HashSet, thread, vec::Vec};

    use tracing_core::{
        Kind, Level, callsite::DefaultCallsite, field::FieldSet, identify_callsite,
    };

    use super::*;

    static CALL_SITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = metadata();

    const fn metadata() -> Metadata<'static> {
        let fields = FieldSet::new(&[], identify_callsite!(&CALL_SITE));
        Metadata::new("name", "target", Level::INFO, None, None, None, fields, Kind::SPAN)
    }

    #[test]
    fn ids_are_sequential_and_lead_back_to_the_call_site() {
        let call_sites = CallSites::new();
        let all: Vec<&'static Metadata<'static>> =
            (0..2_000).map(|_| &*Box::leak(Box::new(metadata()))).collect();
        for round in 0..2 {
            for (i, &metadata) in (0..).zip(&all) {
                let (id, call_site) = call_sites.get_or_insert(metadata).unwrap();
                assert_eq!(id, i, "in round {round}");
                assert!(ptr::eq(call_sites.metadata(id).unwrap(), metadata));
                assert_eq!(call_site.is_announced(), round == 1);
                call_site.set_announced();
            }
        }
        assert!(call_sites.metadata(2_000).is_none());
    }

    #[test]
    fn only_what_has_a_slot_is_found() {
        let call_sites = CallSites::new();
        let all: Vec<&'static Metadata<'static>> =
            (0..500).map(|_| &*Box::leak(Box::new(metadata()))).collect();
        for &metadata in &all {
            assert!(call_sites.find(metadata).is_none());
            call_sites.slot(metadata).unwrap();
        }
        for &metadata in &all {
            let (found, slot) = call_sites.find(metadata).unwrap();
            assert!(ptr::eq(found, metadata));
            assert_eq!(slot.answer(7), LastAnswer::None);
            slot.set_answer(7, FilterAnswer::Never);
            assert_eq!(slot.answer(7), LastAnswer::Valid(FilterAnswer::Never));
            assert_eq!(slot.answer(8), LastAnswer::Old);
            slot.set_answer(u32::MAX, FilterAnswer::Always);
            assert_eq!(slot.answer(u32::MAX), LastAnswer::Valid(FilterAnswer::Always));
        }
        assert!(call_sites.find(&metadata()).is_none());
    }

    #[test]
    fn threads_agree_on_the_ids() {
        let call_sites = CallSites::new();
        let all: Vec<&'static Metadata<'static>> =
            (0..500).map(|_| &*Box::leak(Box::new(metadata()))).collect();
        let ids_of_all = || -> Vec<_> {
            all.iter().map(|metadata| call_sites.get_or_insert(metadata).unwrap().0).collect()
        };
        let ids: HashSet<Vec<u32>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ids_of_all)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1);
        let ids = ids.into_iter().next().unwrap();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 500);
    }
}
