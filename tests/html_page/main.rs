//! The page of a trace, as a real browser shows it.
//!
//! This is a binary of its own, since it needs Chromium: `chromium`, or what `SPANSHOT_CHROMIUM` names.
//! `SPANSHOT_SCREENSHOTS` names a directory for pictures to be put into.

use spanshot::{Capture, SharedStorage, Storage, Trace, export::HtmlPage};
use tracing::{
    debug, debug_span, error, field, info, info_span, trace, trace_span, warn, warn_span,
};

#[allow(dead_code, unused_imports)] // it is made for another binary, too
#[path = "../it/support.rs"]
mod support;

mod browser;

use browser::Browser;

fn open(trace: &Storage) -> Browser {
    let mut browser = Browser::start();
    browser.open(&HtmlPage::new(trace).to_string());
    browser
}

/// A trace as a program might give it, with something of everything.
fn program(storage: &SharedStorage) {
    storage.keep_times();
    let server = info_span!("server", port = 8_080, tls = true).entered();
    info!("listening");
    let earlier = info_span!("request", method = "GET", path = "/orders/17");
    earlier.in_scope(|| {
        debug!(user = ?Some("amy"), "authenticated");
        debug_span!("query", rows = field::Empty, sql = "SELECT *\nFROM orders\nWHERE id = 17")
            .in_scope(|| {
                trace!(bytes = &[0xde_u8, 0xad, 0xbe, 0xef][..], "sent");
                warn!(millis = 850.5, "slow");
            });
    });
    let retry = warn_span!("retry", attempt = 2);
    retry.follows_from(&earlier);
    for _ in 0..3 {
        retry.in_scope(|| trace!("poll"));
    }
    support::on_thread(|| {
        retry.in_scope(|| {
            let error = "x".parse::<i64>().unwrap_err();
            error!(error = &error as &dyn std::error::Error, "cannot parse the answer");
            info!(body = "lorem ipsum ".repeat(500), "received");
            info!("It says:\n  1. nothing\n  2. more");
        });
    });
    info!("");
    std::mem::forget(trace_span!("open"));
    drop(server);
}

fn traced_program() -> Trace {
    let capture = Capture::start();
    program(capture.storage());
    capture.finish()
}

#[test]
fn tree_folds_and_unfolds() {
    let trace = traced_program();
    let mut browser = open(&trace);
    browser.screenshot("page");
    browser.check("document.querySelectorAll('.node').length === 16");
    browser.check("[...document.querySelectorAll('details.node')].every((span) => span.open)");
    let is_seen = "document.querySelector('#e0').checkVisibility()";
    browser.check(is_seen);
    browser.click("#s0 > summary");
    browser.check(&format!("!document.querySelector('#s0').open && !{is_seen}"));
    browser.click("#s0 > summary");
    browser.check(is_seen);

    browser.click("#collapse");
    browser.check("![...document.querySelectorAll('details.node')].some((span) => span.open)");
    browser.click("#expand");
    browser.check("[...document.querySelectorAll('details.node')].every((span) => span.open)");
    browser.assert_harmless();
}

#[test]
fn search_finds_highlights_and_unfolds() {
    let trace = traced_program();
    let mut browser = open(&trace);
    browser.click("#collapse");
    browser.press("/", false);
    browser.check("document.activeElement.id === 'query' && document.activeElement.value === ''");
    browser.enter("MILLIS=850");
    let count = "document.querySelector('#count').value";
    assert_eq!(browser.evaluate(count), "1 match");
    // The field is not in one piece.
    let highlighted = "[...CSS.highlights.get('found')].map(String)";
    assert_eq!(browser.evaluate(highlighted), serde_json::json!(["millis=850"]));
    let found = "[...document.querySelectorAll('.hit')].map((node) => node.id).join()";
    assert_eq!(browser.evaluate(found), "e3");
    browser.check("document.querySelector('#e3').checkVisibility()");

    browser.press("Escape", false);
    assert_eq!(browser.evaluate(found), "");
    browser.press("/", false);
    browser.enter("poll");
    assert_eq!(browser.evaluate(count), "3 matches");
    let current = "document.querySelector('.current').id + location.hash + ' ' + \
                   document.querySelector('#count').value";
    let mut go = |with_shift| {
        browser.press("Enter", with_shift);
        browser.evaluate(current)
    };
    assert_eq!(go(false), "e4#e4 1 of 3");
    assert_eq!(go(false), "e5#e5 2 of 3");
    assert_eq!(go(false), "e6#e6 3 of 3");
    assert_eq!(go(false), "e4#e4 1 of 3");
    assert_eq!(go(true), "e6#e6 3 of 3");
    browser.click("#next");
    assert_eq!(browser.evaluate(current), "e4#e4 1 of 3");
    browser.screenshot("search");

    browser.click("#only");
    let seen = "[...document.querySelectorAll('.node')].filter((node) => node.checkVisibility())\
                .map((node) => node.id).join()";
    assert_eq!(browser.evaluate(seen), "s0,s3,e4,e5,e6");
    // What is in a value that is folded is found, too, and is shown when one goes there.
    browser.evaluate("query.value = 'ipsum lorem'; query.dispatchEvent(new Event('input'))");
    assert_eq!(browser.evaluate(seen), "s0,s3,e8");
    let value = "document.querySelector('#e8 details.value').open";
    assert_eq!(browser.evaluate(value), false);
    browser.click("#next");
    assert_eq!(browser.evaluate(value), true);
    browser
        .evaluate("query.value = 'there is no such text'; query.dispatchEvent(new Event('input'))");
    assert_eq!(browser.evaluate(count), "no matches");
    assert_eq!(browser.evaluate(seen), "");
    browser.assert_harmless();
}

#[test]
fn levels_are_hidden_and_what_is_in_such_spans_is_not() {
    let trace = traced_program();
    let mut browser = open(&trace);
    let seen = |level: &str| {
        format!(
            "[...document.querySelectorAll('.node.{level}')]\
             .filter((node) => node.firstElementChild.checkVisibility()).length"
        )
    };
    let all = ["error", "warn", "info", "debug", "trace"];
    let counts = [1, 2, 6, 2, 5];
    for (level, count) in all.iter().zip(counts) {
        assert_eq!(browser.evaluate(&seen(level)), count, "{level}");
        let box_of_level = format!("label.{level} small");
        let told = format!("document.querySelector({box_of_level:?}).textContent");
        assert_eq!(browser.evaluate(&told), count.to_string());
    }
    browser.click("#s3 > summary"); // which is folded before its level is hidden
    for (i, level) in all.iter().enumerate() {
        browser.click(&format!("label.{level} input"));
        if i == 0 {
            continue; // what is in that span is folded until its level is hidden
        }
        for (j, other) in all.iter().enumerate() {
            let expected = if j <= i { 0 } else { counts[j] };
            assert_eq!(browser.evaluate(&seen(other)), expected, "{other} without {level}");
        }
    }
    browser.click("label.trace input");
    assert_eq!(browser.evaluate(&seen("trace")), 5);
    browser.click("label.warn input");
    browser.check("!document.querySelector('#s3').open");
    browser.assert_harmless();
}

#[test]
fn links_lead_to_what_is_folded() {
    let trace = traced_program();
    let mut browser = open(&trace);
    browser.click("#collapse");
    browser.evaluate("location.hash = '#e3'");
    browser.evaluate("new Promise((done) => setTimeout(done))");
    browser.check("document.querySelector('#e3').checkVisibility()");
    browser.check("document.querySelector('#e3').matches(':target')");
    // A span that follows from another one has a link to it.
    browser.click("#s3 .facts a");
    browser.check("location.hash === '#s1' && !document.querySelector('#s3').open");
    browser.assert_harmless();
}

#[test]
fn folding_works_without_scripts() {
    let trace = traced_program();
    let mut browser = Browser::start();
    browser.call("Emulation.setScriptExecutionDisabled", serde_json::json!({ "value": true }));
    browser.open(&HtmlPage::new(&trace).to_string());
    browser.check("document.querySelector('#tools').hidden");
    browser.check("document.querySelector('#e0').checkVisibility()");
    browser.click("#s0 > summary");
    browser.check("!document.querySelector('#e0').checkVisibility()");
}

#[test]
fn hostile_trace_is_shown_and_does_nothing() {
    let trace = support::hostile_trace();
    let mut browser = Browser::start();
    browser.open(&HtmlPage::new(&trace).title(support::HOSTILE_TEXTS.concat()).to_string());
    browser.screenshot("hostile");
    browser.click("#expand");
    browser.check(
        "document.querySelectorAll('script, style, img, svg, iframe, base, form').length === 2",
    );
    browser
        .check("document.querySelectorAll('[onerror], [onload], [style], [onclick]').length === 0");
    // Nothing is shown but what can be seen, in the order in which it stands there.
    browser.check(r"!/[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/.test(document.documentElement.textContent)");

    for (number, event) in trace.all_events().enumerate() {
        for (i, (name, value)) in event.values().filter(|(name, _)| *name != "message").enumerate()
        {
            let field = format!("document.querySelectorAll('#e{number} > p > i')[{i}]");
            let shown = browser.evaluate(&format!("{field}.textContent"));
            let shown_name = shown.as_str().unwrap().to_owned();
            let name_is_short = name.len() <= 200;
            assert!(!name_is_short || shown == escaped(name), "{shown}");
            if value.as_text().is_none_or(|text| !text.contains('\n') && text.len() <= 200) {
                let shown = browser.evaluate(&format!("{field}.nextElementSibling.textContent"));
                assert_eq!(shown, value.to_string(), "{name} of event {number}");
            } else {
                let block = format!(
                    "[...document.querySelectorAll('#e{number} > .values > .value')]\
                     .find((value) => value.querySelector('i').textContent === {shown_name:?})\
                     .querySelector('pre').textContent"
                );
                let text = value.as_text().unwrap();
                let lines: Vec<_> = text.split('\n').map(escaped).collect();
                let mut expected = lines.join("\n");
                if value.as_error().is_some() {
                    expected = format!("{expected}\ncaused by: {expected}"); // it has itself for a source
                }
                assert_eq!(browser.evaluate(&block), expected, "{name} of event {number}");
            }
        }
    }
    browser.assert_harmless();
}

/// Text as it is shown between the quotes of a string, but for the quotes in it.
fn escaped(text: &str) -> String {
    spanshot::TracedValue::debug(&format_args!("{text}")).to_string()
}

#[test]
fn hundred_thousand_events_are_searched() {
    let capture = Capture::start();
    for request in 0..100 {
        info_span!("request", request).in_scope(|| {
            (0..1_000).for_each(|number| debug!(number, path = "/some/path", "event of a request"));
        });
    }
    let mut browser = open(&capture.trace());
    browser.check("document.querySelectorAll('.event').length === 100000");
    browser.check("![...document.querySelectorAll('details.node')].some((span) => span.open)");
    browser.press("/", false);
    browser.enter("number=777 ");
    assert_eq!(browser.evaluate("document.querySelector('#count').value"), "100 matches");
    browser.press("Enter", true);
    browser.check("document.querySelector('.current').checkVisibility()");
    browser.check("document.querySelector('.current').id === 'e99777'");
    browser.check(
        "(() => { const { top, bottom } = document.querySelector('.current').getBoundingClientRect();
          return top > 0 && bottom < innerHeight; })()",
    );
    browser.screenshot("many");
    browser.click("#expand");
    browser.click("label.debug input");
    browser.check("document.querySelector('#count').value === 'no matches'");
    browser.assert_harmless();
}

#[test]
fn tree_of_any_depth_opens() {
    let mut browser = open(&support::deep(100_000));
    browser.check("document.querySelectorAll('.node').length === 100001");
    browser.check("document.querySelector('#s99999 .depth').textContent === 'depth 99,999'");
    browser.press("/", false);
    browser.enter("the innermost");
    browser.press("Enter", false);
    browser.check("document.querySelector('.current').checkVisibility()");
    browser.screenshot("deep");
    browser.assert_harmless();
}
