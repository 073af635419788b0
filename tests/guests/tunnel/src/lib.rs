//! A guest that has never heard of spanshot: it is traced by the published `tracing-tunnel`, and hands its host JSON.

use tracing::{Level, error, info_span, subscriber, warn};
use tracing_tunnel::{TracingEvent, TracingEventSender};

mod host {
    #[link(wasm_import_module = "app")]
    unsafe extern "C" {
        pub(super) fn trace(json: *const u8, len: usize);
    }
}

fn send(event: TracingEvent) {
    let json = serde_json::to_string(&event).unwrap_or_default();
    // SAFETY: the string is there until the call returns, and is only read.
    unsafe { host::trace(json.as_ptr(), json.len()) }
}

/// Connects to a port, in vain.
#[unsafe(no_mangle)]
pub extern "C" fn connect(port: u32) {
    let _ = subscriber::set_global_default(TracingEventSender::new(send));
    let span = info_span!("connect", port, tries = tracing::field::Empty);
    let _entered = span.enter();
    for attempt in 1..=2_i64 {
        tracing::span!(Level::DEBUG, "try", attempt)
            .in_scope(|| warn!(error = ?Some("refused"), "no answer"));
    }
    span.record("tries", 2);
    error!(ratio = 0.5, "gave up");
}
