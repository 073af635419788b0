//! Assert, in `#[test]`s, on what code **traced**: code of the test's own process, and above all code
//! behind a boundary.
//!
//! A sandboxed module (a WASM guest, a dynamic library, a child process) traces with the ordinary
//! [`tracing`] macros. A small *sender* in it carries its spans and events through one function; the
//! host's *receiver* replays them as if the module had traced natively; a *capture* holds them in
//! memory, as a tree; *predicates* query the tree, and [insta] *snapshots* let people review it.
//!
//! ```
//! use spanshot::{Capture, assert_trace_snapshot, predicates::*};
//! use tracing::{Level, info_span, warn};
//!
//! # fn connect(port: u16) {
//! #     info_span!("connect", port).in_scope(|| warn!(millis = 850, "slow"));
//! # }
//! #[spanshot::test]
//! fn slow_connections_are_reported(capture: Capture) {
//!     connect(8_080); // the code under test: here, in a WASM guest, …
//!     let trace = capture.trace();
//!
//!     let span = trace.scan_spans().single(&(name("connect") & field("port", 8_080)));
//!     span.scan_events().single(&(level(Level::WARN) & message("slow")));
//!     assert_trace_snapshot!(trace, @r"
//!     INFO connect{port=8080}
//!     └─ WARN slow millis=850
//!     ");
//! }
//! ```
//!
//! # The way of the data
//!
//! ```text
//!  module under test                    host: a #[test]
//!  tracing macros ─▶ TracingEventSender ─▶ TracingEventReceiver ─┬─▶ tracing dispatcher ─▶ CaptureLayer ─┐
//!                    TracingEvent, or a frame of bytes           └─▶ directly ───────────────────────────┤
//!  code in the test's own process: tracing macros ─▶ Capture ────────────────────────────────────────────┤
//!                                                                                                        ▼
//!                                        predicates · scanners · tree · snapshots ◀────────── Storage, a Trace
//! ```
//!
//! - **In the module**, a [`TracingEventSender`] is installed as the subscriber. It hands out
//!   [`TracingEvent`]s for serde to put into any format, or, with
//!   [`encoded`](TracingEventSender::encoded), compact [frames](frame). In a WASM guest,
//!   [`spanshot_sender::wasm_guest::install()`] does it all.
//! - **In the host**, a [`TracingEventReceiver`] takes them. It relays to the current subscriber,
//!   whatever that is, or goes the [direct way](TracingEventReceiver::capturing) into a storage. Since
//!   a module may be suspended and its host restarted, its state can be
//!   [persisted](TracingEventReceiver::persist).
//! - **In the test**, [`#[spanshot::test]`](test) or [`Capture::start()`] captures what the thread traces, relayed modules included; a
//!   [`CaptureLayer`] does so on a subscriber of one's own. What was captured is a [`Trace`], that is a
//!   [`Storage`]. It is queried through [`predicates`], shown by [`Display`](core::fmt::Display), and
//!   snapshotted by [`assert_trace_snapshot!`] or, being [`Serialize`](serde::Serialize), by insta's own
//!   macros; [`SnapshotSettings`] say what is shown, replaced and unordered, and
//!   [compare](SnapshotSettings::compare) two traces.
//! - **Between the two**, [`transport`] has what carries frames over common boundaries: WASM, child
//!   processes, files.
//!
//! # Promises
//!
//! - **Transparent.** Replaying a program's stream gives the host the trace that the program would have
//!   given it natively: parents, order, values with their types, levels and targets, subject to the
//!   host's filters. Records of the `log` crate arrive as those that `tracing-log` emits in the host;
//!   captures show them where they say that they come from.
//! - **Nothing lost, nothing mixed.** A capture sees what its thread traced, and the threads and tasks that
//!   it was [carried](CaptureHandle) to, and nothing else, however many tests run at once, and whichever
//!   thread comes to a call site first. For code that starts threads by itself, there is a [process-wide
//!   mode](Capture::start_process_wide).
//! - **Verdicts can be trusted.** An assertion that holds because something is missing fails if the capture
//!   could not have seen it: if records were evicted, filtered out, compiled out, sent elsewhere, or
//!   cannot be attributed to a test. See [negatives](crate::predicates::Scanner#negatives).
//! - **A failure explains itself.** It points at the line of the test, and shows what came nearest, why
//!   that does not match, and the trace. A test that fails otherwise [prints it](CaptureBuilder#printing).
//! - **A guest is hostile.** Whatever arrives, the receiver answers with a typed [`ReceiveError`], is as
//!   it was before, and goes on. It holds no more than its [`ReceiverLimits`] allow. Text that a guest
//!   traced is escaped where it is shown.
//!
//! # Limitations
//!
//! - A capture cannot see what goes on without it. If your code traces on a thread that you have not attached,
//!   or inside `with_default(other_subscriber, …)`, nothing tells the capture. Failing positives name the ways
//!   out; use a [process-wide](Capture::start_process_wide) capture where threads are out of your reach.
//! - `Registry` numbers its spans from 1, as any other `Registry` does. If you name a span of one to another, as
//!   a parent or by `follows_from`, the other takes it for its own, or panics. A [`Capture`] and a process-wide
//!   capture have IDs of their own and do neither. A [`CaptureLayer`], a [`ProcessWideLayer`] and a capture
//!   [with layers](CaptureBuilder::with_layer) go by the `Registry` that they are on.
//! - A link to a span that is closed (`follows_from`) does not cross the boundary of a module. Natively a [`Capture`]
//!   keeps it, and a [`CaptureLayer`] for the last 256 closed spans; a [`ProcessWideLayer`] and a capture [with
//!   layers](CaptureBuilder::with_layer) do not.
//! - While a capture or a [`CaptureLayer`] is in the process, `tracing` asks a subscriber each time about a call
//!   site that no subscriber wants, instead of caching that: about 50 instructions. What a subscriber always
//!   wants is cached as natively. `EnvFilter` answers otherwise when it is asked than when it registers a call
//!   site, if a directive names a field and the span is more verbose than the directive: what it lets pass then
//!   depends on the other subscribers of the process, as it does natively.
//! - An error's chain is carried up to 100 messages, its types are not carried at all, and neither are
//!   those of values recorded through `Debug` or `Display`: their text is.
//! - In the module, the subscriber is the sender. Code there that looks for another one by its type finds none:
//!   `Dispatch::downcast_ref()` returns `None`, `SpanTrace::capture()` of `tracing-error` is empty, and
//!   `OpenTelemetrySpanExt` of `tracing-opentelemetry` neither sets a parent nor returns a context. Do the like
//!   in the host, whose layers see the spans of the module.
//! - Values of the `valuable` crate are carried as their `Debug` text, without their structure. If a test has to
//!   look into them, trace numbers, booleans and strings as fields of their own.
//! - A sender numbers its spans with 48 bits and remembers, in the IDs that the module sees, the call
//!   site of each for the first 65,535 call sites: `Span::current()` does not know a span of a later one.
//! - Text formats that have no way of telling the floats apart may round them; `serde_json` needs its
//!   feature `float_roundtrip` not to. Frames carry all their bits.
//! - JSON lists the fields that hold byte strings by their names. Where a call site declares a name twice,
//!   text of another field that has the form of a byte string is taken for one. Frames go by the index.
//! - Each thread of a stream is relayed on a thread of its own: the first one on that which receives, up
//!   to 64 others at a time on threads that the receiver starts. Those beyond share the first one, where
//!   the span that each is in is given to new spans and events as an *explicit* parent. Filters of single
//!   layers, and span directives of an `EnvFilter`, can tell the difference.
//! - A receiver that was not asked for its [scope](TracingEventReceiver::scope) keeps the host's thread in a span until
//!   the program exits it. If you call it on another thread meanwhile, that thread enters the span, too, and the first
//!   one stays in it.
//! - Each handle of a span has the same ID in a stream. If a subscriber's `clone_span()` returns other IDs,
//!   the receiver takes the latest clone for the handle that is dropped first.
//! - `LevelFilter::current()` in a module is what its sender takes, and not more than the
//!   [level of its host](HostFilter::max_level) if the module can tell.
//! - Unless its sender [asks](TracingEventSender::with_host_filter), a module does not know the host's
//!   filter. A span that is disabled there is current in the module all the same, and what is recorded into
//!   it through `Span::current()` goes to nobody; natively it would go to the span around it. Nor does it
//!   know that a span is closed which it is still in: natively there is no current span then, here there is
//!   one to which nothing happens.
//!
//! # Coming from `tracing-tunnel` and `tracing-capture`
//!
//! Types and methods have the same names, and the JSON is the same, so that a stream passes from either
//! crate to the other. A few things are better, and so not the same:
//! `SharedStorage::lock()` locks nothing (it returns a snapshot); a sender numbers call sites in the order
//! of their first use, so that [`PersistedMetadata`] is that of one execution; [`CapturedMetadata`] stands for
//! `&'static Metadata<'static>`, with the same methods; values compare across integer types, so that
//! `field("port", 8_080)` needs no suffix; [`TracingEvent`] has more fields; and a receiver stays with the
//! subscriber that it started with. A receiver refuses a span of an event's call site, and an event of a span's.
//! One that is restored enters the spans that were entered when it was persisted, and
//! [`TracingEventReceiver::new`] panics if what was persisted does not fit together. What `tracing-tunnel` has
//! persisted does not say which spans were entered, so that a receiver refuses to exit them: suspend the program
//! outside its spans before you migrate. JSON has no number for NaN and the infinities: `tracing-tunnel` writes
//! `null`, which neither crate can read, and this crate a string, which `tracing-tunnel` cannot.
//!
//! # Crate features
//!
//! Add spanshot to your tests with `cargo add --dev spanshot`. A module under test depends on [`spanshot_sender`]
//! instead, which needs no `std` and three small crates. A host that only relays, and captures nothing, takes
//! `default-features = false`.
//!
//! | feature | default | what it gives | needs |
//! |---|---|---|---|
//! | `capture` | yes | [`#[spanshot::test]`](test), [`Capture`], [`CaptureLayer`], [`Storage`] and its tree | `tracing`, `tracing-subscriber`, `syn` and `quote`, `anstyle`, `siphasher` |
//! | `predicates` | yes | [`mod@predicates`] (with `capture`) | `predicates` |
//! | `snapshot` | yes | [`assert_trace_snapshot!`], [`SnapshotSettings`], [`StreamSnapshot`] (with `capture`) | `insta`, `similar`, `regex-lite` |
//! | `export` | no | [`HtmlPage`] and [`ChromeTrace`]: traces for browsers and trace viewers (with `capture`) | `serde_json` |
//! | `log` | no | records of the `log` crate are events of every [`Capture`] (with `capture`): the first one [installs a logger](Capture#records-of-the-log-crate) | `tracing-log` |
//! | `tokio` | no | [`transport::stream::receive_async`] | `tokio` |
//!
//! [`tracing`]: https://docs.rs/tracing
//! [insta]: https://insta.rs
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(unreachable_pub)]

extern crate alloc;

#[cfg(feature = "capture")]
mod capture;
#[cfg(feature = "export")]
mod export;
mod interest;
mod log_record;
mod not_a_future;
mod panics;
#[cfg(feature = "predicates")]
pub mod predicates;
mod receiver;
mod said_parent;
pub mod transport;
#[cfg(feature = "capture")]
mod view;

#[cfg(feature = "capture")]
pub use crate::capture::{
    Capture, CaptureBuilder, CaptureHandle, CaptureLayer, Captured, CapturedEvent, CapturedEvents,
    CapturedMetadata, CapturedNode, CapturedNodes, CapturedSpan, CapturedSpans, Carried,
    DescendantEvents, DescendantSpans, Happening, Keep, Moment, ParentKind, Print,
    ProcessWideLayer, SharedStorage, SpanStats, Storage, TestResult, TimedOut, Trace,
};
/// Runs a function as a test that is captured from its beginning to its end, and shows the trace if it fails.
///
/// Use it in place of `#[test]`. If the test wants to look at its trace, it takes an argument of the type [`Capture`],
/// or a reference to one:
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// # fn charge(cents: u32) { tracing::info!(cents, "charged") }
/// #[spanshot::test]
/// fn charges_once(capture: Capture) {
///     charge(250);
///     capture.trace().scan_events().single(&(message(eq("charged")) & field("cents", 250)));
/// }
/// ```
///
/// The test fails as any other: by a panic, by an error or an [`ExitCode`](std::process::ExitCode) that it returns (nothing
/// else can be returned but `()`), or because its capture [fails it](CaptureBuilder#watching-over-a-test). The trace is [printed](CaptureBuilder#printing)
/// and recorded then, together with the error. If you drop the capture in the middle of the test, it goes on to the
/// end of the test; [`finish()`](Capture::finish) ends it at once.
///
/// # Async tests
///
/// An `async` test runs in a `tokio` runtime of its own, which has the options of `#[tokio::test]`. The capture is
/// attached to **all threads** of that runtime: tasks that the code spawns, and their blocking code, are captured with
/// nothing to carry. Your crate needs `tokio` with the feature `rt`.
///
/// ```
/// use spanshot::{Capture, predicates::*};
///
/// #[spanshot::test(flavor = "multi_thread", worker_threads = 2)]
/// async fn answers(capture: Capture) {
///     tokio::spawn(async { tracing::info!("in a task") }).await.unwrap();
///     capture.trace().scan_events().single(&message("in a task"));
/// }
/// ```
///
/// # Options
///
/// | option | what it does |
/// |---|---|
/// | `filter = "info,my_crate=debug"` | captures only this: [`CaptureBuilder::filter()`] |
/// | `fail_on = "warn"` | fails the test on events of this level or more severe: [`CaptureBuilder::fail_on_events()`] |
/// | `print = "always"` | when to print the trace: `"failure"`, `"always"`, `"live"` or `"never"`, as [`Print`] has them |
/// | `process_wide` | captures all threads of the process: [`Capture::start_process_wide()`] |
/// | `process` | runs the test in a process of its own, whose threads are all captured, whichever runner runs it |
/// | `flavor`, `worker_threads`, `start_paused` | the runtime of an `async` test, as in `#[tokio::test]` |
/// | `crate = "path"` | where this crate is, if you have it from another one |
///
/// Use `process` for code that starts threads by itself. It starts the test's binary again, and tells it to run this
/// test only, which takes some milliseconds more. Its output is shown when it has ended.
///
/// # With other attributes
///
/// It stacks with `#[tokio::test]`, `#[rstest]`, `#[test_case(…)]`, `#[should_panic]`, `#[ignore]`, googletest, proptest and
/// quickcheck, in either order. Leave out `#[test]`, or put it below: above, it would make a second test. Put a
/// `#[test_case(… => …)]` above, too, since it compares the result of the function. If an attribute below passes
/// arguments, the capture is an argument beside those:
///
/// ```text
/// #[spanshot::test]
/// #[rstest]
/// fn parses(#[values("1", "2")] number: &str, capture: Capture) { … }
/// ```
///
/// If another attribute builds the runtime, as `#[tokio::test]` does, only its first thread is captured.
///
/// # Example
///
/// A test that returns an error, and one that runs alone:
///
/// ```
/// use std::{num::ParseIntError, thread};
/// use spanshot::{Capture, predicates::*};
///
/// #[spanshot::test(fail_on = "error")]
/// fn reads_the_port() -> Result<(), ParseIntError> {
///     let port: u16 = "8080".parse()?;
///     tracing::info!(port, "listening");
///     Ok(())
/// }
///
/// #[spanshot::test(process)]
/// fn bare_threads_are_captured(capture: Capture) {
///     thread::spawn(|| tracing::info!("from a thread")).join().unwrap();
///     capture.trace().scan_events().single(&message("from a thread"));
/// }
/// ```
#[cfg(feature = "capture")]
#[cfg_attr(docsrs, doc(cfg(feature = "capture")))]
pub use spanshot_macros::test;

#[cfg(feature = "export")]
pub use crate::export::{ChromeTrace, HtmlPage};
pub use crate::not_a_future::NotAFuture;
pub use crate::receiver::{
    FrameDecoder, GuestScope, InGuestScope, Limit, LocalSpans, PersistedMetadata, PersistedSpans,
    ReceiveError, ReceiverLimits, Refusals, RestoreError, TracingEventReceiver,
};
#[cfg(feature = "capture")]
pub use crate::view::TimelineText;
#[cfg(feature = "snapshot")]
pub use crate::view::{
    Difference, SnapshotScope, SnapshotSettings, SnapshotSource, StreamSnapshot, TraceComparison,
    TraceView,
};
pub(crate) use spanshot_sender::wire;
#[doc(inline)]
pub use spanshot_sender::{
    CallSiteData, CallSiteKind, DebugObject, FilterAnswer, Frames, FromTracedValue, HostFilter,
    MetadataId, RawSpanId, Record, ThreadIndex, TracedError, TracedValue, TracedValues,
    TracedValuesIter, TracingEvent, TracingEventSender, TracingLevel, frame,
};

/// What the macros of this crate expand to.
#[cfg(feature = "capture")]
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "snapshot")]
    pub use insta;
    pub use tracing_core::Level;

    pub use crate::capture::attribute::{AttributeTest, RunningTest, TestOutcome, in_own_process};
    #[cfg(feature = "snapshot")]
    pub use crate::view::assertion::{Assertion, SnapshotName, TraceSnapshot};
}
