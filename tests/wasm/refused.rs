//! Bad input on the boundary: what is cut, repeated, out of order or foreign.

use spanshot::{
    FilterAnswer, ReceiveError, SharedStorage, TracingEventReceiver,
    frame::FrameError,
    transport::{
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

/// Puts frames into a batch, and returns it with the number of bytes.
fn batch(frames: &[Vec<u8>]) -> (Vec<u8>, u32) {
    let mut batch = vec![];
    for frame in frames {
        batch.extend(u32::try_from(frame.len()).unwrap().to_le_bytes());
        batch.extend(frame);
    }
    let len = u32::try_from(batch.len()).unwrap();
    (batch, len)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap()
}

#[test]
fn batch_that_is_cut_says_where_and_loses_nothing_before() {
    let frames = frames_of(program);
    let (whole, len) = batch(&frames);
    for cut in 0..len {
        let (_, mut expected) = capturing();
        let (storage, mut trace) = capturing();
        let result = trace.send_batch(&whole, 0, cut, 0);
        // As many frames as are there as a whole.
        let complete =
            (0..=frames.len()).rev().find(|count| batch(&frames[..*count]).1 <= cut).unwrap();
        let (bytes, end) = batch(&frames[..complete]);
        expected.send_batch(&bytes, 0, end, 0).unwrap();
        if end == cut {
            assert_eq!(result, Ok(()));
        } else {
            let frame = complete as u64;
            let left = (cut - end) as usize;
            assert_eq!(result, Err(GuestError::CutBatch { frame, address: end, left }));
        }
        drop(storage);
    }
}

#[test]
fn batch_that_is_handed_over_again_is_taken_once() {
    let frames = frames_of(program);
    let (storage, mut trace) = capturing();
    let (first, first_len) = batch(&frames[..4]);
    trace.send_batch(&first, 0, first_len, 0).unwrap();
    // It is the same one, with more of it: the guest was stopped before it knew that it was taken.
    let (whole, len) = batch(&frames);
    trace.send_batch(&whole, 0, len, 0).unwrap();
    assert_eq!((trace.errors(), trace.frames()), (0, frames.len() as u64));
    let (once, mut expected) = capturing();
    expected.send_batch(&whole, 0, len, 0).unwrap();
    assert_eq!(storage.lock().to_string(), once.lock().to_string());
}

#[test]
fn batches_out_of_order_are_told_from_the_next_one() {
    let frames = frames_of(program);
    let count = number(frames.len());
    let (whole, len) = batch(&frames);
    let (tail, tail_len) = batch(&frames[frames.len() - 1..]);

    let (storage, mut trace) = capturing();
    trace.send_batch(&whole, 0, len, 0).unwrap();
    let text = storage.lock().to_string();
    // A part of what was there.
    let error = trace.send_batch(&tail, 0, tail_len, count - 1).unwrap_err();
    assert_eq!(error, GuestError::OutOfOrder { expected: count, actual: count - 1 });
    assert_eq!(storage.lock().to_string(), text);
    // Some are missing: what is there is taken.
    let (site, site_len) = batch(&frames[..1]);
    let error = trace.send_batch(&site, 0, site_len, count + 5).unwrap_err();
    assert_eq!(error, GuestError::OutOfOrder { expected: count, actual: count + 5 });
    assert_eq!(trace.frames(), u64::from(count) + 6);
    trace.send_batch(&site, 0, site_len, count + 6).unwrap();
}

#[test]
fn frame_in_a_batch_that_is_refused_does_not_take_the_others_with_it() {
    let mut frames = frames_of(program);
    frames.insert(2, vec![0x23, 99]);
    frames.insert(5, b"{\"json\":1}".to_vec());
    let (bytes, len) = batch(&frames);
    let (storage, mut trace) = capturing();
    let error = trace.send_batch(&bytes, 0, len, 0).unwrap_err();
    let address = batch(&frames[..2]).1 + 4;
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

    for control in [45, 64, u32::MAX - 3, u32::MAX] {
        let error = trace.hello(&mut memory, wasm::VERSION, control).unwrap_err();
        assert_eq!(error, GuestError::OutOfBounds { address: control, len: 20, memory_len: 64 });
    }
    trace.hello(&mut memory, wasm::VERSION, 44).unwrap();
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
