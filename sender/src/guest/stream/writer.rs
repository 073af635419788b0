use alloc::{format, sync::Arc, vec::Vec};
use core::{
    cell::RefCell,
    fmt,
    hash::{BuildHasher, Hasher},
    mem,
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    hash::RandomState,
    io::{self, Write},
    process,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::packet::{self, Note, Start, Writer, kind};
use crate::frame::{self, FrameWriter};

/// Memory that is kept for packets, in bytes. A longer one takes its own.
const KEPT_CAPACITY: usize = 64 << 10;

/// Writes frames as [packets](super#specification) to a pipe, a file, or anything else that takes bytes.
///
/// The stream starts at once. Each frame is one packet, which goes out with one `write_all()` and is
/// flushed before the traced code goes on: a kill loses nothing that was traced before. What other
/// threads write to the same output through `std`, as `println!` does to `std::io::stdout()`, does not
/// get into the middle.
///
/// Its clones write to the same stream, which ends when the last of them is dropped, or when it is
/// [finished](Self::finish). A program that is killed, or leaves by
/// [`process::exit()`](std::process::exit), does not end it.
///
/// The stream belongs to the process that has created the writer. In a process that `fork()` has made of
/// it, the writer discards all records, and reports the first span or event to the host.
///
/// # Failure
///
/// An output that fails, since nobody reads the pipe any more or the disk is full, does not disturb the
/// program: it gets nothing more, and the error is written to standard error, once, and returned by
/// [`finish()`](Self::finish). The host sees a stream that is not ended.
///
/// An output that is not ready ([`WouldBlock`](io::ErrorKind::WouldBlock)) has not failed. Other code of your program
/// may have put its pipe into the non-blocking mode. The writer waits until the packet has gone out, as it would
/// for a pipe that blocks. On `wasm32-unknown-unknown`, where it cannot wait, this is a failure as well.
///
/// An output may be traced itself: a connection, for example, whose library traces what it sends. What
/// it traces while it writes is not written, as that would go on for ever. It must not wait for another
/// thread that traces to the same stream. [`io::stderr()`](std::io::stderr) does so if that thread holds its lock, in
/// `eprintln!("{value}")` whose `Display` implementation traces: both threads wait for ever then. On Unix,
/// [`install_from_env()`](crate::child_process::install_from_env) writes without the lock.
///
/// # Example
///
/// A program that records what it traces:
///
/// ```
/// use std::{fs::File, io};
/// use spanshot_sender::stream::StreamWriter;
///
/// # let path = std::env::temp_dir().join(format!("spanshot-writer-{}", std::process::id()));
/// let writer = StreamWriter::new(File::create(&path)?);
/// tracing::subscriber::with_default(writer.sender(), || tracing::info!("recorded"));
/// writer.finish()?;
/// # std::fs::remove_file(path)?;
/// # Ok::<_, io::Error>(())
/// ```
pub struct StreamWriter<W: Write> {
    shared: Arc<Shared<W>>,
}

struct Shared<W: Write> {
    /// The process that the stream belongs to.
    process: u64,
    /// Whether a fork of the process has traced something.
    has_fork_traced: AtomicBool,
    stream: Mutex<Stream<W>>,
    /// Call sites that the output has reached while it was writing: their sender takes them for sent.
    call_sites: Mutex<Vec<Vec<u8>>>,
}

struct Stream<W: Write> {
    output: W,
    writer: Writer,
    /// Where a packet is put together.
    packet: Vec<u8>,
    /// Number of the next packet.
    next: u64,
    has_ended: bool,
    /// Whether the host wants to know of a record that comes after the end.
    reports_later: bool,
    error: Option<io::Error>,
}

impl<W: Write> fmt::Debug for StreamWriter<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StreamWriter").finish_non_exhaustive()
    }
}

impl<W: Write> Clone for StreamWriter<W> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<W: Write> StreamWriter<W> {
    /// Starts a stream in an output.
    pub fn new(output: W) -> Self {
        let writer = Self::unstarted(output);
        // It is remembered if that fails.
        let _ = writer.start();
        writer
    }

    /// Creates a writer that has written nothing, and starts before its first frame.
    pub(crate) fn unstarted(output: W) -> Self {
        let (packet, writer) = (Vec::new(), new_writer(0));
        let stream = Stream {
            output,
            writer,
            packet,
            next: 0,
            has_ended: false,
            reports_later: false,
            error: None,
        };
        let shared = Shared {
            process: this_process(),
            has_fork_traced: AtomicBool::new(false),
            stream: Mutex::new(stream),
            call_sites: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Starts the stream, unless that is done.
    pub(crate) fn start(&self) -> io::Result<()> {
        let Some(mut stream) = self.stream() else { return Ok(()) }; // it has started
        stream.start();
        stream.result()
    }

    /// Writes a frame, unless the output has failed or the stream has ended.
    ///
    /// This is what a [`TracingEventSender::encoded`](crate::TracingEventSender::encoded) calls that is
    /// made by hand; [`sender()`](Self::sender) makes one. A host records with it what passes by:
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{ReceiveError, TracingEventReceiver, transport::stream::StreamWriter};
    ///
    /// fn on_frame(
    ///     frame: &[u8],
    ///     receiver: &mut TracingEventReceiver,
    ///     record: &StreamWriter<std::fs::File>,
    /// ) -> Result<(), ReceiveError> {
    ///     record.send(frame);
    ///     receiver.receive_encoded(frame)
    /// }
    /// ```
    pub fn send(&self, frame: &[u8]) {
        if self.is_in_fork() {
            self.report_fork(frame);
            return;
        }
        let Some(mut stream) = self.stream() else {
            if is_call_site(frame) {
                self.call_sites().push(frame.to_vec());
            }
            return;
        };
        stream.start();
        // There is an end to it, as there is to call sites.
        loop {
            let call_sites = mem::take(&mut *self.call_sites());
            if call_sites.is_empty() {
                break;
            }
            for frame in &call_sites {
                stream.write_frame(frame);
            }
        }
        stream.write_frame(frame);
    }

    /// Writes a note, something to know about the stream, unless the output has failed or the stream has ended.
    ///
    /// Readers that do not know its name pass over it. [`RecordedTrace`](
    /// https://docs.rs/spanshot/latest/spanshot/transport/recorded/struct.RecordedTrace.html) reads those that stand
    /// before the first frame.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot_sender::stream::StreamWriter;
    ///
    /// let writer = StreamWriter::new(std::io::sink());
    /// writer.note("commit", "0885a1c");
    /// ```
    pub fn note(&self, name: &str, value: &str) {
        if self.is_in_fork() {
            return;
        }
        let Some(mut stream) = self.stream() else { return };
        stream.start();
        let stream_name = stream.writer.stream.to_le_bytes();
        stream.write(kind::NOTE, &stream_name, Note { name, value }.write().as_bytes());
    }

    /// Whether this is a process that `fork()` has made of the one that the stream belongs to.
    fn is_in_fork(&self) -> bool {
        this_process() != self.shared.process
    }

    /// Says once that a fork has traced something, if it can. Another thread may have held the lock when
    /// the process was forked. In the fork, there is no such thread that would ever release it.
    #[cold]
    fn report_fork(&self, frame: &[u8]) {
        if !frame::is_new(frame) || self.shared.has_fork_traced.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Ok(mut stream) = self.shared.stream.try_lock() {
            stream.start_fork(self.shared.process);
        }
    }

    /// Ends the stream. Frames sent later are not written. In a fork, it does nothing.
    ///
    /// # Errors
    ///
    /// Returns the first error that the output had, with the same kind and message, whenever that was; and
    /// an error of the kind [`Deadlock`](io::ErrorKind::Deadlock) if the output itself calls this.
    pub fn finish(&self) -> io::Result<()> {
        if self.is_in_fork() {
            return Ok(());
        }
        let Some(mut stream) = self.stream() else { return Err(io::ErrorKind::Deadlock.into()) };
        stream.end();
        stream.result()
    }

    /// Ends the stream because its owner is gone, and not because somebody wants it to end here. The first span or event
    /// that is traced later is reported to the host, which would take the trace for complete otherwise.
    pub(crate) fn end_with_owner(&self) {
        if self.is_in_fork() {
            return;
        }
        if let Some(mut stream) = self.stream() {
            stream.reports_later = !stream.has_ended;
            stream.end();
        }
    }

    /// Returns the stream, unless this is called by its output, in the middle of writing.
    fn stream(&self) -> Option<Locked<'_, W>> {
        let writing = Writing::new(Arc::as_ptr(&self.shared).addr())?;
        // What panicked was the output, which is not used any more then.
        let stream = self.shared.stream.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Locked { stream, _writing: writing })
    }

    fn call_sites(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.shared.call_sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream, while it is this thread's.
struct Locked<'a, W: Write> {
    stream: MutexGuard<'a, Stream<W>>,
    _writing: Writing,
}

impl<W: Write> Deref for Locked<'_, W> {
    type Target = Stream<W>;

    fn deref(&self) -> &Stream<W> {
        &self.stream
    }
}

impl<W: Write> DerefMut for Locked<'_, W> {
    fn deref_mut(&mut self) -> &mut Stream<W> {
        &mut self.stream
    }
}

std::thread_local! {
    /// The streams that this thread is writing to, by where they are.
    static WRITING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Notes that this thread writes to a stream.
struct Writing {
    stream: usize,
}

impl Writing {
    /// Returns nothing if it does so already. At the end of a thread, when that cannot be noted any more, what is
    /// traced is written as if it could.
    fn new(stream: usize) -> Option<Self> {
        let note = |writing: &RefCell<Vec<usize>>| {
            let mut writing = writing.borrow_mut();
            let is_new = !writing.contains(&stream);
            if is_new {
                writing.push(stream);
            }
            is_new
        };
        WRITING.try_with(note).unwrap_or(true).then(|| Self { stream })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let _ = WRITING.try_with(|writing| {
            writing.borrow_mut().retain(|stream| *stream != self.stream);
        });
    }
}

impl<W: Write + Send + 'static> StreamWriter<W> {
    /// Returns a subscriber that sends spans and events to the stream.
    ///
    /// A stream belongs to one program: give it one sender.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot_sender::stream::StreamWriter;
    /// use tracing::level_filters::LevelFilter;
    ///
    /// let writer = StreamWriter::new(std::io::sink());
    /// let subscriber = writer.sender().with_max_level(LevelFilter::INFO);
    /// tracing::subscriber::with_default(subscriber, || tracing::debug!("not sent"));
    /// ```
    pub fn sender(
        &self,
    ) -> crate::TracingEventSender<crate::Frames<impl Fn(&[u8]) + Send + Sync + use<W>>> {
        let writer = self.clone();
        crate::TracingEventSender::encoded(move |frame: &[u8]| writer.send(frame))
    }
}

impl<W: Write> Stream<W> {
    /// Writes a frame: as one packet, or in parts if others could get into the middle of that.
    fn write_frame(&mut self, frame: &[u8]) {
        if self.has_ended {
            return self.report_later(frame);
        }
        let name = self.writer.stream.to_le_bytes();
        if packet::fitting_len(frame) == frame.len() {
            return self.write(kind::FRAME, &name, frame);
        }
        let (mut place, mut rest) = (0, frame);
        while !rest.is_empty() {
            let (bytes, later) = rest.split_at(packet::fitting_len(rest));
            let mut first = FrameWriter::new();
            first.plain(&name);
            first.uint(place);
            first.uint(frame.len() as u64);
            self.write(kind::PART, first.as_bytes(), bytes);
            place += bytes.len() as u64;
            rest = later;
        }
    }

    /// Ends the stream again, once, if a span or an event comes after its end.
    fn report_later(&mut self, frame: &[u8]) {
        if self.reports_later && frame::is_new(frame) {
            self.reports_later = false;
            self.has_ended = false;
            self.end();
        }
    }

    fn write(&mut self, kind: u8, first: &[u8], rest: &[u8]) {
        if self.has_ended || self.error.is_some() {
            return;
        }
        // It is as if it had failed, until it has not: it may panic.
        self.error = Some(io::Error::other("the output panicked"));
        self.packet.clear();
        packet::write(&mut self.packet, kind, self.next, first, rest);
        self.next += 1;
        // `write_all()` keeps other threads out, so it has to take the packet as a whole, again if need be. No pipe
        // takes a part of a packet. If another output does, the reader reports that, and finds the packet that follows.
        let written = until_ready(|| self.output.write_all(&self.packet))
            .and_then(|()| until_ready(|| self.output.flush()));
        self.packet.shrink_to(KEPT_CAPACITY);
        self.error = written.err();
        if let Some(error) = &self.error {
            let report = format!("spanshot: what is traced is not written any more: {error}\n");
            // A thread that holds the lock of the error output may be waiting for this stream.
            #[cfg(unix)]
            let mut output = super::Unlocked(io::stderr());
            #[cfg(not(unix))]
            let mut output = io::stderr();
            // If that fails, too, there is nobody to tell.
            let _ = output.write_all(report.as_bytes());
        }
    }

    fn start(&mut self) {
        if self.next > 0 {
            return;
        }
        let start = Start::write(env!("CARGO_PKG_VERSION"), &self.writer);
        self.write(kind::START, start.as_bytes(), &[]);
    }

    /// Starts the stream of a fork, which has no more than this start.
    fn start_fork(&mut self, forked_from: u64) {
        self.writer = new_writer(forked_from);
        self.next = 0;
        self.start();
    }

    fn end(&mut self) {
        if self.next > 0 && self.writer.process == this_process() {
            self.write(kind::END, &self.writer.stream.to_le_bytes(), &[]);
        }
        self.has_ended = true;
    }

    fn result(&self) -> io::Result<()> {
        match &self.error {
            Some(error) => Err(io::Error::new(error.kind(), format!("{error}"))),
            None => Ok(()),
        }
    }
}

impl<W: Write> Drop for Stream<W> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Calls the function until the output is ready. The first pauses are short, since a reader empties a pipe within some
/// microseconds; a reader that does something else costs no more than a thousand calls a second.
fn until_ready(mut write: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    const LONGEST_PAUSE: Duration = Duration::from_millis(1);

    let mut pause = Duration::from_micros(20);
    loop {
        match write() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && CAN_WAIT => {
                thread::sleep(pause);
                pause = LONGEST_PAUSE.min(pause * 2);
            }
            result => return result,
        }
    }
}

/// Whether a thread can sleep.
const CAN_WAIT: bool = !cfg!(all(target_family = "wasm", target_os = "unknown"));

/// Whether a frame announces a call site: the kind of the others is not 0.
fn is_call_site(frame: &[u8]) -> bool {
    frame.first().is_some_and(|header| header % 16 == 0)
}

/// Names a stream of this process. Two of them have the same name once in 4,000 million times.
#[allow(clippy::cast_possible_truncation)] // all bits are as random
fn new_writer(forked_from: u64) -> Writer {
    let process = this_process();
    // Forks have the same randomness as their parents, and other process numbers.
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(process);
    Writer { stream: hasher.finish() as u32, process, forked_from }
}

/// Returns the number of the process, or 0 where there are no processes.
fn this_process() -> u64 {
    if cfg!(target_family = "wasm") { 0 } else { process::id().into() }
}
