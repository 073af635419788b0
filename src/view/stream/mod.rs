//! Shows the records that crossed the boundary, in a form that people like to review.
//!
//! A stream is full of data that change from run to run: IDs that a sender chose, indexes of threads that raced for
//! them, lines of call sites. Nor can you read a record alone, since it identifies its span by a number. So everything
//! is numbered anew, in the order of the stream and by the same rules as in [`TracingEvent::normalize()`], and the name
//! of a span stands beside its number.
//!
//! A stream need not be valid or complete. Spans and call sites that it does not introduce are shown as unknown.

// | file | content |
// |---|---|
// | `record.rs` | a record as people see it |
// | `text.rs` | the records as text |
// | `structure.rs` | the records as data |

mod record;
mod structure;
mod text;

use core::fmt;

use self::record::Records;
use crate::wire::TracingEvent;

/// A stream of [`TracingEvent`]s as text or data for snapshots, which is stable from run to run and easy to review.
///
/// Use it to test what a module sends. The [tree of a trace](crate::Storage) shows the result in the host; this shows
/// the records that crossed the boundary: each announcement of a call site, each new span and event, and each time that
/// a span is entered, exited, cloned or dropped.
///
/// [`Display`](fmt::Display) writes one record per line, in the order of the stream, and
/// [`Serialize`](#impl-Serialize-for-StreamSnapshot%3C'_%3E) gives the same as data for insta's own macros.
/// [`assert_trace_snapshot!`](crate::assert_trace_snapshot) takes a snapshot, as well as a `Vec<TracingEvent>` or a
/// slice, for which it makes one.
///
/// # Format
///
/// ```text
/// call site 0: INFO span connect{port} in net
/// new span 1 of call site 0: INFO connect{port=8080}
/// span 1 connect: entered
/// call site 1: WARN event{message, millis} in net
/// event of call site 1: WARN slow millis=850
/// event of call site 1 in span 1 connect: WARN slow
/// thread 1: event of call site 1 at the root: WARN slow
/// span 1 connect: recorded port=8081
/// span 2 retry: follows from span 1 connect
/// span 1 connect: exited
/// span 1 connect: cloned
/// span 1 connect: dropped
/// ```
///
/// - Call sites are numbered from 0 and spans from 1, in the order of their first appearance in the stream and
///   regardless of their IDs, as [`TracingEvent::normalize()`] does. Threads are numbered alike, and shown except for
///   the first one.
/// - A new span or event is in the current span of its thread, unless its parent was given explicitly: another span
///   (`in span 1 connect`) or none (`at the root`).
/// - A span or call site that the stream does not introduce is an `unknown span` or `unknown call site`: the stream may
///   be invalid, or continue another one. Any stream can be shown.
/// - Files and lines are left out, also the ones among the values of records of the `log` crate.
/// - Text is shown as in the tree of a trace: characters that could steer a terminal are escaped, and strings stand
///   between quotes, while messages and the output of `Debug` and `Display` do not. Names stand between quotes unless
///   they consist of letters, digits, `_`, `-`, `.` and `:`.
/// - A text of more than 300 characters is cut, and ends with a digest of the whole text.
///
/// # Examples
///
/// The events of a sender:
///
/// ```
/// use std::sync::mpsc;
/// use spanshot::{StreamSnapshot, TracingEventSender, assert_trace_snapshot};
///
/// let (sender, events) = mpsc::channel();
/// let subscriber = TracingEventSender::new(move |event| drop(sender.send(event)));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info_span!(target: "net", "connect", port = 8_080).in_scope(|| {
///         tracing::warn!(target: "net", millis = 850, "slow");
///     });
/// });
///
/// let events: Vec<_> = events.iter().collect();
/// assert_trace_snapshot!(StreamSnapshot::new(&events), @r"
/// call site 0: INFO span connect{port} in net
/// new span 1 of call site 0: INFO connect{port=8080}
/// span 1 connect: entered
/// call site 1: WARN event{message, millis} in net
/// event of call site 1: WARN slow millis=850
/// span 1 connect: exited
/// span 1 connect: dropped
/// ");
/// ```
///
/// A [`FrameDecoder`](crate::receiver::FrameDecoder) turns recorded [frames](crate::transport::frame) into events:
///
/// ```
/// # use std::sync::mpsc;
/// use spanshot::{TracingEventSender, assert_trace_snapshot, receiver::FrameDecoder};
///
/// # let (sender, frames) = mpsc::channel();
/// # let send = move |frame: &[u8]| drop(sender.send(frame.to_vec()));
/// # tracing::subscriber::with_default(TracingEventSender::encoded(send), || {
/// #     tracing::info!(target: "plugin", "started");
/// # });
/// let frames: Vec<Vec<u8>> = // … what a WASM guest handed out, or a file has kept
/// #     frames.iter().collect();
/// let mut decoder = FrameDecoder::default();
/// let events = frames.iter().map(|frame| decoder.decode(frame)).collect::<Result<Vec<_>, _>>()?;
/// assert_trace_snapshot!(events, @r"
/// call site 0: INFO event{message} in plugin
/// event of call site 0: INFO started
/// ");
/// # Ok::<_, spanshot::ReceiveError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[cfg_attr(docsrs, doc(cfg(feature = "snapshot")))]
pub struct StreamSnapshot<'a> {
    events: &'a [TracingEvent],
}

impl<'a> StreamSnapshot<'a> {
    /// Creates a snapshot of these events, which are a stream or a part of one.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{StreamSnapshot, TracingEvent};
    ///
    /// let event: TracingEvent = serde_json::from_str(r#"{"span_entered":{"id":281474976710657}}"#)?;
    /// assert_eq!(StreamSnapshot::new(&[event]).to_string(), "unknown span 1: entered");
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    pub fn new(events: &'a [TracingEvent]) -> Self {
        Self { events }
    }
}

/// Writes one record per line, or `(the stream is empty)` if there is none.
impl fmt::Display for StreamSnapshot<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.events.is_empty() {
            return formatter.write_str("(the stream is empty)");
        }
        for (i, record) in Records::new(self.events).enumerate() {
            formatter.write_str(if i > 0 { "\n" } else { "" })?;
            write!(formatter, "{record}")?;
        }
        Ok(())
    }
}
