//! Records of the `log` crate, which `tracing-log` turns into events.
//!
//! Their events come from five call sites, one per level, which have the target `log` and no place in a file. The
//! values of a record name its real origin. A relay hands the records to `tracing` unchanged, since subscribers know
//! how to read them; a capture shows them under the place that they name.

use spanshot_sender::{CallSiteData, CallSiteKind};

/// Name, target and fields of the call sites of `tracing-log` 0.1 and 0.2.
pub(crate) const NAME: &str = "log event";
pub(crate) const TARGET: &str = "log";
pub(crate) const FIELDS: [&str; 5] =
    ["message", "log.target", "log.module_path", "log.file", "log.line"];

/// Whether records of the `log` crate come from this call site, in the program that sent it.
pub(crate) fn is_of_log(data: &CallSiteData) -> bool {
    data.kind == CallSiteKind::Event
        && data.name == NAME
        && data.target == TARGET
        && data.module_path.is_none()
        && data.file.is_none()
        && data.line.is_none()
        && data.fields.iter().eq(FIELDS.iter())
}

/// The place that a record names as its origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) target: &'a str,
    pub(crate) module_path: Option<&'a str>,
    pub(crate) file: Option<&'a str>,
    pub(crate) line: Option<u32>,
}

impl<'a> Place<'a> {
    /// Reads the place from the values of a record.
    pub(crate) fn new<V: 'a, I: Iterator<Item = (usize, &'a V)>>(
        values: impl Fn() -> I,
        text: impl Fn(&'a V) -> Option<&'a str>,
        number: impl Fn(&'a V) -> Option<u64>,
    ) -> Self {
        let value = |index| values().find(|(field, _)| *field == index).map(|(_, value)| value);
        let text = |index| value(index).and_then(&text);
        Self {
            target: text(1).unwrap_or(TARGET),
            module_path: text(2),
            file: text(3),
            line: value(4).and_then(number).and_then(|line| u32::try_from(line).ok()),
        }
    }
}
