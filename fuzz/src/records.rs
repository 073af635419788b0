use spanshot::FrameDecoder;

use super::support::{Received, assert_goes_on};

/// Takes the bytes for a program that makes records, each of which is a valid frame, in whatever order: spans that
/// are not there, exits before enters, handles dropped too often, call sites of the wrong kind, and the program
/// suspended anywhere.
///
/// However it is received, the same is refused, and the trace is the same.
pub fn records(data: &[u8]) {
    let mut program = Program { bytes: data };
    // It cannot be suspended, and what is suspended does not know any more which spans there were.
    let mut decoder = Some(FrameDecoder::default());
    let [mut direct, mut accepted] = [(); 2].map(|()| Received::direct());
    let mut relayed = Received::relayed();
    for _ in 0..MAX_RECORDS {
        let Some(step) = program.step() else { break };
        let frame = match step {
            Step::Frame(frame) => frame,
            Step::Suspend => {
                for receiver in [&mut direct, &mut accepted, &mut relayed] {
                    receiver.suspend(false);
                }
                decoder = None;
                continue;
            }
        };
        let result = direct.receiver().receive_encoded(&frame);
        assert_eq!(relayed.receiver().receive_encoded(&frame), result, "{frame:x?}");
        let event = decoder.as_mut().map(|decoder| decoder.decode(&frame));
        assert_eq!(
            event.as_ref().map_or(result.clone(), |event| event.clone().map(|_| ())),
            result
        );
        if result.is_ok() {
            let again = match event {
                Some(Ok(event)) => accepted.receiver().try_receive(event),
                _ => accepted.receiver().receive_encoded(&frame),
            };
            again.expect("it was taken before");
        }
    }
    assert_eq!(relayed.storage.lock().to_string(), direct.storage.lock().to_string());
    for receiver in [&mut direct, &mut accepted, &mut relayed] {
        assert_goes_on(receiver.receiver());
    }
    let relayed = relayed.finish();
    let direct = direct.finish();
    assert_eq!(relayed, direct);
    assert_eq!(accepted.finish(), direct, "what is refused changes nothing");
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
