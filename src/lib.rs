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
#![doc = include_str!("../docs/src/limitations.md")]
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
pub mod transport;
#[cfg(feature = "capture")]
mod view;

#[cfg(feature = "capture")]
pub use crate::capture::{
    Capture, CaptureBuilder, CaptureHandle, CaptureLayer, Captured, CapturedEvent, CapturedEvents,
    CapturedMetadata, CapturedNode, CapturedNodes, CapturedSpan, CapturedSpans, Carried,
    DescendantEvents, DescendantSpans, Happening, Keep, Moment, Print, ProcessWideLayer,
    SharedStorage, SpanStats, Storage, TestResult, TimedOut, Trace,
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

/// The README and the pages of the guide in `docs`, whose code runs as doc tests.
#[cfg(all(doctest, feature = "predicates", feature = "snapshot"))]
mod guide {
    #[doc = include_str!("../docs/src/async.md")]
    mod r#async {}
    #[doc = include_str!("../docs/src/failing.md")]
    mod failing {}
    #[doc = include_str!("../docs/src/first_test.md")]
    mod first_test {}
    #[doc = include_str!("../docs/src/flaky.md")]
    mod flaky {}
    #[doc = include_str!("../docs/src/guests.md")]
    mod guests {}
    #[doc = include_str!("../docs/src/introduction.md")]
    mod introduction {}
    #[doc = include_str!("../docs/src/migration.md")]
    mod migration {}
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/src/recipes.md")]
    mod recipes {}
    #[doc = include_str!("../docs/src/snapshots.md")]
    mod snapshots {}
}

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
