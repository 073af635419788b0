//! What a record holds, as a capture keeps it.

use alloc::{sync::Arc, vec::Vec};
use core::{
    cell::Cell,
    mem,
    ops::{Deref, DerefMut},
};

use tracing_core::{
    Event, Metadata,
    field::{Field, Visit},
};

use super::{metadata::CallSite, values::NewValues};
use crate::wire::{
    CallSiteData, FromTracedValue, TracedValue, log_record,
    visit::{FieldVisitor, VisitValue, VisitedValue},
};

std::thread_local! {
    /// Memory for the values of the next record.
    static SPARE: Cell<NewValues> = const { Cell::new(NewValues::new()) };
}

/// Values that a thread may keep memory for.
const MAX_SPARE: usize = 1_024;

/// Values of a record, whose memory is that of the thread.
#[derive(Debug)]
pub(super) struct Collected(NewValues);

impl Deref for Collected {
    type Target = NewValues;

    fn deref(&self) -> &NewValues {
        &self.0
    }
}

impl DerefMut for Collected {
    fn deref_mut(&mut self) -> &mut NewValues {
        &mut self.0
    }
}

impl Drop for Collected {
    fn drop(&mut self) {
        if self.0.capacity() <= MAX_SPARE {
            let mut spare = mem::take(&mut self.0);
            spare.clear();
            // A thread that is about to end keeps nothing any more.
            let _ = SPARE.try_with(|kept| {
                let other = kept.replace(spare);
                if other.capacity() == 0 {
                    mem::forget(other); // nearly always: there is nothing to look for
                }
            });
        }
    }
}

impl VisitValue for Collected {
    #[inline(always)] // as what is called here
    fn visit(&mut self, field: &Field, value: VisitedValue<'_>) {
        self.0.push(field.index(), value.into());
    }
}

/// Takes the values of a record. This is where the traced code's `Debug` implementations run:
/// before, and not while, anything is locked. They may trace: what they trace finds no spare memory.
#[inline]
pub(super) fn collect(record: impl FnOnce(&mut dyn Visit)) -> Collected {
    let spare = SPARE.try_with(Cell::take).unwrap_or_default();
    let mut visitor = FieldVisitor(Collected(spare));
    record(&mut visitor);
    visitor.0
}

/// Takes the call site and the values of an event. One that stands for a record of the `log` crate
/// has the call site that the record names itself.
pub(super) fn collect_event(event: &Event<'_>) -> (CallSite, Collected) {
    let metadata = event.metadata();
    let mut values = collect(|visitor| event.record(visitor));
    let names = metadata.fields().iter().map(|field| field.name());
    let call_site = if log_record::is_log_event(metadata.name(), metadata.target(), names) {
        log_call_site(metadata, &mut values)
    } else {
        CallSite::Native(metadata)
    };
    (call_site, values)
}

fn log_call_site(metadata: &'static Metadata<'static>, values: &mut NewValues) -> CallSite {
    let all: Vec<_> = values.iter().collect();
    let number = |value: &&TracedValue| u64::from_value(value);
    let data = CallSiteData::from(metadata);
    let data = log_record::call_site(&data, &all, |value| value.as_str(), number);
    values.keep_only(log_record::MESSAGE);
    CallSite::Logged(Arc::new(data))
}
