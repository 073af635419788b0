use std::{
    path::Path,
    string::{String, ToString},
    vec::Vec,
};

use insta::{Settings, internals::SettingsBindDropGuard};

use super::{SnapshotSettings, SnapshotSource, StreamSnapshot, TraceView};
use crate::wire::TracingEvent;

/// Asserts that a trace is the same as its [insta](https://insta.rs) snapshot.
///
/// The snapshot is the tree of a [`Trace`](crate::Trace), or of a [part](crate::SnapshotSource) of one: a
/// span with all that is in it, an event, the matches of a scanner. What it shows is up to the
/// [`SnapshotSettings`](crate::SnapshotSettings) that are bound, or to those of a
/// [`TraceView`](crate::TraceView). Of a stream of [`TracingEvent`](crate::TracingEvent)s, the snapshot is its
/// [`StreamSnapshot`](crate::StreamSnapshot).
///
/// It takes what [`insta::assert_snapshot!`] takes: the trace alone, a name and the trace, or the
/// trace and an inline snapshot. A named or unnamed snapshot is a file in the directory that
/// insta's settings name; unless they do, it is `snapshots` at the root of the package.
/// [`cargo insta`](https://insta.rs/docs/cli/) reviews all of them. (insta's own macros, such as
/// `insta::assert_yaml_snapshot!`, put theirs beside the source of the test unless its settings say
/// otherwise.)
///
/// # Panics
///
/// Panics if the trace is another one, or if there is no snapshot yet, and then leaves a pending
/// snapshot for review, as insta is told to. A snapshot of a whole trace says that there was nothing else: so it
/// also panics if another subscriber had the records of the thread, or, in a
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
        let _settings = $crate::__private::snapshot_settings(::core::env!("CARGO_MANIFEST_DIR"));
        $crate::__private::insta::assert_snapshot!(
            $crate::__private::tree(&$trace), ::core::stringify!($trace), @$snapshot
        );
    }};
    ($trace:expr $(,)?) => {{
        let _settings = $crate::__private::snapshot_settings(::core::env!("CARGO_MANIFEST_DIR"));
        $crate::__private::insta::assert_snapshot!(
            $crate::__private::insta::_macro_support::AutoName,
            $crate::__private::tree(&$trace),
            ::core::stringify!($trace)
        );
    }};
    ($name:expr, $trace:expr $(,)?) => {{
        let _settings = $crate::__private::snapshot_settings(::core::env!("CARGO_MANIFEST_DIR"));
        $crate::__private::insta::assert_snapshot!(
            $name, $crate::__private::tree(&$trace), ::core::stringify!($trace)
        );
    }};
}

/// Puts snapshots into the root of the package, unless the settings name another place.
pub fn snapshot_settings(manifest_dir: &str) -> SettingsBindDropGuard {
    let mut settings = Settings::clone_current();
    if settings.snapshot_path() == Settings::new().snapshot_path() {
        settings.set_snapshot_path(Path::new(manifest_dir).join("snapshots"));
    }
    settings.bind_to_scope()
}

/// What [`assert_trace_snapshot!`](crate::assert_trace_snapshot) takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a trace, a part of one, or a stream",
    label = "not a trace",
    note = "a trace is what `Capture::trace()` and `SharedStorage::lock()` return; spans and events are parts",
    note = "a stream is a slice or a `Vec` of `TracingEvent`s"
)]
pub trait TraceSnapshot {
    /// The text of the snapshot, with the settings of the scope.
    fn text(&self, settings: &SnapshotSettings) -> String;

    /// Says why a whole trace is perhaps not all that the test traced.
    fn incomplete(&self) -> Option<String> {
        None
    }
}

impl<T: SnapshotSource + ?Sized> TraceSnapshot for T {
    fn text(&self, settings: &SnapshotSettings) -> String {
        settings.view(self).to_string()
    }

    fn incomplete(&self) -> Option<String> {
        self.whole_trace()?.sight.incomplete()
    }
}

/// Implements it for what has settings of its own, and for references to it.
macro_rules! impl_trace_snapshot {
    ($($ty:ty: $text:expr),+ $(,)?) => {$(
        impl TraceSnapshot for $ty {
            fn text(&self, _: &SnapshotSettings) -> String {
                let text: fn(&$ty) -> String = $text;
                text(self)
            }
        }

        impl TraceSnapshot for &$ty {
            fn text(&self, settings: &SnapshotSettings) -> String {
                (**self).text(settings)
            }
        }
    )+};
}

impl_trace_snapshot! {
    TraceView<'_>: |view| view.to_string(),
    StreamSnapshot<'_>: |stream| stream.to_string(),
    [TracingEvent]: |events| StreamSnapshot::new(events).to_string(),
    Vec<TracingEvent>: |events| StreamSnapshot::new(events).to_string(),
}

/// Makes the text of the snapshot.
///
/// # Panics
///
/// Panics if the trace is a whole one, and lacks something that may belong to it.
#[track_caller]
pub fn tree<T: TraceSnapshot + ?Sized>(trace: &T) -> String {
    if let Some(reason) = trace.incomplete() {
        panic!("{reason}");
    }
    trace.text(&SnapshotSettings::current())
}
