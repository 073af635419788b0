use core::{fmt, mem};
use std::io::{self, Read};

use super::{Problem, Receipt, StreamDecoder, StreamEnd, StreamError, StreamItem, StreamLimits};
use crate::{panics, receiver::TracingEventReceiver};

/// Bytes that are read at once.
const CHUNK_LEN: usize = 16 << 10;

/// Receives a stream of [packets](super#specification), up to its end.
///
/// Other bytes in the stream are skipped and counted; a [`StreamReceiver`] hands them to you. The function returns when
/// there are no more bytes: a pipe ends when all processes have closed its other end. Until then, it relays the
/// stream on this thread.
///
/// It does not fail. If reading fails, [`Receipt::end`] holds the error. If the stream was not ended by its program,
/// assertions that something is not in the trace fail: see [`StreamEnd::Open`].
///
/// # Example
///
/// ```no_run
/// use std::process::{Command, Stdio};
/// use spanshot::{Capture, TracingEventReceiver, transport::stream};
///
/// let capture = Capture::start();
/// let mut child = Command::new("./plugin").stdout(Stdio::piped()).spawn()?;
/// let stdout = child.stdout.take().unwrap();
/// stream::receive(stdout, &mut TracingEventReceiver::default()).into_result()?;
/// child.wait()?;
/// assert_eq!(capture.trace().root_spans().len(), 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn receive(input: impl Read, receiver: &mut TracingEventReceiver) -> Receipt {
    StreamReceiver::new(receiver).read(input, |_| ())
}

/// Receives a stream of [packets](super#specification) in chunks of any length.
///
/// It goes on after a problem, and reports all problems in the end.
///
/// Call [`finish()`](Self::finish) at the end of the stream. If you drop the receiver before that, assertions that
/// something is not in the trace fail, since you have not read all of it.
///
/// # Example
///
/// ```
/// use spanshot::{SharedStorage, TracingEventReceiver};
/// use spanshot::transport::stream::{StreamReceiver, StreamWriter};
///
/// # let (reader, writer) = std::io::pipe()?;
/// # let writer = StreamWriter::new(writer);
/// # tracing::subscriber::with_default(writer.sender(), || tracing::info!("sent"));
/// # drop(writer);
/// # let mut stream = vec![];
/// # std::io::Read::read_to_end(&mut &reader, &mut stream)?;
/// let storage = SharedStorage::default();
/// let mut receiver = TracingEventReceiver::capturing(&storage);
/// let mut stream_receiver = StreamReceiver::new(&mut receiver);
/// for chunk in stream.chunks(7) {
///     stream_receiver.push(chunk, |text| println!("{}", String::from_utf8_lossy(text)));
/// }
/// assert!(stream_receiver.finish().is_complete());
/// assert_eq!(storage.lock().to_string(), "INFO sent");
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct StreamReceiver<'a> {
    receiver: &'a mut TracingEventReceiver,
    limits: StreamLimits,
    decoder: StreamDecoder,
    receipt: Receipt,
    /// Whether the captures know how the stream ended.
    is_end_noted: bool,
}

/// Why records may be missing although those that came are whole.
const NOT_ENDED: &str = "its stream was not ended, so that there may have been more: the program was killed, left by \
                         `process::exit()`, or could not write any more";
const NOT_STARTED: &str = "there is no stream: the program installed no sender, or could not write";
const NOT_READ: &str = "its stream was not read to the end";

impl<'a> StreamReceiver<'a> {
    /// Begins with a stream.
    ///
    /// A receiver may take several streams, one after another. When the next one starts, the spans that the one before has left
    /// open are closed, as when the receiver is dropped, except for those that the receiver was restored with.
    pub fn new(receiver: &'a mut TracingEventReceiver) -> Self {
        Self::with_limits(receiver, StreamLimits::default())
    }

    /// Begins with a stream, under other limits than the default ones.
    pub fn with_limits(receiver: &'a mut TracingEventReceiver, limits: StreamLimits) -> Self {
        let decoder = StreamDecoder::with_limits(limits);
        Self { receiver, limits, decoder, receipt: Receipt::new(), is_end_noted: false }
    }

    /// Takes a chunk, and passes bytes outside of whole packets to the function, in order.
    ///
    /// Between two chunks, your host may do something else, or take a chunk of another stream. To keep this out of
    /// the spans of the stream, the stream is [relayed elsewhere](TracingEventReceiver::relaying_elsewhere).
    pub fn push(&mut self, chunk: &[u8], on_foreign: impl FnMut(&[u8])) {
        self.receiver.relay_elsewhere();
        self.take(chunk, on_foreign);
    }

    fn take(&mut self, mut chunk: &[u8], mut on_foreign: impl FnMut(&[u8])) {
        while let Some(item) = self.decoder.decode(&mut chunk) {
            let problem = match item {
                Ok(StreamItem::Frame { frame, number, offset }) => {
                    match self.receiver.receive_encoded(frame) {
                        Ok(()) => {
                            self.receipt.frames += 1;
                            continue;
                        }
                        Err(error) => Problem::Refused { offset, number, error },
                    }
                }
                Ok(StreamItem::OtherFrame { .. }) => {
                    self.receipt.other_frames += 1;
                    continue;
                }
                Ok(StreamItem::Foreign(bytes)) => {
                    self.receipt.foreign += bytes.len() as u64;
                    on_foreign(bytes);
                    continue;
                }
                Ok(StreamItem::Start { written_by }) => {
                    // A program may say so again.
                    if self.receipt.written_by.is_none() {
                        self.receiver.begin_stream();
                    }
                    self.receipt.written_by = Some(written_by.into());
                    continue;
                }
                Ok(StreamItem::Note { .. }) => continue,
                Ok(StreamItem::End) => {
                    self.receipt.end = StreamEnd::Finished;
                    continue;
                }
                Err(error) => {
                    self.receiver.note_loss(&error);
                    Problem::Stream(error)
                }
            };
            self.add_problem(problem);
        }
    }

    fn add_problem(&mut self, problem: Problem) {
        self.receipt.problem_count += 1;
        if self.receipt.problems.len() < self.limits.max_problems {
            self.receipt.problems.push(problem);
        }
    }

    /// Passes on the last bytes of the input that are text, unless the next byte would show that they begin a packet.
    pub(super) fn pass_rest(&mut self, mut on_foreign: impl FnMut(&[u8])) {
        let text = self.decoder.pending_text();
        if !text.is_empty() {
            self.receipt.foreign += text.len() as u64;
            on_foreign(text);
        }
    }

    /// Returns the receipt so far.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Ends, at the end of the stream.
    pub fn finish(mut self) -> Receipt {
        let has_stream = self.decoder.has_stream();
        match mem::take(&mut self.decoder).finish() {
            // Another stream in the same place is cut.
            Err(error) if matches!(self.receipt.end, StreamEnd::Finished) => {
                self.note_end(&error);
                self.add_problem(Problem::Stream(error));
            }
            Err(error) => {
                self.note_end(&error);
                if let StreamError::Cut { offset, len } = error {
                    self.receipt.end = StreamEnd::Cut { offset, len };
                }
            }
            Ok(()) if matches!(self.receipt.end, StreamEnd::Finished) => {}
            Ok(()) => self.note_end(if has_stream { &NOT_ENDED } else { &NOT_STARTED }),
        }
        self.into_receipt()
    }

    fn into_receipt(mut self) -> Receipt {
        self.is_end_noted = true;
        mem::replace(&mut self.receipt, Receipt::new())
    }

    /// Tells the captures that records may be missing at the end.
    fn note_end(&mut self, reason: &dyn fmt::Display) {
        self.is_end_noted = true;
        self.receiver.note_loss(reason);
    }

    /// Takes all that can be read, as [`receive()`] does. Bytes that are of no whole packet are given to
    /// the function, in order: it is called in the spans in which the other side has written them.
    ///
    /// # Example
    ///
    /// Pass on what a child writes besides:
    ///
    /// ```no_run
    /// use std::{io::{self, Write}, process::{Command, Stdio}};
    /// use spanshot::{TracingEventReceiver, transport::stream::StreamReceiver};
    ///
    /// let mut child = Command::new("./plugin").stderr(Stdio::piped()).spawn()?;
    /// let mut receiver = TracingEventReceiver::default();
    /// let stderr = child.stderr.take().unwrap();
    /// let receipt = StreamReceiver::new(&mut receiver)
    ///     .read(stderr, |text| drop(io::stderr().write_all(text)));
    /// # Ok::<_, io::Error>(())
    /// ```
    pub fn read(self, input: impl Read, on_foreign: impl FnMut(&[u8])) -> Receipt {
        let scope = self.receiver.current_scope();
        scope.in_scope(|| self.read_to_end(input, on_foreign))
    }

    fn read_to_end(mut self, mut input: impl Read, mut on_foreign: impl FnMut(&[u8])) -> Receipt {
        let mut chunk = [0; CHUNK_LEN];
        loop {
            match input.read(&mut chunk) {
                Ok(0) => {
                    self.pass_rest(on_foreign);
                    return self.finish();
                }
                Ok(len) => self.take(chunk.get(..len).unwrap_or_default(), &mut on_foreign),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(error),
            }
        }
    }

    /// Ends where the stream cannot be read any further.
    pub(in crate::transport) fn fail(mut self, error: io::Error) -> Receipt {
        self.note_end(&format_args!("the stream could not be read any further: {error}"));
        self.receipt.end = StreamEnd::Failed(error);
        self.into_receipt()
    }
}

impl Drop for StreamReceiver<'_> {
    fn drop(&mut self) {
        if self.is_end_noted || matches!(self.receipt.end, StreamEnd::Finished) {
            return;
        }
        panics::without_second(|| self.note_end(&NOT_READ));
    }
}
