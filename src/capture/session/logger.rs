//! The logger of the process, which turns records of the `log` crate into events.

use alloc::string::String;
use std::sync::OnceLock;

use tracing_core::{Dispatch, LevelFilter, dispatcher, subscriber::NoSubscriber};
use tracing_log::{AsTrace, LogTracer, log};

use crate::capture::{
    SharedStorage,
    subscriber::{is_of_capture, own::CaptureSubscriber, process_wide},
};

/// Target and text of the record that finds out where records go. People may see it.
const TARGET: &str = "spanshot";
const PROBE: &str = "spanshot looks whether the logger passes records on to `tracing`";

/// Installs a `LogTracer`, once in a process, unless there is a logger that does the same.
///
/// # Errors
///
/// Returns instructions for the user if the installed logger does not.
pub(crate) fn install() -> Result<(), String> {
    let install = || {
        let had_global = has_foreign_global();
        let is_installed = LogTracer::init().is_ok();
        let _ = HAD_GLOBAL.set(is_installed.then_some(had_global));
        is_installed
    };
    let traced = || (install() || is_record_traced()).then(log::max_level);
    if TRACED.get_or_init(traced).is_some() {
        return Ok(());
    }
    Err("captures are to get the records of the `log` crate (spanshot's feature `log`), and a logger \
         is installed already which does not pass them on to `tracing`. Either do not install it in \
         tests, or install `tracing_log::LogTracer` in its place, or leave out the feature"
        .into())
}

/// The maximal level of the `log` crate when the first capture started, if captures get its records. Who has installed
/// another logger has chosen it, as a filter.
static TRACED: OnceLock<Option<log::LevelFilter>> = OnceLock::new();

/// Returns the maximal level of the `log` crate, if something has lowered it since the first capture started.
pub(crate) fn lowered_level() -> Option<LevelFilter> {
    let (chosen, max_level) = ((*TRACED.get()?)?, log::max_level());
    (max_level < chosen).then(|| max_level.as_trace())
}

/// Whether there was a global subscriber when the logger was installed; `None` if there was a logger already.
static HAD_GLOBAL: OnceLock<Option<bool>> = OnceLock::new();

/// Explains a probable cause of a test's panic: its code installs a subscriber with a logger, and the captures have
/// installed a logger already.
///
/// `init()` of `tracing-subscriber` installs the subscriber first, and then panics, or returns an error, because of
/// the logger.
pub(crate) fn conflict() -> Option<&'static str> {
    let is_likely = HAD_GLOBAL.get() == Some(&Some(false)) && has_foreign_global();
    is_likely.then_some(
        "note: a global subscriber was installed after spanshot had installed a logger (for its feature `log`). \
         If that failed because of the logger (`SetLoggerError`): install it before the first capture starts, or \
         use `tracing::subscriber::set_global_default()`, which installs no logger, or leave out the feature",
    )
}

/// Checks whether there is a global subscriber that is not the captures' own.
fn has_foreign_global() -> bool {
    let is_foreign = |global: &Dispatch| !global.is::<NoSubscriber>() && !is_of_capture(global);
    process_wide::global().is_some_and(|global| is_foreign(&global))
}

/// Checks whether the logger passes a record on to the current subscriber.
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
