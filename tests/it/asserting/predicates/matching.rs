//! What predicates match, but for values.

use ::predicates::reflection::Case;
use spanshot::{
    CapturedEvent, CapturedSpan, Trace, TracedValue,
    predicates::{types::MessagePredicate, *},
};
use tracing::{Level, debug_span, info, info_span, level_filters::LevelFilter, warn};

use super::trace;
use crate::support::native;

/// Names of the spans that match, in the order of the trace. Checks the cases, too.
#[allow(clippy::needless_pass_by_value)] // so that calls are short
fn spans<'a, P: Predicate<CapturedSpan<'a>>>(trace: &'a Trace, predicate: P) -> Vec<&'a str> {
    let matching = trace.all_spans().filter(|span| {
        let eval = predicate.eval(span);
        for expected in [true, false] {
            assert_eq!(predicate.find_case(expected, span).is_some(), eval == expected);
        }
        eval
    });
    matching.map(|span| span.metadata().name()).collect()
}

/// Messages of the events that match, in the order of the trace. Checks the cases, too.
#[allow(clippy::needless_pass_by_value)] // so that calls are short
fn events<'a, P: Predicate<CapturedEvent<'a>>>(trace: &'a Trace, predicate: P) -> Vec<&'a str> {
    let matching = trace.all_events().filter(|event| {
        let eval = predicate.eval(event);
        for expected in [true, false] {
            assert_eq!(predicate.find_case(expected, event).is_some(), eval == expected);
        }
        eval
    });
    matching.map(|event| event.message().unwrap_or_default()).collect()
}

#[test]
fn predicates_match_what_they_say() {
    macro_rules! spans {
        ($predicate:expr) => {
            trace().all_spans().filter(into_fn($predicate)).count()
        };
    }
    macro_rules! events {
        ($predicate:expr) => {
            trace().all_events().filter(into_fn($predicate)).count()
        };
    }

    assert_eq!(spans!(name(eq("connect"))), 2);
    assert_eq!(spans!(name(starts_with("s"))), 1);
    assert_eq!(spans!(target("net")), 2);
    assert_eq!(spans!(target("net::server")), 1);
    assert_eq!(spans!(target([starts_with("net")])), 3);
    assert_eq!(spans!(target(starts_with("net"))), 3);
    assert_eq!(spans!(name([starts_with("c")])), spans!(name(starts_with("c"))));
    assert_eq!(spans!(level(le(Level::INFO))), spans!(level([le(Level::INFO)])));
    assert_eq!(spans!(field("port", 8_080)), 1);
    assert_eq!(spans!(field("port", value(gt(8_079_u64)))), 1);
    assert_eq!(spans!(field("port", value(gt(8_080_i32)))), 0);
    assert_eq!(spans!(field("host", "::1")), 1);
    assert_eq!(spans!(field("host", "localhost")), 1);
    assert_eq!(spans!(field("host", [always()])), 2);
    assert_eq!(spans!(!field("host", [always()])), 1);
    assert_eq!(spans!(field("secure", true)), 1);
    assert_eq!(spans!(field("secure", [eq(TracedValue::Bool(true))])), 1);
    assert_eq!(spans!(parent(name(eq("serve")))), 2);
    assert_eq!(spans!(name(eq("serve")) | field("secure", true)), 2);
    assert_eq!(spans!(name(eq("serve")) & field("secure", true)), 0);

    assert_eq!(events!(level(Level::WARN)), 1);
    assert_eq!(events!(level(LevelFilter::WARN)), 2);
    assert_eq!(events!(level(LevelFilter::OFF)), 0);
    assert_eq!(events!(level([le(Level::ERROR)])), 1);
    assert_eq!(events!(message(eq("slow: dns"))), 1);
    assert_eq!(events!(!message(contains(""))), 1);
    assert_eq!(events!(field("ratio", 0.5)), 1);
    assert_eq!(events!(field("code", -3)), 1);
    assert_eq!(events!(field("reason", r#"Some("refused")"#)), 1);
    assert_eq!(events!(ancestor(name(eq("serve")))), 3);
    assert_eq!(events!(parent(name(eq("serve")))), 0);
}

/// Spans that differ in what is in them, what happened to them, and what they follow from.
fn relations() -> Trace {
    native(|| {
        let serve = info_span!("serve");
        let first = info_span!(parent: &serve, "connect", attempt = 1);
        first.in_scope(|| warn!("slow"));
        drop(first);
        let second = debug_span!(parent: &serve, "retry", attempt = 2);
        second.follows_from(&serve);
        second.in_scope(|| {
            debug_span!("resolve").in_scope(|| info!("resolved"));
        });
        second.in_scope(|| info!("connected"));
        std::mem::forget(second);
        serve.in_scope(|| info!("served"));
    })
}

#[test]
fn levels_match_up_or_down() {
    let trace = trace();
    assert_eq!(events(&trace, level(Level::WARN)), ["slow: dns"]);
    assert_eq!(events(&trace, level(Level::WARN).or_more_severe()), ["slow: dns", "failed"]);
    assert_eq!(events(&trace, level(Level::WARN).or_less_severe()), ["slow: dns", ""]);
    assert_eq!(events(&trace, level(Level::ERROR).or_more_severe()), ["failed"]);
    assert_eq!(events(&trace, level(Level::TRACE).or_more_severe()).len(), 3);
    assert_eq!(events(&trace, level(Level::TRACE).or_less_severe()).len(), 0);
    assert_eq!(level(Level::WARN).to_string(), "level(WARN)");
    assert_eq!(level(Level::WARN).or_more_severe().to_string(), "level(WARN or more severe)");
    assert_eq!(level(Level::WARN).or_less_severe().to_string(), "level(WARN or less severe)");
}

/// Takes what a helper of somebody's tests might.
fn generic<P: Predicate<str>>(predicate: P) -> MessagePredicate<P> {
    message(predicate)
}

#[test]
fn names_and_messages_match_a_string() {
    let trace = trace();
    assert_eq!(spans(&trace, name("connect")), ["connect"; 2]);
    assert_eq!(spans(&trace, name(String::from("serve"))), ["serve"]);
    assert_eq!(spans(&trace, name(&String::from("serve"))), ["serve"]);
    assert_eq!(spans(&trace, name("conn")), [""; 0]);
    assert_eq!(events(&trace, message("failed")), ["failed"]);
    assert_eq!(events(&trace, message("fail")), [""; 0]);
    assert_eq!(events(&trace, message(always())), ["slow: dns", "failed"]);
    assert_eq!(events(&trace, message(function(|text: &str| text.len() == 6))), ["failed"]);
    assert_eq!(message("a").to_string(), message(eq("a")).to_string());
    assert_eq!(events(&trace, generic(contains("ai"))), ["failed"]);
}

#[test]
fn places_in_the_source_match() {
    let trace = trace();
    assert_eq!(spans(&trace, file(file!())).len(), 0);
    assert_eq!(spans(&trace, file(ends_with("mod.rs"))).len(), 3);
    assert_eq!(events(&trace, file(ends_with("mod.rs")) & message("failed")), ["failed"]);
    assert_eq!(spans(&trace, module("it")).len(), 3);
    assert_eq!(spans(&trace, module("it::asserting::predicates")).len(), 3);
    assert_eq!(spans(&trace, module("it::predicate")).len(), 0);
    assert_eq!(spans(&trace, module(module_path!())).len(), 0);
    assert_eq!(events(&trace, module([contains("predicate")])).len(), 3);

    let here = native(|| info!("here"));
    assert_eq!(events(&here, file(file!()) & module(module_path!())), ["here"]);
}

#[test]
fn relations_match() {
    let trace = relations();
    assert_eq!(spans(&trace, child(always())), ["serve", "retry"]);
    assert_eq!(spans(&trace, child(name("connect"))), ["serve"]);
    assert_eq!(spans(&trace, child(name("resolve"))), ["retry"]);
    assert_eq!(spans(&trace, !child(always())), ["connect", "resolve"]);
    assert_eq!(spans(&trace, descendant(name("resolve"))), ["serve", "retry"]);
    assert_eq!(spans(&trace, descendant(name("serve"))), [""; 0]);
    assert_eq!(spans(&trace, event(always())), ["serve", "connect", "retry", "resolve"]);
    assert_eq!(spans(&trace, event(message("slow"))), ["connect"]);
    assert_eq!(spans(&trace, deep_event(message("slow"))), ["serve", "connect"]);
    assert_eq!(spans(&trace, deep_event(message("resolved"))), ["serve", "retry", "resolve"]);
    assert_eq!(spans(&trace, deep_event(message("served"))), ["serve"]);
    assert_eq!(spans(&trace, follows_from(name("serve"))), ["retry"]);
    assert_eq!(spans(&trace, follows_from(name("retry"))), [""; 0]);
    assert_eq!(spans(&trace, child(child(event(message("resolved"))))), ["serve"]);
    assert_eq!(events(&trace, parent(follows_from(always()))), ["connected"]);
    assert_eq!(events(&trace, ancestor(child(name("connect")))).len(), 4);
}

#[test]
fn what_happened_to_spans_matches() {
    let trace = relations();
    assert_eq!(spans(&trace, entered(2)), ["retry"]);
    assert_eq!(spans(&trace, entered([ge(1)])), ["serve", "connect", "retry", "resolve"]);
    assert_eq!(spans(&trace, entered(2..)), ["retry"]);
    assert_eq!(spans(&trace, entered(1..3) & !entered(..=1) & entered(2..=5)), ["retry"]);
    assert_eq!(spans(&trace, entered(..0) | exited(..0)), [""; 0]); // an empty range
    assert_eq!(spans(&trace, exited([gt(1)])), ["retry"]);
    assert_eq!(spans(&trace, entered(0) | exited(0)), [""; 0]);
    // What is in a span keeps it open.
    assert_eq!(spans(&trace, closed()), ["connect", "resolve"]);
    assert_eq!(spans(&trace, !closed()), ["serve", "retry"]);

    let entered_only = native(|| std::mem::forget(info_span!("work").entered()));
    assert_eq!(spans(&entered_only, entered(1) & exited(0) & !closed()), ["work"]);
}

#[test]
fn closures_match() {
    let trace = relations();
    let long_name =
        || satisfies("long", |span: &CapturedSpan<'_>| span.metadata().name().len() > 5);
    let short = satisfies(format!("below {}", 7), |event: &CapturedEvent<'_>| {
        event.message().is_some_and(|message| message.len() < 7)
    });
    assert_eq!(spans(&trace, long_name()), ["connect", "resolve"]);
    assert_eq!(spans(&trace, child(long_name()) & !long_name()), ["serve", "retry"]);
    assert_eq!(events(&trace, short.clone()), ["slow", "served"]);
    assert_eq!(events(&trace, short.clone() & parent(long_name())), ["slow"]);
    assert_eq!((!short).to_string(), "!below 7");
    // It may hold on to what is around it.
    let wanted = String::from("resolve");
    let is_wanted = satisfies("wanted", |span: &CapturedSpan<'_>| span.metadata().name() == wanted);
    assert_eq!(spans(&trace, is_wanted), ["resolve"]);
}

#[test]
fn combinators_of_the_other_crate_work() {
    let trace = relations();
    let connect = || name("connect").or(name("retry"));
    assert_eq!(spans(&trace, connect()), ["connect", "retry"]);
    assert_eq!(spans(&trace, connect().and(field("attempt", 2))), ["retry"]);
    assert_eq!(spans(&trace, name("connect").not().and(closed())), ["resolve"]);
    assert_eq!(spans(&trace, entered(2).or(closed().not())), ["serve", "retry"]);
    // Within other predicates, and mixed with operators.
    assert_eq!(spans(&trace, child(connect().and(closed()))), ["serve"]);
    assert_eq!(events(&trace, parent(connect())), ["slow", "connected"]);
    assert_eq!(events(&trace, level(Level::INFO).and(ancestor(connect().not()))).len(), 3);
    assert_eq!(
        spans(&trace, closed() & (connect().or(event(message("resolved")).not()))),
        ["connect"]
    );
    let boxed: Vec<BoxPredicate<CapturedSpan<'_>>> =
        vec![name("connect").boxed(), event(message("resolved") & level(Level::INFO)).boxed()];
    for (predicate, name) in boxed.into_iter().zip(["connect", "resolve"]) {
        assert_eq!(spans(&trace, predicate), [name]);
    }
}

/// What the case says that there is, where a predicate is as expected of a span.
fn told(trace: &Trace, span: &str, predicate: &dyn SpanPredicate, expected: bool) -> Vec<String> {
    fn collect(case: &Case<'_>, told: &mut Vec<String>) {
        told.extend(
            case.products().map(|product| format!("{} is {}", product.name(), product.value())),
        );
        case.children().for_each(|child| collect(child, told));
    }

    let span = trace.scan_spans().single(&name(span));
    let mut told = vec![];
    collect(
        &predicate.find_case(expected, &span).expect("the predicate is as expected"),
        &mut told,
    );
    told
}

trait SpanPredicate: for<'a> Predicate<CapturedSpan<'a>> {}

impl<P: for<'a> Predicate<CapturedSpan<'a>>> SpanPredicate for P {}

#[test]
fn cases_say_what_there_is() {
    let trace = relations();
    let is = |span, predicate: &dyn SpanPredicate| told(&trace, span, predicate, true);
    let is_not = |span, predicate: &dyn SpanPredicate| told(&trace, span, predicate, false);

    let spans = "in it is INFO connect{attempt=1}, DEBUG retry{attempt=2} (follows from serve)";
    assert_eq!(is_not("serve", &child(name("resolve"))), [spans]);
    assert_eq!(is("serve", &child(name("connect"))), ["in it is INFO connect{attempt=1}"]);
    assert_eq!(is_not("serve", &!child(name("connect"))), ["in it is INFO connect{attempt=1}"]);
    assert_eq!(is_not("resolve", &child(always())), ["in it is no span"]);
    assert_eq!(is("retry", &!descendant(name("serve"))), ["in it is DEBUG resolve{}"]);
    assert_eq!(is_not("retry", &event(message("resolved"))), ["in it is INFO connected"]);
    let events = "in it is INFO resolved, INFO connected";
    assert_eq!(is_not("retry", &deep_event(message("slow"))), [events]);
    assert_eq!(is_not("serve", &follows_from(always())), ["what it follows from is no span"]);
    assert_eq!(is("retry", &follows_from(always())), ["what it follows from is INFO serve{}"]);

    assert_eq!(is_not("retry", &entered(1)), ["it is entered 2 times"]);
    let texts = [entered(3..), entered(..=1), entered(3..6), entered(..1), entered(4..=4)];
    let texts = texts.map(|predicate| predicate.to_string());
    assert_eq!(texts[0], "entered(at least 3 times)");
    assert_eq!(
        texts[1..],
        ["entered(at most once)", "entered(3 to 5 times)", "entered(never)", "entered(4 times)"]
    );
    assert_eq!(is_not("serve", &exited(0)), ["it is exited once"]);
    assert_eq!(is_not("serve", &closed()), ["it is open"]);
    assert_eq!(is_not("resolve", &!closed()), ["it is closed"]);
    assert_eq!(is_not("serve", &file("x")), [format!("file is {:?}", file!())]);
    assert_eq!(is_not("serve", &module("x")), [format!("module is {:?}", module_path!())]);
    assert_eq!(is_not("serve", &field("attempt", Some(1))), ["attempt is not there"]);
    assert_eq!(is_not("retry", &field("attempt", None::<u8>)), ["attempt is 2"]);
    let few = satisfies("few", |span: &CapturedSpan<'_>| span.children().len() < 2);
    assert!(is_not("serve", &few).is_empty());
    assert_eq!(is_not("serve", &(few & closed())), ["it is open"]);

    let many = native(|| {
        let _many = info_span!("many").entered();
        (0..5).for_each(|number| info!(number));
    });
    let numbers = "in it is INFO number=0, INFO number=1, INFO number=2, INFO number=3, …";
    assert_eq!(told(&many, "many", &event(field("number", 7)), false), [numbers]);
    assert_eq!(told(&many, "many", &event(field("number", 4)), true), ["in it is INFO number=4"]);
}
