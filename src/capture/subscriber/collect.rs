//! What a record holds, as a capture keeps it.

use alloc::{sync::Arc, vec::Vec};
use core::cell::RefCell;

use tracing_core::{Event, Metadata, field::Visit};

use crate::capture::{storage::metadata::CallSite, storage::values::NewValues};
use crate::wire::{CallSiteData, FromTracedValue, TracedValue, log_record, visit::FieldVisitor};

std::thread_local! {
    /// Memory for the values of a record.
    static SPARE: RefCell<NewValues> = const { RefCell::new(NewValues::new()) };
}

/// Takes the values of a record, and gives them to a function. This is where the traced code's `Debug`
/// implementations run: before, and not while, anything is locked.
#[inline]
pub(crate) fn collect<T>(
    record: impl Fn(&mut dyn Visit),
    mut f: impl FnMut(&mut NewValues) -> T,
) -> T {
    let mut collect = |values: &mut NewValues| {
        record(&mut FieldVisitor(&mut *values));
        f(values)
    };
    let collected = SPARE.try_with(|spare| {
        let mut values = spare.try_borrow_mut().ok()?;
        values.clear(); // if the function has panicked before
        let result = collect(&mut values);
        if values.is_large() {
            *values = NewValues::new();
        }
        Some(result)
    });
    // It is in use where a `Debug` implementation traces, and gone where a thread is about to end.
    collected.ok().flatten().unwrap_or_else(|| collect(&mut NewValues::new()))
}

/// Takes the call site and the values of an event. One that stands for a record of the `log` crate
/// has the call site that the record names itself. The function is not called for a record by which `tracing`
/// repeats what it has said already.
#[inline]
pub(crate) fn collect_event(event: &Event<'_>, mut f: impl FnMut(&CallSite, &mut NewValues)) {
    let metadata = event.metadata();
    collect(
        |visitor| event.record(visitor),
        |values| {
            let names = metadata.fields().iter().map(|field| field.name());
            if log_record::is_log_event(metadata.name(), metadata.target(), names) {
                let data = log_call_site(metadata, values);
                #[cfg(feature = "log")]
                if super::log_echo::is_echo(&data, values) {
                    return;
                }
                f(&CallSite::Logged(Arc::new(data)), values);
            } else {
                #[cfg(feature = "log")]
                super::log_echo::note(metadata, values);
                f(&CallSite::Native(metadata), values);
            }
        },
    );
}

fn log_call_site(metadata: &'static Metadata<'static>, values: &mut NewValues) -> CallSiteData {
    let all: Vec<_> = values.iter().map(|(field, value)| (field, value.clone())).collect();
    let number = |value: &TracedValue| u64::from_value(value);
    let data = CallSiteData::from(metadata);
    let data = log_record::call_site(&data, &all, |value| value.as_str(), number);
    values.keep_only(log_record::MESSAGE);
    data
}
