//! Replaying a program's stream gives the host the trace that the program would have given it
//! natively: clause by clause, a file a topic, and what does not hold in `limits`.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    task::{self, Poll, Waker},
};

use spanshot::TracingEventReceiver;
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry,
    registry::LookupSpan,
};

use crate::support::{
    assert_transparent, events_of, feed_events, feed_frames, frames_of, native, through_json,
};

mod call_sites;
mod disabled;
mod errors;
mod filters;
mod handles;
mod limits;
mod other_side;
mod persistence;
mod subscribers;
mod threads;
mod tree;
mod values;

/// Checks that a program gives this tree natively, and the same trace through the tunnel, with
/// everything in the same order.
#[track_caller]
fn check(program: impl Fn(), tree: &str) {
    check_trace(&program, tree);
    check_calls(&program);
}

/// Checks that a program gives this tree natively, and the same trace through the tunnel.
#[track_caller]
fn check_trace(program: impl Fn(), tree: &str) {
    assert_eq!(native(&program).to_string(), tree, "natively");
    assert_transparent(&program);
}

/// Checks that a subscriber is called for the same, in the same order, natively and by the relay.
#[track_caller]
fn check_calls(program: impl Fn()) {
    let natively = calls(|log| {
        program();
        log.take()
    });
    let relayed = |feed: &dyn Fn(&mut TracingEventReceiver)| {
        calls(|log| {
            let mut receiver = TracingEventReceiver::default();
            feed(&mut receiver);
            log.take() // before the receiver closes what the program left open
        })
    };
    let (frames, events) = (frames_of(&program), through_json(&events_of(&program)));
    assert_eq!(relayed(&|receiver| feed_frames(&frames)(receiver)), natively, "frames");
    assert_eq!(relayed(&|receiver| feed_events(events.clone())(receiver)), natively, "JSON");
}

fn calls(f: impl FnOnce(&Calls) -> Vec<String>) -> Vec<String> {
    let log = Calls::default();
    tracing::subscriber::with_default(registry().with(log.clone()), || f(&log))
}

/// Layer that logs what it is called for.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn push<S>(&self, what: &str, id: &Id, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let name = context.metadata(id).map_or("a closed span", |metadata| metadata.name());
        self.0.lock().unwrap().push(format!("{what} {name}"));
    }
}

/// How a span or event is given its parent.
fn kind_of_parent(is_contextual: bool, is_root: bool) -> &'static str {
    match (is_contextual, is_root) {
        (true, false) => "contextual",
        (false, true) => "root",
        (false, false) => "explicit",
        (true, true) => "contextual, and root",
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let kind = kind_of_parent(attributes.is_contextual(), attributes.is_root());
        self.push(&format!("new {kind}"), id, &context);
    }

    fn on_record(&self, id: &Id, _: &Record<'_>, context: Context<'_, S>) {
        self.push("record", id, &context);
    }

    fn on_follows_from(&self, id: &Id, _: &Id, context: Context<'_, S>) {
        self.push("follows", id, &context);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let kind = kind_of_parent(event.is_contextual(), event.is_root());
        self.0.lock().unwrap().push(format!("event {kind} {}", event.metadata().name()));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.push("enter", id, &context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.push("exit", id, &context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.push("close", &id, &context);
    }
}

/// Polls a future until it is ready.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
}

fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut task::Context::from_waker(Waker::noop()))
}

/// Is not ready when it is polled first.
async fn yield_once() {
    let mut is_first = true;
    std::future::poll_fn(|_| {
        if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}
