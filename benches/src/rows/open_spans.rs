//! Many spans that are open at once.
//!
//! That `tracing-subscriber` looks through all spans that a thread is in whenever one is entered is
//! shown, too: what goes through a `Registry` cannot be better than that.

use spanshot::{
    Capture, LocalSpans, PersistedMetadata, PersistedSpans, ReceiverLimits, SharedStorage,
    TracingEventReceiver, receiver::FrameDecoder,
};
use tracing::{Dispatch, dispatcher, info_span, level_filters::LevelFilter};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    buffer::Buffer,
    row::{Row, Work},
    rows::growth::sender,
    tunnels::encoded_to,
};

const SPAN: (&str, u64) = ("a span", 1);

const SPANS: [u64; 2] = [10_000, 100_000];

/// A bare `Registry` takes half a minute for ten times as many.
const SPANS_OF_REGISTRY: [u64; 2] = [1_000, 10_000];

pub(crate) const ROWS: &[Row] = &[
    Row::growth("sender, spans in one another", SPAN, |n| send(n, nested), SPANS),
    Row::growth("sender, spans in one another, oldest first", SPAN, |n| send(n, crossing), SPANS),
    Row::growth("sender, spans side by side", SPAN, |n| send(n, newest_first), SPANS),
    Row::growth("sender, spans side by side, oldest first", SPAN, |n| send(n, oldest_first), SPANS),
    Row::growth("`Capture`, spans in one another", SPAN, |n| capture(n, nested), SPANS),
    Row::growth(
        "`Capture`, spans in one another, oldest first",
        SPAN,
        |n| capture(n, crossing),
        SPANS,
    ),
    Row::growth("`Capture`, spans side by side", SPAN, |n| capture(n, newest_first), SPANS),
    Row::growth(
        "`Capture`, spans side by side, oldest first",
        SPAN,
        |n| capture(n, oldest_first),
        SPANS,
    ),
    Row::growth("direct capture, spans in one another", SPAN, |n| receive(n, nested), SPANS),
    Row::growth(
        "direct capture, spans in one another, oldest first",
        SPAN,
        |n| receive(n, crossing),
        SPANS,
    ),
    Row::growth("direct capture, spans side by side", SPAN, |n| receive(n, newest_first), SPANS),
    Row::growth(
        "direct capture, spans side by side, oldest first",
        SPAN,
        |n| receive(n, oldest_first),
        SPANS,
    ),
    Row::growth("restoring spans in one another", SPAN, |n| restore(n, directly), SPANS),
    Row::growth("restoring them in a decoder", SPAN, |n| restore(n, in_decoder), SPANS),
    Row::growth("restoring them where none is wanted", SPAN, |n| restore(n, unwanted), SPANS),
    Row::growth(
        "a bare `Registry`, spans in one another",
        SPAN,
        |n| register(n, nested),
        SPANS_OF_REGISTRY,
    )
    .only_shown(),
    Row::growth(
        "a bare `Registry`, spans side by side",
        SPAN,
        |n| register(n, newest_first),
        SPANS,
    )
    .only_shown(),
];

/// Opens so many spans, and closes them.
type Program = fn(u64);

fn nested(spans: u64) {
    let mut entered: Vec<_> =
        (0..spans).map(|number| info_span!("nested", number).entered()).collect();
    while entered.pop().is_some() {}
}

fn crossing(spans: u64) {
    let entered: Vec<_> =
        (0..spans).map(|number| info_span!("crossing", number).entered()).collect();
    entered.into_iter().for_each(drop);
}

fn newest_first(spans: u64) {
    let mut open: Vec<_> = (0..spans).map(|number| info_span!("newest_first", number)).collect();
    while open.pop().is_some() {}
}

fn oldest_first(spans: u64) {
    let open: Vec<_> = (0..spans).map(|number| info_span!("oldest_first", number)).collect();
    open.into_iter().for_each(drop);
}

fn send(spans: u64, program: Program) -> Work {
    under(sender(), spans, program)
}

fn register(spans: u64, program: Program) -> Work {
    under(Dispatch::new(Registry::default()), spans, program)
}

fn under(subscriber: Dispatch, spans: u64, program: Program) -> Work {
    Box::new(move || dispatcher::with_default(&subscriber, || program(spans)))
}

fn capture(spans: u64, program: Program) -> Work {
    let mut captures = vec![];
    Box::new(move || {
        captures.push(Capture::start());
        program(spans);
    })
}

fn receive(spans: u64, program: Program) -> Work {
    let buffer = Buffer::default();
    dispatcher::with_default(&encoded_to(&buffer), || program(spans));
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage).with_limits(limits());
    Box::new(move || {
        for frame in buffer.records().iter() {
            receiver.receive_encoded(frame).expect("it is in order");
        }
    })
}

/// Restores so many spans that were persisted.
type Restore = fn(PersistedMetadata, PersistedSpans);

fn restore(spans: u64, restore: Restore) -> Work {
    let site = r#"{"0":{"kind":"span","name":"span","target":"","level":"info","fields":[]}}"#;
    let span = |id: u64| {
        let parent = id - 1; // there is none that is 0
        format!(r#""{id}":{{"metadata_id":0,"parent_id":{parent},"ref_count":1,"values":{{}}}}"#)
    };
    let spans: Vec<_> = (1..=spans).map(span).collect();
    let metadata: PersistedMetadata = serde_json::from_str(site).expect("it is a call site");
    let spans: PersistedSpans =
        serde_json::from_str(&format!("{{{}}}", spans.join(","))).expect("they are spans");
    Box::new(move || restore(metadata.clone(), spans.clone()))
}

fn directly(metadata: PersistedMetadata, spans: PersistedSpans) {
    let local_spans = LocalSpans::capturing(&SharedStorage::default());
    restore_into(metadata, spans, local_spans);
}

fn in_decoder(metadata: PersistedMetadata, spans: PersistedSpans) {
    drop(FrameDecoder::try_new(metadata, spans, limits()).expect("they fit together"));
}

fn unwanted(metadata: PersistedMetadata, spans: PersistedSpans) {
    let subscriber = tracing_subscriber::registry().with(LevelFilter::OFF);
    tracing::subscriber::with_default(subscriber, || {
        restore_into(metadata, spans, LocalSpans::default());
    });
}

fn restore_into(metadata: PersistedMetadata, spans: PersistedSpans, local_spans: LocalSpans) {
    let restored =
        TracingEventReceiver::try_new_with_limits(metadata, spans, local_spans, limits());
    drop(restored.expect("they fit together"));
}

/// Limits for more spans in one another than a program has.
fn limits() -> ReceiverLimits {
    ReceiverLimits::default().max_depth(usize::MAX).max_entered(usize::MAX)
}
