//! A trace as a file of trace events, for trace viewers.
//!
//! | file | content |
//! |---|---|
//! | `recorder.rs` | writes the records of one storage, in the order of time |
//! | `record.rs` | one record of the file |
//! | `tracks.rs` | the tracks of threads, and of spans that overlap |
//! | `flows.rs` | arrows from a span to those that follow from it |
//! | `arguments.rs` | fields as arguments |
//! | `ascii.rs` | JSON in ASCII |

mod arguments;
mod ascii;
mod flows;
mod record;
mod recorder;
mod tracks;

use alloc::{borrow::ToOwned, string::String};
use core::fmt;
use std::io::{self, Write as _};

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

use self::{ascii::Ascii, recorder::Recorder};
use crate::capture::Storage;

/// A trace as JSON in Chrome's trace event format, which [Perfetto](https://ui.perfetto.dev) and other
/// trace viewers open.
///
/// - Each thread is a track, with a slice (`B` and `E`) for each time that a span was entered there, and
///   an instant (`i`) for each event. If a span is exited while others that were entered later are not, which
///   tracks have no room for, those are divided: they end there, and go on as slices that say so.
/// - Each span is a slice of a track of its own (`b` and `e`), from its creation until it was closed, no matter which
///   threads entered it meanwhile, and how often.
/// - Spans that follow from another one are linked to it by arrows (`s` and `f`).
///
/// The fields of a span stand with its own slice and with the first one on a thread; all slices and events
/// have the number of the span that they are of or in. Integers of more than 64 bits, and floats that are not
/// finite, are strings. A name that a span or event has several fields of has a list for its value.
///
/// Times count from the start of the capture. If it did not [keep times](crate::SharedStorage::keep_times), the
/// [moments](crate::capture::Moment) are shown as microseconds. In a trace that you have [taken](crate::SharedStorage::take), slices of
/// spans that were entered before, and are exited in it, begin with the trace. Slices of open spans end with it.
///
/// It is [`Serialize`], and its [`Display`](fmt::Display) output is the JSON.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, export::ChromeTrace};
/// use std::fs::File;
///
/// let capture = Capture::builder().keep_times().start();
/// tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
///
/// let trace = capture.trace();
/// let path = std::env::temp_dir().join("trace.json");
/// ChromeTrace::new(&trace).title("A slow connection").write_to(File::create(path)?)?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChromeTrace<'a> {
    storage: &'a Storage,
    title: String,
}

impl<'a> ChromeTrace<'a> {
    /// Makes a file for trace viewers from a trace.
    pub fn new(storage: &'a Storage) -> Self {
        Self { storage, title: "Trace".to_owned() }
    }

    /// Sets the name of the process that viewers show. The default is `Trace`.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Writes the JSON, in ASCII. The writer need not be buffered.
    ///
    /// # Errors
    ///
    /// Returns the error of the writer if it fails.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, export::ChromeTrace};
    ///
    /// let capture = Capture::start();
    /// tracing::info!("started");
    /// let mut json = vec![];
    /// ChromeTrace::new(&capture.trace()).write_to(&mut json)?;
    /// let json: serde_json::Value = serde_json::from_slice(&json)?;
    /// let events = json["traceEvents"].as_array().unwrap();
    /// assert!(events.iter().any(|event| event["ph"] == "i" && event["name"] == "started"));
    /// # Ok::<_, std::io::Error>(())
    /// ```
    pub fn write_to(&self, writer: impl io::Write) -> io::Result<()> {
        let mut writer = io::BufWriter::new(writer);
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut writer, Ascii))?;
        writer.flush()
    }
}

impl fmt::Display for ChromeTrace<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = alloc::vec::Vec::new();
        self.write_to(&mut json).map_err(|_| fmt::Error)?;
        formatter.write_str(core::str::from_utf8(&json).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for ChromeTrace<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("displayTimeUnit", "ms")?;
        map.serialize_entry("otherData", &About::new(self.storage))?;
        map.serialize_entry("traceEvents", &Events(self))?;
        map.end()
    }
}

/// What there is to say of the trace as a whole.
#[derive(Serialize)]
struct About {
    producer: &'static str,
    times: &'static str,
    spans: usize,
    events: usize,
    left_out: u64,
}

impl About {
    fn new(storage: &Storage) -> Self {
        let first = storage.timeline().next();
        let has_times = first.is_some_and(|(first, _)| storage.time_since_start(first).is_some());
        Self {
            producer: concat!("spanshot ", env!("CARGO_PKG_VERSION")),
            times: if has_times {
                "since the capture was started"
            } else {
                "were not kept: a microsecond stands for a moment"
            },
            spans: storage.span_count(),
            events: storage.event_count(),
            left_out: storage.left_out(),
        }
    }
}

struct Events<'a>(&'a ChromeTrace<'a>);

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut events = serializer.serialize_seq(None)?;
        let ChromeTrace { storage, title } = self.0;
        Recorder::new(storage, |record| events.serialize_element(&record)).record_all(title)?;
        events.end()
    }
}
