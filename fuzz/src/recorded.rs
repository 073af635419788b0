use std::{
    env, fs, process,
    sync::atomic::{AtomicU64, Ordering},
};

use spanshot::{
    SharedStorage, TracingEventReceiver,
    transport::{recorded::RecordedTrace, stream},
};

use super::support::Received;

/// Takes the bytes for a file of a recorded trace.
pub fn recorded(data: &[u8]) {
    static NEXT: AtomicU64 = AtomicU64::new(0);

    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("spanshot-fuzz-{}-{number}", process::id()));
    fs::write(&path, data).expect("there is room for it");
    let opened = RecordedTrace::open(&path);

    // Those that can be opened are streams, and give the same as when they come through a pipe.
    let mut piped = Received::direct();
    let expected = stream::receive(data, piped.receiver());
    match opened {
        Ok(mut recorded) => {
            let mut replayed = Received::direct();
            let receipt = recorded.replay(replayed.receiver());
            assert_eq!(format!("{receipt:?}"), format!("{expected:?}"));
            let tree = replayed.storage.lock().to_string();
            assert_eq!(piped.storage.lock().to_string(), tree);

            // What was captured is saved, and is the same when it is read.
            replayed.storage.lock().save(&path).expect("there is room for it");
            let again = SharedStorage::default();
            let mut receiver = TracingEventReceiver::capturing(&again);
            let receipt = RecordedTrace::open(&path).expect("it was written just now");
            let receipt = { receipt }.replay(&mut receiver);
            assert!(receipt.is_complete(), "{receipt:?}");
            assert_eq!(again.lock().to_string(), tree);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(expected.frames, 0);
        }
    }
    fs::remove_file(&path).expect("it is there");
}
