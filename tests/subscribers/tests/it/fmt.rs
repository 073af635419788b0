//! Lines of text, by `tracing_subscriber::fmt`.

use tracing::{info, info_span};
use tracing_subscriber::{
    EnvFilter,
    fmt::{fmt, format::FmtSpan},
};

use crate::{
    guest::load_plugin,
    support::{Output, Under, check_guest, check_programs, on_thread},
};

/// Every way in which spans and events are written, told apart by the writer.
fn written(f: &dyn Fn(), prepare: impl FnOnce(Output) -> tracing::Dispatch) -> String {
    let output = Output::default();
    tracing::dispatcher::with_default(&prepare(output.clone()), f);
    output.take()
}

const FORMATS: [Under; 4] = [full, compact, pretty, filtered];

fn full(f: &dyn Fn()) -> String {
    written(f, |output| {
        let subscriber = fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_file(true)
            .with_line_number(true)
            .with_ansi(true)
            .without_time();
        subscriber.with_writer(move || output.clone()).into()
    })
}

fn compact(f: &dyn Fn()) -> String {
    written(f, |output| {
        let subscriber = fmt().compact().with_max_level(tracing::Level::TRACE).with_ansi(false);
        subscriber.without_time().with_writer(move || output.clone()).into()
    })
}

fn pretty(f: &dyn Fn()) -> String {
    written(f, |output| {
        let subscriber = fmt().pretty().with_max_level(tracing::Level::TRACE).with_ansi(false);
        subscriber.without_time().with_writer(move || output.clone()).into()
    })
}

/// What a filter lets pass.
fn filtered(f: &dyn Fn()) -> String {
    written(f, |output| {
        let filter = EnvFilter::new("info,[outer{n=1}]=trace,[compute]=trace,another=off");
        let subscriber = fmt().with_env_filter(filter).with_span_events(FmtSpan::CLOSE);
        subscriber.with_ansi(false).without_time().with_writer(move || output.clone()).into()
    })
}

#[test]
fn programs_are_written_as_natively() {
    FORMATS.into_iter().for_each(check_programs);
}

#[test]
fn guest_is_written_as_natively() {
    FORMATS.into_iter().for_each(check_guest);
}

#[test]
fn lines_of_the_guest_are_in_the_span_of_the_host() {
    let plugin = load_plugin();
    let lines = written(
        &|| {
            info_span!("request", id = 7).in_scope(|| {
                info!("evaluating");
                plugin.evaluate("8 / (3 - 3)").unwrap_err();
            });
        },
        |output| {
            let subscriber = fmt().with_ansi(false).without_time().with_target(false);
            subscriber.with_writer(move || output.clone()).into()
        },
    );
    assert_eq!(
        lines,
        r#" INFO request{id=7}: evaluating
ERROR request{id=7}:evaluate{expression="8 / (3 - 3)"}: division by zero
 WARN request{id=7}:evaluate{expression="8 / (3 - 3)"}: no result error=cannot compute the expression error.sources=[division by zero]
"#
    );
}

#[test]
fn each_thread_of_the_host_has_a_guest_in_its_own_span() {
    let lines = compact(&|| {
        for job in 0..3 {
            on_thread(|| {
                info_span!("host", job).in_scope(|| drop(load_plugin().evaluate("8 / 0")));
            });
        }
    });
    for job in 0..3 {
        let lines = lines.lines().filter(|line| line.contains(&format!("job={job}")));
        assert_eq!(lines.filter(|line| line.contains("division by zero")).count(), 2, "{job}");
    }
    assert!(
        lines.lines().all(|line| line.contains(":host:") || line.contains(" host:")),
        "{lines}"
    );
}
