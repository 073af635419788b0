//! Guests that were written to harm their host, in whichever engine `super::engine` is.
//!
//! No compiler makes such modules, so they are in WebAssembly's text format.

use spanshot::{
    Capture, ReceiveError, ReceiverLimits, SharedStorage, TracingEventReceiver,
    transport::wasm_host::{GuestError, GuestTrace},
};
use tracing::{info, info_span};

use super::{engine::Instance, host::Host};

/// What all of them have: the imports, a page of memory, and a function for each of some records that are
/// valid, in this order.
const PRELUDE: &str = r#"
    (import "spanshot" "send" (func $send (param i32 i32)))
    (import "spanshot" "hello" (func $hello (param i32 i32)))
    (import "spanshot" "flush" (func $flush))
    (import "spanshot" "ask" (func $ask (param i32 i32) (result i32)))
    (import "app" "call_back" (func $call_back (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "\20\00\00\02\04name\06target\00\00\00\00")
    (data (i32.const 96) "\20\01\01\02\04name\06target\00\00\00\00")
    (data (i32.const 128) "\21\01\00\00")
    (data (i32.const 136) "\23\01")
    (data (i32.const 144) "\28\01\00")
    (data (i32.const 152) "\24\01")
    (data (i32.const 160) "\26\01")
    (func $sites (export "sites")
        (call $send (i32.const 64) (i32.const 20))
        (call $send (i32.const 96) (i32.const 20)))
    (func $new_span (export "new_span") (call $send (i32.const 128) (i32.const 4)))
    (func $enter (export "enter") (call $send (i32.const 136) (i32.const 2)))
    (func $event (export "event") (call $send (i32.const 144) (i32.const 3)))
    (func $exit (export "exit") (call $send (i32.const 152) (i32.const 2)))
    (func $drop (export "drop") (call $send (i32.const 160) (i32.const 2)))
"#;

const PAGE: u32 = 65_536;

fn wasm(body: &str) -> Vec<u8> {
    wat::parse_str(format!("(module {PRELUDE} {body})")).unwrap()
}

fn guest(body: &str, host: Host) -> Instance {
    Instance::new(&wasm(body), host)
}

fn capturing(storage: &SharedStorage) -> Host {
    Host::with_trace(GuestTrace::new(TracingEventReceiver::capturing(storage)))
}

/// A guest that calls its imports with whatever it is told to.
const PARROT: &str = r#"
    (export "send" (func $send))
    (func (export "send_it") (param i32 i32) (call $send (local.get 0) (local.get 1)))
    (func (export "hello_it") (param i32 i32) (call $hello (i32.const 1) (local.get 0)))
    (func (export "flush_it") (param i32 i32)
        (call $hello (i32.const 1) (i32.const 1024))
        (i32.store (i32.const 1028) (local.get 0))
        (i32.store (i32.const 1032) (local.get 1))
        (call $flush))
    (func (export "ask_it") (param i32 i32) (drop (call $ask (local.get 0) (local.get 1))))
"#;

/// What is told of the receiver's state by all that it takes: whether it still takes what is valid.
#[track_caller]
fn assert_goes_on(guest: &mut Instance) {
    for record in ["sites", "new_span", "enter", "event", "exit", "drop"] {
        assert_eq!(guest.call(record, &[]), Ok(0), "{record}");
    }
}

const GOES_ON: &str = "INFO name{}\n└─ INFO";

/// Places that are not in a memory of one page.
const OUTSIDE: [(u32, u32); 12] = [
    (PAGE, 1),
    (PAGE + 1, 0),
    (PAGE - 1, 2), // overlaps the end
    (0, PAGE + 1),
    (PAGE - 20, 21),
    (u32::MAX, 1), // -1
    (1, u32::MAX),
    (u32::MAX, u32::MAX), // their sum is negative, too
    (u32::MAX - 3, 4),    // their sum is 0
    (1 << 31, 1 << 31),   // i32::MIN twice: their sum is 0
    (i32::MAX.unsigned_abs(), 1),
    (PAGE, 0u32.wrapping_sub(PAGE)), // ends at 0
];

#[test]
fn pointers_and_lengths_outside_the_memory_are_refused() {
    let storage = SharedStorage::default();
    let mut parrot = guest(PARROT, capturing(&storage));
    let before = parrot.memory().0.to_vec();
    let mut refused = 0;
    for (address, len) in OUTSIDE {
        for import in ["send_it", "flush_it", "ask_it"] {
            if import == "flush_it" && (address == 0 || len == 0) {
                continue; // there is no buffer, or nothing in it
            }
            let error = parrot.call(import, &[address, len]).unwrap_err();
            let expected = format!(
                "{len} bytes at address {address}, which are not in its memory of 65536 bytes"
            );
            assert!(error.contains(&expected), "{import}: {error}");
            refused += 1;
        }
    }
    for control in [PAGE - 11, PAGE, 1 << 31, u32::MAX - 11, u32::MAX] {
        let error = parrot.call("hello_it", &[control, 0]).unwrap_err();
        assert!(error.contains("which are not in its memory"), "{error}");
        refused += 1;
    }
    let memory = &*parrot.memory().0;
    assert!(memory[..CONTROL] == before[..CONTROL], "nothing was written");
    assert!(memory[CONTROL + 12..] == before[CONTROL + 12..], "nothing was written");
    assert_eq!(parrot.memory().1.trace.errors(), refused);
    assert_goes_on(&mut parrot);
    assert_eq!(storage.lock().to_string(), GOES_ON);
}

#[test]
fn host_that_goes_on_counts_what_is_outside_the_memory() {
    let storage = SharedStorage::default();
    let trace = GuestTrace::new(TracingEventReceiver::capturing(&storage)).going_on();
    let mut parrot = guest(PARROT, Host::with_trace(trace));
    for (address, len) in OUTSIDE {
        for import in ["send_it", "flush_it", "ask_it"] {
            assert_eq!(parrot.call(import, &[address, len]), Ok(0));
        }
    }
    let trace = &parrot.memory().1.trace;
    assert_eq!(trace.errors(), 3 * OUTSIDE.len() as u64 - 2, "two are no buffer, or an empty one");
    let Some(GuestError::OutOfBounds { address: PAGE, len: 1, memory_len }) = trace.first_error()
    else {
        panic!("{:?}", trace.first_error());
    };
    assert_eq!(*memory_len, PAGE as usize);
    assert_goes_on(&mut parrot);
    assert_eq!(storage.lock().to_string(), GOES_ON);
}

#[test]
fn what_is_at_the_very_end_of_the_memory_is_taken() {
    let storage = SharedStorage::default();
    let mut parrot = guest(PARROT, capturing(&storage));
    parrot.call("sites", &[]).unwrap();
    let memory = parrot.memory().0;
    memory[PAGE as usize - 3..].copy_from_slice(&[0x28, 1, 0]);
    parrot.call("send_it", &[PAGE - 3, 3]).unwrap();
    let error = parrot.call("send_it", &[PAGE, 0]).unwrap_err();
    assert!(error.contains("it is empty"), "{error}");
    assert_eq!(storage.lock().to_string(), "INFO");
    // A control block may be there, too.
    parrot.call("hello_it", &[PAGE - 20, 0]).unwrap();
}

#[test]
fn memory_may_grow_during_a_call() {
    // It moves, as a rule: what the host knew of it before is wrong then. Here the guest is called back, grows, and
    // sends and buffers what is in the new page.
    let storage = SharedStorage::default();
    let mut growing = guest(
        r#"
        (func (export "called_back") (param i32)
            (drop (memory.grow (i32.const 100)))
            (memory.copy (local.get 0) (i32.const 144) (i32.const 3))
            (call $send (local.get 0) (i32.const 3)))
        (func (export "run") (param $page i32)
            (call $sites)
            (call $hello (i32.const 1) (i32.const 1024))
            (call $call_back (local.get $page))
            (call $send (local.get $page) (i32.const 3))
            ;; The buffer is a batch of one frame, in the last bytes of the new memory.
            (i32.store (i32.const 6619129) (i32.const 3))
            (memory.copy (i32.const 6619133) (i32.const 144) (i32.const 3))
            (i32.store (i32.const 1028) (i32.const 6619129))
            (i32.store (i32.const 1032) (i32.const 7))
            (i32.store (i32.const 1036) (i32.const 1))
            (i32.store (i32.const 1040) (i32.const 4)))
        "#,
        capturing(&storage),
    );
    growing.call("run", &[PAGE]).unwrap();
    let (memory, host) = growing.memory();
    assert_eq!(memory.len(), 101 * PAGE as usize);
    host.trace.read_buffer(memory).unwrap();
    assert_eq!((host.trace.frames(), host.trace.errors()), (5, 0));
    assert_eq!(storage.lock().to_string(), "⟨3×⟩ INFO");
}

#[test]
fn guest_may_be_called_from_inside_a_call() {
    // Each call enters the span anew, and calls its host again before it leaves it.
    let capture = Capture::start();
    let mut nested = guest(
        r#"
        (func $work (export "called_back") (param $left i32)
            (call $enter)
            (call $event)
            (if (local.get $left) (then
                (call $call_back (i32.sub (local.get $left) (i32.const 1)))))
            (if (i32.eq (local.get $left) (i32.const 3)) (then unreachable))
            (call $exit))
        (func (export "run") (param i32)
            (call $sites) (call $new_span) (call $work (local.get 0)) (call $drop))
        "#,
        Host::default(),
    );
    nested.call("run", &[2]).unwrap();
    assert_eq!(capture.take().to_string(), "INFO name{}\n└─ ⟨3×⟩ INFO");

    // It traps in the fourth call from outside, in the middle of which the inner ones have come back.
    nested.call("run", &[5]).unwrap_err();
    let trace = capture.trace();
    let span = trace.all_spans().next().unwrap();
    // The host has left what the guest is still in.
    assert_eq!((span.stats().entered, span.stats().exited, span.events().len()), (6, 6, 6));
    drop(nested);
    let stats = capture.trace().all_spans().next().unwrap().stats();
    assert_eq!((stats.entered, stats.exited, stats.is_closed), (6, 6, true));
}

/// A guest that makes up call sites, as many as it is told to.
const FLOOD: &str = r#"
        ;; Its ID and its line are the number, in three bytes.
        (data (i32.const 1024) "\20...\00\02\04name\06target\00\00\01...\00")
        (func (export "flood") (param $left i32) (local $number i32)
            (loop $next
                (local.set $number
                    (i32.or (i32.const 0x8080)
                        (i32.or (i32.and (local.get $left) (i32.const 0x7f))
                            (i32.or
                                (i32.and (i32.shl (local.get $left) (i32.const 1)) (i32.const 0x7f00))
                                (i32.and (i32.shl (local.get $left) (i32.const 2)) (i32.const 0x7f0000))))))
                (i32.store (i32.const 1025) (local.get $number))
                (i32.store8 (i32.const 1028) (i32.const 0))
                (i32.store (i32.const 1045) (local.get $number))
                (call $send (i32.const 1024) (i32.const 25))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br_if $next (local.get $left))))
        "#;

#[test]
fn more_call_sites_than_by_default_leave_a_host_that_goes_on() {
    let storage = SharedStorage::default();
    let limits = ReceiverLimits::default().max_call_sites(1_000_000);
    let receiver = TracingEventReceiver::capturing(&storage).with_limits(limits);
    let mut flood = guest(FLOOD, Host::with_trace(GuestTrace::new(receiver)));
    flood.call("flood", &[200_000]).unwrap();
    let (_, host) = flood.memory();
    assert_eq!((host.trace.frames(), host.trace.errors()), (200_000, 0));
    assert_goes_on(&mut flood);
    assert_eq!(storage.lock().to_string(), GOES_ON);
}

#[test]
fn million_call_sites_are_too_many() {
    let storage = SharedStorage::default();
    let mut flood = guest(FLOOD, capturing(&storage));
    let error = flood.call("flood", &[1_000_000]).unwrap_err();
    assert!(error.contains("131073 call sites are more than the 131072"), "{error}");
    let (_, host) = flood.memory();
    assert!(matches!(
        host.trace.first_error(),
        Some(GuestError::Refused { error: ReceiveError::LimitExceeded { .. }, .. })
    ));
    assert_eq!(host.trace.errors(), 1);
}

#[test]
fn span_that_is_entered_and_never_left_is_left_when_the_guest_is_gone() {
    for thread in [0, 5] {
        let capture = Capture::start();
        let mut stuck = guest(
            r#"
            (data (i32.const 1024) "\33\05\01")
            (func (export "run") (param $thread i32)
                (call $sites) (call $new_span)
                (if (local.get $thread)
                    (then (call $send (i32.const 1024) (i32.const 3)))
                    (else (call $enter) (call $enter)))
                (call $event)
                unreachable)
            "#,
            Host::default(),
        );
        info_span!("host").in_scope(|| {
            stuck.call("run", &[thread]).unwrap_err();
            drop(stuck);
            info!("of the host");
        });
        info!("after all");
        let trace = capture.trace();
        for span in trace.all_spans() {
            let stats = span.stats();
            assert!(stats.is_closed && stats.entered == stats.exited, "{span}");
        }
        let of_host = trace.all_events().rev().nth(1).unwrap();
        assert_eq!(of_host.parent().unwrap().metadata().name(), "host");
        assert!(trace.all_events().next_back().unwrap().parent().is_none());
    }
}

#[test]
fn traps_between_any_two_records_leave_a_host_that_goes_on() {
    let records = ["sites", "new_span", "enter", "event", "exit", "drop"];
    for count in 0..=records.len() {
        let capture = Capture::start();
        let mut trapping = guest(r#"(func (export "trap") unreachable)"#, Host::default());
        for record in &records[..count] {
            trapping.call(record, &[]).unwrap();
        }
        trapping.call("trap", &[]).unwrap_err();
        // It is the same stream: what is there already cannot come again.
        for record in &records[count..] {
            trapping.call(record, &[]).unwrap();
        }
        drop(trapping);
        assert_eq!(capture.trace().to_string(), GOES_ON);
    }
}

#[test]
fn guest_that_sends_while_it_starts_is_received() {
    let capture = Capture::start();
    let starting = "(func $start (call $sites) (call $event)) (start $start)";
    drop(guest(starting, Host::default()));
    assert_eq!(capture.take().to_string(), "INFO");

    let failing = "(func $start (call $enter)) (start $start)";
    let error = Instance::try_new(&wasm(failing), Host::default()).err().unwrap();
    assert!(error.contains("there is no span with ID 1"), "{error}");
}

#[test]
fn guest_without_a_memory_is_refused() {
    for export in [
        "",
        "(memory 1)",
        r#"(memory (export "memories") 1)"#,
        r#"(func (export "memory"))"#,
        r#"(global (export "memory") i32 (i32.const 0))"#,
        r#"(table (export "memory") 1 funcref)"#,
    ] {
        let module = format!(
            r#"(module
                (import "spanshot" "send" (func $send (param i32 i32)))
                (import "spanshot" "ask" (func $ask (param i32 i32) (result i32)))
                {export}
                (func (export "send_it") (call $send (i32.const 0) (i32.const 0)))
                (func (export "ask_it") (drop (call $ask (i32.const 0) (i32.const 0)))))"#
        );
        let mut guest = Instance::new(&wat::parse_str(module).unwrap(), Host::default());
        for import in ["send_it", "ask_it"] {
            let error = guest.call(import, &[]).unwrap_err();
            assert!(error.contains("exports no memory"), "{export}: {error}");
        }
    }
    // One of no pages is one.
    let module = r#"(module
        (import "spanshot" "send" (func $send (param i32 i32)))
        (memory (export "memory") 0)
        (func (export "run") (call $send (i32.const 0) (i32.const 1))))"#;
    let mut guest = Instance::new(&wat::parse_str(module).unwrap(), Host::default());
    let error = guest.call("run", &[]).unwrap_err();
    assert!(error.contains("which are not in its memory of 0 bytes"), "{error}");
}

#[test]
fn import_with_another_signature_is_refused_when_it_is_linked() {
    for import in [
        r#"(import "spanshot" "send" (func (param i64 i64)))"#,
        r#"(import "spanshot" "send" (func (param i32 i32) (result i32)))"#,
        r#"(import "spanshot" "ask" (func (param i32 i32)))"#,
        r#"(import "spanshot" "hello" (func (param i32)))"#,
        r#"(import "spanshot" "flush" (func (param i32)))"#,
        r#"(import "spanshot" "send" (memory 1))"#,
        r#"(import "spanshot" "receive" (func))"#,
    ] {
        let module = wat::parse_str(format!("(module {import})")).unwrap();
        assert!(Instance::try_new(&module, Host::default()).is_err(), "{import}");
    }
}

/// A guest with a control block at 1024, and in its buffer what the test puts there.
const BUFFERING: &str = r#"
    (func (export "hello_it") (param i32) (call $hello (i32.const 1) (local.get 0)))
"#;

const CONTROL: usize = 1024;

/// Writes the control block: the buffer's address, and the bytes in it.
fn write_control(memory: &mut [u8], block: [u32; 2]) {
    for (place, number) in memory[CONTROL + 4..].chunks_exact_mut(4).zip(block) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}

#[test]
fn control_block_that_lies_harms_nobody() {
    let address = 1024;
    let blocks: [[u32; 2]; 8] = [
        [PAGE - 1, 2],
        [u32::MAX, u32::MAX],
        [1 << 31, 1 << 31],
        [1, PAGE],
        [address, 12], // the block is the buffer
        [address + 10, 20],
        [address - 4, 8],
        [64, 20], // a frame without its length
    ];
    for block in blocks {
        let storage = SharedStorage::default();
        let mut buffering = guest(BUFFERING, capturing(&storage));
        buffering.call("sites", &[]).unwrap();
        buffering.call("hello_it", &[address]).unwrap();
        let (memory, host) = buffering.memory();
        write_control(memory, block);
        let before = memory.to_vec();
        assert!(host.trace.read_buffer(memory).is_err(), "{block:?}");
        // The buffer is empty then, whatever there was. Nothing else was written but the filter's generation, which is
        // another one as soon as a test on another thread starts a subscriber.
        host.trace.read_buffer(memory).unwrap();
        assert_eq!(memory[CONTROL + 8..CONTROL + 12], [0; 4], "{block:?}");
        assert!(memory[..CONTROL] == before[..CONTROL], "{block:?}");
        assert_eq!(memory[CONTROL + 4..CONTROL + 8], before[CONTROL + 4..CONTROL + 8]);
        assert!(memory[CONTROL + 12..] == before[CONTROL + 12..], "{block:?}");
        for record in ["sites", "new_span", "enter", "event", "exit", "drop"] {
            buffering.call(record, &[]).unwrap();
        }
        assert_eq!(storage.lock().to_string(), GOES_ON, "{block:?}");
    }
}

#[test]
fn control_block_may_move_anywhere() {
    // At each place once, over whatever is there: a host that took what it reads there for its own would notice.
    let mut buffering = guest(BUFFERING, Host::with_trace(GuestTrace::default().going_on()));
    for address in (0..PAGE - 12).step_by(97).chain([PAGE - 12]) {
        buffering.call("hello_it", &[address]).unwrap();
        let (memory, host) = buffering.memory();
        host.trace.read_buffer(memory).unwrap();
        host.trace.tell_filter(memory);
    }
}

#[test]
fn ids_of_one_guest_are_nothing_to_another() {
    for relays in [true, false] {
        let capture = Capture::start();
        let host = || if relays { Host::default() } else { capturing(capture.storage()) };
        let (mut victim, mut thief) = (guest("", host()), guest("", host()));
        for record in ["sites", "new_span", "enter", "event"] {
            victim.call(record, &[]).unwrap();
        }
        // Neither the other's spans nor its call sites.
        for (record, expected) in [
            ("enter", ReceiveError::UnknownSpanId(1)),
            ("exit", ReceiveError::UnknownSpanId(1)),
            ("drop", ReceiveError::UnknownSpanId(1)),
            ("new_span", ReceiveError::UnknownMetadataId(0)),
            ("event", ReceiveError::UnknownMetadataId(1)),
        ] {
            let error = thief.call(record, &[]).unwrap_err();
            assert!(error.contains(&expected.to_string()), "{record}: {error}");
        }
        // Its own of the same numbers are others.
        for record in ["sites", "new_span", "drop"] {
            thief.call(record, &[]).unwrap();
        }
        for record in ["event", "exit", "drop"] {
            victim.call(record, &[]).unwrap();
        }
        let trace = capture.trace();
        let [first, second] = [0, 1].map(|index| trace.all_spans().nth(index).unwrap());
        // A host that relays enters the span again with each call.
        let enters = if relays { 4 } else { 1 };
        let stats = first.stats();
        assert_eq!((first.events().len(), stats.entered, stats.exited), (2, enters, enters));
        assert_eq!((second.events().len(), second.stats().entered), (0, 0));
        assert!(first.stats().is_closed && second.stats().is_closed);
    }
}

#[test]
fn guest_learns_nothing_of_its_host_but_the_filter() {
    let capture = Capture::start();
    let mut curious = guest(
        r#"
        (data (i32.const 512) "\2e\01\00\02\04name\06target\00\00\00\00")
        (func (export "run")
            (call $hello (i32.const 1) (i32.const 1024))
            (call $sites) (call $new_span) (call $enter))
        (func (export "ask_it") (result i32) (call $ask (i32.const 512) (i32.const 20)))
        "#,
        Host::default(),
    );
    let before = curious.memory().0.to_vec();
    curious.call("run", &[]).unwrap();
    assert!(curious.call("ask_it", &[]).unwrap() <= 3, "it is the number of an answer");
    let (memory, host) = curious.memory();
    write_control(memory, [144, 3]);
    host.trace.read_buffer(memory).unwrap_err();
    let (memory, _) = curious.memory();
    let generation = u32::from_le_bytes(memory[CONTROL..CONTROL + 4].try_into().unwrap());
    // How often it was told that the filter may have changed.
    assert!((1..1 << 20).contains(&generation), "{generation}");
    let numbers: Vec<_> = memory[CONTROL + 4..CONTROL + 12]
        .chunks_exact(4)
        .map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(numbers, [144, 0], "the emptied buffer");
    assert!(memory[..CONTROL] == before[..CONTROL]);
    assert!(memory[CONTROL + 12..] == before[CONTROL + 12..]);
    drop(capture);
}
