//! `assert_trace_snapshot!`, which leaves all of the work with files and reviews to insta.
//!
//! insta's settings, of which only the documented ones are used, tell it where the files are, how they are named, and
//! how an earlier snapshot compares with a new one.
//!
//! | file | contents |
//! |---|---|
//! | `mod.rs` | the macro, and its arguments |
//! | `case.rs` | finds the test that asserts a snapshot without a name |
//! | `comparator.rs` | compares an earlier snapshot with a new one, and checks that they belong to one test |
//! | `elision.rs` | snapshots in which `…` stands for any lines |

mod case;
mod comparator;
mod elision;

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::panic::Location;
use std::{any, env, ffi::OsStr, path::Path, thread};

use insta::Settings;

use self::comparator::{Failure, FailureSlot, TraceComparator};
use super::{
    SnapshotSettings, SnapshotSource, StreamSnapshot, TimelineText, TraceView, digest::digest_text,
};
use crate::{
    capture::{PrintedText, Storage, latest_panic},
    lock::Mutex,
    wire::TracingEvent,
};

/// Asserts that a trace matches its [insta](https://insta.rs) snapshot.
///
/// The snapshot is the tree of a [`Trace`](crate::Trace), or of a [part](crate::view::SnapshotSource) of one: a span with all
/// its descendants, an event, the matches of a scanner. The bound [`SnapshotSettings`](crate::SnapshotSettings) decide
/// what it shows, or the settings of a [`TraceView`](crate::view::TraceView). For a stream of
/// [`TracingEvent`](crate::TracingEvent)s, the snapshot is its [`StreamSnapshot`](crate::StreamSnapshot).
///
/// It takes the same arguments as [`insta::assert_snapshot!`]: the trace alone, a name and the trace, or the trace and
/// an inline snapshot. [`cargo insta`](https://insta.rs/docs/cli/) reviews all of them.
///
/// # Files
///
/// A named or unnamed snapshot is a file in the directory that insta's settings name. If they name none, it is
/// `snapshots` at the root of your package. (insta's own macros, such as `insta::assert_yaml_snapshot!`, put their
/// files beside the source of the test unless the settings say otherwise.)
///
/// | assertion | file |
/// |---|---|
/// | in the test `parse` of the module `net` | `my_crate__net__parse.snap` |
/// | the second one of that test | `my_crate__net__parse-2.snap` |
/// | with the name `"a_name"` in that module | `my_crate__net__a_name.snap` |
/// | in a function `parse` that the case `case_1` of an `#[rstest]` runs | `my_crate__net__parse@case_1.snap` |
/// | in a helper `check` that the test `first` calls | `my_crate__check@first.snap` |
///
/// So each test has a file of its own, however you run the tests. If you set insta's `snapshot_suffix`, it is used
/// instead of the name of the case or test. On a thread that your test has started, the test is unknown: give snapshots
/// a name there.
///
/// # Elisions
///
/// A line `…` in a snapshot, inline or in a file, stands for any number of lines, or none. Use it to pin only the part
/// that your test is about:
///
/// ```
/// use spanshot::{Capture, assert_trace_snapshot};
/// use tracing::{info, info_span, warn};
///
/// let capture = Capture::start();
/// info_span!("connect", port = 8_080).in_scope(|| {
///     info!("what another test is about");
///     warn!("slow");
/// });
/// assert_trace_snapshot!(capture.trace(), @r"
/// INFO connect{port=8080}
/// ├─ …
/// └─ WARN slow
/// ");
/// ```
///
/// A branch may lead to it. It then stands for lines that are at least as deep as it is: `├─ …` above does not lead out
/// of `connect`, whereas a line `…` without a branch would also match if `slow` were in a later span. Nothing else may be on
/// the line. Traced text that would look like such a line
/// is put between backticks, so a snapshot that insta has written never has one.
///
/// insta does not update a snapshot with elisions, since they would get lost: the assertion panics, shows the
/// difference and the trace where it stops matching, and leaves no pending snapshot. Edit the snapshot by hand, or
/// remove the lines `…` to have insta write it anew. A snapshot that has only such lines pins nothing, and always fails.
///
/// # Panics
///
/// Panics if the trace differs from the snapshot, or if there is no snapshot yet. It then leaves a pending snapshot for
/// review, as configured in insta.
///
/// Panics, and leaves the snapshot as it is, if it belongs to a test in another source that has the same path, if
/// another assertion of the process has put another trace into the same named snapshot, or if unnamed ones are
/// asserted on several threads and cannot be told apart.
///
/// A snapshot of a whole trace asserts that nothing else was traced. So it also panics if another subscriber received
/// the records of the thread, if a receiver has [lost records](crate::SharedStorage::ignore_lost_records), or, in a
/// [process-wide](crate::Capture::start_process_wide) capture, if there are records that no test can claim.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, assert_trace_snapshot};
///
/// let capture = Capture::start();
/// tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
/// let trace = capture.trace();
/// assert_trace_snapshot!(trace, @r"
/// INFO connect{port=8080}
/// └─ WARN slow
/// ");
/// ```
#[macro_export]
#[cfg_attr(docsrs, doc(cfg(feature = "snapshot")))]
macro_rules! assert_trace_snapshot {
    ($trace:expr, @$snapshot:literal $(,)?) => {{
        let assertion = $crate::__private::Assertion::inline(&$trace);
        let _scope = assertion.bind(::core::env!("CARGO_MANIFEST_DIR"));
        $crate::__private::insta::assert_snapshot!(
            assertion.text(), ::core::stringify!($trace), @$snapshot
        );
        assertion.end();
    }};
    ($trace:expr $(,)?) => {{
        let assertion = $crate::__private::Assertion::unnamed(&|| (), &$trace);
        let _scope = assertion.bind(::core::env!("CARGO_MANIFEST_DIR"));
        $crate::__private::insta::assert_snapshot!(
            ::core::option::Option::None::<&str>, assertion.text(), ::core::stringify!($trace)
        );
        assertion.end();
    }};
    ($name:expr, $trace:expr $(,)?) => {{
        let name = $name;
        let assertion =
            $crate::__private::Assertion::named(::core::module_path!(), &name, &$trace);
        let _scope = assertion.bind(::core::env!("CARGO_MANIFEST_DIR"));
        $crate::__private::insta::assert_snapshot!(
            name, assertion.text(), ::core::stringify!($trace)
        );
        assertion.end();
    }};
}

/// An assertion that insta is about to make.
#[derive(Debug)]
pub struct Assertion {
    text: String,
    /// Suffix of the snapshot's name, unless the test sets one itself.
    suffix: Option<String>,
    /// Module and name, if the snapshot has a name.
    name: Option<String>,
    failure: FailureSlot,
    place: &'static Location<'static>,
    /// For a whole trace: its printed text, and the number of its nodes.
    whole: Option<(PrintedText, usize)>,
    was_panicking: bool,
}

impl Assertion {
    #[track_caller]
    fn new<T: TraceSnapshot + ?Sized>(trace: &T) -> Self {
        Self {
            text: text(trace),
            suffix: None,
            name: None,
            failure: FailureSlot::default(),
            place: Location::caller(),
            whole: trace.whole().map(|trace| (trace.printed().clone(), trace.node_count())),
            was_panicking: thread::panicking(),
        }
    }

    /// Compares with a literal in the source.
    #[track_caller]
    pub fn inline<T: TraceSnapshot + ?Sized>(trace: &T) -> Self {
        Self::new(trace)
    }

    /// Compares with a file that is named after a function, which contains the closure.
    ///
    /// # Panics
    ///
    /// Panics if chance would decide which of several tests gets which file.
    #[track_caller]
    pub fn unnamed<T: TraceSnapshot + ?Sized, C>(_: &C, trace: &T) -> Self {
        let mut function = any::type_name::<C>();
        while let Some(around) = function.strip_suffix("::{{closure}}") {
            function = around;
        }
        // Tests that set a suffix of their own tell themselves apart.
        let own_suffix = Settings::clone_current().snapshot_suffix().map(String::from);
        let suffix = if own_suffix.is_none() { case::suffix(function) } else { None };
        let shown = suffix.as_deref().or(own_suffix.as_deref());
        if let Some(reason) = case::numbered_by_chance(function, shown) {
            panic!("{reason}");
        }
        let mut assertion = Self::new(trace);
        assertion.suffix = suffix;
        assertion
    }

    /// Compares with a file that has a name.
    #[track_caller]
    pub fn named<T: TraceSnapshot + ?Sized>(
        module: &str,
        name: &(impl SnapshotName + ?Sized),
        trace: &T,
    ) -> Self {
        let name = name.to_text().map(|name| format!("{module}::{name}"));
        let mut assertion = Self::new(trace);
        assertion.name = name;
        assertion
    }

    /// Binds insta's settings. Snapshots are stored at the root of the package, unless the settings that are already
    /// bound name another place.
    pub fn bind(&self, manifest_dir: &str) -> impl Sized + use<> {
        let mut settings = Settings::clone_current();
        if settings.snapshot_path() == Settings::new().snapshot_path() {
            settings.set_snapshot_path(Path::new(manifest_dir).join("snapshots"));
        }
        if let Some(suffix) = &self.suffix {
            settings.set_snapshot_suffix(suffix);
        }
        TraceComparator::set(&mut settings, Path::new(manifest_dir), self.failure.clone());
        settings.bind_to_scope()
    }

    /// Returns the text of the snapshot.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks, after insta is satisfied, that the comparator has not failed, and that no other assertion of this
    /// process has put another text into the same file: insta takes any text if it is told to update snapshots.
    ///
    /// # Panics
    ///
    /// Panics if it has failed, or if another assertion has put one there.
    #[track_caller]
    pub fn end(&self) {
        let failure = self.failure.lock().clone().or_else(|| self.other_text());
        if let Some(failure) = failure {
            *self.failure.lock() = Some(failure.clone());
            panic!("{}", failure.reason);
        }
    }

    fn other_text(&self) -> Option<Failure> {
        static TEXTS: Mutex<BTreeMap<String, u128>> = Mutex::new(BTreeMap::new());

        let name = self.name.as_ref()?;
        let settings = Settings::clone_current();
        let file = format!(
            "{} {name}@{}",
            settings.snapshot_path().display(),
            settings.snapshot_suffix().unwrap_or_default()
        );
        let digest = digest_text(&self.text);
        let first = *TEXTS.lock().entry(file).or_insert(digest);
        (first != digest).then(|| Failure {
            reason: format!(
                "two assertions put different traces into one snapshot, `{name}`: name them differently"
            ),
            shows_trace: false,
        })
    }
}

/// If the assertion fails, notes where it is, since insta panics in its own source. It also notes that people see the
/// trace: insta shows it, or where it differs, and so do most of the other failures.
impl Drop for Assertion {
    fn drop(&mut self) {
        if !thread::panicking() || self.was_panicking {
            return;
        }
        latest_panic::set_place(self.place);
        let is_shown =
            self.failure.lock().as_ref().map_or_else(insta_shows, |failure| failure.shows_trace);
        if let Some((printed, nodes)) = self.whole.as_ref().filter(|_| is_shown) {
            printed.set_part(*nodes);
        }
    }
}

/// Whether insta shows the snapshot that differs: it may be told not to.
fn insta_shows() -> bool {
    !env::var("INSTA_OUTPUT").is_ok_and(|output| matches!(&*output, "minimal" | "none"))
}

/// The name of a snapshot, as insta takes it.
pub trait SnapshotName {
    /// Returns the name, if there is one.
    fn to_text(&self) -> Option<String>;
}

impl SnapshotName for str {
    fn to_text(&self) -> Option<String> {
        Some(self.into())
    }
}

impl SnapshotName for String {
    fn to_text(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl SnapshotName for OsStr {
    fn to_text(&self) -> Option<String> {
        Some(self.to_string_lossy().into_owned())
    }
}

impl<N: SnapshotName + ?Sized> SnapshotName for &N {
    fn to_text(&self) -> Option<String> {
        (**self).to_text()
    }
}

impl<N: SnapshotName> SnapshotName for Option<N> {
    fn to_text(&self) -> Option<String> {
        self.as_ref()?.to_text()
    }
}

/// The types that [`assert_trace_snapshot!`](crate::assert_trace_snapshot) takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trace, a part of one, or a stream",
    label = "not a trace",
    note = "a trace is what `Capture::trace()` and `SharedStorage::lock()` return; spans and events are parts",
    note = "a stream is a slice or a `Vec` of `TracingEvent`s"
)]
pub trait TraceSnapshot {
    /// Returns the text of the snapshot, with the settings of the scope.
    fn text(&self, settings: &SnapshotSettings) -> String;

    /// Returns the trace, if it is a whole one.
    fn whole(&self) -> Option<&Storage> {
        None
    }
}

impl<T: SnapshotSource + ?Sized> TraceSnapshot for T {
    fn text(&self, settings: &SnapshotSettings) -> String {
        settings.view(self).to_string()
    }

    fn whole(&self) -> Option<&Storage> {
        self.whole_trace()
    }
}

impl TraceSnapshot for TraceView<'_> {
    fn text(&self, _: &SnapshotSettings) -> String {
        self.to_string()
    }

    fn whole(&self) -> Option<&Storage> {
        self.view.trace
    }
}

impl TraceSnapshot for StreamSnapshot<'_> {
    fn text(&self, _: &SnapshotSettings) -> String {
        self.to_string()
    }
}

impl TraceSnapshot for [TracingEvent] {
    fn text(&self, _: &SnapshotSettings) -> String {
        StreamSnapshot::new(self).to_string()
    }
}

impl TraceSnapshot for Vec<TracingEvent> {
    fn text(&self, _: &SnapshotSettings) -> String {
        StreamSnapshot::new(self).to_string()
    }
}

impl TraceSnapshot for TimelineText<'_> {
    fn text(&self, settings: &SnapshotSettings) -> String {
        if self.has_settings() {
            self.to_string()
        } else {
            settings.timeline_text(self.storage()).to_string()
        }
    }

    fn whole(&self) -> Option<&Storage> {
        Some(self.storage())
    }
}

macro_rules! impl_for_references {
    ($($ty:ty),+) => {$(
        impl TraceSnapshot for &$ty {
            fn text(&self, settings: &SnapshotSettings) -> String {
                (**self).text(settings)
            }

            fn whole(&self) -> Option<&Storage> {
                (**self).whole()
            }
        }
    )+};
}

impl_for_references!(
    TraceView<'_>,
    StreamSnapshot<'_>,
    [TracingEvent],
    Vec<TracingEvent>,
    TimelineText<'_>
);

/// Makes the text of the snapshot.
///
/// # Panics
///
/// Panics if the trace is a whole one, and lacks something that may belong to it.
#[track_caller]
fn text<T: TraceSnapshot + ?Sized>(trace: &T) -> String {
    if let Some(reason) = trace.whole().and_then(|trace| trace.sight.incomplete()) {
        panic!("{reason}");
    }
    trace.text(&SnapshotSettings::current())
}
