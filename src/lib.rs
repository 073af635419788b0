//! Assert in your tests on the spans and events that your code traces with [`tracing`].
//!
//! The code may run in the test itself, on other threads and tasks, or behind a boundary: in a WASM guest, a dynamic library
//! or a child process.
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
//! | you want to | start with |
//! |---|---|
//! | capture a test | [`#[spanshot::test]`](test), or [`Capture::start()`] |
//! | find and check spans and events | [`predicates`] |
//! | compare a whole trace with a reviewed one | [`assert_trace_snapshot!`], [`SnapshotSettings`] |
//! | capture a server, threads, a pool | [`Capture`](Capture#testing-a-server), [`CaptureHandle`], [`Capture::start_process_wide()`] |
//! | see why a test failed | [printing](CaptureBuilder#printing), [recording](CaptureBuilder#recording) |
//! | fail a test on warnings or open spans | [`CaptureBuilder`](CaptureBuilder#watching-over-a-test) |
//! | capture a WASM guest, a child process, a dynamic library, a file | [`transport`] |
//! | build a boundary of your own | [`TracingEventSender`], [`TracingEventReceiver`], [frames](transport::frame) |
//! | capture on a subscriber of your own | [`CaptureLayer`], [`SharedStorage`] |
//!
//! The guide in the directory `docs` of the repository teaches these one by one, and shows why tests of traces are flaky.
//! Types that you seldom name are not at the root, but in the modules [`capture`], [`view`], [`receiver`] and
//! [`predicates::types`].
//!
//! # How a trace travels
//!
//! ```text
//!  the module under test                the host: your test
//!
//!  tracing macros                       tracing macros
//!        │                                    │
//!        ▼                                    ▼
//!  TracingEventSender                   Capture, or CaptureLayer
//!        │ frames, or TracingEvents        ▲  │
//!        ▼                                 │  ▼
//!  TracingEventReceiver ── relays to ──────┘  Storage: a Trace
//!        │                                    ▲  │
//!        └─── or captures directly ───────────┘  ▼
//!                                       predicates, snapshots, text
//! ```
//!
//! - **In the module**, a [`TracingEventSender`] is the subscriber. It hands [`TracingEvent`]s to your function, for serde to put
//!   into any format, or [encodes](TracingEventSender::encoded) compact [frames](transport::frame). In a WASM guest,
//!   [`spanshot_sender::wasm_guest::install()`] installs it and sends the frames.
//! - **Between the two**, [`transport`] carries frames over common boundaries.
//! - **In the host**, a [`TracingEventReceiver`] checks them. It relays to the current subscriber, or goes the [direct
//!   way](TracingEventReceiver::capturing) into a storage. It can be [persisted](TracingEventReceiver::persist), since a
//!   module may be suspended and its host restarted.
//! - **In the test**, a [`Capture`] is the subscriber of the thread, and so also gets modules that are relayed there.
//!   You get a [`Trace`], which is a [`Storage`]: query it, print it with `{}`, make a snapshot of it, serialize it, or
//!   [compare](SnapshotSettings::compare) it with another one.
//!
//! # Promises
//!
//! - **Transparent.** Replaying a program's stream gives the host the trace that the program would have given it
//!   natively: parents, order, values with their types, levels and targets, subject to the host's filters. Records of
//!   the `log` crate arrive as `tracing-log` would emit them in the host; captures show them under the target and line
//!   that they name.
//! - **Nothing lost, nothing mixed.** A capture sees the records of its thread, of the threads and tasks to which you
//!   [carry](CaptureHandle) it, and in an `async` [test] of all threads of its runtime; and nothing else. It does not matter how many tests run at once, nor which thread reaches a
//!   call site first. For code that starts threads by itself, there is a [process-wide mode](Capture::start_process_wide).
//! - **Verdicts can be trusted.** An assertion that holds because something is missing fails if the capture could not have seen
//!   it: if records were evicted, filtered out, compiled out, sent elsewhere, or cannot be attributed to a test. See
//!   [negatives](crate::predicates::Scanner#negatives).
//! - **A failure explains itself.** It points at the line of the test, and shows the nearest candidate, why that does not match, and the
//!   trace. A test that fails otherwise [prints it](CaptureBuilder#printing).
//! - **A guest is hostile.** For any input, the receiver answers with a typed [`ReceiveError`], keeps its earlier state, and goes on. It
//!   holds no more than its [`ReceiverLimits`] allow. Text of a guest is escaped where it is shown.
//!
#![doc = include_str!("../docs/src/limitations.md")]
//!
//! # Coming from another crate
//!
//! Types, methods and predicates of `tracing-tunnel` and `tracing-capture` have the same names here: rename the imports. JSON streams pass
//! from either crate to the other. The page *Migrating from another crate* of the guide lists the differences, and shows
//! the way from `tracing-test`, `test-log` and `tracing-mock`, too.
//!
//! # Crate features
//!
//! Add spanshot to your dev-dependencies. A module under test depends on [`spanshot_sender`] instead, which needs no `std` and three
//! small crates. A host that only relays, and captures nothing, turns the default features off. The page *Performance* of the guide tells
//! what the crate costs you: to build, and to run.
//!
//! | feature | default | provides | needs |
//! |---|---|---|---|
//! | `capture` | yes | [`#[spanshot::test]`](test), [`Capture`], [`CaptureLayer`], [`Storage`] and its tree | `tracing`, `tracing-subscriber`, `syn` and `quote`, `anstyle`, `siphasher` |
//! | `predicates` | yes | [`mod@predicates`] (with `capture`) | `predicates` |
//! | `snapshot` | yes | [`assert_trace_snapshot!`], [`SnapshotSettings`], [`StreamSnapshot`] (with `capture`) | `insta`, `similar`, `regex-lite` |
//! | `export` | no | [`mod@export`]: traces for browsers and trace viewers (with `capture`) | `serde_json`, `serde_derive` |
//! | `log` | no | records of the `log` crate are events of every [`Capture`] (with `capture`): the first one [installs a logger](Capture#records-of-the-log-crate) | `tracing-log` |
//! | `tokio` | no | [`transport::stream::receive_async`] | `tokio` |
//!
//! [`tracing`]: https://docs.rs/tracing
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(unreachable_pub)]

extern crate alloc;

#[cfg(feature = "capture")]
pub mod capture;
#[cfg(feature = "export")]
pub mod export;
mod interest;
mod lock;
mod log_record;
mod not_a_future;
mod panics;
#[cfg(feature = "predicates")]
pub mod predicates;
pub mod receiver;
mod said_parent;
mod this_thread;
pub mod transport;
#[cfg(feature = "capture")]
pub mod view;

#[cfg(feature = "capture")]
pub use crate::capture::at_root::*;
/// Runs a function as a test that is captured from its beginning to its end, and shows the trace if it fails.
///
/// Use it in place of `#[test]`. If you want to look at the trace, take an argument of the type [`Capture`], or a
/// reference to one:
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
/// Your test fails like any other: by a panic, by returning an error or an [`ExitCode`](std::process::ExitCode) (it can
/// return nothing else but `()`), or because its capture [fails it](CaptureBuilder#watching-over-a-test). Then the
/// trace is [printed](CaptureBuilder#printing) and recorded, together with the error. If you drop the capture in the
/// middle of the test, it continues to the end of the test; [`finish()`](Capture::finish) ends it at once.
///
/// # Async tests
///
/// An `async` test runs in a `tokio` runtime of its own, which has the options of `#[tokio::test]`. The capture is
/// attached to **all threads** of this runtime. It receives the records of the tasks that your code spawns, and of
/// their blocking code, without any carrying. Your crate needs `tokio` with the feature `rt`.
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
/// | option | effect |
/// |---|---|
/// | `filter = "info,my_crate=debug"` | captures only this: [`CaptureBuilder::filter()`] |
/// | `fail_on = "warn"` | fails the test on events of this level or more severe: [`CaptureBuilder::fail_on_events()`] |
/// | `print = "always"` | when to print the trace: `"failure"`, `"always"`, `"live"` or `"never"`, as in [`Print`] |
/// | `process_wide` | captures all threads of the process: [`Capture::start_process_wide()`] |
/// | `process` | runs the test in a process of its own, under any runner, and captures all threads of that process |
/// | `flavor`, `worker_threads`, `start_paused` | the runtime of an `async` test, as in `#[tokio::test]` |
/// | `crate = "path"` | the path of this crate, if another crate re-exports it |
///
/// Use `process` for code that starts threads by itself. It starts the test binary again, and tells it to run only this
/// test, which takes some milliseconds more.
///
/// # With other attributes
///
/// It stacks with `#[tokio::test]`, `#[rstest]`, `#[test_case(…)]`, `#[should_panic]`, `#[ignore]`, googletest,
/// proptest and quickcheck, in either order. Leave out `#[test]`, or put it below: above, it would make a second test.
/// Put a `#[test_case(… => …)]` above, too, since it compares the result of the function. If an attribute below passes
/// arguments, add the capture to them:
///
/// ```text
/// #[spanshot::test]
/// #[rstest]
/// fn parses(#[values("1", "2")] number: &str, capture: Capture) { … }
/// ```
///
/// Above `#[rstest]`, it does not see what the fixtures trace; below, it does. With a `#[timeout]` of rstest or ntest, it
/// captures the thread on which these run the test.
///
/// # Properties
///
/// With proptest, test-strategy and quickcheck, each case has a capture of its own, with the options of the attribute.
/// If the property fails, it shows the trace of the smallest case that fails, once, at the end. With `fail_on`, an
/// unwanted event fails its case, which is then shrunk. If the property has `#[should_panic]`, a single capture has all
/// cases.
///
/// If you run a property by hand in a test, as in `proptest!(|(port: u16)| { … })`, start the capture in its closure.
/// The test shows the latest capture of that line that ended by a panic. `prop_assert!` returns an error, which
/// [`Capture::run()`] sees, and `Capture::start()` does not.
///
/// Without this attribute or [`Capture::run()`] around the property, spanshot cannot know which case is the last one:
/// each case that panics prints its trace.
///
/// In the same way, other captures that end in a test with this attribute are shown when the test fails, and not before.
///
/// # Runtimes of others
///
/// With a `#[tokio::test]` above or below, which may have options, all threads of its runtime are captured. It is
/// recognized by its name and, if it is above, by the code that it writes. If another attribute builds the runtime, such
/// as `#[sqlx::test]` or `#[actix_rt::test]`, only its first thread is captured.
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

pub use crate::receiver::at_root::*;
#[cfg(feature = "snapshot")]
pub use crate::view::at_root::*;
pub(crate) use spanshot_sender::__wire as wire;
#[doc(inline)]
pub use spanshot_sender::{
    CallSiteData, CallSiteKind, DebugObject, FromTracedValue, MetadataId, RawSpanId, TracedError,
    TracedValue, TracedValues, TracedValuesIter, TracingEvent, TracingEventSender, TracingLevel,
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
    #[doc = include_str!("../docs/src/performance.md")]
    mod performance {}
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/src/recipes.md")]
    mod recipes {}
    #[doc = include_str!("../docs/src/snapshots.md")]
    mod snapshots {}
}

/// Items that the macros of this crate expand to, or that bound its functions. Not for you: they change without notice.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "snapshot")]
    pub use insta;
    #[cfg(feature = "capture")]
    pub use tracing_core::Level;

    #[cfg(feature = "capture")]
    pub use crate::capture::attribute::{AttributeTest, RunningTest, TestOutcome, look_around};
    #[cfg(feature = "capture")]
    pub use crate::capture::own_process::in_own_process;
    pub use crate::not_a_future::NotAFuture;
    #[cfg(feature = "snapshot")]
    pub use crate::view::assertion::{Assertion, SnapshotName, TraceSnapshot};
}
