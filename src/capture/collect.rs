//! What a record holds, as a capture keeps it.

use alloc::{sync::Arc, vec::Vec};

use tracing_core::{
    Event, Metadata,
    field::{Field, Visit},
};

use super::{metadata::CallSite, node::NewValues};
use crate::wire::{
    CallSiteData, FromTracedValue, TracedValue, log_record,
    visit::{FieldVisitor, VisitValue, VisitedValue},
};

/// Takes the values of a record. This is where the traced code's `Debug` implementations run:
/// before, and not while, anything is locked.
pub(super) fn collect(record: impl FnOnce(&mut dyn Visit)) -> NewValues {
    struct Collector(NewValues);

    impl VisitValue for Collector {
        fn visit(&mut self, field: &Field, value: VisitedValue<'_>) {
            self.0.push((field.index(), value.into()));
        }
    }

    let mut visitor = FieldVisitor(Collector(Vec::new()));
    record(&mut visitor);
    visitor.0.0
}

/// Takes the call site and the values of an event. One that stands for a record of the `log` crate
/// has the call site that the record names itself.
pub(super) fn collect_event(event: &Event<'_>) -> (CallSite, NewValues) {
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
    let number = |value: &TracedValue| u64::from_value(value);
    let data = CallSiteData::from(metadata);
    let data = log_record::call_site(&data, values, TracedValue::as_str, number);
    values.retain(|(field, _)| *field == log_record::MESSAGE);
    CallSite::Received(Arc::new(data))
}
