//! Records of the `log` crate by which `tracing` repeats itself, if its feature `log-always` is on.
//!
//! Its macros then log each event as a record, right after they have emitted it, and tell of spans by records as well.
//! A capture that gets the records of the `log` crate would have all of it twice.

use alloc::string::{String, ToString};
use core::cell::RefCell;

use tracing_core::Metadata;

use crate::capture::storage::values::NewValues;
use crate::wire::{CallSiteData, TracedValue, log_record};

/// Targets of the records that `tracing` logs about spans.
const OF_SPANS: [&str; 2] = ["tracing::span", "tracing::span::active"];

std::thread_local! {
    /// The latest event of the thread, if no record came after it: its call site, and how the text of its record
    /// begins.
    static LATEST: RefCell<Option<(&'static Metadata<'static>, String)>> = const { RefCell::new(None) };
}

/// Notes an event, which may be repeated.
pub(crate) fn note(metadata: &'static Metadata<'static>, values: &NewValues) {
    // The text is the message, if that comes first, and then `name=value` for each field.
    let first = values.iter().next().and_then(|(index, value)| {
        let name = metadata.fields().iter().nth(index)?.name();
        Some(if name == "message" { text_of(value) } else { name.to_string() + "=" })
    });
    let _ = LATEST
        .try_with(|latest| *latest.borrow_mut() = Some((metadata, first.unwrap_or_default())));
}

/// Whether a record repeats an event, or tells of a span. A record of the program's own comes from another line
/// than the event before it; where a macro traces and logs, it has to be the same text.
pub(crate) fn is_echo(data: &CallSiteData, values: &NewValues) -> bool {
    if OF_SPANS.contains(&&*data.target) {
        return true;
    }
    let latest = LATEST.try_with(|latest| latest.borrow_mut().take()).ok().flatten();
    let Some((metadata, start)) = latest else { return false };
    let text = values.iter().find(|(index, _)| *index == log_record::MESSAGE);
    let text = text.map(|(_, value)| text_of(value));
    data.target == metadata.target()
        && data.level.as_level() == metadata.level()
        && data.module_path.as_deref() == metadata.module_path()
        && data.file.as_deref() == metadata.file()
        && data.line == metadata.line()
        && text.is_some_and(|text| text.starts_with(&start))
}

fn text_of(value: &TracedValue) -> String {
    value.as_str().or_else(|| value.as_debug_str()).unwrap_or_default().to_string()
}
