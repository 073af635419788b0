//! Bad input on the boundary: what is cut, repeated, out of order or foreign.

use spanshot::{
    Capture, LocalSpans, ReceiveError, SharedStorage, TracingEventReceiver,
    receiver::FilterAnswer,
    transport::{
        frame::FrameError,
        wasm,
        wasm_host::{GuestError, GuestTrace, guest_bytes},
    },
};
use tracing::{info, info_span};

use crate::support::frames_of;

fn program() {
    info_span!("outer", value = 1).in_scope(|| {
        info!("first");
        info_span!("inner").in_scope(|| info!("second"));
    });
}

fn capturing() -> (SharedStorage, GuestTrace) {
    let storage = SharedStorage::default();
    let trace = GuestTrace::new(TracingEventReceiver::capturing(&storage));
    (storage, trace)
}

/// Where the buffer begins in the memory of a guest that has only that and, before it, the control block.
const BUFFER: u32 = 12;

/// What a buffer holds if these frames are in it.
fn batch(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut batch = vec![];
    for frame in frames {
        batch.extend(u32::try_from(frame.len()).unwrap().to_le_bytes());
        batch.extend(frame);
    }
    batch
}

/// Has a host read a buffer.
fn read(trace: &mut GuestTrace, buffer: &[u8]) -> Result<(), GuestError> {
    let len = number(buffer.len());
    let numbers = [0, BUFFER, len].map(u32::to_le_bytes);
    let mut memory = [numbers.as_flattened(), buffer].concat();
    trace.hello(&mut memory, wasm::VERSION, 0).unwrap();
    let result = trace.read_buffer(&mut memory);
    assert_eq!(memory[8..12], [0; 4], "it is empty then");
    assert_eq!(trace.read_buffer(&mut memory), Ok(()), "it is read once");
    result
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap()
}

#[test]
fn batch_that_is_cut_says_where_and_loses_nothing_before() {
    let frames = frames_of(program);
    let whole = batch(&frames);
    for cut in 0..whole.len() {
        let (_, mut expected) = capturing();
        let (storage, mut trace) = capturing();
        let result = read(&mut trace, &whole[..cut]);
        // As many frames as are there as a whole.
        let complete =
            (0..=frames.len()).rev().find(|count| batch(&frames[..*count]).len() <= cut).unwrap();
        let bytes = batch(&frames[..complete]);
        read(&mut expected, &bytes).unwrap();
        if bytes.len() == cut {
            assert_eq!(result, Ok(()));
        } else {
            let (frame, left) = (complete as u64, cut - bytes.len());
            let address = BUFFER + number(bytes.len());
            assert_eq!(result, Err(GuestError::CutBatch { frame, address, left }));
        }
        drop(storage);
    }
}

#[test]
fn frame_in_a_batch_that_is_refused_does_not_take_the_others_with_it() {
    let mut frames = frames_of(program);
    frames.insert(2, vec![0x23, 99]);
    frames.insert(5, b"{\"json\":1}".to_vec());
    let (storage, mut trace) = capturing();
    let error = read(&mut trace, &batch(&frames)).unwrap_err();
    let address = BUFFER + number(batch(&frames[..2]).len()) + 4;
    let unknown = ReceiveError::UnknownSpanId(99);
    assert_eq!(error, GuestError::Refused { frame: 2, address, error: unknown });
    assert_eq!(trace.errors(), 2);
    assert_eq!(
        storage.lock().to_string(),
        "INFO outer{value=1}\n├─ INFO first\n└─ INFO inner{}\n   └─ INFO second"
    );
}

#[test]
fn guest_of_another_version_is_refused() {
    let mut trace = GuestTrace::default();
    let mut memory = [0; 64];
    let error = trace.hello(&mut memory, wasm::VERSION + 1, 0).unwrap_err();
    let (actual, supported) = (wasm::VERSION + 1, wasm::VERSION);
    assert_eq!(error, GuestError::UnsupportedVersion { actual, supported });
    assert_eq!(memory, [0; 64]);

    for control in [53, 64, u32::MAX - 3, u32::MAX] {
        let error = trace.hello(&mut memory, wasm::VERSION, control).unwrap_err();
        assert_eq!(error, GuestError::OutOfBounds { address: control, len: 12, memory_len: 64 });
    }
    trace.hello(&mut memory, wasm::VERSION, 52).unwrap();
}

#[test]
fn buffer_that_is_nowhere_is_refused() {
    let (_storage, mut trace) = capturing();
    let mut memory = [0; 64];
    trace.read_buffer(&mut memory).unwrap();
    trace.hello(&mut memory, wasm::VERSION, 0).unwrap();
    memory[4..8].copy_from_slice(&60_u32.to_le_bytes());
    memory[8..12].copy_from_slice(&5_u32.to_le_bytes());
    let error = trace.read_buffer(&mut memory).unwrap_err();
    assert_eq!(error, GuestError::OutOfBounds { address: 60, len: 5, memory_len: 64 });
    trace.read_buffer(&mut memory).unwrap(); // it is empty now
    // The memory is another one than it was.
    trace.read_buffer(&mut []).unwrap();
    trace.tell_filter(&mut []);
}

#[test]
fn question_that_is_none_is_refused() {
    let (_storage, mut trace) = capturing();
    let whole = b"\x2e\x01\x00\x02\x04name\x06target\0\0\0\0";
    let len = number(whole.len());
    assert_eq!(trace.ask(whole, 0, len), Ok(FilterAnswer::Always));
    for cut in 0..len {
        let Err(GuestError::InvalidQuestion { address: 0, error }) = trace.ask(whole, 0, cut)
        else {
            panic!("cut at {cut}");
        };
        let expected = match cut {
            0 => FrameError::Empty,
            _ => FrameError::Truncated { offset: cut as usize, what: "" },
        };
        assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&expected.into()));
    }
    let refused = |question: &[u8]| {
        let mut trace = GuestTrace::default();
        trace.ask(question, 0, number(question.len())).unwrap_err().to_string()
    };
    assert!(refused(&[0x23, 1]).contains("there is no record of kind 3"));
    assert!(refused(b"\x2e\x01\x03").contains("what stands at byte 2 is not a valid kind"));
    assert!(refused(&[0x2f, 1, 1]).contains("bytes follow after its end at byte 2"));
    // A question is no record, either.
    let mut receiver = TracingEventReceiver::default();
    let error = receiver.receive_encoded(whole).unwrap_err();
    assert_eq!(error, ReceiveError::Frame(FrameError::UnknownKind { kind: 14 }));
    assert_eq!(receiver.answer(&[0x2f, 77]), Ok(FilterAnswer::NotNow), "there is no subscriber");
    let _capture = spanshot::Capture::start();
    assert_eq!(receiver.answer(&[0x2f, 77]), Ok(FilterAnswer::Unknown));
}

#[test]
fn bytes_of_a_guest_are_in_its_memory() {
    assert_eq!(guest_bytes(&[1, 2, 3], 1, 2), Ok(&[2, 3][..]));
    assert_eq!(guest_bytes(&[1, 2, 3], 3, 0), Ok(&[][..]));
    for (address, len) in [(4, 0), (2, 2), (0, u32::MAX), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
        let error = GuestError::OutOfBounds { address, len, memory_len: 3 };
        assert_eq!(guest_bytes(&[1, 2, 3], address, len), Err(error));
    }
}

#[test]
fn restored_guest_is_told_of_the_filter_whatever_it_was_told_elsewhere() {
    let _capture = Capture::start();
    let mut trace = GuestTrace::default();
    let mut memory = [0; 64];
    trace.hello(&mut memory, wasm::VERSION, 0).unwrap();
    let (guest, _) = trace.persist();

    let mut trace = GuestTrace::restore(guest, LocalSpans::default()).unwrap();
    // In the process that it comes from, filters have changed as often as in this one.
    let generation = TracingEventReceiver::filter_generation().to_le_bytes();
    memory[..4].copy_from_slice(&generation);
    trace.tell_filter(&mut memory);
    assert_ne!(memory[..4], generation);
}
