use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use crate::{capture::Storage, transport::stream::StreamWriter};

impl Storage {
    /// Writes the trace to a file, which a
    /// [`RecordedTrace`](crate::transport::recorded::RecordedTrace) replays. If there is a file, it is
    /// replaced.
    ///
    /// Replayed into a storage, it gives an equal trace: the same tree, with the same values (earlier ones of a
    /// field included), order, statistics, call sites and threads. Two things differ: times are the times of the replay,
    /// and the number of [evicted](Self::left_out) spans and events is not kept. If this trace lacks records, since they were
    /// evicted or lost, assertions that something is not in the replayed trace fail as well. Filters of the capture are
    /// not saved: such assertions do not know them after the replay. An exit without an enter is left out,
    /// too. The [kinds of parents](crate::capture::ParentKind) and how often handles
    /// were [cloned](crate::CapturedSpan::clones) are not saved: a `RecordedTrace` leaves them unknown.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, SharedStorage, TracingEventReceiver, transport::recorded::RecordedTrace};
    ///
    /// # let path = std::env::temp_dir().join(format!("spanshot-save-{}.spanshot", std::process::id()));
    /// let capture = Capture::start();
    /// tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
    /// let trace = capture.finish();
    /// trace.save(&path)?;
    ///
    /// let storage = SharedStorage::default();
    /// let mut receiver = TracingEventReceiver::capturing(&storage);
    /// let receipt = RecordedTrace::open(&path)?.replay(&mut receiver).into_result()?;
    /// assert_eq!(storage.lock().to_string(), trace.to_string());
    /// # std::fs::remove_file(path)?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.save_with_notes(path.as_ref(), [].into_iter())
    }

    /// The same, with notes before the trace.
    pub(crate) fn save_with_notes<'a>(
        &self,
        path: &Path,
        notes: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        let writer = StreamWriter::new(Unflushed(&mut file));
        if let Some(reason) = self.lack() {
            writer.note(super::LACK, &reason);
        }
        notes.for_each(|(name, value)| writer.note(name, value));
        self.for_each_frame(|frame| writer.send(frame));
        writer.finish()?;
        drop(writer);
        file.flush()
    }

    /// Says why the trace is not all that was traced, if it is not.
    fn lack(&self) -> Option<String> {
        let left_out = self.left_out() + self.evicted_values;
        let evicted = || format!("{left_out} spans, events and values were left out of it");
        self.sight.bypass().or_else(|| (left_out > 0).then(evicted))
    }
}

/// Is flushed once, rather than with each packet: nothing is traced meanwhile that could be lost.
struct Unflushed<'a>(&'a mut BufWriter<File>);

impl Write for Unflushed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
