//! The logger of the process, which makes events of the records of the `log` crate.

use alloc::string::String;
use std::sync::OnceLock;

use tracing_core::{Dispatch, dispatcher};
use tracing_log::{LogTracer, log};

use crate::capture::{SharedStorage, subscriber::own::CaptureSubscriber};

/// Target and text of the record that finds out where records go. It may be that people see it.
const TARGET: &str = "spanshot";
const PROBE: &str = "spanshot looks whether the logger passes records on to `tracing`";

/// Installs a `LogTracer`, once in a process, unless there is a logger that does the same.
///
/// # Errors
///
/// Returns what the user is to do if there is a logger that does not.
pub(crate) fn install() -> Result<(), String> {
    static IS_TRACED: OnceLock<bool> = OnceLock::new();

    if *IS_TRACED.get_or_init(|| LogTracer::init().is_ok() || is_record_traced()) {
        return Ok(());
    }
    Err("captures are to get the records of the `log` crate (spanshot's feature `log`), and a logger \
         is installed already which does not pass them on to `tracing`. Either do not install it in \
         tests, or install `tracing_log::LogTracer` in its place, or leave out the feature"
        .into())
}

/// Whether a record comes to the current subscriber.
fn is_record_traced() -> bool {
    let storage = SharedStorage::default();
    let subscriber = Dispatch::new(CaptureSubscriber::new(&storage, None));
    dispatcher::with_default(&subscriber, || {
        let mut record = log::Record::builder();
        let record = record.level(log::Level::Error).target(TARGET);
        log::logger().log(&record.args(format_args!("{PROBE}")).build());
    });
    let trace = storage.lock();
    trace.all_events().any(|event| event.message() == Some(PROBE))
}
