use std::sync::{Arc, Mutex};

use spanshot::transport::stream::{
    StreamDecoder, StreamError, StreamItem, StreamLimits, StreamReceiver, StreamWriter,
};

use super::support::{Received, assert_goes_on};

/// What is found in a stream, with foreign bytes that follow one another in one piece.
#[derive(Debug, PartialEq)]
enum Found {
    Start(String),
    Frame(Vec<u8>, u64, u64),
    OtherFrame(u64),
    Note(String, String),
    Foreign(Vec<u8>),
    End,
    Error(StreamError),
}

const MAX_FRAME_LEN: usize = 300;

fn limits() -> StreamLimits {
    StreamLimits::default().max_frame_len(MAX_FRAME_LEN).max_problems(3)
}

fn decode<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<Found>, Result<(), StreamError>) {
    let mut decoder = StreamDecoder::with_limits(limits());
    let (mut found, mut len) = (vec![], 0);
    for mut chunk in chunks {
        len += chunk.len() as u64;
        while let Some(item) = decoder.decode(&mut chunk) {
            let item = match item {
                Ok(StreamItem::Start { written_by }) => Found::Start(written_by.to_owned()),
                Ok(StreamItem::Frame { frame, number, offset }) => {
                    assert!(frame.len() <= MAX_FRAME_LEN);
                    Found::Frame(frame.to_vec(), number, offset)
                }
                Ok(StreamItem::Foreign(bytes)) => {
                    assert!(!bytes.is_empty());
                    if let Some(Found::Foreign(before)) = found.last_mut() {
                        before.extend_from_slice(bytes);
                        continue;
                    }
                    Found::Foreign(bytes.to_vec())
                }
                Ok(StreamItem::OtherFrame { offset }) => Found::OtherFrame(offset),
                Ok(StreamItem::Note { name, value }) => Found::Note(name.into(), value.into()),
                Ok(StreamItem::End) => Found::End,
                Err(error) => {
                    assert!(error.offset() < len && !error.to_string().is_empty());
                    Found::Error(error)
                }
                Ok(item) => panic!("{item:?} is new"),
            };
            found.push(item);
        }
        assert!(chunk.is_empty());
        assert_eq!(decoder.offset(), len);
        // A header, what stands before a frame, a checksum, and each byte twice.
        assert!(decoder.pending().len() <= 4 + 2 * (22 + 24 + MAX_FRAME_LEN + 4));
    }
    (found, decoder.finish())
}

/// Takes the bytes for a stream of packets.
pub fn stream(data: &[u8]) {
    // However it is cut, it is the same.
    let whole = decode([data].into_iter());
    assert_eq!(decode(data.chunks(1)), whole);
    let len = data.first().map_or(1, |byte| usize::from(*byte % 31) + 2);
    assert_eq!(decode(data.chunks(len)), whole);

    // What was found can be written and found again.
    let frames = |found: &[Found]| -> Vec<Vec<u8>> {
        let frame = |item: &Found| match item {
            Found::Frame(frame, ..) => Some(frame.clone()),
            _ => None,
        };
        found.iter().filter_map(frame).collect()
    };
    let written = Written::default();
    let writer = StreamWriter::new(written.clone());
    for frame in frames(&whole.0) {
        writer.send(&frame);
    }
    writer.finish().expect("there is no output that fails");
    drop(writer);
    let bytes = std::mem::take(&mut *written.0.lock().expect("nobody panicked"));
    let (again, end) = decode([&bytes[..]].into_iter());
    assert_eq!(frames(&again), frames(&whole.0));
    assert!(again.iter().all(|item| !matches!(item, Found::Foreign(_) | Found::Error(_))));
    assert_eq!(end, Ok(()));

    // The receiver takes what it can of it, counts the rest, and goes on.
    let mut received = Received::direct();
    let mut stream = StreamReceiver::with_limits(received.receiver(), limits());
    let mut foreign = 0;
    stream.push(data, |bytes| foreign += bytes.len() as u64);
    let receipt = stream.finish();
    assert_eq!(receipt.foreign, foreign);
    let others = whole.0.iter().filter(|item| matches!(item, Found::OtherFrame(_))).count();
    assert_eq!(receipt.other_frames, others as u64);
    assert_eq!(receipt.problems.len() as u64, receipt.problem_count.min(3));
    let errors = whole.0.iter().filter(|item| matches!(item, Found::Error(_))).count() as u64;
    assert_eq!(receipt.frames + receipt.problem_count - errors, frames(&whole.0).len() as u64);
    assert_goes_on(received.receiver());
}

/// An output that can still be looked at.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
