//! Records of the `log` crate, in a binary of their own: the logger is that of the process.

#[path = "it/support.rs"]
#[allow(dead_code, unused_imports)] // it is made for another binary, too
mod support;

use spanshot::{CapturedEvent, predicates::*};
use support::{
    assert_transparent, direct, events_of, feed_events, feed_frames, frames_of, native, relayed,
    through_json,
};
use tracing::{Level, info_span};

/// Line of the error that the program logs.
const ERROR_LINE: u32 = line!() + 5;

fn program() {
    info_span!("span").in_scope(|| {
        log::warn!(target: "library::net", "took {} ms", 850);
        log::error!("here");
        log::trace!("as verbose as can be");
    });
    log::logger().log(&log::Record::builder().args(format_args!("bare")).build());
}

fn where_from(event: CapturedEvent<'_>) -> (String, Option<String>, Option<String>, Option<u32>) {
    let metadata = event.metadata();
    (
        metadata.target().to_owned(),
        metadata.module_path().map(str::to_owned),
        metadata.file().map(str::to_owned),
        metadata.line(),
    )
}

#[test]
fn log_records_have_their_own_target_level_file_and_line() {
    tracing_log::LogTracer::init().unwrap();

    let here = (
        "log_records".to_owned(),
        Some("log_records".to_owned()),
        Some("tests/log_records.rs".to_owned()),
        Some(ERROR_LINE),
    );
    let frames = frames_of(program);
    let events = through_json(&events_of(program));
    for trace in [
        native(program),
        relayed(feed_frames(&frames)),
        direct(feed_frames(&frames)),
        relayed(feed_events(events.clone())),
        direct(feed_events(events)),
    ] {
        let tree = "INFO span{}\n├─ WARN took 850 ms\n├─ ERROR here\n└─ TRACE as verbose as can be\n\
                    INFO bare";
        assert_eq!(trace.to_string(), tree);
        let events = trace.scan_events();
        events.single(&(target("library::net") & level(Level::WARN)));
        assert_eq!(where_from(events.single(&message(eq("here")))), here);
        let bare = where_from(events.single(&message(eq("bare"))));
        assert_eq!(bare, (String::new(), None, None, None));
        for event in trace.all_events() {
            assert!(event.metadata().fields().eq(["message"]));
        }
    }
    assert_transparent(program);
    // What only looks like one is left alone.
    assert_transparent(|| tracing::info!(target: "log", { log.target = "a" }, "message"));
}
