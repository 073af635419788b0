use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
};

use super::{
    arguments::Arguments,
    flows::Flows,
    record::{Place, Record},
    tracks::{Exit, Slice, State, Track, entered_before},
};
use crate::{
    capture::{CapturedSpan, Happening, Moment, Storage},
    wire::text::Escaped,
};

/// Turns a timeline into records, one after another.
pub(super) struct Recorder<'a, F> {
    storage: &'a Storage,
    write: F,
    tracks: BTreeMap<usize, Track<'a>>,
    flows: Flows,
    /// Spans that had a slice, and their fields with it.
    told: BTreeSet<usize>,
    /// The time of the last thing that happened, which nothing comes before.
    now: f64,
}

impl<'a, E, F: FnMut(Record<'a>) -> Result<(), E>> Recorder<'a, F> {
    pub(super) fn new(storage: &'a Storage, write: F) -> Self {
        let (tracks, told) = (BTreeMap::new(), BTreeSet::new());
        Self { storage, write, tracks, flows: Flows::new(storage), told, now: 0.0 }
    }

    pub(super) fn record_all(mut self, title: &str) -> Result<(), E> {
        self.name_tracks(title)?;
        self.start()?;
        for (moment, happening) in self.storage.timeline() {
            self.now = self.now.max(self.time(moment));
            let thread = self.storage.thread_of(moment);
            self.record(happening, self.place(thread.unwrap_or_default()))?;
        }
        self.end()
    }

    /// Returns the time of a moment, in microseconds.
    #[allow(clippy::cast_precision_loss)] // it is exact for hundred days
    fn time(&self, moment: Moment) -> f64 {
        match self.storage.time_since_start(moment) {
            Some(time) => time.as_nanos() as f64 / 1_000.0,
            None => moment.number() as f64,
        }
    }

    fn place(&self, thread: usize) -> Place {
        Place { ts: self.now, thread }
    }

    /// The number of the track on which a span was created.
    fn place_of(&self, span: CapturedSpan<'_>) -> Place {
        self.place(self.storage.thread_of(span.moment()).unwrap_or_default())
    }

    fn name_tracks(&mut self, title: &str) -> Result<(), E> {
        (self.write)(Record::naming(None, format!("{}", Escaped(title)).into()))?;
        let moments = self.storage.timeline().map(|(moment, _)| moment);
        let threads: BTreeSet<_> =
            moments.filter_map(|moment| self.storage.thread_of(moment)).collect();
        for thread in threads {
            (self.write)(Record::naming(Some(thread), format!("thread {thread}").into()))?;
        }
        Ok(())
    }

    /// Starts with the spans that were entered before.
    fn start(&mut self) -> Result<(), E> {
        let Some((first, _)) = self.storage.timeline().next() else { return Ok(()) };
        self.now = self.time(first);
        for (thread, spans) in entered_before(self.storage) {
            for span in spans {
                let arguments = Arguments::of_slice(span).note("entered before");
                let record = Record::start(span, self.place(thread), arguments);
                (self.write)(record)?;
                self.tracks.entry(thread).or_default().enter(span);
            }
        }
        Ok(())
    }

    fn record(&mut self, happening: Happening<'a>, at: Place) -> Result<(), E> {
        match happening {
            Happening::Created(span) => (self.write)(Record::created(span, at)),
            Happening::Entered(span) => self.enter(span, at),
            Happening::Exited(span) => {
                let track = self.tracks.entry(at.thread).or_default();
                let Exit { ended, started } = track.exit(span, at.ts);
                for slice in ended {
                    self.end_slice(slice, at)?;
                }
                for span in started {
                    let arguments = Arguments::of_slice(span).note("continued");
                    (self.write)(Record::start(span, at, arguments))?;
                }
                Ok(())
            }
            // A slice shows the values that its span has in the end.
            Happening::Recorded(_) => Ok(()),
            Happening::Closed(span) => {
                let at = self.place_of(span);
                (self.write)(Record::closed(span, at, false))
            }
            Happening::Emitted(event) => (self.write)(Record::emitted(event, at)),
        }
    }

    fn enter(&mut self, span: CapturedSpan<'a>, at: Place) -> Result<(), E> {
        let is_first = self.told.insert(span.number());
        let arguments = if is_first { Arguments::of_span(span) } else { Arguments::of_slice(span) };
        (self.write)(Record::start(span, at, arguments))?;
        self.tracks.entry(at.thread).or_default().enter(span);
        if is_first {
            let (starts, ends) = self.flows.take(span);
            for arrow in ends {
                (self.write)(Record::arrow_end(arrow, at))?;
            }
            for arrow in starts {
                (self.write)(Record::arrow_start(arrow, at))?;
            }
        }
        Ok(())
    }

    fn end_slice(&mut self, slice: Slice<'a>, at: Place) -> Result<(), E> {
        let arguments = Arguments::of_slice(slice.span);
        let arguments = match slice.state {
            State::Entered => arguments.note("not exited"),
            State::Divided => arguments.note("goes on"),
            State::Exited(time) => arguments.exited(time),
            State::Ended => arguments,
        };
        (self.write)(Record::end(slice.span, at, arguments))
    }

    /// Ends the open slices.
    fn end(mut self) -> Result<(), E> {
        for (thread, mut track) in core::mem::take(&mut self.tracks) {
            while let Some(slice) = track.pop() {
                self.end_slice(slice, self.place(thread))?;
            }
        }
        for span in self.storage.all_spans().filter(|span| !span.stats().is_closed) {
            let record = Record::closed(span, self.place_of(span), true);
            (self.write)(record)?;
        }
        Ok(())
    }
}
