//! `SnapshotSettings`: how a trace is shown.
//!
//! | file | content |
//! |---|---|
//! | `redactions.rs` | redactions of values |
//! | `by_predicates.rs` | which nodes are shown, or have no order |

#[cfg(feature = "predicates")]
mod by_predicates;
mod redactions;

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    fmt,
    marker::PhantomData,
};
use std::thread_local;

use tracing_subscriber::filter::Targets;

use super::{
    TimelineText,
    display::write_shown,
    drawing::Drawing,
    options::{Options, Rules},
    redact::{Redaction, redact},
    short_line::write_short_line,
    source::SnapshotSource,
    text::Text,
    trace_view::TraceView,
    tree::View,
};
use crate::{
    capture::{CapturedNode, Shown, Storage},
    panics,
    wire::{TracedValue, text::Escaped},
};

/// Settings for snapshots: which parts of a trace they show and how, which values they redact because they differ from
/// run to run, and which siblings have no order.
///
/// The default shows levels, names, fields and messages, which are the same in every run of most programs.
///
/// # For one assertion, or for a scope
///
/// [`view()`](Self::view) shows one trace with these settings. [`bind()`](Self::bind) and
/// [`bind_to_scope()`](Self::bind_to_scope) apply them to every
/// [`assert_trace_snapshot!`](crate::assert_trace_snapshot) on the thread, as insta's `Settings` do. To change the
/// bound settings within such a scope, start from [`current()`](Self::current).
///
/// ```
/// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
///
/// let capture = Capture::start();
/// tracing::info!(target: "net", port = 8_423, "connected");
/// let trace = capture.trace();
///
/// // For one assertion:
/// let settings = SnapshotSettings::new().targets(true);
/// assert_trace_snapshot!(settings.view(&trace), @"INFO net: connected port=8423");
///
/// // For all until the end of the scope:
/// let _scope = SnapshotSettings::new().redact("port", "port").bind_to_scope();
/// assert_trace_snapshot!(trace, @"INFO connected port=⟨port⟩");
/// ```
///
/// # Redactions are marked
///
/// The text that replaces a value, or a part of it, stands between `⟨` and `⟩`. These are escaped in traced text, which
/// therefore cannot be mistaken for a redaction. In data, the names of the fields in which something was replaced are
/// listed under `normalized`.
///
/// If your test fails after a snapshot or view of its trace, the redactions of the latest one also apply where the
/// [trace is printed](crate::CaptureBuilder#printing), and to the lines of the trace in the message of a scanner, or of a
/// capture that [fails its test](crate::CaptureBuilder#watching-over-a-test). The values that your predicate compares are
/// shown as they are, beside the predicate. So are all values in a [recording](crate::CaptureBuilder#recording), and in
/// lines that were printed [live](crate::Print::Live).
///
/// # Recognized forms
///
/// These methods find a form anywhere in the text of any value, but not as a part of a longer word or number.
///
/// | Method | Replaces | Leaves |
/// |---|---|---|
/// | [`redact_uuids`](Self::redact_uuids) | `67e55044-10b1-426f-9247-bb680e5fe0c8` in either case, also in `order_67e5…`, `{67e5…}` and `urn:uuid:67e5…`; without hyphens, if version and variant are valid in RFC 9562 | other 32 hexadecimal digits, such as MD5 digests and most trace IDs; UUIDs next to a letter or digit |
/// | [`redact_ulids`](Self::redact_ulids) | `01ARZ3NDEKTSV4RRFFQ69G5FAV`, `order_01arz3ndektsv4rrffq69g5fav`; `Debug` output of the crate `ulid`: `Ulid(1777027686520646174104517696511196507)` | mixed case, numbers of 26 digits |
/// | [`redact_durations`](Self::redact_durations) | `Debug` output of `Duration`: `1.5s`, `20ms`, `3µs`, `7ns`; tower-http: `0 ms`, `12 μs`, `0.25 s`; words: `1.5 seconds`, `5 minutes`, `2 hours`; rows from large to small units: `2h 37m 5s`, `1day 2h`, `1h30m`, `1 day, 2 hours`; `30days`, `3months`; exponents: `1.5e-3s`; ISO 8601: `PT1H30M`, `P3DT4.5S`, `P0D`; `Debug` output of structures: `TimeDelta { secs: 1, nanos: 0 }`, `Duration { seconds: 1, nanoseconds: 0 }`, `SignedDuration { … }` | numbers without a unit; `10m`, `3d`, `5y` alone, which may be metres or dimensions; `30 days`, `12 months ago`, `3 h`; `P3D`; `5 men`, `item5s`, `took_5ms` |
/// | [`redact_timestamps`](Self::redact_timestamps) | `2026-02-03T04:05:06Z`, `2026-02-03 4:05:06.789 +02:00:00`, each with its offset, the abbreviation of a zone such as `CEST`, or a zone in brackets; `Tue, 3 Feb 2026 04:05:06 +0000`, `Tue Feb  3 04:05:06 2026`; `Debug` output of `SystemTime`, `Instant` and `Timestamp { seconds: 1, nanos: 0 }`, on one line or several | dates and times of day alone, numbers |
/// | [`redact_ip_addresses`](Self::redact_ip_addresses) | `127.0.0.1`, `::1`, `fe80::1%eth0`, `::ffff:192.0.2.7`; also versions of four numbers: `1.2.3.4` | `v1.2.3.4`, `1.2.3`, `256.0.0.1`; `a::b`, which is more likely a path |
/// | [`redact_ports`](Self::redact_ports) | the number in `127.0.0.1:53412`, `[::1]:8080`, `localhost:8080`, `http://example.com:8080/` | `main.rs:42`, `example.com:8080` without a scheme, `port 8080`, `12:30` |
/// | [`redact_pointers`](Self::redact_pointers) | `0x7ffd1234abcd`: 3 to 16 digits | `0xff`, `0X7FFD`, longer numbers |
/// | [`redact_thread_ids`](Self::redact_thread_ids) | `ThreadId(12)` | `thread 12` |
///
/// For other forms, use [`redact`](Self::redact) and [`redact_matches`](Self::redact_matches).
///
/// # Siblings without an order
///
/// One run cannot show whether two siblings are concurrent: the scheduler may have run them one after another. So you
/// have to say which siblings have no order:
///
/// ```
/// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot, predicates::*};
///
/// let capture = Capture::start();
/// let download = tracing::info_span!("download");
/// std::thread::scope(|scope| {
///     for part in 1..=3 {
///         let (capture, download) = (&capture, &download);
///         scope.spawn(capture.carry(move || {
///             tracing::info_span!(parent: download, "part", part)
///                 .in_scope(|| tracing::info!("done"))
///         }));
///     }
/// });
/// download.in_scope(|| tracing::info!("complete"));
///
/// // The parts, whichever was the first, stand behind what has an order.
/// let settings = SnapshotSettings::new().unordered_spans(name("part"));
/// assert_trace_snapshot!(settings.view(&capture.trace()), @r"
/// INFO download{}
/// ├─ INFO complete
/// ├─ INFO part{part=1}
/// │  └─ INFO done
/// ├─ INFO part{part=2}
/// │  └─ INFO done
/// └─ INFO part{part=3}
///    └─ INFO done
/// ");
/// ```
#[derive(Clone, Default)]
pub struct SnapshotSettings {
    options: Options,
    redactions: Vec<Redaction>,
    /// Labels of redactions that are numbered.
    numbered: Vec<String>,
    filters: Vec<Condition>,
    unordered: Vec<Condition>,
}

type Condition = Arc<dyn Fn(CapturedNode<'_>) -> bool + Send + Sync>;

thread_local! {
    static CURRENT: RefCell<Arc<SnapshotSettings>> = RefCell::default();
}

macro_rules! impl_switches {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, are_shown: bool) -> Self {
            self.options.$name = are_shown;
            self
        }
    )+};
}

/// The parts of a trace that are shown.
impl SnapshotSettings {
    /// Creates the default settings, even if others are bound.
    pub fn new() -> Self {
        Self::default()
    }

    impl_switches! {
        /// Shows levels, as they are by default.
        levels,
        /// Shows targets, in front of names and messages: `INFO net: connected`.
        targets,
        /// Shows the paths of modules, likewise. Where it is the same as the target, and both are to be
        /// shown, it is shown once.
        modules,
        /// Shows the fields of spans and events, as they are by default. Messages are shown in any case.
        fields,
        /// Shows files and lines: `⟨src/net.rs:12⟩`.
        lines,
        /// Shows how often spans were entered and exited, and whether they were closed: `⟨entered 2×,
        /// exited 2×, closed⟩`.
        stats,
        /// Shows when spans were created and events emitted, since the start of the capture, and for
        /// how long spans were busy and idle: `⟨at 1.2ms, busy 3.4ms, idle 5µs⟩`. A capture [keeps
        /// times](crate::CaptureBuilder::keep_times) only when asked to.
        times,
        /// Shows on which thread spans were created and events emitted, as [`Storage::thread_of()`](
        /// crate::Storage::thread_of) numbers them: `⟨thread 1⟩`.
        threads,
        /// Shows equal nodes in a row, and equal groups of nodes in a row, as one with their number, as it
        /// is by default: `⟨80×⟩ INFO tick`.
        folds,
    }

    /// Draws the tree with ASCII characters: `|- ` and `` `- ``. Then marks are `<<…>>`.
    #[must_use]
    pub fn ascii(mut self, is_ascii: bool) -> Self {
        self.options.drawing = if is_ascii { Drawing::Ascii } else { Drawing::Unicode };
        self
    }

    /// Limits the tree to this many levels below the roots; deeper nodes are shown as a count: `⟨3 inside⟩`. By
    /// default, all levels are shown.
    #[must_use]
    pub fn depth(mut self, levels: usize) -> Self {
        self.options.max_depth = levels;
        self
    }

    /// Limits each value, or each line of a value that has several, to this many characters; a digest stands for the
    /// rest: `⟨700 more characters, digest 2a9c…⟩`. The default is 300.
    #[must_use]
    pub fn max_value_chars(mut self, chars: usize) -> Self {
        self.options.max_chars = chars;
        self
    }

    /// Limits each value to this many lines; a digest stands for the rest. The default is 40.
    #[must_use]
    pub fn max_value_lines(mut self, lines: usize) -> Self {
        self.options.max_lines = lines;
        self
    }

    /// Shows only the spans and events for which the condition holds, and the condition of every other filter. The
    /// children of a hidden span take its place.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
    ///
    /// let capture = Capture::start();
    /// tracing::info_span!(target: "other", "retry").in_scope(|| tracing::warn!(target: "net", "slow"));
    /// let settings = SnapshotSettings::new().filter(|node| node.metadata().target() == "net");
    /// assert_trace_snapshot!(settings.view(&capture.trace()), @"WARN slow");
    /// ```
    #[must_use]
    pub fn filter(
        mut self,
        condition: impl Fn(CapturedNode<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.filters.push(Arc::new(condition));
        self
    }
}

/// Unordered siblings.
impl SnapshotSettings {
    /// Treats the nodes for which the condition holds as unordered. They are shown behind their ordered siblings,
    /// events before spans, sorted by their shown content. If you call this several times, a node is unordered if any
    /// of the conditions holds.
    ///
    /// The section [Siblings without an order](Self#siblings-without-an-order) tells why you need it.
    #[must_use]
    pub fn unordered(
        mut self,
        condition: impl Fn(CapturedNode<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.unordered.push(Arc::new(condition));
        self
    }
}

/// Using the settings.
impl SnapshotSettings {
    /// Shows a trace, or a part of one, with these settings.
    pub fn view<'a, T: SnapshotSource + ?Sized>(&self, source: &'a T) -> TraceView<'a> {
        TraceView { view: self.view_with(source, |options| options) }
    }

    /// Shows each happening in a trace as a line, with these settings.
    ///
    /// The settings apply to each line about a span or event: what they hide, replace and show. The order of a timeline
    /// means something, so nothing in it is unordered, and there is no depth.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SnapshotSettings, assert_trace_snapshot};
    ///
    /// let capture = Capture::start();
    /// let job = tracing::info_span!("job", id = 8_423);
    /// job.record("id", 8_424);
    /// let settings = SnapshotSettings::new().redact("id", "id");
    /// assert_trace_snapshot!(settings.timeline_text(&capture.trace()), @r"
    /// new span 1: INFO job{id=⟨id⟩}
    /// span 1 job: recorded id=⟨id⟩
    /// ");
    /// ```
    pub fn timeline_text<'a>(&self, trace: &'a Storage) -> TimelineText<'a> {
        if !self.redactions.is_empty() {
            self.note_drawing(trace);
        }
        #[cfg(feature = "predicates")]
        let _answers = crate::predicates::KeptAnswers::new(trace);
        TimelineText::new(trace, View::of_timeline(trace, self.options, self))
    }

    pub(super) fn view_with<'a, T: SnapshotSource + ?Sized>(
        &self,
        source: &'a T,
        change: impl Fn(Options) -> Options,
    ) -> View<'a> {
        let options = change(self.options);
        let (trace, nodes) = match source.whole_trace() {
            Some(trace) => (Some(trace), Vec::new()),
            None => (None, source.nodes()),
        };
        let storage = trace.or(nodes.first().map(CapturedNode::trace));
        if let Some(storage) = storage.filter(|_| !self.redactions.is_empty()) {
            self.note_drawing(storage);
        }
        #[cfg(feature = "predicates")]
        let _answers = storage.map(crate::predicates::KeptAnswers::new);
        match trace {
            Some(trace) => View::of_trace(trace, options, self),
            None => View::of_nodes(nodes, options, self),
        }
    }

    /// Notes how the trace is printed when its test fails: with the redactions of these settings, and otherwise as a
    /// whole. That may be while the test unwinds, so a redaction of the user must not panic further than this.
    fn note_drawing(&self, trace: &Storage) {
        let (redactions, numbered) = (self.redactions.clone(), self.numbered.clone());
        let redacting = Arc::new(Self { redactions, numbered, ..Self::default() });
        let of_line = Arc::clone(&redacting);
        let draw = move |shown: Shown<'_>, formatter: &mut fmt::Formatter<'_>| {
            let rules = Printing { filter: shown.filter, redacting: &redacting };
            panics::catch(|| write_shown(shown, &rules, formatter))
                .unwrap_or_else(|message| write_panic(&message, formatter))
        };
        let draw_line = move |node: CapturedNode<'_>,
                              is_cut: &Cell<bool>,
                              formatter: &mut fmt::Formatter<'_>| {
            let rules = Printing { filter: None, redacting: &of_line };
            panics::catch(|| write_short_line(node, &rules, is_cut, formatter))
                .unwrap_or_else(|message| write_panic(&message, formatter))
        };
        trace.printed().set_drawing(Arc::new(draw), Arc::new(draw_line));
    }

    /// Returns the settings that are bound on this thread, or the default settings.
    pub fn current() -> Self {
        Self::clone(&CURRENT.with_borrow(Arc::clone))
    }

    /// Runs a function with these settings bound: they apply to every
    /// [`assert_trace_snapshot!`](crate::assert_trace_snapshot) in it, on this thread.
    pub fn bind<R>(&self, function: impl FnOnce() -> R) -> R {
        let _scope = self.clone().bind_to_scope();
        function()
    }

    /// Binds these settings until the returned [`SnapshotScope`] is dropped.
    pub fn bind_to_scope(self) -> SnapshotScope {
        let before = CURRENT.replace(Arc::new(self));
        SnapshotScope { before, _not_send: PhantomData }
    }
}

/// Keeps [`SnapshotSettings`] bound on this thread. When it is dropped, the previous settings are bound again.
#[must_use = "the settings are bound until this is dropped"]
pub struct SnapshotScope {
    before: Arc<SnapshotSettings>,
    _not_send: PhantomData<*mut ()>,
}

impl Drop for SnapshotScope {
    fn drop(&mut self) {
        // While a thread ends, its thread-local settings may already be gone.
        let _ = CURRENT.try_with(|current| current.replace(Arc::clone(&self.before)));
    }
}

impl Rules for SnapshotSettings {
    fn shows(&self, node: CapturedNode<'_>) -> bool {
        self.filters.iter().all(|condition| condition(node))
    }

    fn is_unordered(&self, node: CapturedNode<'_>) -> bool {
        self.unordered.iter().any(|condition| condition(node))
    }

    fn normalize(
        &self,
        node: CapturedNode<'_>,
        name: &str,
        value: &TracedValue,
    ) -> Option<Text<'static>> {
        redact(&self.redactions, &self.numbered, node, name, value)
    }

    fn are_marks_numbered(&self) -> bool {
        !self.numbered.is_empty()
    }
}

fn write_panic(message: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let message = Escaped(message);
    write!(formatter, "⟨the rest is not shown: a redaction panicked with: {message}⟩")
}

/// Rules for printing a trace: with the filter for printing, and the redactions of a snapshot.
struct Printing<'a> {
    filter: Option<&'a Targets>,
    redacting: &'a SnapshotSettings,
}

impl Rules for Printing<'_> {
    fn shows(&self, node: CapturedNode<'_>) -> bool {
        self.filter.shows(node)
    }

    fn normalize(
        &self,
        node: CapturedNode<'_>,
        name: &str,
        value: &TracedValue,
    ) -> Option<Text<'static>> {
        self.redacting.normalize(node, name, value)
    }

    fn are_marks_numbered(&self) -> bool {
        self.redacting.are_marks_numbered()
    }
}

impl fmt::Debug for SnapshotSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SnapshotSettings")
            .field("options", &self.options)
            .field("redactions", &self.redactions)
            .field("numbered", &self.numbered)
            .field("filters", &self.filters.len())
            .field("unordered", &self.unordered.len())
            .finish()
    }
}

impl fmt::Debug for SnapshotScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SnapshotScope").finish_non_exhaustive()
    }
}
