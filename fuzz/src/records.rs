use spanshot::receiver::FrameDecoder;

use super::support::{Received, assert_goes_on};

/// Takes the bytes for a program that makes records, each of which is a valid frame, in whatever order: spans that
/// are not there, exits before enters, handles dropped too often, call sites of the wrong kind or with another
/// description than before, and the program suspended anywhere.
///
/// However it is received, and whether it is suspended or not, the same is refused, and the trace is the same.
pub fn records(data: &[u8]) {
    let mut program = Program { bytes: data };
    let mut decoder = FrameDecoder::default(); // it is never suspended, nor is what takes the events
    let mut accepted = Received::direct();
    let (mut direct, mut relayed) = (Received::direct(), Received::relayed());
    // A filter has spans closed at other times, and so other records refused.
    let (mut filtered_whole, mut filtered) = (Received::filtered(), Received::filtered());
    // These know nothing of their spans when they go on. Nor do they know which spans were closed before, and so they
    // are given what is valid.
    let mut restarted = [Received::direct(), Received::relayed()];
    for _ in 0..MAX_RECORDS {
        let Some(step) = program.step() else { break };
        let frame = match step {
            Step::Frame(frame) => frame,
            Step::Suspend => {
                [&mut direct, &mut relayed, &mut filtered].into_iter().for_each(Received::suspend);
                restarted.iter_mut().for_each(Received::restart);
                continue;
            }
        };
        let event = decoder.decode(&frame);
        let result = event.as_ref().map(|_| ()).map_err(Clone::clone);
        for received in [&mut direct, &mut relayed] {
            assert_eq!(received.receiver().receive_encoded(&frame), result, "{frame:x?}");
        }
        let filtered_result = filtered_whole.receiver().receive_encoded(&frame);
        assert_eq!(filtered.receiver().receive_encoded(&frame), filtered_result, "{frame:x?}");
        if let Ok(event) = event {
            accepted.receiver().try_receive(event).expect("it was taken before");
            for received in &mut restarted {
                received.receiver().receive_encoded(&frame).expect("it was taken before");
            }
        }
    }
    let tree = |received: &Received| received.storage.lock().to_string();
    assert_eq!(tree(&relayed), tree(&direct));
    assert_eq!(tree(&filtered), tree(&filtered_whole));
    assert_eq!(tree(&restarted[0]), tree(&restarted[1]));
    let all = [&mut accepted, &mut direct, &mut relayed, &mut filtered_whole, &mut filtered];
    for received in all.into_iter().chain(&mut restarted) {
        assert_goes_on(received.receiver());
    }
    let accepted = accepted.finish();
    assert_eq!(
        direct.finish(),
        accepted,
        "neither what is refused nor a suspension changes anything"
    );
    assert_eq!(relayed.finish(), accepted);
    assert_eq!(filtered.finish(), filtered_whole.finish());
    let [direct, relayed] = restarted.map(Received::finish);
    assert_eq!(direct, relayed);
}

/// More of them find nothing that fewer do not.
const MAX_RECORDS: usize = 200;

/// What is made of the bytes.
enum Step {
    Frame(Vec<u8>),
    /// Persists, and restores in the same place.
    Suspend,
}

struct Program<'a> {
    bytes: &'a [u8],
}

/// Bodies of call sites: a span, an event, a span with a name twice, and a record of the `log` crate. Only
/// these, since whoever relays keeps call sites for ever.
const CALL_SITES: [&[u8]; 4] = [
    b"\0\x02\x04span\x06target\0\0\0\x02\x01a\x01b",
    b"\x01\x01\x05event\x06target\0\0\0\x02\x07message\x01b",
    b"\0\x03\x05again\x06target\0\0\x01\x07\x03\x01a\x01b\x01a",
    b"\x01\x02\x09log event\x03log\0\0\0\x05\x07message\x0alog.target\x0flog.module_path\x08log.file\x08log.line",
];

impl Program<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn below(&mut self, end: u8) -> Option<u8> {
        Some(self.byte()? % end)
    }

    /// The ID of a span: mostly one of a few, so that they meet.
    fn span(&mut self) -> Option<u8> {
        self.below(7)
    }

    fn step(&mut self) -> Option<Step> {
        let what = self.below(16)?;
        let mut frame = vec![];
        let thread = match what {
            1 | 3 | 4 | 8 => self.below(3)?,
            _ => 0,
        };
        // Enters, exits, drops and events are more frequent than they would be.
        let kind = match what {
            9 | 10 => 3,
            11 | 12 => 4,
            13 | 14 => 6,
            15 => return Some(Step::Suspend),
            kind => kind,
        };
        frame.push(0x20 | kind | if thread > 0 { 0x10 } else { 0 });
        if thread > 0 {
            frame.push(thread);
        }
        match kind {
            0 => {
                frame.push(self.below(4)?);
                frame.extend(CALL_SITES[usize::from(self.below(4)?)]);
            }
            1 => {
                frame.extend([self.span()?, self.below(5)?, self.below(8)?]);
                self.values(&mut frame)?;
            }
            2 => frame.extend([self.span()?, self.span()?]),
            7 => {
                frame.push(self.span()?);
                self.values(&mut frame)?;
            }
            8 => {
                frame.extend([self.below(5)?, self.below(8)?]);
                self.values(&mut frame)?;
            }
            _ => frame.push(self.span()?),
        }
        Some(Step::Frame(frame))
    }

    fn values(&mut self, frame: &mut Vec<u8>) -> Option<()> {
        for _ in 0..self.below(4)? {
            let (field, value_type) = (self.below(6)?, self.below(11)?);
            frame.push(16 * field + value_type);
            match value_type {
                0 | 1 => {}
                2..=5 => frame.push(self.below(128)?),
                6 => frame.extend(f64::from(self.byte()?).to_le_bytes()),
                9 => frame.extend([1, 1, b'a' + self.below(26)?]),
                10 => frame.extend([1, self.byte()?]),
                _ => frame.extend([1, b'a' + self.below(26)?]),
            }
        }
        Some(())
    }
}
