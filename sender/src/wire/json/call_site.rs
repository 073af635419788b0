use super::record::names;
use crate::wire::{CallSiteData, CallSiteKind, TracingLevel};

names!(CallSiteKind { Span = "span", Event = "event" });

names!(TracingLevel {
    Error = "error",
    Warn = "warn",
    Info = "info",
    Debug = "debug",
    Trace = "trace",
});

crate::__record!(CallSiteData {
    required kind,
    required name,
    required target,
    required level,
    optional module_path,
    optional file,
    optional line,
    required fields,
});
