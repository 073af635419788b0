//! Frames: the compact binary encoding of a traced stream, one frame a record.
//!
//! A [`TracingEventSender::encoded`](crate::TracingEventSender::encoded) hands out frames, and
//! `TracingEventReceiver::receive_encoded` of spanshot takes
//! them. A frame does not contain its own length: your transport keeps frames apart (a call
//! into the host with an address and a length, a message of a channel, a length before each).
//! Frames refer to call sites by the ID of an earlier frame of the same stream; otherwise each
//! stands for itself.
//!
//! # Specification
//!
//! Integers, strings and options have [postcard's wire format]: `uint` is a little-endian
//! base-128 *varint* of at most 64 bits, `sint` the same after zigzag, `uint128` and `sint128`
//! have at most 128 bits, `f64` is 8 bytes of IEEE 754 in little-endian order, `bytes` is a
//! `uint` length and that many bytes, `str` is `bytes` of UTF-8, `option` is `00` or `01` and the
//! value.
//!
//! A frame is a header byte, a thread where the header says so, and the body of its kind:
//!
//! ```text
//! header   vvvt kkkk     v: version, 1    t: a thread follows    k: kind of the record
//! thread   uint          0 is the first thread of the stream, and is left out
//! ```
//!
//! | kind | record | body |
//! |---|---|---|
//! | 0 | new call site | `id: uint`, `span_or_event: u8` (0, 1), `level: u8` (0 error … 4 trace), `name: str`, `target: str`, `module_path: option str`, `file: option str`, `line: option uint` (of 32 bits), `fields: uint` and that many `str` |
//! | 1 | new span | `id: uint`, `call_site: uint`, `parent: uint`, *values* |
//! | 2 | follows from | `id: uint`, `follows_from: uint` |
//! | 3 | span entered | `id: uint` |
//! | 4 | span exited | `id: uint` |
//! | 5 | span cloned | `id: uint` |
//! | 6 | span dropped | `id: uint` |
//! | 7 | values recorded | `id: uint`, *values* |
//! | 8 | new event | `call_site: uint`, `parent: uint`, *values* |
//!
//! `parent` is 0 for the current span, 1 for an explicit root, and the ID of the parent plus 1
//! otherwise; IDs of spans start at 1. *Values* go on to the end of the frame, each a key and a
//! payload. The key is a `uint`, 16 × the index of the field among the fields of the call site, plus
//! the type:
//!
//! | type | value | payload |
//! |---|---|---|
//! | 0 | `false` | |
//! | 1 | `true` | |
//! | 2 | signed integer | `sint` |
//! | 3 | unsigned integer | `uint` |
//! | 4 | signed integer beyond 64 bits | `sint128` |
//! | 5 | unsigned integer beyond 64 bits | `uint128` |
//! | 6 | float | `f64` |
//! | 7 | string | `str` |
//! | 8 | output of `Debug` or `Display` | `str` |
//! | 9 | error, without its output of `Debug` | `uint` from 1 to 100, and that many `str`: its message and the messages of its sources |
//! | 10 | byte string | `bytes` |
//! | 11 | error | `uint` from 1 to 100, and that many times `str`, `str`: its message and its `Debug` output, then the same for its sources |
//!
//! A sender writes errors as type 11. Type 9 is for one that has no output of `Debug`, or does not know type
//! 11; a reader takes both.
//!
//! A reader looks at the version before anything else and refuses those that it does not know.
//! Nothing may follow a body. Version 0 is never used; in version 7, if it comes to that, the
//! number goes on elsewhere.
//!
//! # What the records mean
//!
//! A frame says what happened in the program. For the host to see the same trace, a sender in any language has to
//! mean by it what `tracing` does:
//!
//! - **Handles.** A new span has one handle. "Span cloned" adds one, "span dropped" takes one away. A sender that does
//!   not count handles sends one "span dropped" when the program is done with the span.
//! - **Closing.** No frame says that a span closes. It closes when it has no handle and all spans in it are closed.
//!   Being entered does not keep it open. Once it is closed and no thread is inside, its ID is free: the host refuses
//!   frames that still name it, other than as the parent of an event or as what a span follows from, and a new span
//!   may have the ID.
//! - **Entering.** Each thread has a stack of spans. "Span entered" puts a span on top. The current span of the thread
//!   is the topmost span on its stack, not counting enters of a span that stands further below as well: to enter a span
//!   again does not make it current.
//! - **Exiting.** "Span exited" undoes the latest enter of that span on that thread, at any place of the stack.
//!   The span need not be the current one; the spans above it stay entered, and the current span stays the same. The
//!   host refuses to exit a span that the thread has not entered. It does not exit spans on its own until the stream
//!   ends.
//! - **Parents.** With `parent` 0 the parent is the current span of the frame's thread when the frame arrives. It stays
//!   the parent when spans are entered or exited later. If the current span is closed, the new span or event is in none.
//! - **Call sites.** A call site is announced before the first frame that names it, and may be announced again. Another
//!   description for the same ID holds from then on; spans that were created earlier keep theirs. Frames of spans name
//!   call sites of spans, and frames of events name call sites of events.
//!
//! # Questions
//!
//! A program that [asks its host](crate::TracingEventSender::with_host_filter) what it wants does so with
//! frames of two more kinds. They are no part of the stream: each is answered at once, with a
//! [number](crate::FilterAnswer::code), by
//! `TracingEventReceiver::answer`.
//!
//! | kind | question | body |
//! |---|---|---|
//! | 14 | about a call site, described | `id: uint` plus 1, or 0 if the host is not to remember it; `kind: u8` (0 span, 1 event, 2 neither: a call site that only asks), and from `level` on what a new call site has |
//! | 15 | about a call site that was described | `id: uint` |
//!
//! A call site has the same ID in questions as in the stream.
//!
//! For example, "span 5 is entered by the stream's first thread" is `23 05`, and `33 01 05` if
//! by its second.
//!
//! [postcard's wire format]: https://postcard.jamesmunns.com/wire-format

// | file | content |
// |---|---|
// | `encode.rs`, `encode/` | records to bytes |
// | `buffer.rs` | the bytes of a frame, on the stack as long as they are few |
// | `decode.rs`, `reader.rs` | bytes to records |
// | `question.rs` | what a sender asks its host |
// | `error.rs` | why bytes are no record |

mod buffer;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
mod decode;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
mod encode;
mod error;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
mod question;
#[allow(missing_docs, clippy::missing_errors_doc)] // hidden
mod reader;

pub use self::error::FrameError;

#[doc(hidden)]
pub use self::{
    decode::{EncodedError, EncodedValues, decode},
    encode::FrameWriter,
    question::{AskedSite, Question, decode_question},
    reader::Reader,
};

/// Version of the encoding that this crate writes, and the only one that it reads.
pub const VERSION: u8 = 1;

/// Bit of the header that says that a thread follows.
const HAS_THREAD: u8 = 0b1_0000;

/// Kind of a record, the low bits of the header.
mod kind {
    pub(super) const NEW_CALL_SITE: u8 = 0;
    pub(super) const NEW_SPAN: u8 = 1;
    pub(super) const FOLLOWS_FROM: u8 = 2;
    pub(super) const SPAN_ENTERED: u8 = 3;
    pub(super) const SPAN_EXITED: u8 = 4;
    pub(super) const SPAN_CLONED: u8 = 5;
    pub(super) const SPAN_DROPPED: u8 = 6;
    pub(super) const VALUES_RECORDED: u8 = 7;
    pub(super) const NEW_EVENT: u8 = 8;
    pub(super) const QUESTION: u8 = 14;
    pub(super) const QUESTION_AGAIN: u8 = 15;
}

/// What a question is about.
mod asked_kind {
    pub(super) const SPAN: u8 = 0;
    pub(super) const EVENT: u8 = 1;
    pub(super) const HINT: u8 = 2;
}

/// Type of a value, the low bits of its key.
mod value_type {
    pub(super) const FALSE: u64 = 0;
    pub(super) const TRUE: u64 = 1;
    pub(super) const INT: u64 = 2;
    pub(super) const UINT: u64 = 3;
    pub(super) const INT_128: u64 = 4;
    pub(super) const UINT_128: u64 = 5;
    pub(super) const FLOAT: u64 = 6;
    pub(super) const STRING: u64 = 7;
    pub(super) const OBJECT: u64 = 8;
    pub(super) const ERROR_WITHOUT_DEBUG: u64 = 9;
    pub(super) const BYTES: u64 = 10;
    pub(super) const ERROR: u64 = 11;

    /// Types that there is room for in a key.
    pub(super) const COUNT: u64 = 16;
}

/// Whether a frame that was written here says that a handle of a span was dropped.
#[doc(hidden)]
pub fn ends_handle(frame: &[u8]) -> bool {
    frame.first().is_some_and(|header| header & 0b1111 == kind::SPAN_DROPPED)
}

/// Whether a frame that was written here is a new span or an event, rather than more about a span.
#[cfg(feature = "stream")]
pub(crate) fn is_new(frame: &[u8]) -> bool {
    let kind = frame.first().map(|header| header & 0b1111);
    matches!(kind, Some(kind::NEW_SPAN | kind::NEW_EVENT))
}
