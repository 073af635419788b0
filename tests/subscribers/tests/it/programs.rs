//! Programs that do with `tracing` what can be done with it.

use std::{error::Error, fmt, sync::Once};

use tracing::{
    Span, debug, error, error_span, field, info, info_span, instrument, span::Id, trace,
    trace_span, warn,
};

use crate::support::on_thread;

pub(crate) const PROGRAMS: [(&str, &dyn Fn()); 9] = [
    ("values", &values),
    ("values recorded later", &recorded_later),
    ("parents", &parents),
    ("follows from", &follows_from),
    ("errors", &errors),
    ("threads", &threads),
    ("handles and enters", &handles),
    ("names and text", &text),
    ("records of the `log` crate", &logged),
];

#[derive(Debug)]
struct Failure {
    message: &'static str,
    source: Option<Box<Failure>>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

fn failure() -> Failure {
    let source = Failure { message: "connection reset", source: None };
    Failure { message: "cannot read the answer", source: Some(Box::new(source)) }
}

fn values() {
    let span = info_span!(
        "values",
        int = -7,
        uint = u64::MAX,
        wide = i128::MIN,
        uwide = u128::MAX,
        float = 1.5,
        whole_float = 2.0,
        nan = f64::NAN,
        yes = true,
        text = "text",
        debug = ?Some(1),
        display = %"shown",
        none = Option::<u8>::None,
        bytes = &b"bytes"[..],
    );
    let _entered = span.entered();
    info!(
        int = i64::MIN,
        uint = 7_u8,
        wide = i128::MAX,
        float = f64::MIN_POSITIVE,
        infinite = f64::INFINITY,
        no = false,
        text = "",
        debug = ?[1, 2],
        display = %3,
        some = Some(8_080),
        bytes = &[0_u8, 255][..],
        "all of them: {}",
        7
    );
    info!(answer = 42);
    info!("only a message");
}

fn recorded_later() {
    let span = info_span!("span", first = field::Empty, second = 2, third = field::Empty);
    span.record("first", 1);
    let _entered = span.entered();
    info!("with first");
    Span::current().record("third", "late").record("second", 22);
    debug!("with all");
}

fn parents() {
    let outer = info_span!("outer", n = 1);
    let other = info_span!("other", n = 2);
    outer.in_scope(|| {
        info!("in outer");
        info!(parent: &other, "in other");
        info!(parent: None, "in none");
        info_span!(parent: &other, "child of other").in_scope(|| trace!("in child of other"));
        info_span!(parent: None, "root").in_scope(|| warn!("in root"));
        info_span!(parent: Option::<Id>::None, "another root").in_scope(|| ());
        nested(3);
    });
}

#[instrument(ret)]
fn nested(depth: u32) -> u32 {
    if depth == 0 { 0 } else { 1 + nested(depth - 1) }
}

fn follows_from() {
    let (first, second) = (info_span!("first"), info_span!("second"));
    first.in_scope(|| info!("cause"));
    second.follows_from(&first);
    second.in_scope(|| info!("consequence"));
    let third = info_span!(parent: &second, "third");
    third.follows_from(&first);
    third.follows_from(&second);
    third.in_scope(|| ());
}

fn errors() {
    let failure = failure();
    let error: &(dyn Error + 'static) = &failure;
    error_span!("request", error).in_scope(|| {
        warn!(error, attempt = 1, "again");
        error!(error, "given up");
        error!("an error that is only a message");
        let _ = fallible();
    });
    let span = info_span!("late", error = field::Empty);
    span.record("error", error);
    span.in_scope(|| error!({ cause = error }, "under another name"));
}

#[instrument(err, fields(port = 8_080))]
fn fallible() -> Result<(), Failure> {
    Err(failure())
}

fn threads() {
    let span = info_span!("first thread");
    let _entered = span.enter();
    for n in 0..3 {
        on_thread(|| {
            let _root = info_span!("thread", n).entered();
            info!("in a thread");
            trace_span!("nested").in_scope(|| debug!("deeper"));
            info_span!(parent: &span, "child of the first thread's").in_scope(|| info!("in it"));
        });
        info!(n, "in the first thread");
    }
    on_thread(|| span.in_scope(|| info!("in the first thread's span")));
}

fn handles() {
    let span = info_span!("cloned");
    let clone = span.clone();
    span.in_scope(|| info!("once"));
    drop(span);
    clone.in_scope(|| info!("twice"));
    let (left, right) = (info_span!("left").entered(), info_span!("right").entered());
    drop(left); // not the innermost
    info!("in right");
    let outer = info_span!("outer");
    let inner = outer.in_scope(|| info_span!("inner"));
    drop((outer, right));
    inner.in_scope(|| info!("its parent has no handle"));
}

fn text() {
    info!(target: "another::target", quoted = "\"'\\", control = "a\tb\nc", "größer 🦀");
    let _entered = info_span!(target: "other", "name with spaces", "dotted.field" = 1).entered();
    info!(name: "named", { http.status = 200, r#type = "raw" }, "message");
    error!(name: "named too", target: "third", "level {}", "error");
}

fn logged() {
    static INIT: Once = Once::new();
    INIT.call_once(|| tracing_log::LogTracer::init().unwrap());
    log::error!("in none");
    let span = info_span!("outer", n = 1).entered();
    for level in log::Level::iter() {
        log::log!(target: "another::target", level, "at level {level}");
    }
    info!("an event");
    drop(span);
}
