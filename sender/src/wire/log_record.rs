//! Records of the `log` crate, which `tracing-log` makes events of.
//!
//! All of them come from five static call sites, one a level, with the target `log`; where they
//! really come from stands in their values. `tracing-log` has subscribers put it right
//! (`NormalizeEvent`), but knows its records by the address of the call site, which a record that was
//! sent elsewhere does not have any more.

use alloc::{borrow::ToOwned, string::String, vec};

use super::CallSiteData;

/// Name, target and fields of the call sites of `tracing-log` 0.1 and 0.2.
const NAME: &str = "log event";
const TARGET: &str = "log";
const FIELDS: [&str; 5] = ["message", "log.target", "log.module_path", "log.file", "log.line"];

/// Index of the one field that is the record's own.
pub const MESSAGE: usize = 0;

pub fn is_log_event<'a>(name: &str, target: &str, fields: impl Iterator<Item = &'a str>) -> bool {
    name == NAME && target == TARGET && fields.eq(FIELDS)
}

/// Where a record says that it comes from. It has a message, and no other field.
pub fn call_site<'v, V: 'v>(
    data: &CallSiteData,
    values: &'v [(usize, V)],
    text: impl Fn(&'v V) -> Option<&'v str>,
    number: impl Fn(&'v V) -> Option<u64>,
) -> CallSiteData {
    let value = |index| values.iter().find(|(field, _)| *field == index).map(|(_, value)| value);
    let text = |index| value(index).and_then(&text).map(str::to_owned);
    CallSiteData {
        kind: data.kind,
        name: data.name.clone(),
        target: text(1).unwrap_or_else(|| String::from(TARGET)).into(),
        level: data.level,
        module_path: text(2).map(Into::into),
        file: text(3).map(Into::into),
        line: value(4).and_then(&number).and_then(|line| u32::try_from(line).ok()),
        fields: vec![FIELDS[MESSAGE].into()],
    }
}
