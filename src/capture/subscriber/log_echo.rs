//! Records of the `log` crate that repeat events of `tracing`, if its feature `log-always` is on.
//!
//! Its macros then log each event as a record, right after they have emitted it, and log spans as well. A capture that
//! gets the records of the `log` crate would have everything twice.

use alloc::{
    borrow::Cow,
    string::{String, ToString},
};
use core::cell::RefCell;

use super::collect::MESSAGE;
use crate::capture::{storage::metadata::CallSite, storage::values::NewValues};
use crate::wire::{CallSiteData, TracedValue};

/// Targets of the records that `tracing` logs about spans.
const OF_SPANS: [&str; 2] = ["tracing::span", "tracing::span::active"];

/// The latest event of a thread, which may be repeated by the next record.
#[derive(Debug)]
pub(super) struct Latest {
    call_site: CallSite,
    /// The beginning of its record's text.
    start: String,
}

std::thread_local! {
    /// The latest event of the thread, if no record came after it.
    static LATEST: RefCell<Option<Latest>> = const { RefCell::new(None) };
}

/// Notes an event of this thread.
pub(super) fn note(call_site: &CallSite, values: &NewValues) {
    let noted = Latest::new(call_site, values);
    let _ = LATEST.try_with(|latest| *latest.borrow_mut() = Some(noted));
}

/// Takes the latest event of this thread.
pub(super) fn take_latest() -> Option<Latest> {
    LATEST.try_with(|latest| latest.borrow_mut().take()).ok().flatten()
}

/// Checks whether a record repeats the latest event of its thread, or is about a span. The program's own records come
/// from another line than the event before them. If a macro traces and logs on one line, the texts are compared.
pub(super) fn is_echo(
    data: &CallSiteData,
    values: &NewValues,
    take_latest: impl FnOnce() -> Option<Latest>,
) -> bool {
    OF_SPANS.contains(&&*data.target)
        || take_latest().is_some_and(|latest| latest.is_repeated_by(data, values))
}

impl Latest {
    pub(super) fn new(call_site: &CallSite, values: &NewValues) -> Self {
        // The text is the message, if that comes first, and then `name=value` for each field.
        let first = values.iter().next().and_then(|(index, value)| {
            let name = match call_site {
                CallSite::Native(metadata) => metadata.fields().iter().nth(index)?.name(),
                CallSite::Received(data) | CallSite::Logged(data) => data.fields.get(index)?,
            };
            Some(if name == "message" { text_of(value) } else { name.to_string() + "=" })
        });
        Self { call_site: call_site.clone(), start: first.unwrap_or_default() }
    }

    fn is_repeated_by(&self, data: &CallSiteData, values: &NewValues) -> bool {
        let traced = match &self.call_site {
            CallSite::Native(metadata) => Cow::Owned(CallSiteData::from(*metadata)),
            CallSite::Received(data) | CallSite::Logged(data) => Cow::Borrowed(&**data),
        };
        let text = values.iter().find(|(index, _)| *index == MESSAGE);
        data.target == traced.target
            && data.level == traced.level
            && data.module_path == traced.module_path
            && data.file == traced.file
            && data.line == traced.line
            && text.is_some_and(|(_, value)| text_of(value).starts_with(&self.start))
    }
}

fn text_of(value: &TracedValue) -> String {
    value.as_str().or_else(|| value.as_debug_str()).unwrap_or_default().to_string()
}
