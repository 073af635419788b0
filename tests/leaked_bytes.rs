//! What relaying receivers leak is counted and limited over the whole process, which has to be one of its own for that.

mod counting;

use std::sync::atomic::Ordering::Relaxed;

use self::counting::NOW;
use spanshot::{
    CallSiteData, CallSiteKind, ReceiveError, ReceiverLimits, TracingEvent, TracingEventReceiver,
    TracingLevel, receiver::Limit,
};

fn call_site(name: u8) -> Vec<u8> {
    [b"\x20\0\0\x02\x06site ", &[name][..], b"\x06target\0\0\0\x02\x01a\x01b"].concat()
}

fn question(id: u8, name: u8) -> Vec<u8> {
    [b"\x2e", &[id][..], b"\x02\x02\x06asks ", &[name], b"\x06target\0\0\0\x02\x01a\x01b"].concat()
}

#[test]
fn what_a_process_leaks_is_limited() {
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry());
    assert_eq!(TracingEventReceiver::leaked_bytes(), 0);
    let mut receiver = TracingEventReceiver::default();
    let mut leaked_by = |frame: &[u8]| {
        let before = TracingEventReceiver::leaked_bytes();
        receiver.receive_encoded(frame).unwrap();
        TracingEventReceiver::leaked_bytes() - before
    };
    let with_strings = leaked_by(&call_site(b'a'));
    assert_eq!(leaked_by(&call_site(b'a')), 0, "it is leaked already");
    let another = leaked_by(&call_site(b'b'));
    assert!(another < with_strings, "the target and the names of the fields are leaked once");

    let leaked = TracingEventReceiver::leaked_bytes();
    let limits = ReceiverLimits::default().max_leaked_bytes(leaked + another);
    let mut receivers = [(); 2].map(|()| TracingEventReceiver::default().with_limits(limits));
    receivers[0].receive_encoded(&call_site(b'c')).expect("it is at the limit");
    let exceeded = Err(ReceiveError::LimitExceeded {
        limit: Limit::LeakedBytes,
        max: leaked + another,
        actual: leaked + 2 * another,
    });
    for receiver in &mut receivers {
        receiver.receive_encoded(&call_site(b'a')).unwrap();
        for count in 1..=2 {
            assert_eq!(receiver.receive_encoded(&call_site(b'd')), exceeded);
            assert_eq!(receiver.refusals().by(Limit::LeakedBytes), count);
        }
        // Questions leak, too, whether they are to be remembered or not.
        for id in [0, 1] {
            assert_eq!(
                receiver.answer(&question(id, b'a')),
                exceeded.clone().map(|()| unreachable!())
            );
        }
        assert_eq!(TracingEventReceiver::leaked_bytes(), leaked + another);
        receiver.receive_encoded(b"\x21\x01\0\0").unwrap();
    }
    let mut receiver = TracingEventReceiver::default();
    receiver.receive_encoded(&call_site(b'd')).unwrap();
    assert_eq!(TracingEventReceiver::leaked_bytes(), leaked + 2 * another);
    drop(receiver);

    let number = |number: usize| number.to_string();
    leak("call sites", 10_000, number, 0);
    leak("call sites in another order", 10_000, |nth| (1_000_000 - nth).to_string(), 0);
    leak("call sites with long names", 100, |nth| format!("{nth:10000}"), 0);
    leak("call sites with fields", 1_000, |nth| format!("f{nth}"), 10);
    leak("call sites with many fields", 10, |nth| format!("m{nth}"), 4_000);
    leak("call sites with a field", 10_000, |nth| format!("s{nth}"), 1);
}

/// Has call sites leaked, and checks that as much is reported as is held, and not very much more.
#[track_caller]
fn leak(what: &str, count: usize, name: impl Fn(usize) -> String, fields: usize) {
    let reported = TracingEventReceiver::leaked_bytes();
    let held = NOW.load(Relaxed);
    let limits = ReceiverLimits::default().max_leaked_bytes(u64::MAX);
    let mut receiver = TracingEventReceiver::default().with_limits(limits);
    for nth in 0..count {
        let name = name(nth);
        receiver.receive(TracingEvent::NewCallSite {
            id: nth as u64,
            data: CallSiteData {
                kind: CallSiteKind::Event,
                target: "target".into(),
                level: TracingLevel::Info,
                module_path: None,
                file: None,
                line: None,
                fields: (0..fields).map(|field| format!("{name} {field}").into()).collect(),
                name: name.into(),
            },
        });
    }
    drop(receiver);
    let reported = TracingEventReceiver::leaked_bytes() - reported;
    let held = (NOW.load(Relaxed) - held) as u64;
    assert!(held <= reported, "{what}: {held} bytes are held, and {reported} reported");
    assert!(reported <= 2 * held, "{what}: {held} bytes are held, and {reported} reported");
}
