use alloc::string::String;
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
    written_by: Option<String>,
    limits: StreamLimits,
}

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
        let written_by = look(&mut file)?;
        Ok(Self { file, written_by, limits: StreamLimits::default() })
    }

    /// Returns the version of spanshot that wrote the trace, or `None` if the beginning is missing.
    pub fn written_by(&self) -> Option<&str> {
        self.written_by.as_deref()
    }

    /// Replays the trace under other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: StreamLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Has a receiver take the whole trace, which may be done again.
    ///
    /// A receiver [relays](TracingEventReceiver) to the current subscriber, whatever that is, or fills a
    /// [storage](TracingEventReceiver::capturing). When it is dropped, it closes the spans that were
    /// open when the trace was recorded.
    ///
    /// What is returned says whether the trace is [complete](Receipt::is_complete), and what is wrong
    /// with it where it is not; all that is whole is replayed.
    #[must_use = "the receipt says whether the trace is complete, and whether the file holds others"]
    pub fn replay(&mut self, receiver: &mut TracingEventReceiver) -> Receipt {
        let was_of_trace = receiver.set_of_trace(true);
        let stream = StreamReceiver::with_limits(&mut *receiver, self.limits);
        let receipt = match self.file.rewind() {
            Ok(()) => stream.read(&self.file, |_| ()),
            Err(error) => stream.fail(error),
        };
        receiver.set_of_trace(was_of_trace);
        receipt
    }
}

/// Finds the first packet, and returns who wrote it.
fn look(file: &mut File) -> Result<Option<String>, RecordedError> {
    let mut decoder = StreamDecoder::default();
    let mut buffer = [0; CHUNK_LEN];
    loop {
        let len = match file.read(&mut buffer) {
            Ok(0) => return Err(RecordedError::NoTrace { len: decoder.offset() }),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let mut chunk = buffer.get(..len).unwrap_or_default();
        while let Some(item) = decoder.decode(&mut chunk) {
            match item {
                Ok(StreamItem::Start { written_by }) => return Ok(Some(written_by.into())),
                Ok(StreamItem::Frame { .. } | StreamItem::End) => return Ok(None),
                Err(StreamError::UnsupportedVersion { actual, supported, written_by, .. }) => {
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
