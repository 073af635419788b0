use alloc::{borrow::ToOwned, string::String, vec::Vec};
use std::{
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use super::RecordedError;
use crate::{
    receiver::TracingEventReceiver,
    transport::stream::{
        Receipt, StreamDecoder, StreamError, StreamItem, StreamLimits, StreamReceiver,
    },
    wire::text::beginning,
};

/// A file that holds a trace.
///
/// # Example
///
/// ```
/// use spanshot::{SharedStorage, TracingEventReceiver, transport::recorded::{self, RecordedTrace}};
///
/// # let path = std::env::temp_dir().join(format!("spanshot-open-{}.spanshot", std::process::id()));
/// let recording = recorded::create(&path)?;
/// tracing::subscriber::with_default(recording.sender(), || {
///     tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
/// });
/// drop(recording);
///
/// let mut recorded = RecordedTrace::open(&path)?;
/// let storage = SharedStorage::default();
/// let receipt = recorded.replay(&mut TracingEventReceiver::capturing(&storage));
/// assert!(receipt.is_complete());
/// assert_eq!(storage.lock().to_string(), "INFO connect{port=8080}\n└─ WARN slow");
/// # std::fs::remove_file(path)?;
/// # Ok::<_, spanshot::transport::recorded::RecordedError>(())
/// ```
#[derive(Debug)]
pub struct RecordedTrace {
    file: File,
    beginning: Beginning,
    limits: StreamLimits,
}

/// What stands before the first frame.
#[derive(Debug, Default)]
struct Beginning {
    written_by: Option<String>,
    notes: Vec<(String, String)>,
}

/// Notes that are read. A file may have any number.
const MAX_NOTES: usize = 32;

/// Characters of the name or value of a note that are kept.
const MAX_NOTE: usize = 4_096;

/// Bytes that are read at once.
const CHUNK_LEN: usize = 16 << 10;

impl RecordedTrace {
    /// Opens a file, and looks at the beginning of the trace in it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, if there is no whole packet of a
    /// [stream](crate::transport::stream#specification) in it, or if the stream starts in a version that
    /// is not read. A file that is damaged or cut elsewhere is none: [`Self::replay()`] says so.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordedError> {
        Self::new(File::open(path)?)
    }

    /// Takes an open file, as [`Self::open()`] does. It is read from its beginning.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Self::open()`].
    pub fn new(mut file: File) -> Result<Self, RecordedError> {
        file.rewind()?;
        let beginning = look(&mut file)?;
        Ok(Self { file, beginning, limits: StreamLimits::default() })
    }

    /// Returns the version of spanshot that wrote the trace, or `None` if the beginning is missing.
    pub fn written_by(&self) -> Option<&str> {
        self.beginning.written_by.as_deref()
    }

    /// Returns what the file says about its trace, by name; the first of several notes with one name.
    ///
    /// A test whose capture [records](crate::CaptureBuilder#recording) leaves these:
    ///
    /// | name | value |
    /// |---|---|
    /// | `test` | the name of the test, if it has one |
    /// | `attempt` | which attempt of the test it was: 1, or more if the test runner retried it |
    /// | `run` | the identifier of nextest's run |
    /// | `outcome` | how the test ended: `passed`, `panicked`, `returned` an error, `failed` by its capture; `running` if it had not, and `unknown` if the capture does not see the end |
    /// | `message` | the message of the panic or error |
    /// | `location` | where it panicked, or where the capture was started |
    ///
    /// A trace that `Storage::save()` has written has a note `lack` if it was not all that was traced: it says why.
    ///
    /// The file says so, and nobody checks it. It may come from anywhere.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::transport::recorded::{self, RecordedTrace};
    ///
    /// # let path = std::env::temp_dir().join(format!("spanshot-note-{}.spanshot", std::process::id()));
    /// let recording = recorded::create(&path)?;
    /// recording.note("attempt", "2");
    /// recording.finish()?;
    ///
    /// assert_eq!(RecordedTrace::open(&path)?.note("attempt"), Some("2"));
    /// # std::fs::remove_file(path)?;
    /// # Ok::<_, spanshot::transport::recorded::RecordedError>(())
    /// ```
    pub fn note(&self, name: &str) -> Option<&str> {
        let note = self.beginning.notes.iter().find(|(noted, _)| noted == name)?;
        Some(&note.1)
    }

    /// Replays the trace under other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: StreamLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Replays the whole trace into a receiver. You may call it again.
    ///
    /// A receiver [relays](TracingEventReceiver) to the current subscriber, or fills a
    /// [storage](TracingEventReceiver::capturing). When you drop it, it closes the spans that were open when the trace was
    /// recorded.
    ///
    /// The receipt says whether the trace is [complete](Receipt::is_complete), and lists its problems. All intact records
    /// are replayed. If the trace is not complete, since its program was killed or still runs, assertions that
    /// something is not in it fail, unless you call
    /// [`ignore_lost_records()`](crate::SharedStorage::ignore_lost_records).
    #[must_use = "the receipt says whether the trace is complete, and whether the file holds others"]
    pub fn replay(&mut self, receiver: &mut TracingEventReceiver) -> Receipt {
        let was_of_trace = receiver.set_of_trace(true);
        let stream = StreamReceiver::with_limits(&mut *receiver, self.limits);
        let receipt = match self.file.rewind() {
            Ok(()) => stream.read(&self.file, |_| ()),
            Err(error) => stream.fail(error),
        };
        receiver.set_of_trace(was_of_trace);
        if let Some(reason) = self.note(super::LACK) {
            receiver.note_loss(&format_args!("the trace was saved without them: {reason:?}"));
        }
        receipt
    }
}

/// Reads up to the first frame.
fn look(file: &mut File) -> Result<Beginning, RecordedError> {
    let mut decoder = StreamDecoder::default();
    let mut buffer = [0; CHUNK_LEN];
    let mut found = None;
    loop {
        let len = match file.read(&mut buffer) {
            Ok(0) => return found.ok_or(RecordedError::NoTrace { len: decoder.offset() }),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let mut chunk = buffer.get(..len).unwrap_or_default();
        while let Some(item) = decoder.decode(&mut chunk) {
            match item {
                Ok(StreamItem::Start { written_by }) => {
                    let found = found.get_or_insert_with(Beginning::default);
                    found.written_by.get_or_insert_with(|| written_by.into());
                }
                Ok(StreamItem::Note { name, value }) => {
                    let notes = &mut found.get_or_insert_with(Beginning::default).notes;
                    if notes.len() == MAX_NOTES {
                        return Ok(found.unwrap_or_default());
                    }
                    notes.push(
                        [name, value].map(|text| beginning(text, MAX_NOTE).to_owned()).into(),
                    );
                }
                Ok(StreamItem::Frame { .. } | StreamItem::End) => {
                    return Ok(found.unwrap_or_default());
                }
                Err(StreamError::UnsupportedVersion { actual, supported, written_by, .. })
                    if found.is_none() =>
                {
                    return Err(RecordedError::UnsupportedVersion {
                        actual,
                        supported,
                        written_by,
                    });
                }
                Ok(StreamItem::OtherFrame { .. } | StreamItem::Foreign(_)) | Err(_) => {}
            }
        }
    }
}
