//! Concurrent programs whose snapshot is the same, however their threads and tasks were scheduled.
//!
//! Threads are driven step by step, in an order that a seed decides: each seed is another schedule, and
//! the same one in every run.

use std::{collections::HashSet, sync::mpsc, thread};

use spanshot::{Capture, SnapshotSettings, predicates::*};
use tokio::{runtime, task::yield_now};
use tracing::{Instrument, Span, debug, info, info_span, warn};

const SCHEDULES: u64 = 300;

/// Numbers that look random, the same ones for the same seed.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// What a thread or task does at a time.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Opens a span below the one that all share, and enters it.
    OpenPart(usize),
    /// Opens a span in what the thread is in, and enters it.
    OpenChunk(usize),
    Close,
    /// In what the thread is in.
    Event(usize),
    /// In the span that all share.
    SharedEvent(usize),
}

use Step::{Close, Event, OpenChunk, OpenPart, SharedEvent};

fn open(step: Step, shared: &Span) -> Option<Span> {
    match step {
        OpenPart(part) => Some(info_span!(parent: shared, "part", part)),
        OpenChunk(chunk) => Some(info_span!("chunk", chunk)),
        Event(number) => {
            debug!(number, "read");
            None
        }
        SharedEvent(number) => {
            warn!(parent: shared, number, "stalled");
            None
        }
        Close => None,
    }
}

/// Runs the steps of each thread on one of its own, in an order that the seed decides.
fn run_threads(capture: &Capture, programs: &[&'static [Step]], seed: u64) {
    let shared = info_span!("download");
    shared.in_scope(|| info!("starting"));
    thread::scope(|scope| {
        let mut threads: Vec<_> = programs
            .iter()
            .map(|program| {
                let (go, told) = mpsc::channel::<()>();
                let (done, finished) = mpsc::channel::<()>();
                let shared = &shared;
                scope.spawn(capture.carry(move || {
                    let mut entered = vec![];
                    for step in *program {
                        told.recv().unwrap();
                        match step {
                            Close => drop(entered.pop()),
                            step => entered.extend(open(*step, shared).map(Span::entered)),
                        }
                        done.send(()).unwrap();
                    }
                }));
                (program.len(), go, finished)
            })
            .collect();
        let mut random = Random::new(seed);
        while !threads.is_empty() {
            let next = random.below(threads.len());
            let (left, go, finished) = &mut threads[next];
            go.send(()).unwrap();
            finished.recv().unwrap();
            *left -= 1;
            if *left == 0 {
                threads.swap_remove(next);
            }
        }
    });
    shared.in_scope(|| info!("complete"));
}

/// Runs the steps of each task on a runtime with several threads. Tasks yield where the seed says so.
async fn run_tasks(capture: &Capture, programs: &[&'static [Step]], seed: u64) {
    let shared = info_span!("download");
    shared.in_scope(|| info!("starting"));
    let mut random = Random::new(seed);
    let mut unspawned = programs.to_vec();
    let mut tasks = vec![];
    while !unspawned.is_empty() {
        let program = unspawned.swap_remove(random.below(unspawned.len()));
        let yields: Vec<usize> = program.iter().map(|_| random.below(3)).collect();
        let shared = shared.clone();
        tasks.push(tokio::spawn(capture.carry_future(async move {
            let mut open_spans: Vec<Span> = vec![];
            for (step, yields) in program.iter().zip(yields) {
                let around = open_spans.last().cloned().unwrap_or_else(Span::none);
                let opened = async {
                    for _ in 0..yields {
                        yield_now().await;
                    }
                    open(*step, &shared)
                }
                .instrument(around)
                .await;
                open_spans.extend(opened);
                if matches!(step, Close) {
                    open_spans.pop();
                }
            }
        })));
    }
    for task in tasks {
        task.await.unwrap();
    }
    shared.in_scope(|| info!("complete"));
}

/// Asserts that the settings show one and the same for all schedules, and that the defaults do not.
#[track_caller]
fn assert_same(programs: &[&'static [Step]], settings: &SnapshotSettings, expected: &str) {
    // One capture for all: `tracing` looks at all call sites of the process whenever one starts.
    let capture = Capture::start();
    let mut as_data = HashSet::new();
    let mut check = |run: &dyn Fn(u64), of: &str| {
        let mut in_order = HashSet::new();
        for seed in 1..=SCHEDULES {
            run(seed);
            let trace = capture.take();
            let view = settings.view(&trace);
            assert_eq!(view.to_string(), expected, "{of}, seed {seed}");
            as_data.insert(serde_json::to_string(&view).unwrap());
            in_order.insert(trace.to_string());
        }
        assert!(in_order.len() > 1, "there is only one schedule of {of}");
    };
    check(&|seed| run_threads(&capture, programs, seed), "threads");
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    check(&|seed| runtime.block_on(run_tasks(&capture, programs, seed)), "tasks");
    assert_eq!(as_data.len(), 1);
}

#[test]
fn unordered_spans_are_the_same_over_all_schedules() {
    let programs: [&[Step]; 3] = [
        &[OpenPart(1), Event(1), OpenChunk(1), Event(2), Close, Event(3), Close],
        &[OpenPart(10), OpenChunk(1), Event(1), Close, OpenChunk(2), Event(2), Close, Close],
        &[OpenPart(2), Event(1), Close, OpenPart(3), Close],
    ];
    // What each part does is in order, and stays so.
    let settings = SnapshotSettings::new().unordered_spans(name("part"));
    let expected = r"
INFO download{}
├─ INFO starting
├─ INFO complete
├─ INFO part{part=1}
│  ├─ DEBUG read number=1
│  ├─ INFO chunk{chunk=1}
│  │  └─ DEBUG read number=2
│  └─ DEBUG read number=3
├─ INFO part{part=2}
│  └─ DEBUG read number=1
├─ INFO part{part=3}
└─ INFO part{part=10}
   ├─ INFO chunk{chunk=1}
   │  └─ DEBUG read number=1
   └─ INFO chunk{chunk=2}
      └─ DEBUG read number=2";
    assert_same(&programs, &settings, expected.trim_start());
}

#[test]
fn unordered_events_are_the_same_over_all_schedules() {
    let programs: [&[Step]; 4] = [
        &[SharedEvent(1), SharedEvent(2)],
        &[SharedEvent(1), SharedEvent(usize::MAX)],
        &[SharedEvent(10), SharedEvent(1)],
        &[SharedEvent(2)],
    ];
    let settings = SnapshotSettings::new().unordered_events(message("stalled"));
    let expected = r"
INFO download{}
├─ INFO starting
├─ INFO complete
├─ ⟨3×⟩ WARN stalled number=1
├─ ⟨2×⟩ WARN stalled number=2
├─ WARN stalled number=10
└─ WARN stalled number=18446744073709551615";
    assert_same(&programs, &settings, expected.trim_start());
}

#[test]
fn what_differs_only_inside_is_the_same_over_all_schedules() {
    // The parts are told apart by what is in them, and only by that.
    let programs: [&[Step]; 4] = [
        &[OpenPart(7), Event(1), Event(2), Close],
        &[OpenPart(7), Event(2), Event(1), Close],
        &[OpenPart(7), OpenChunk(1), Event(1), Close, SharedEvent(1), Close],
        &[OpenPart(7), Event(1), Event(2), Close],
    ];
    let settings = SnapshotSettings::new()
        .unordered(|node| matches!(node.metadata().name(), "part"))
        .unordered_events(level(tracing::Level::WARN));
    let expected = r"
INFO download{}
├─ INFO starting
├─ INFO complete
├─ WARN stalled number=1
├─ ⟨2×⟩ INFO part{part=7}
│  ├─ DEBUG read number=1
│  └─ DEBUG read number=2
├─ INFO part{part=7}
│  ├─ DEBUG read number=2
│  └─ DEBUG read number=1
└─ INFO part{part=7}
   └─ INFO chunk{chunk=1}
      └─ DEBUG read number=1";
    assert_same(&programs, &settings, expected.trim_start());
}

#[test]
fn what_is_redacted_does_not_decide_the_order() {
    let programs: [&[Step]; 3] = [
        &[OpenPart(1), Event(9), Close],
        &[OpenPart(2), Event(8), Close],
        &[OpenPart(3), Event(7), Event(7), Close],
    ];
    let settings = SnapshotSettings::new().redact("part", "n").redact_with(|_, name, value| {
        (name == "number" && value.as_uint() != Some(7)).then(|| "some".to_owned())
    });
    let settings = settings.unordered_spans(name("part"));
    let expected = r"
INFO download{}
├─ INFO starting
├─ INFO complete
├─ INFO part{part=⟨n⟩}
│  └─ ⟨2×⟩ DEBUG read number=7
└─ ⟨2×⟩ INFO part{part=⟨n⟩}
   └─ DEBUG read number=⟨some⟩";
    assert_same(&programs, &settings, expected.trim_start());
}
