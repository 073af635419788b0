//! Failures of a test besides its assertions: noted when they happen, reported when the capture ends.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{self, Write};

use tracing_core::{Level, LevelFilter};

use crate::capture::{
    CapturedEvent, CapturedMetadata, CapturedNode, CapturedSpan, Moment, Storage, Trace,
    session::{
        excerpt::MAX_LISTED,
        short::{MAX_LINE, Short},
    },
    storage::{
        metadata::{CallSite, KnownCallSite},
        node::EventIndex,
        sight::RelayedElsewhere,
    },
};
use crate::{lock::Mutex, panics, view::ShortLine, wire::text::Escaped};

type AllowEvent = Box<dyn Fn(&CapturedEvent<'_>) -> bool + Send + Sync>;

/// Options of a builder: the events and spans that fail the test.
pub(crate) struct WatchRules {
    pub(crate) events: LevelFilter,
    pub(crate) allowed: Vec<AllowEvent>,
    pub(crate) open_spans: bool,
    pub(crate) unbalanced_enters: bool,
}

impl Default for WatchRules {
    fn default() -> Self {
        let (open_spans, unbalanced_enters) = (false, false);
        Self { events: LevelFilter::OFF, allowed: Vec::new(), open_spans, unbalanced_enters }
    }
}

impl fmt::Debug for WatchRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WatchRules")
            .field("events", &self.events)
            .field("allowed", &self.allowed.len())
            .field("open_spans", &self.open_spans)
            .field("unbalanced_enters", &self.unbalanced_enters)
            .finish()
    }
}

impl WatchRules {
    fn is_empty(&self) -> bool {
        self.events == LevelFilter::OFF && !self.open_spans && !self.unbalanced_enters
    }
}

/// Watches a storage while it is filled.
///
/// Nodes may be taken or evicted before the capture ends. So an event is judged when it is emitted, and a span when it
/// is closed; only open spans are checked at the end.
///
/// The functions that allow events are the user's, and must not run under a lock. So an event is judged in
/// two steps:
///
/// ```text
/// under the storage's lock:  push the event; undecided += (number, snapshot that holds it)
/// without a lock:            verdict = ask the functions
///                            if undecided still has the number: remove it, note the verdict
/// ```
///
/// Events that are undecided when the capture ends are judged by the thread that ends it, so no verdict comes too late.
/// The emitting thread then does not find the number any more.
#[derive(Debug)]
pub(crate) struct Watch {
    rules: WatchRules,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default, Clone)]
struct Noted {
    unwanted_events: Tally,
    /// Events on which a function of the user panicked.
    panics: Tally,
    /// Closed spans that were not exited as often as entered.
    unbalanced_spans: Tally,
    /// Number of spans for which there was no room.
    unknown_spans: usize,
    undecided: Vec<Undecided>,
    next_number: u64,
    is_over: bool,
}

/// An event that is not judged yet.
#[derive(Debug, Clone)]
struct Undecided {
    number: u64,
    trace: Trace,
    event: EventIndex,
}

enum Verdict {
    Allowed,
    Unwanted(Listed),
    Panicked(Listed),
}

impl Watch {
    /// Creates a watch, if the rules have something to watch over.
    pub(crate) fn new(rules: WatchRules) -> Option<Self> {
        (!rules.is_empty()).then(|| Self { rules, noted: Mutex::default() })
    }

    /// Checks whether events of this level must be judged.
    pub(crate) fn is_about(&self, level: Level) -> bool {
        level <= self.rules.events
    }

    /// Registers an event to judge, and returns its number for [`Self::judge()`]. This is called under the lock of the
    /// storage: an event that others can see is known here already.
    pub(crate) fn emitted(&self, trace: Trace, event: EventIndex) -> Option<u64> {
        let mut noted = self.noted.lock();
        if noted.is_over {
            return None;
        }
        let number = noted.next_number;
        noted.next_number += 1;
        noted.undecided.push(Undecided { number, trace, event });
        Some(number)
    }

    /// Notes an event that cannot be shown to the functions that might allow it. There is nothing to judge.
    pub(crate) fn emitted_unseen(&self, call_site: &CallSite) -> Option<u64> {
        let call_site = KnownCallSite::new(call_site.clone());
        let origin = Origin(call_site.metadata());
        let level = call_site.metadata().level();
        let line = format!("{level} event that there was no room for");
        let listed = Listed { moment: None, line, remarks: format!("    {origin}\n") };
        self.noted.lock().unwanted_events.add(|| listed);
        None
    }

    /// Judges an event, unless another thread has. It must not be called under a lock.
    pub(crate) fn judge(&self, number: u64) {
        let find = |noted: &Noted| noted.undecided.iter().position(|one| one.number == number);
        let undecided = {
            let noted = self.noted.lock();
            let Some(position) = find(&noted) else { return };
            noted.undecided[position].clone()
        };
        let verdict = self.verdict(&undecided.trace.event(undecided.event));
        let mut noted = self.noted.lock();
        let Some(position) = find(&noted) else { return };
        noted.undecided.remove(position);
        match verdict {
            Verdict::Allowed => {}
            Verdict::Unwanted(event) => noted.unwanted_events.add(|| event),
            Verdict::Panicked(event) => noted.panics.add(|| event),
        }
    }

    /// Calls the functions of the user. If they panic, that must not unwind through the code under test.
    fn verdict(&self, event: &CapturedEvent<'_>) -> Verdict {
        let is_allowed = || self.rules.allowed.iter().any(|allow| allow(event));
        match panics::catch(is_allowed) {
            Ok(true) => Verdict::Allowed,
            Ok(false) => Verdict::Unwanted(Listed::event(*event)),
            Err(panic) => {
                let panic = Short {
                    text: Escaped(&panic),
                    max_chars: MAX_LINE,
                    is_cut: None,
                    escapes: false,
                };
                let mut listed = Listed::event(*event);
                // Writing to a string does not fail.
                let _ = writeln!(listed.remarks, "    panicked with: {panic}");
                Verdict::Panicked(listed)
            }
        }
    }

    /// Checks a span that is closed now, since it may be gone when the capture ends.
    pub(crate) fn closed(&self, span: CapturedSpan<'_>) {
        if self.rules.unbalanced_enters && is_unbalanced(span) {
            self.noted.lock().unbalanced_spans.add(|| Listed::span(span));
        }
    }

    /// Notes a span for which there was no room: the capture will not know whether it was closed and exited.
    pub(crate) fn left_out_span(&self) {
        self.noted.lock().unknown_spans += 1;
    }

    /// Ends the watch over a test that has failed already.
    pub(crate) fn give_up(&self) {
        let mut noted = self.noted.lock();
        noted.is_over = true;
        noted.undecided.clear();
    }

    /// Ends the watch over a test. Returns its findings with possible remedies; an empty text if there are none.
    pub(crate) fn end(&self, storage: &Storage, unattributed: Option<&(Storage, u64)>) -> String {
        // From here on, what the functions of the user trace is not judged. These, and the redactions that draw the lines
        // of the findings, must not be called under the lock.
        self.noted.lock().is_over = true;
        let unattributed_events = self.unattributed_events(storage, unattributed);
        loop {
            let undecided = self.noted.lock().undecided.first().map(|one| one.number);
            match undecided {
                Some(number) => self.judge(number),
                None => break,
            }
        }
        let noted = self.noted.lock().clone();
        self.findings(&noted, storage, unattributed, &unattributed_events)
    }

    fn findings(
        &self,
        noted: &Noted,
        storage: &Storage,
        unattributed: Option<&(Storage, u64)>,
        unattributed_events: &Tally,
    ) -> String {
        let mut findings = String::new();
        // An assertion has found a secret in the trace, which the lines might show.
        let is_withheld = storage.printed().is_withheld();
        let of_nobody = unattributed.map_or(storage, |(storage, _)| storage);
        let is_withheld_of_nobody = is_withheld || of_nobody.printed().is_withheld();
        Finding {
            nouns: ["event", "events"],
            what: &format!("at level {} or more severe that nothing allows", self.rules.events),
            help: "those that are expected are allowed with `allow_events()`",
        }
        .write(&mut findings, storage, &noted.unwanted_events.unless(is_withheld));
        Finding {
            nouns: ["event", "events"],
            what: "on which a function given to `allow_events()` panicked",
            help: "such a function is called when the event is emitted, on the thread that emits it",
        }
        .write(&mut findings, storage, &noted.panics.unless(is_withheld));
        Finding {
            nouns: ["event", "events"],
            what: &format!(
                "at level {} or more severe that may be of this test, which nobody knows",
                self.rules.events
            ),
            help: WAYS_OUT,
        }
        .write(
            &mut findings,
            of_nobody,
            &unattributed_events.unless(is_withheld_of_nobody),
        );
        Finding {
            nouns: ["level", "levels"],
            what: "that the capture was to watch over, and could not see",
            help: "let the filter pass them, or have `fail_on_events()` watch over fewer levels",
        }
        .write(&mut findings, storage, &self.hidden(storage));
        Finding {
            nouns: ["span", "spans"],
            what: "open or not exited as often as entered, which may be of this test, which nobody knows",
            help: WAYS_OUT,
        }
        .write(
            &mut findings,
            of_nobody,
            &self.unattributed_spans(storage, unattributed).unless(is_withheld_of_nobody),
        );
        Finding {
            nouns: ["subscriber", "subscribers"],
            what: "that is not the capture's was left on this thread, so that records went there",
            help: "something called `set_default()` and kept the guard",
        }
        .write(&mut findings, storage, &Tally::unlisted(storage.sight.is_bypassed.into()));
        if storage.sight.has_lost_relayed() {
            let (what, remedy) = (RelayedElsewhere::ToEnded.what(), RelayedElsewhere::REMEDY);
            // Writing to a string does not fail.
            let _ = write!(findings, "\n{what}, so that its records are lost:\n  ({remedy})\n");
        }
        if let Some(why) = storage.sight.unsent {
            let _ = write!(findings, "\n{}:\n  ({})\n", why.what(), why.remedy());
        }
        let lost_of_nobody = unattributed.map(|_| &of_nobody.sight.lost);
        storage.sight.lost.write_findings(lost_of_nobody, &mut findings);
        self.write_span_findings(noted, storage, is_withheld, &mut findings);
        findings
    }

    /// Writes the findings about spans, if the capture watches over them.
    fn write_span_findings(
        &self,
        noted: &Noted,
        storage: &Storage,
        is_withheld: bool,
        findings: &mut String,
    ) {
        let open = || storage.all_spans().filter(|span| !span.stats().is_closed);
        if self.rules.open_spans {
            Finding {
                nouns: ["span", "spans"],
                what: "still open",
                help: "a span is closed when all of its handles and guards are dropped, and all \
                       spans in it are closed",
            }
            .write(findings, storage, &Tally::of_spans(open()).unless(is_withheld));
        }
        if self.rules.unbalanced_enters {
            let mut unbalanced = noted.unbalanced_spans.clone();
            let open = open().filter(|span| is_unbalanced(*span));
            open.for_each(|span| unbalanced.add(|| Listed::span(span)));
            Finding {
                nouns: ["span", "spans"],
                what: "not exited as often as entered",
                help: "a span is exited when the guard that entered it is dropped",
            }
            .write(findings, storage, &unbalanced.unless(is_withheld));
        }
        if self.rules.open_spans || self.rules.unbalanced_enters {
            Finding {
                nouns: ["span", "spans"],
                what: "for which the capture had no room, so that it cannot tell whether they were \
                       closed and exited",
                help: "raise the limit that was set with `max_nodes()` or `max_bytes()`, or use \
                       `Keep::Newest`, which keeps open spans",
            }
            .write(findings, storage, &Tally::unlisted(noted.unknown_spans));
            let mut hidden_spans = Tally::default();
            if let Some((level, target)) = &storage.sight.hidden_span {
                hidden_spans.add(|| {
                    Listed::line(format!("the first one is of level {level}, from {target:?}"))
                });
            }
            Finding {
                nouns: ["layer", "layers"],
                what: "beside the capture has hidden spans, so that it cannot tell whether they were closed and exited",
                help: "a filter that is meant for one layer belongs to that: `layer.with_filter(…)`",
            }
            .write(findings, storage, &hidden_spans);
        }
    }
}

/// Remedies for records that no test can claim.
const WAYS_OUT: &str = "attach the capture to the threads that trace them (`CaptureHandle::attach_thread()`, \
                        `carry()`), run the test in a process of its own, as nextest does, or say that \
                        they do not matter with `ignore_unattributed()`";

impl Watch {
    /// Lists the watched levels for which the capture cannot have seen all events.
    fn hidden(&self, storage: &Storage) -> Tally {
        let mut tally = Tally::default();
        let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
        for level in levels.into_iter().filter(|level| self.is_about(*level)) {
            if let Some(reason) = storage.sight.hides_level(level) {
                tally.add(|| Listed::line(reason));
            }
        }
        tally
    }

    /// Judges the spans that no test can claim as if they belonged to this one.
    fn unattributed_spans(&self, own: &Storage, unattributed: Option<&(Storage, u64)>) -> Tally {
        let spans = unattributed.iter().flat_map(|(storage, _)| storage.all_spans());
        Tally::of_spans(spans.filter(|span| {
            own.sight.passes(*span.metadata().level(), span.metadata().target())
                && (self.rules.open_spans && !span.stats().is_closed
                    || self.rules.unbalanced_enters && is_unbalanced(*span))
        }))
    }

    /// Judges the events that no test can claim as if they belonged to this one.
    fn unattributed_events(&self, own: &Storage, unattributed: Option<&(Storage, u64)>) -> Tally {
        let mut tally = Tally::default();
        let Some((storage, evicted)) = unattributed else { return tally };
        for event in storage.all_events() {
            let (level, target) = (*event.metadata().level(), event.metadata().target());
            if !self.is_about(level) || !own.sight.passes(level, target) {
                continue;
            }
            match self.verdict(&event) {
                Verdict::Allowed => {}
                Verdict::Unwanted(event) | Verdict::Panicked(event) => tally.add(|| event),
            }
        }
        if *evicted > 0 && self.rules.events != LevelFilter::OFF {
            tally.add(|| {
                Listed::line(format!("perhaps one of {evicted} spans and events that were evicted"))
            });
        }
        tally
    }
}

fn is_unbalanced(span: CapturedSpan<'_>) -> bool {
    let stats = span.stats();
    stats.entered != stats.exited
}

/// Spans or events with something wrong: their number, and the first ones.
#[derive(Debug, Clone, Default)]
struct Tally {
    count: usize,
    listed: Vec<Listed>,
}

impl Tally {
    fn of_spans<'a>(spans: impl Iterator<Item = CapturedSpan<'a>>) -> Self {
        let mut tally = Self::default();
        spans.for_each(|span| tally.add(|| Listed::span(span)));
        tally
    }

    fn unlisted(count: usize) -> Self {
        Self { count, listed: Vec::new() }
    }

    /// Leaves the spans and events out if they are not to be printed.
    fn unless(&self, is_withheld: bool) -> Self {
        if is_withheld { Self::unlisted(self.count) } else { self.clone() }
    }

    fn add(&mut self, listed: impl FnOnce() -> Listed) {
        self.count += 1;
        if self.count <= MAX_LISTED {
            self.listed.push(listed());
        }
    }
}

/// A span or event with something wrong, and its line when this was noted.
#[derive(Debug, Clone)]
struct Listed {
    /// When it was created or emitted. None if it is not in any trace.
    moment: Option<Moment>,
    line: String,
    /// Further lines about it.
    remarks: String,
}

impl Listed {
    fn line(line: String) -> Self {
        Self { moment: None, line, remarks: String::new() }
    }

    fn event(event: CapturedEvent<'_>) -> Self {
        let line = ShortLine::unredacted(CapturedNode::Event(event)).to_string();
        let remarks = format!("    {}\n", Origin(event.metadata()));
        Self { moment: Some(event.moment()), line, remarks }
    }

    fn span(span: CapturedSpan<'_>) -> Self {
        let stats = span.stats();
        let origin = Origin(span.metadata());
        let (entered, exited) = (stats.entered, stats.exited);
        let line = ShortLine::unredacted(CapturedNode::Span(span)).to_string();
        let remarks = format!("    entered {entered}x, exited {exited}x, {origin}\n");
        Self { moment: Some(span.moment()), line, remarks }
    }

    /// Writes the lines. A snapshot may have redacted values since they were noted.
    fn write(&self, findings: &mut String, storage: &Storage) {
        let node = self.moment.and_then(|moment| storage.node_at(moment));
        // An event that there was no room for has the moment of what came next.
        let is_it = |node: &CapturedNode<'_>| ShortLine::unredacted(*node).to_string() == self.line;
        let line = match node.filter(is_it) {
            Some(node) => ShortLine::new(node).to_string(),
            None if self.moment.is_some() && storage.printed().line_drawing().is_some() => {
                "⟨not shown, since it was taken or evicted, and a snapshot redacts values⟩"
                    .to_string()
            }
            None => self.line.clone(),
        };
        // Writing to a string does not fail.
        let _ = write!(findings, "  {line}\n{}", self.remarks);
    }
}

/// The text for the spans or events of a tally.
struct Finding<'a> {
    nouns: [&'a str; 2],
    what: &'a str,
    /// The remedy.
    help: &'a str,
}

impl Finding<'_> {
    /// Adds the finding to others, unless the tally is empty.
    fn write(&self, findings: &mut String, storage: &Storage, tally: &Tally) {
        let Tally { count, listed } = tally;
        let noun = match count {
            0 => return,
            1 => self.nouns[0],
            _ => self.nouns[1],
        };
        // Writing to a string does not fail.
        let _ = writeln!(findings, "\n{count} {noun} {}:", self.what);
        for listed in listed {
            listed.write(findings, storage);
        }
        if *count > MAX_LISTED && !listed.is_empty() {
            let _ = writeln!(findings, "  (and {} more)", count - MAX_LISTED);
        }
        let _ = writeln!(findings, "  ({})", self.help);
    }
}

/// The place where something was traced.
struct Origin<'a>(CapturedMetadata<'a>);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "by {}", Escaped(self.0.target()))?;
        if let Some(file) = self.0.file() {
            write!(formatter, " at {}", Escaped(file))?;
            if let Some(line) = self.0.line() {
                write!(formatter, ":{line}")?;
            }
        }
        Ok(())
    }
}
