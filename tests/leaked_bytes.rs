//! What relaying receivers leak is limited over the whole process, which has to be one of its own for that.

use spanshot::{Limit, ReceiveError, ReceiverLimits, TracingEventReceiver};

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
    // The target and the names of the fields are leaked once.
    assert_eq!(with_strings - another, (6 + 1 + 1) + 3 * size_of::<&str>() as u64);

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
}
