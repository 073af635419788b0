//! The call site and values of a record, in the form that a capture keeps.

use alloc::{borrow::ToOwned, sync::Arc, vec};
use core::cell::RefCell;

use tracing_core::{Event, Metadata, field::Visit};

#[cfg(feature = "log")]
use super::log_echo;
use crate::{
    capture::{storage::metadata::CallSite, storage::values::NewValues},
    log_record::{FIELDS, NAME, Place, TARGET},
    wire::{
        CallSiteData, CallSiteKind, FromTracedValue, TracedValue, TracingLevel, visit::FieldVisitor,
    },
};

std::thread_local! {
    /// Memory for the values of a record.
    static SPARE: RefCell<NewValues> = const { RefCell::new(NewValues::new()) };
}

/// Takes the values of a record, and passes them to a function. The traced code's `Debug` implementations run here:
/// before anything is locked.
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
    // The memory is in use if a `Debug` implementation traces, and gone if the thread is about to end.
    collected.ok().flatten().unwrap_or_else(|| collect(&mut NewValues::new()))
}

/// Takes the call site and the values of an event. An event for a record of the `log` crate gets the call site that the
/// record names itself. The function is not called for a record that repeats an event of `tracing`.
#[inline]
pub(crate) fn collect_event(event: &Event<'_>, mut f: impl FnMut(&CallSite, &mut NewValues)) {
    let metadata = event.metadata();
    collect(
        |visitor| event.record(visitor),
        |values| {
            if is_of_log(metadata) {
                let data = take_place((*metadata.level()).into(), values);
                #[cfg(feature = "log")]
                if log_echo::is_echo(&data, values, log_echo::take_latest) {
                    return;
                }
                f(&CallSite::Logged(Arc::new(data)), values);
            } else {
                let call_site = CallSite::Native(metadata);
                #[cfg(feature = "log")]
                log_echo::note(&call_site, values);
                f(&call_site, values);
            }
        },
    );
}

/// Index of the message among the fields that `tracing-log` gives to a record. The others describe its call site.
pub(super) const MESSAGE: usize = 0;

/// Checks whether this is the call site for records of the `log` crate. A macro with the same name and target would
/// have a file and a line.
fn is_of_log(metadata: &Metadata<'_>) -> bool {
    metadata.name() == NAME
        && metadata.target() == TARGET
        && metadata.module_path().is_none()
        && metadata.file().is_none()
        && metadata.line().is_none()
        && metadata.fields().iter().map(|field| field.name()).eq(FIELDS)
}

/// Takes the place of a record of the `log` crate out of its values, and leaves only the message.
pub(super) fn take_place(level: TracingLevel, values: &mut NewValues) -> CallSiteData {
    let number = |value: &TracedValue| u64::from_value(value);
    let place = Place::new(|| values.iter(), TracedValue::as_str, number);
    let owned = |text: &str| text.to_owned().into();
    let data = CallSiteData {
        kind: CallSiteKind::Event,
        name: NAME.into(),
        target: owned(place.target),
        level,
        module_path: place.module_path.map(owned),
        file: place.file.map(owned),
        line: place.line,
        fields: vec![FIELDS[MESSAGE].into()],
    };
    values.keep_only(MESSAGE);
    data
}
