//! Captures of a whole process: one subscriber for all of them, and what belongs to none.

use alloc::{
    string::String,
    sync::{Arc, Weak},
    vec::Vec,
};
use std::{env, sync::OnceLock, thread};

use parking_lot::Mutex;
use tracing_core::{Dispatch, dispatcher};
use tracing_subscriber::layer::SubscriberExt;

use super::{Keep, ProcessWideLayer, SharedStorage, Trace, test_span::Test};

/// What is kept of the spans and events that belong to no test.
const MAX_UNATTRIBUTED_NODES: usize = 10_000;
const MAX_UNATTRIBUTED_BYTES: usize = 16 << 20;

/// Returns the subscriber of the process, which is installed now if there is none.
///
/// # Errors
///
/// Returns what the user is to do if there is one that captures know nothing of.
pub(super) fn dispatch() -> Result<Dispatch, String> {
    static DISPATCH: Mutex<Option<Dispatch>> = Mutex::new(None);

    let mut known = DISPATCH.lock();
    if let Some(dispatch) = &*known {
        return Ok(dispatch.clone());
    }
    let ours = Dispatch::new(tracing_subscriber::registry().with(ProcessWideLayer::new()));
    let dispatch = if dispatcher::set_global_default(ours.clone()).is_ok() {
        ours
    } else {
        let is_known = |global: &Dispatch| global.is::<ProcessWideLayer>();
        let message = "a process-wide capture needs the global subscriber, and another one is \
                       installed already. Either do not install it in tests (`init()`, \
                       `set_global_default()`), or add the layer of the captures to it: \
                       `tracing_subscriber::registry().with(spanshot::ProcessWideLayer::new())…`";
        global().filter(is_known).ok_or(message)?
    };
    *known = Some(dispatch.clone());
    Ok(dispatch)
}

/// Returns the global subscriber. `tracing-core` tells it only as the default of a thread that has no
/// other one.
fn global() -> Option<Dispatch> {
    let thread = thread::Builder::new().name("spanshot".into());
    let global = thread.spawn(|| dispatcher::get_default(Dispatch::clone));
    global.ok()?.join().ok()
}

/// Returns the spans and events of the process that belong to no test.
pub(super) fn unattributed() -> Trace {
    unattributed_storage().lock()
}

pub(super) fn unattributed_storage() -> &'static SharedStorage {
    static UNATTRIBUTED: OnceLock<SharedStorage> = OnceLock::new();
    UNATTRIBUTED.get_or_init(|| {
        let storage = SharedStorage::default();
        storage.set_max_nodes(MAX_UNATTRIBUTED_NODES, Keep::Newest);
        storage.set_max_bytes(MAX_UNATTRIBUTED_BYTES, Keep::Newest);
        storage
    })
}

/// Captures that were started last, where all that happens in the process belongs to one test.
static UNDER_WAY: Mutex<Vec<Weak<Test>>> = Mutex::new(Vec::new());

/// Begins to give a capture what belongs to no other.
pub(super) fn started(test: &Arc<Test>) {
    if is_one_test() {
        let mut under_way = UNDER_WAY.lock();
        under_way.retain(|test| test.strong_count() > 0);
        under_way.push(Arc::downgrade(test));
    }
}

/// Returns the capture that gets what belongs to no other, if there is one.
pub(super) fn only_test() -> Option<Arc<Test>> {
    if is_one_test() { UNDER_WAY.lock().iter().rev().find_map(Weak::upgrade) } else { None }
}

/// Whether the process runs one test and nothing else.
fn is_one_test() -> bool {
    static IS_ONE_TEST: OnceLock<bool> = OnceLock::new();
    *IS_ONE_TEST.get_or_init(|| {
        env::var_os("NEXTEST_EXECUTION_MODE").is_some_and(|mode| mode == "process-per-test")
    })
}
