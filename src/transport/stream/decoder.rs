use alloc::{boxed::Box, vec::Vec};
use core::{mem, ops::Range};

use spanshot_sender::{
    frame::Reader,
    stream::packet::{Beginning, ESCAPE, ESCAPED, Header, MARKER, Note, Part, Start, kind},
};

use super::{
    StreamError, StreamLimits, StreamOrigin, VERSION,
    sequence::{Arrival, Sequence},
};
use crate::wire::text::beginning;

/// Finds [packets](super#specification) in chunks of bytes of any length.
///
/// It keeps nothing but the packet and the frame under way, and looks at each byte once. After an error it goes on:
/// it finds the later packets, at any place.
///
/// # Example
///
/// ```
/// use spanshot::transport::stream::{StreamDecoder, StreamItem, StreamWriter};
///
/// let mut bytes = vec![];
/// let writer = StreamWriter::new(&mut bytes);
/// writer.send(&[0x23, 0x05]);
/// drop(writer);
/// bytes.splice(..0, *b"text");
///
/// let (mut decoder, mut text, mut frames) = (StreamDecoder::default(), vec![], vec![]);
/// for mut chunk in bytes.chunks(3) {
///     while let Some(item) = decoder.decode(&mut chunk) {
///         match item? {
///             StreamItem::Frame { frame, .. } => frames.push(frame.to_vec()),
///             StreamItem::Foreign(bytes) => text.extend_from_slice(bytes),
///             _ => {}
///         }
///     }
/// }
/// decoder.finish()?;
/// assert_eq!((text, frames), (b"text".to_vec(), vec![vec![0x23, 0x05]]));
/// # Ok::<_, spanshot::transport::stream::StreamError>(())
/// ```
#[derive(Debug, Default)]
pub struct StreamDecoder {
    limits: StreamLimits,
    /// Bytes of the stream that were looked at.
    offset: u64,
    state: State,
    /// Where the packet under way begins.
    packet_offset: u64,
    /// The packet under way as it came, the marker included.
    raw: Vec<u8>,
    /// The same without marker and escapes.
    packet: Vec<u8>,
    /// The stream that comes first. Packets of others are not looked into.
    followed: Option<Followed>,
    /// Names of the latest other streams that were reported.
    others: Vec<Option<u32>>,
    sequence: Sequence,
    parts: Parts,
    /// The parts of a frame that have come.
    joined: Vec<u8>,
    has_ended: bool,
}

#[derive(Debug)]
struct Followed {
    /// Its name; streams of version 1 have none.
    stream: Option<u32>,
    /// The process that writes it, if its start says so.
    process: Option<u64>,
}

/// How far a frame has come that is sent in parts.
#[derive(Debug, Default, Clone, Copy)]
enum Parts {
    #[default]
    None,
    /// Its first part is in this packet.
    Some { number: u64, offset: u64, frame_len: u64 },
    /// Missing or too long parts were reported: the rest of them is skipped.
    Skipped,
}

/// Number of other streams to remember, in order to report each once.
const MAX_OTHERS: usize = 64;

/// An item of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamItem<'a> {
    /// The stream starts.
    Start {
        /// Version of spanshot that writes it. The other side says so; nobody checks it.
        written_by: &'a str,
    },
    /// A frame.
    Frame {
        /// The frame.
        frame: &'a [u8],
        /// Number of its packet, or of the first one if it came in parts.
        number: u64,
        /// Where that packet begins, in bytes from the start of the stream.
        offset: u64,
    },
    /// A note: something to know about the stream.
    Note {
        /// What it is about.
        name: &'a str,
        /// What it says.
        value: &'a str,
    },
    /// A frame, or a part of one, of another stream than the first one. It is passed over.
    OtherFrame {
        /// Where its packet begins, in bytes from the start of the stream.
        offset: u64,
    },
    /// Bytes outside of whole packets: text that was written to the same stream, and remains of damaged packets. One
    /// text may come in several items.
    Foreign(&'a [u8]),
    /// The stream ends: its writer was not cut off.
    End,
}

#[derive(Debug)]
enum State {
    /// Between packets, after so many bytes of a marker.
    Outside { matched: usize },
    /// In a packet, of this length if that is known by now.
    Inside { header: Option<(Header, usize)>, is_escaped: bool },
    /// In a packet that is too long, with so many bytes to go.
    Skipping { left: u64, is_escaped: bool },
    /// At the end of a packet that is to be handed out.
    Whole { header: Header, payload: Range<usize> },
    /// The same, after it was counted.
    Counted { header: Header, content: Range<usize> },
    /// After a packet that is none, which is to be handed out as foreign bytes, and so many bytes of
    /// the next marker.
    Remains { matched: usize },
}

impl Default for State {
    fn default() -> Self {
        Self::Outside { matched: 0 }
    }
}

impl StreamDecoder {
    /// Creates a decoder with other limits than the default ones.
    pub fn with_limits(limits: StreamLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Returns how many bytes of the stream were looked at.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns whether a packet of a stream came.
    pub(super) fn has_stream(&self) -> bool {
        self.followed.is_some()
    }

    /// Returns the bytes of the packet under way, as they came.
    pub fn pending(&self) -> &[u8] {
        match self.state {
            State::Outside { matched } => MARKER.get(..matched).unwrap_or_default(),
            _ => &self.raw,
        }
    }

    /// Returns the bytes that would begin a packet if there were more, but that may be text.
    pub(super) fn pending_text(&self) -> &'static [u8] {
        match self.state {
            State::Outside { matched } => MARKER.get(..matched).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Takes bytes from the front of a chunk, up to the next item, and returns that; `None` when there
    /// are no bytes any more, and the next chunk is needed.
    ///
    /// # Errors
    ///
    /// Returns each error of the stream at its place among the items. The decoder goes on behind it.
    pub fn decode<'a, 'chunk: 'a>(
        &'a mut self,
        chunk: &mut &'chunk [u8],
    ) -> Option<Result<StreamItem<'a>, StreamError>> {
        loop {
            let before = chunk.len();
            let step = match mem::take(&mut self.state) {
                State::Outside { matched } => self.look_for_marker(matched, chunk),
                State::Inside { header, is_escaped } => self.collect(header, is_escaped, chunk),
                State::Skipping { left, is_escaped } => self.skip(left, is_escaped, chunk),
                State::Whole { header, payload } => self.arrive(header, payload),
                State::Counted { header, content } => self.deliver(header, content),
                State::Remains { matched } => {
                    self.state = State::Outside { matched };
                    Step::Remains
                }
            };
            self.offset += (before - chunk.len()) as u64;
            // Each step gives something, takes bytes, or goes to another state.
            match step {
                Step::Starved => return None,
                Step::On => {}
                Step::Foreign(bytes) => return Some(Ok(StreamItem::Foreign(bytes))),
                Step::Remains => return Some(Ok(StreamItem::Foreign(&self.raw))),
                Step::Error(error) => return Some(Err(error)),
                Step::Start { payload } => {
                    let payload = self.packet.get(payload).unwrap_or_default();
                    let malformed = StreamError::Malformed { offset: self.packet_offset };
                    let written_by = written_by(payload).ok_or(malformed);
                    return Some(written_by.map(|written_by| StreamItem::Start { written_by }));
                }
                Step::Frame { payload, number } => {
                    let frame = self.packet.get(payload).unwrap_or_default();
                    let offset = self.packet_offset;
                    return Some(Ok(StreamItem::Frame { frame, number, offset }));
                }
                Step::Note { payload } => {
                    let payload = self.packet.get(payload).unwrap_or_default();
                    let malformed = StreamError::Malformed { offset: self.packet_offset };
                    let note = Note::read(payload).ok_or(malformed);
                    return Some(note.map(|Note { name, value }| StreamItem::Note { name, value }));
                }
                Step::Joined { number, offset } => {
                    return Some(Ok(StreamItem::Frame { frame: &self.joined, number, offset }));
                }
                Step::OtherFrame => {
                    return Some(Ok(StreamItem::OtherFrame { offset: self.packet_offset }));
                }
                Step::End => return Some(Ok(StreamItem::End)),
            }
        }
    }

    /// Ends the decoder, at the end of the stream.
    ///
    /// # Errors
    ///
    /// Returns [`StreamError::Cut`] if that is in the middle of a packet, or of a frame that is sent in parts.
    pub fn finish(self) -> Result<(), StreamError> {
        if let Parts::Some { offset, .. } = self.parts {
            return Err(StreamError::Cut { offset, len: self.offset - offset });
        }
        let (offset, len) = match self.state {
            // After the end, no packet can begin.
            State::Outside { .. } if self.has_ended => return Ok(()),
            State::Outside { matched: 0 }
            | State::Whole { .. }
            | State::Counted { .. }
            | State::Remains { .. } => return Ok(()),
            State::Outside { matched } => (self.offset - matched as u64, matched as u64),
            State::Inside { .. } | State::Skipping { .. } => {
                (self.packet_offset, self.offset - self.packet_offset)
            }
        };
        Err(StreamError::Cut { offset, len })
    }

    fn look_for_marker<'a>(&mut self, matched: usize, chunk: &mut &'a [u8]) -> Step<'a> {
        let Some(byte) = chunk.first() else {
            self.state = State::Outside { matched };
            return Step::Starved;
        };
        if matched == 0 {
            let len = chunk.iter().position(|byte| *byte == ESCAPE).unwrap_or(chunk.len());
            if len > 0 {
                let (foreign, rest) = chunk.split_at(len);
                *chunk = rest;
                return Step::Foreign(foreign);
            }
        } else if MARKER.get(matched) != Some(byte) {
            return Step::Foreign(MARKER.get(..matched).unwrap_or_default());
        }
        *chunk = chunk.get(1..).unwrap_or_default();
        self.state = State::Outside { matched: matched + 1 };
        if matched + 1 == MARKER.len() {
            // The bytes of this step are not counted yet.
            self.packet_offset = (self.offset + 1).saturating_sub(MARKER.len() as u64);
            self.raw.clear();
            self.raw.extend_from_slice(&MARKER);
            self.packet.clear();
            self.state = State::Inside { header: None, is_escaped: false };
        }
        Step::On
    }

    fn collect<'a>(
        &mut self,
        header: Option<(Header, usize)>,
        is_escaped: bool,
        chunk: &mut &'a [u8],
    ) -> Step<'a> {
        let Some(first) = chunk.first() else {
            self.state = State::Inside { header, is_escaped };
            return Step::Starved;
        };
        if is_escaped && *first != ESCAPED {
            // The last byte may begin a marker.
            self.raw.pop();
            return self.damaged(1, |offset, len| StreamError::Interrupted { offset, len });
        }
        // Byte by byte up to the end of the header, which tells how many there are.
        let wanted = header.map_or(1, |(_, len)| len.saturating_sub(self.packet.len()));
        let plain = chunk.iter().take(wanted).position(|byte| *byte == ESCAPE);
        let (taken, is_escape) = match plain {
            _ if is_escaped => (1, false),
            Some(0) => (1, true),
            Some(plain) => (plain, false),
            None => (wanted.min(chunk.len()), false),
        };
        let (taken, rest) = chunk.split_at(taken);
        *chunk = rest;
        self.raw.extend_from_slice(taken);
        if is_escape {
            self.state = State::Inside { header, is_escaped: true };
            return Step::On;
        }
        if is_escaped {
            self.packet.push(ESCAPE);
        } else {
            self.packet.extend_from_slice(taken);
        }
        self.look_at_packet(header)
    }

    /// Goes on when there is more of a packet.
    fn look_at_packet<'a>(&mut self, header: Option<(Header, usize)>) -> Step<'a> {
        let offset = self.packet_offset;
        let header = match header {
            Some(header) => header,
            None => match Header::read(&self.packet) {
                Beginning::Partial => {
                    self.state = State::Inside { header: None, is_escaped: false };
                    return Step::On;
                }
                Beginning::Malformed => {
                    return self.damaged(0, |offset, _| StreamError::Malformed { offset });
                }
                Beginning::Whole(header) => {
                    let max = self.limits.max_frame_len;
                    let Some(len) = header.packet_len(max) else {
                        self.state = State::Skipping { left: header.rest_len(), is_escaped: false };
                        let (number, len) = (header.number, header.content_len());
                        return Step::Error(StreamError::TooLong { offset, number, len, max });
                    };
                    (header, len)
                }
            },
        };
        if self.packet.len() < header.1 {
            self.state = State::Inside { header: Some(header), is_escaped: false };
            return Step::On;
        }
        let (header, _) = header;
        let Some(payload) = header.payload(&self.packet) else {
            let number = header.number;
            return self.damaged(0, |offset, _| StreamError::Corrupt { offset, number });
        };
        self.state = State::Whole { header, payload };
        Step::On
    }

    /// Gives up a packet, after so many bytes of what may be the next marker.
    fn damaged<'a>(
        &mut self,
        matched: usize,
        error: impl FnOnce(u64, u64) -> StreamError,
    ) -> Step<'a> {
        self.state = State::Remains { matched };
        Step::Error(error(self.packet_offset, self.raw.len() as u64))
    }

    fn skip<'a>(&mut self, left: u64, is_escaped: bool, chunk: &mut &'a [u8]) -> Step<'a> {
        let Some(byte) = chunk.first() else {
            self.state = State::Skipping { left, is_escaped };
            return Step::Starved;
        };
        if is_escaped && *byte != ESCAPED {
            self.state = State::Outside { matched: 1 };
            return Step::On;
        }
        let is_escape = *byte == ESCAPE;
        self.state = match left.saturating_sub(u64::from(!is_escape)) {
            0 if !is_escape => State::default(),
            left => State::Skipping { left, is_escaped: is_escape },
        };
        *chunk = chunk.get(1..).unwrap_or_default();
        Step::On
    }

    /// Looks at the stream that a whole packet belongs to, and the place that it has there.
    fn arrive<'a>(&mut self, header: Header, payload: Range<usize>) -> Step<'a> {
        let (offset, number) = (self.packet_offset, header.number);
        let split = header.split_stream(payload.clone(), &self.packet);
        let Some((stream, content)) = split else {
            return Step::Error(StreamError::Malformed { offset });
        };
        match &self.followed {
            None => {
                let process = self.start(header, &content).and_then(|start| start.writer);
                let process = process.map(|writer| writer.process);
                self.followed = Some(Followed { stream, process });
            }
            Some(followed) if followed.stream != stream => {
                return self.arrive_elsewhere(header, stream, payload);
            }
            Some(_) => {}
        }
        let arrival = self.sequence.arrive(number);
        self.state = State::Counted { header, content };
        match arrival {
            Arrival::InOrder => Step::On,
            Arrival::AfterGap { first, count } => {
                // It takes the number of what is missing, and then its own.
                self.sequence.arrive(number);
                self.parts = Parts::Skipped;
                Step::Error(StreamError::Missing { offset, first, count })
            }
            Arrival::Again | Arrival::Late => {
                self.state = State::default();
                Step::Error(if arrival == Arrival::Late {
                    StreamError::Reordered { offset, number }
                } else {
                    StreamError::Duplicated { offset, number }
                })
            }
        }
    }

    /// Reports another stream than the one that is followed, and then passes over its frames.
    fn arrive_elsewhere<'a>(
        &mut self,
        header: Header,
        stream: Option<u32>,
        payload: Range<usize>,
    ) -> Step<'a> {
        if self.others.contains(&stream) {
            let is_frame = matches!(header.kind, kind::FRAME | kind::PART);
            return if is_frame { Step::OtherFrame } else { Step::On };
        }
        if self.others.len() == MAX_OTHERS {
            self.others.remove(0);
        }
        self.others.push(stream);
        let writer = self.start(header, &payload).and_then(|start| start.writer);
        let process = writer.map(|writer| writer.process);
        let followed = self.followed.as_ref().and_then(|followed| followed.process);
        let origin = match writer {
            Some(writer) if writer.forked_from != 0 => StreamOrigin::Forked,
            Some(_) if process == followed => StreamOrigin::SameProcess,
            _ => StreamOrigin::OtherProcess,
        };
        // It comes again if it is a frame.
        self.state = State::Whole { header, payload };
        Step::Error(StreamError::OtherStream { offset: self.packet_offset, process, origin })
    }

    fn start(&self, header: Header, payload: &Range<usize>) -> Option<Start<'_>> {
        let payload = self.packet.get(payload.clone())?;
        if header.kind == kind::START { Start::read(header.version, payload) } else { None }
    }

    /// Takes the next packet of the stream.
    fn deliver<'a>(&mut self, header: Header, content: Range<usize>) -> Step<'a> {
        let (offset, number) = (self.packet_offset, header.number);
        if self.has_ended {
            return Step::Error(StreamError::AfterEnd { offset, number });
        }
        if !(1..=VERSION).contains(&header.version) {
            let payload = self.packet.get(content).filter(|_| header.kind == kind::START);
            let written_by = payload.and_then(written_by).map(Box::from);
            let (actual, supported) = (header.version, VERSION);
            return Step::Error(StreamError::UnsupportedVersion {
                offset,
                number,
                actual,
                supported,
                written_by,
            });
        }
        if header.is_part() {
            return self.join(header, content);
        }
        if let Parts::Some { offset, .. } = mem::take(&mut self.parts) {
            return self.broken_off(offset, header, content);
        }
        match header.kind {
            kind::START => Step::Start { payload: content },
            kind::FRAME => Step::Frame { payload: content, number },
            kind::NOTE => Step::Note { payload: content },
            kind::END => {
                self.has_ended = true;
                Step::End
            }
            _ => Step::On,
        }
    }

    /// Adds a part to its frame.
    fn join<'a>(&mut self, header: Header, content: Range<usize>) -> Step<'a> {
        let (offset, number) = (self.packet_offset, header.number);
        let Some(part) = self.packet.get(content.clone()).and_then(Part::read) else {
            return Step::Error(StreamError::Malformed { offset });
        };
        if part.place == 0 {
            if let Parts::Some { offset, .. } = mem::take(&mut self.parts) {
                return self.broken_off(offset, header, content);
            }
            let (len, max) = (part.frame_len, self.limits.max_frame_len);
            if len > max as u64 {
                self.parts = Parts::Skipped;
                return Step::Error(StreamError::TooLong { offset, number, len, max });
            }
            self.joined.clear();
            self.parts = Parts::Some { number, offset, frame_len: len };
        }
        let joined_len = self.joined.len() as u64;
        let (first, frame_len) = match self.parts {
            Parts::Skipped => return Step::On,
            Parts::Some { number, offset, frame_len }
                if (joined_len, frame_len) == (part.place, part.frame_len) =>
            {
                ((number, offset), frame_len)
            }
            _ => {
                self.parts = Parts::Skipped;
                return Step::Error(StreamError::Malformed { offset });
            }
        };
        self.joined.extend_from_slice(part.bytes);
        if (self.joined.len() as u64) < frame_len {
            return Step::On;
        }
        self.parts = Parts::None;
        let (number, offset) = first;
        Step::Joined { number, offset }
    }

    /// Gives up a frame whose next part did not come, and goes on with the packet that came instead.
    fn broken_off<'a>(&mut self, offset: u64, header: Header, content: Range<usize>) -> Step<'a> {
        self.state = State::Counted { header, content };
        Step::Error(StreamError::Malformed { offset })
    }
}

/// The outcome of a part of the decoder.
enum Step<'a> {
    /// It needs more bytes.
    Starved,
    /// It took some, or left the rest to another part.
    On,
    Foreign(&'a [u8]),
    /// The bytes of a damaged packet are foreign.
    Remains,
    Start {
        payload: Range<usize>,
    },
    Frame {
        payload: Range<usize>,
        number: u64,
    },
    Note {
        payload: Range<usize>,
    },
    /// All parts of a frame that begins with this packet.
    Joined {
        number: u64,
        offset: u64,
    },
    OtherFrame,
    End,
    Error(StreamError),
}

/// Characters that a version has at the most. A longer text is no version, but fills messages.
const MAX_VERSION: usize = 64;

/// Reads the payload of a start, as far as all versions have it.
fn written_by(payload: &[u8]) -> Option<&str> {
    let written_by = Reader::new(payload).str("version of spanshot").ok()?;
    Some(beginning(written_by, MAX_VERSION))
}
