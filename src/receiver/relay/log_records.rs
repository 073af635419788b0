//! Records of the `log` crate, relayed as `tracing-log` would emit them.
//!
//! Subscribers know these events by their call sites, which are `tracing-log`'s in the host:
//! `NormalizeEvent::is_log()` compares them. A subscriber is never told of the call sites, but is asked about
//! each record, under the target that the record names. So nothing is leaked for that.

use alloc::vec::Vec;
use std::sync::LazyLock;

use tracing_core::{
    Dispatch, Kind, LevelFilter, Metadata,
    field::{Field, FieldSet},
};
use tracing_log::{AsTrace, log};

use crate::{
    log_record::{FIELDS, NAME, Place, TARGET},
    receiver::{call_sites::StaticCallSite, sink::SinkValues},
    wire::{CallSiteData, CallSiteKind, TracingLevel, ValueRef},
};

/// Name of the metadata by which `tracing-log` asks about a record.
const ASKING: &str = "log record";

/// Returns the call site of events of this level. `tracing-log` does not hand out its metadata, but its call
/// sites, which subscribers compare.
pub(super) fn call_site(level: TracingLevel) -> StaticCallSite {
    static CALL_SITES: LazyLock<[(Metadata<'static>, Vec<Field>); 5]> = LazyLock::new(|| {
        use log::Level::{Debug, Error, Info, Trace, Warn};

        [Error, Warn, Info, Debug, Trace].map(|level| {
            let of_level = log::Metadata::builder().level(level).target(TARGET).build().as_trace();
            let fields = FieldSet::new(&FIELDS, of_level.callsite());
            let level = *of_level.level();
            let metadata =
                Metadata::new(NAME, TARGET, level, None, None, None, fields, Kind::EVENT);
            let fields = metadata.fields().iter().collect();
            (metadata, fields)
        })
    });
    let [error, warn, info, debug, trace] = &*CALL_SITES;
    let (metadata, fields) = match level {
        TracingLevel::Error => error,
        TracingLevel::Warn => warn,
        TracingLevel::Info => info,
        TracingLevel::Debug => debug,
        TracingLevel::Trace => trace,
    };
    StaticCallSite { metadata, fields }
}

/// Decides whether the subscriber gets a record, in the steps of `tracing-log`.
pub(super) fn is_enabled(
    dispatch: &Dispatch,
    metadata: &'static Metadata<'static>,
    values: &SinkValues<'_>,
) -> bool {
    let values = || values.iter().map(|(field, value)| (*field, value));
    *metadata.level() <= LevelFilter::current()
        && ask(dispatch, metadata, Place::new(values, ValueRef::as_str, ValueRef::as_u64))
}

fn ask(dispatch: &Dispatch, metadata: &'static Metadata<'static>, place: Place<'_>) -> bool {
    let Place { target, module_path, file, line } = place;
    let fields = FieldSet::new(&FIELDS, metadata.callsite());
    let level = *metadata.level();
    let kind = Kind::EVENT;
    dispatch.enabled(&Metadata::new(ASKING, target, level, file, line, module_path, fields, kind))
}

/// Whether a program asks about a record, as `tracing-log` does before it emits one.
pub(super) fn is_question(data: &CallSiteData) -> bool {
    data.kind == CallSiteKind::Event && data.name == ASKING && data.fields.iter().eq(FIELDS.iter())
}

/// Asks the subscriber what a program has asked.
pub(super) fn pass_on(dispatch: &Dispatch, data: &CallSiteData) -> bool {
    let place = Place {
        target: &data.target,
        module_path: data.module_path.as_deref(),
        file: data.file.as_deref(),
        line: data.line,
    };
    ask(dispatch, call_site(data.level).metadata, place)
}
