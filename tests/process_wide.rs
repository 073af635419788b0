//! Captures of a whole process.
//!
//! What they get depends on what else is in the process and on how it was started. So the tests are run in
//! other processes: this binary again, told by an environment variable that it is another one.

use std::{
    env,
    process::{Command, Output},
    sync::mpsc,
    thread,
};

use spanshot::Capture;

const OTHER: &str = "SPANSHOT_TEST_PROCESS_WIDE";
const MODE: &str = "NEXTEST_EXECUTION_MODE";

/// Runs tests in another process, as `cargo test` does it, or as nextest.
fn run_elsewhere(tests: &str, args: &[&str], is_nextest: bool) -> Output {
    let mut other = Command::new(env::current_exe().unwrap());
    other.arg(tests).args(args).env(OTHER, "1").env_remove(MODE);
    other.env_remove("SPANSHOT_PRINT").env_remove("SPANSHOT_PRINT_FILTER");
    other.env("RUST_BACKTRACE", "0");
    if is_nextest {
        other.env(MODE, "process-per-test");
    }
    other.output().unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[track_caller]
fn assert_passes(tests: &str, args: &[&str], is_nextest: bool) {
    let output = run_elsewhere(tests, args, is_nextest);
    assert!(output.status.success(), "{}", text(&output));
    assert!(!text(&output).contains("running 0 tests"), "{}", text(&output));
}

#[test]
fn tests_of_one_process_get_what_is_theirs() {
    let alone = "several::checks_at_the_end_fail_on_what_no_test_can_claim";
    assert_passes("several::", &["either::", "--skip", alone, "--test-threads=16"], false);
    // Its findings are about all that no test claims, and list the first of it: others would get in front.
    assert_passes(alone, &["--exact", "--test-threads=2"], false);
}

#[test]
fn lost_records_are_of_the_test_that_receives_them() {
    for test in ["lost::by_the_test", "lost::by_nobody"] {
        assert_passes(test, &["--exact", "--test-threads=2"], false);
    }
    for is_nextest in [false, true] {
        assert_passes("lost::alone", &["--exact", "--test-threads=1"], is_nextest);
    }
}

/// The functions given to `allow_events()` are shown what no test can claim when the capture ends.
#[test]
fn function_that_allows_events_may_trace() {
    let test = "allowing::function_that_allows_an_event_traces";
    assert_passes(test, &["--exact", "--test-threads=2"], false);
}

#[test]
fn one_test_of_a_process_gets_everything() {
    let list = run_elsewhere("one::", &["either::", "--list"], true);
    let list = String::from_utf8(list.stdout).unwrap();
    let tests: Vec<_> = list.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    assert!(tests.len() > 8, "{list}");
    for test in tests {
        assert_passes(test, &["--exact"], true);
        // The harness runs one test at a time.
        assert_passes(test, &["--exact", "--test-threads=1"], false);
    }
}

#[test]
fn record_in_a_span_of_an_earlier_test_is_not_that_of_the_next_one() {
    for threads in ["--test-threads=1", "--test-threads=2"] {
        assert_passes("turns::", &[threads], false);
    }
}

const HEADING: &str = "traced in this process, by none of its tests or after they ended:";

#[test]
fn what_belongs_to_no_test_is_shown_when_a_test_fails() {
    let output = run_elsewhere("failing::fails", &["--exact"], false);
    assert!(!output.status.success());
    let output = text(&output);
    let shown = format!("{HEADING}\nINFO whose{{}}\n└─ WARN is it?\n");
    assert_eq!(output.matches(&shown).count(), 1, "{output}");
    assert_eq!(output.matches("INFO of the test").count(), 1, "{output}");

    let output = run_elsewhere("failing::passes", &["--exact", "--nocapture"], false);
    assert!(output.status.success());
    assert!(!text(&output).contains("whose"), "{}", text(&output));

    let output = run_elsewhere("failing::is_not_to_print", &["--exact"], false);
    assert!(!output.status.success());
    assert!(!text(&output).contains("whose"), "{}", text(&output));

    let output = text(&run_elsewhere("failing::prints_a_part", &["--exact"], false));
    assert!(output.contains(&format!("{HEADING}\nWARN is it?\n")), "{output}");
    assert!(!output.contains("whose{}"), "{output}");

    let output = text(&run_elsewhere("failing::waits", &["--exact"], false));
    let shown =
        "records that no test can claim:\nINFO whose{}\n└─ WARN is it?\n\nthe trace so far:\n";
    assert_eq!(output.matches(shown).count(), 1, "{output}");

    // One test a process: it is the test's own.
    let output = text(&run_elsewhere("failing::fails", &["--exact"], true));
    assert!(output.contains("INFO of the test\nINFO whose{}\n└─ WARN is it?\n"), "{output}");
    assert!(!output.contains(HEADING), "{output}");
}

/// A thread that outlives captures.
struct Pool(mpsc::Sender<(Job, mpsc::Sender<()>)>);

type Job = Box<dyn FnOnce() + Send>;

impl Pool {
    fn attached_to(capture: &Capture) -> Self {
        let (jobs, received) = mpsc::channel::<(Job, mpsc::Sender<()>)>();
        let handle = capture.handle();
        thread::spawn(move || {
            handle.attach_thread();
            drop(handle);
            for (job, done) in received {
                job();
                drop(done);
            }
        });
        Self(jobs)
    }

    fn run(&self, job: impl FnOnce() + Send + 'static) {
        let (done, wait) = mpsc::channel();
        self.0.send((Box::new(job), done)).unwrap();
        wait.recv().unwrap_err(); // that nobody sends any more
    }
}

macro_rules! tests {
    ($($name:ident: $body:block)+) => {$(
        #[test]
        fn $name() {
            if std::env::var_os($crate::OTHER).is_some() $body
        }
    )+};
}

mod failing {
    use std::{thread, time::Duration};

    use spanshot::{Capture, CaptureBuilder, Print};
    use tracing::{info, info_span, warn};

    fn whose(capture: CaptureBuilder) {
        let _capture = capture.start_process_wide();
        info!("of the test");
        thread::spawn(|| info_span!("whose").in_scope(|| warn!("is it?"))).join().unwrap();
    }

    fn fail(capture: CaptureBuilder) {
        let _capture = capture.start_process_wide();
        info!("of the test");
        thread::spawn(|| info_span!("whose").in_scope(|| warn!("is it?"))).join().unwrap();
        panic!("as it was told to");
    }

    tests! {
        fails: { fail(Capture::builder()) }
        passes: { whose(Capture::builder().print(Print::Always)) }
        is_not_to_print: { fail(Capture::builder().print(Print::Never)) }
        waits: {
            let capture = Capture::builder().print(Print::Never).start_process_wide();
            thread::spawn(|| info_span!("whose").in_scope(|| warn!("is it?"))).join().unwrap();
            capture.wait_until(Duration::ZERO, |trace| trace.all_events().len() > 0);
        }
        prints_a_part: { fail(Capture::builder().print_filter("warn")) }
    }
}

/// What says where it belongs is the test's, whether that is the only one of the process or not.
mod either {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::{Arc, Mutex},
        thread,
    };

    use spanshot::{Capture, Keep, TracingEventReceiver, TracingEventSender, predicates::*};
    use tracing::{Instrument, Level, Span, error, field, info, info_span, warn};

    tests! {
        thread_of_the_test: {
            let program = || {
                let outer = info_span!("outer", late = field::Empty);
                outer.in_scope(|| {
                    info!("in outer");
                    info!(parent: None, "root");
                    info_span!(parent: None, "root").in_scope(|| info!("in root"));
                    info!(parent: &outer, "explicit");
                });
                outer.record("late", 1);
                let follower = info_span!("follower");
                follower.follows_from(&outer);
            };
            let capture = Capture::start();
            program();
            let expected = capture.finish();
            let capture = Capture::start_process_wide();
            program();
            let trace = capture.finish();
            assert_eq!(trace.to_string(), expected.to_string());
            let stats = |trace: &spanshot::Storage| -> Vec<_> {
                let of = |span: spanshot::CapturedSpan<'_>| (span.stats(), span.follows_from().len());
                trace.all_spans().map(of).collect()
            };
            assert_eq!(stats(&trace), stats(&expected));
        }
        span_is_passed_on_to_threads: {
            let capture = Capture::start_process_wide();
            let test = Span::current();
            assert!(!test.is_none());
            let span = info_span!("mine", late = field::Empty);
            thread::scope(|scope| {
                scope.spawn(|| test.in_scope(|| info!("in the test")));
                scope.spawn(|| info!(parent: &span, "explicit"));
                scope.spawn(|| span.in_scope(|| {
                    info_span!("inner").in_scope(|| info!("contextual"));
                    Span::current().record("late", 1);
                }));
            });
            let trace = capture.trace();
            assert_eq!((trace.all_spans().len(), trace.all_events().len()), (2, 3), "{trace}");
            let mine = trace.scan_spans().single(&name(eq("mine")));
            assert_eq!(mine["late"], 1);
            mine.scan_events().single(&message(eq("explicit")));
            mine.children().next().unwrap().scan_events().single(&message(eq("contextual")));
        }
        tasks_in_a_span: {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
            runtime.block_on(async {
                let capture = Capture::start_process_wide();
                async {
                    // It spawns by itself, but says in which span.
                    let tasks = (0..10).map(|task| {
                        let step = async move {
                            info!(task, "before");
                            tokio::task::yield_now().await;
                            info!(task, "after");
                        };
                        tokio::spawn(step.instrument(info_span!("task", task)))
                    });
                    for task in tasks.collect::<Vec<_>>() {
                        task.await.unwrap();
                    }
                    tokio::spawn(async { info!("at the root") }.in_current_span()).await.unwrap();
                }
                .await;
                let trace = capture.finish();
                assert_eq!((trace.all_spans().len(), trace.all_events().len()), (10, 21), "{trace}");
                for task in trace.all_spans() {
                    let messages: Vec<_> = task.events().filter_map(|event| event.message()).collect();
                    assert_eq!(messages, ["before", "after"]);
                    assert!(task.events().all(|event| event["task"] == task["task"]));
                }
                trace.root_events().next().unwrap();
            });
        }
        capture_is_carried: {
            let capture = Capture::start_process_wide();
            thread::spawn(capture.carry(|| {
                info_span!("carried").in_scope(|| info!("in it"));
                info!(parent: None, "root");
            }))
            .join()
            .unwrap();
            assert_eq!(capture.take().to_string(), "INFO carried{}\n└─ INFO in it\nINFO root");
            // In the scope that there is already, the current span stays.
            info_span!("around").in_scope(|| capture.handle().in_scope(|| info!("inside")));
            assert_eq!(capture.take().to_string(), "INFO around{}\n└─ INFO inside");

            let other = Capture::start_process_wide();
            let (handle, to_other) = (capture.handle(), other.handle());
            thread::spawn(move || {
                handle.in_scope(|| {
                    let _entered = info_span!("mine").entered();
                    to_other.in_scope(|| {
                        info!("for the other one");
                        handle.in_scope(|| info!("for this one"));
                        info!("for the other one");
                    });
                    info!("in mine");
                });
            })
            .join()
            .unwrap();
            assert_eq!(other.finish().to_string(), "⟨2×⟩ INFO for the other one");
            let tree = "INFO mine{}\n└─ INFO in mine\nINFO for this one";
            assert_eq!(capture.finish().to_string(), tree);
        }
        capture_is_attached_to_threads: {
            let runtime = |capture: &Capture| {
                let handle = capture.handle();
                tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .on_thread_start(move || handle.attach_thread())
                    .build()
                    .unwrap()
            };
            let captures = [Capture::start_process_wide(), Capture::start_process_wide()];
            let runtimes = captures.each_ref().map(runtime);
            let tasks = [0, 1].map(|number| runtimes[number].spawn(async move {
                let inner = info_span!("task", number).in_scope(|| {
                    info!(number);
                    tokio::task::spawn_blocking(move || info!(parent: None, number, "blocking"))
                });
                inner.await.unwrap();
            }));
            for (task, runtime) in tasks.into_iter().zip(&runtimes) {
                runtime.block_on(task).unwrap();
            }
            drop(runtimes);
            for (number, capture) in captures.into_iter().enumerate().rev() {
                let tree = format!(
                    "INFO task{{number={number}}}\n└─ INFO number={number}\nINFO blocking number={number}"
                );
                assert_eq!(capture.finish().to_string(), tree);
            }
        }
        capture_stays_attached_to_a_thread: {
            let capture = Capture::start_process_wide();
            let handle = capture.handle();
            thread::spawn(move || {
                handle.attach_thread();
                let _entered = info_span!("span").entered();
                handle.attach_thread(); // the current span stays
                info!("in it");
            })
            .join()
            .unwrap();
            assert_eq!(capture.finish().to_string(), "INFO span{}\n└─ INFO in it");
        }
        receiver_that_relays_to_another_capture: {
            let feed = |receiver: &mut TracingEventReceiver, program: fn()| {
                let frames = Arc::new(Mutex::new(vec![]));
                let sent = Arc::clone(&frames);
                let sender = TracingEventSender::encoded(move |frame: &[u8]| {
                    sent.lock().unwrap().push(frame.to_vec());
                });
                tracing::subscriber::with_default(sender, program);
                for frame in frames.lock().unwrap().iter() {
                    receiver.receive_encoded(frame).unwrap();
                }
            };
            let no_errors = |capture: &Capture| {
                capture.trace().scan_events().ignore_unattributed().try_none(&level(Level::ERROR))
            };
            let mut of_own = {
                let _capture = Capture::start();
                TracingEventReceiver::default()
            };
            let mut pooled = {
                let _capture = Capture::start_process_wide();
                TracingEventReceiver::default()
            };
            // All process-wide captures have one subscriber.
            let capture = Capture::start_process_wide();
            feed(&mut pooled, || info!("relayed"));
            no_errors(&capture).unwrap();
            assert_eq!(capture.take().to_string(), "INFO relayed");
            assert_eq!(capture.trace().to_string(), "(nothing was captured)");
            {
                let inner = Capture::start();
                info!("captured");
                feed(&mut pooled, || error!("for the outer one"));
                no_errors(&inner).unwrap();
            }
            capture.take().scan_events().ignore_unattributed().single(&level(Level::ERROR));
            feed(&mut pooled, || info!("relayed"));
            no_errors(&capture).unwrap();
            // Process-wide captures get what would be lost otherwise.
            feed(&mut of_own, || error!("of this thread"));
            capture.take().scan_events().ignore_unattributed().single(&level(Level::ERROR));
            no_errors(&capture).unwrap_err().to_string(); // it has nothing
            feed(&mut of_own, || info!("of this thread"));
            no_errors(&capture).unwrap();
            drop(capture);

            let capture = Capture::start();
            info!("captured");
            for receiver in [&mut pooled, &mut of_own] {
                feed(receiver, || error!("lost, since no process-wide capture is under way"));
                let message = no_errors(&capture).unwrap_err().to_string();
                assert!(message.contains("relays to one that has ended"), "{message}");
            }
        }
        event_that_is_gone_fails_the_test: {
            let builders = [
                Capture::builder(),
                Capture::builder().max_nodes(0, Keep::Newest),
                Capture::builder().max_nodes(0, Keep::Oldest),
            ];
            for builder in builders {
                let capture = builder
                    .fail_on_events(Level::WARN)
                    .allow_events(|event| event.message() == Some("slow"))
                    .start_process_wide();
                thread::spawn(capture.carry(|| {
                    warn!("slow");
                    error!("failed");
                }))
                .join()
                .unwrap();
                capture.take();
                let panic = catch_unwind(AssertUnwindSafe(|| capture.finish())).unwrap_err();
                let message = panic.downcast::<String>().unwrap();
                assert!(message.contains("1 event at level warn"), "{message}");
                assert!(message.contains("  ERROR failed\n"), "{message}");
            }
        }
        captures_of_a_thread_in_any_order: {
            let first = Capture::start_process_wide();
            info!("first");
            let second = Capture::start_process_wide();
            info!("second");
            let third = Capture::start();
            info!("third");
            drop(first);
            info!("third");
            assert_eq!(third.finish().to_string(), "⟨2×⟩ INFO third");
            info!("second");
            info!(parent: None, "second, root");
            assert_eq!(second.finish().to_string(), "⟨2×⟩ INFO second\nINFO second, root");
            info!("of none: the thread has none any more");
            assert!(Span::current().is_none());
        }
        spans_of_several_captures_do_not_follow_one_another: {
            let first = Capture::start_process_wide();
            let spans = [info_span!("a"), info_span!("b")];
            let second = Capture::start_process_wide();
            let span = info_span!("c");
            span.follows_from(&spans[0]);
            spans[1].follows_from(&span);
            spans[1].follows_from(&spans[0]);
            let follows = |capture: Capture| {
                let trace = capture.finish();
                trace.all_spans().map(|span| span.follows_from().len()).collect::<Vec<_>>()
            };
            assert_eq!(follows(second), [0]);
            assert_eq!(follows(first), [0, 1]);
        }
        capture_of_its_own_is_apart: {
            let capture = Capture::start_process_wide();
            info!("one");
            let own = Capture::start();
            info_span!("own").in_scope(|| info!("two"));
            assert_eq!(own.finish().to_string(), "INFO own{}\n└─ INFO two");
            info!("three");
            assert_eq!(capture.finish().to_string(), "INFO one\nINFO three");
        }
        filter_and_bound: {
            let capture = Capture::builder()
                .filter("info,noisy=off")
                .max_nodes(3, spanshot::Keep::Oldest)
                .start_process_wide();
            let noisy = info_span!(target: "noisy", "noisy");
            noisy.in_scope(|| info_span!("span").in_scope(|| tracing::debug!("no")));
            let test = Span::current();
            thread::spawn(move || noisy.in_scope(|| info!("in noisy"))).join().unwrap();
            thread::spawn(move || test.in_scope(|| info!("last"))).join().unwrap();
            info!("left out");
            let trace = capture.finish();
            let nodes: Vec<_> = trace.roots().map(|node| node.to_string()).collect();
            assert_eq!(nodes, ["INFO span{}", "INFO in noisy", "INFO last"]);
            assert_eq!(trace.left_out(), 1);
        }
        spans_of_other_subscribers_are_absent: {
            let ended = Capture::start();
            let of_ended = info_span!("foreign");
            drop(ended);
            let registry = tracing::Dispatch::new(tracing_subscriber::registry());
            let of_registry = tracing::dispatcher::with_default(&registry, || info_span!("foreign"));
            let other = Capture::start();
            let of_other = info_span!("foreign");

            let capture = Capture::start_process_wide();
            for foreign in [&of_ended, &of_registry, &of_other] {
                let own = info_span!("own");
                own.in_scope(|| {
                    info!(parent: foreign, "explicit");
                    info_span!(parent: foreign, "explicit").in_scope(|| info!("in it"));
                    own.follows_from(foreign);
                    foreign.in_scope(|| info!("contextual"));
                });
                drop(own);
                let tree = "INFO own{}\n└─ INFO contextual\nINFO explicit\nINFO explicit{}\n└─ INFO in it";
                let trace = capture.take();
                assert_eq!(trace.to_string(), tree);
                assert!(trace.all_spans().all(|span| span.follows_from().len() == 0));
            }
            // The other way round: nothing of the process-wide one gets into a capture that has ended.
            let own = info_span!("own");
            other.handle().in_scope(|| info!(parent: &own, "explicit"));
            drop((own, of_other));
            assert_eq!(other.finish().to_string(), "INFO foreign{}\nINFO explicit");
        }
        what_is_created_in_a_span_of_the_test_is_the_tests: {
            static STATIC: std::sync::OnceLock<Span> = std::sync::OnceLock::new();

            let earlier = Capture::start_process_wide();
            let static_span = STATIC.get_or_init(|| info_span!("static"));
            drop(earlier);
            let of_nobody = thread::spawn(|| info_span!("of nobody")).join().unwrap();
            let capture = Capture::start_process_wide();
            let request = info_span!("request");
            thread::spawn(move || {
                request.in_scope(|| {
                    info!(parent: None, "root");
                    info_span!(parent: None, "root").in_scope(|| info!("in it"));
                    for span in [static_span, &of_nobody] {
                        info!(parent: span, "explicit");
                        info_span!(parent: span, "explicit").in_scope(|| info!("in it"));
                        span.in_scope(|| info!("contextual"));
                    }
                });
            })
            .join()
            .unwrap();
            let explicit = "INFO explicit\nINFO explicit{}\n└─ INFO in it";
            let tree = format!(
                "INFO request{{}}\n└─ ⟨2×⟩ INFO contextual\nINFO root\nINFO root{{}}\n└─ INFO in it\n{explicit}\n{explicit}"
            );
            assert_eq!(capture.finish().to_string(), tree);
        }
        span_may_follow_from_one_that_is_closed: {
            let capture = Capture::start_process_wide();
            let closed = info_span!("closed").id();
            info_span!("span").follows_from(closed);
            let tree = "INFO closed{}\nINFO span{} (follows from closed)";
            assert_eq!(capture.finish().to_string(), tree);
        }
        panic_leaves_the_thread_as_it_was: {
            let _ = std::panic::catch_unwind(|| {
                let _capture = Capture::builder().print(spanshot::Print::Never).start_process_wide();
                let _entered = info_span!("open").entered();
                panic!("as it was told to");
            });
            assert!(Span::current().is_none());
            let capture = Capture::start_process_wide();
            info!("captured");
            assert_eq!(capture.finish().to_string(), "INFO captured");
        }
    }
}

mod several {
    use std::{sync::Barrier, thread};

    use spanshot::{Capture, capture::ParentKind, predicates::*};
    use tracing::{Level, Span, error, field, info, info_span};

    /// Runs a function, and returns the message that it panics with.
    fn failure(f: impl FnOnce()) -> String {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
        *panic.downcast::<String>().unwrap()
    }

    /// Counts the events with this message that belong to no test.
    fn unattributed(text: &str) -> usize {
        let trace = Capture::unattributed();
        trace.all_events().filter(|event| event.message() == Some(text)).count()
    }

    tests! {
        parents_are_of_their_kind_and_handles_are_counted: {
            let capture = Capture::start_process_wide();
            let job = info_span!("job");
            let clone = job.clone();
            let worker = thread::spawn(move || clone.in_scope(|| info!("contextual")));
            worker.join().unwrap();
            info!(parent: &job, "explicit");
            info!(parent: None, "explicit root");
            info!("contextual root"); // in the span that stands for the test, which is in no trace
            drop(job);
            let trace = capture.finish();
            for (text, kind) in [
                ("contextual", ParentKind::Contextual),
                ("explicit", ParentKind::Explicit),
                ("explicit root", ParentKind::ExplicitRoot),
                ("contextual root", ParentKind::ContextualRoot),
            ] {
                trace.scan_events().single(&(message(text) & parent_kind(kind)));
            }
            // By name: a neighbour may have such a span that no test can claim.
            let job = name("job") & parent_kind(ParentKind::ContextualRoot);
            trace.scan_spans().single(&(job & cloned(1) & dropped(2) & closed()));
        }
        pool_that_is_attached_to_a_capture_that_has_ended: {
            let earlier = Capture::start();
            let pool = crate::Pool::attached_to(&earlier);
            drop(earlier);
            let capture = Capture::start_process_wide();
            info!("captured");
            pool.run(|| error!("of the pool"));
            let trace = capture.finish();
            trace.scan_events().try_none(&message("of the pool")).unwrap_err();
            assert_eq!(unattributed("of the pool"), 1);
        }
        bare_thread_belongs_to_nobody: {
            let capture = Capture::start_process_wide();
            thread::spawn(|| {
                info!("bare: root");
                info_span!("bare", late = field::Empty).in_scope(|| {
                    info!("bare: in a span");
                    Span::current().record("late", 1);
                });
            })
            .join()
            .unwrap();
            assert_eq!(capture.trace().all_events().len(), 0);
            assert_eq!(unattributed("bare: root"), 1);
            let trace = Capture::unattributed();
            let span = trace.scan_spans().single(&name(eq("bare")));
            assert!(span["late"] == 1 && span.stats().is_closed && span.stats().exited == 1);
            span.scan_events().single(&message(eq("bare: in a span")));
        }
        negatives_refuse_what_no_test_can_claim: {
            let quiet = || Capture::builder().print(spanshot::Print::Never);
            thread::spawn(|| error!("before")).join().unwrap();
            let capture = quiet().start_process_wide();
            info!("of the test");
            capture.trace().scan_events().none(&message("before"));
            thread::spawn(|| error!(of = "nobody", "claimed by nobody")).join().unwrap();
            let trace = capture.trace();
            let events = trace.scan_events();
            let claimed = field("of", "nobody");
            for result in [
                events.try_none(&claimed),
                events.try_count(0, &claimed).map(drop),
                events.try_count(..=1, &(claimed | message("of the test"))).map(drop),
                events.try_single(&(claimed | message("of the test"))).map(drop),
                events.try_all(&!claimed),
                events.or_empty().try_none(&claimed),
            ] {
                let message = result.unwrap_err().to_string();
                assert!(message.contains("claimed by nobody"), "{message}");
                for way_out in ["attach_thread()", "nextest", "ignore_unattributed()"] {
                    assert!(message.contains(way_out), "{message}");
                }
            }
            events.try_exactly(&[&message("of the test")]).unwrap_err();
            let refused = failure(|| spanshot::assert_trace_snapshot!(trace, @"INFO of the test"));
            assert!(refused.contains("no test can claim"), "{refused}");
            // A positive that fails says that there would be one.
            let message = events.try_any(&claimed).unwrap_err().to_string();
            assert!(message.contains("claimed by nobody"), "{message}");
            // What it cannot break holds.
            events.none(&field("of", "somebody"));
            events.single(&spanshot::predicates::message("of the test"));
            events.ignore_unattributed().none(&claimed);
            info_span!("span").in_scope(|| info!("in it"));
            let trace = capture.take();
            let span = trace.scan_spans().single(&name("span"));
            span.scan_events().none(&claimed);
            // It was before what comes now.
            info!("after");
            capture.trace().scan_events().none(&claimed);
            drop(capture);

            let capture = quiet().ignore_unattributed().start_process_wide();
            info!("of the test");
            thread::spawn(|| error!(of = "nobody", "claimed by nobody")).join().unwrap();
            capture.trace().scan_events().none(&claimed);
        }
        checks_at_the_end_fail_on_what_no_test_can_claim: {
            let builder = || Capture::builder().print(spanshot::Print::Never).fail_on_events(Level::WARN);
            let capture = builder().start_process_wide();
            thread::spawn(|| error!("unclaimed")).join().unwrap();
            capture.take();
            let message = failure(|| drop(capture.finish()));
            assert!(message.contains("ERROR unclaimed") && message.contains("attach_thread()"), "{message}");

            for builder in [Capture::builder().fail_on_open_spans(), Capture::builder().fail_on_unbalanced_enters()] {
                let capture = builder.print(spanshot::Print::Never).start_process_wide();
                thread::spawn(|| std::mem::forget(info_span!("leaked").entered())).join().unwrap();
                let message = failure(|| drop(capture.finish()));
                assert!(message.contains("INFO leaked{}") && message.contains("attach_thread()"), "{message}");
            }
            // What the filter would have hidden is not the test's in any case.
            let capture = builder().filter("warn").start_process_wide();
            tracing::warn!(target: "expected", "of the test");
            thread::spawn(|| info!("below the filter")).join().unwrap();
            let trace = capture.trace();
            let below = trace.scan_events().try_none(&spanshot::predicates::message("below the filter"));
            assert!(below.is_ok(), "{below:?}");
            failure(|| drop(capture.finish()));
            let capture = Capture::builder().filter("warn").fail_on_open_spans().start_process_wide();
            thread::spawn(|| std::mem::forget(info_span!("below the filter"))).join().unwrap();
            capture.finish();

            let capture = builder()
                .allow_events(|event| event.message() == Some("unclaimed"))
                .ignore_unattributed()
                .start_process_wide();
            thread::spawn(|| error!("unclaimed")).join().unwrap();
            capture.finish();
        }
        span_of_nobody_on_the_thread_of_a_test: {
            let capture = Capture::start_process_wide();
            let span = thread::spawn(|| info_span!("found")).join().unwrap();
            span.in_scope(|| info_span!("inner").in_scope(|| info!("found: in inner")));
            info!(parent: &span, "found: explicit");
            let tree = "INFO inner{}\n└─ INFO found: in inner\nINFO found: explicit";
            assert_eq!(capture.finish().to_string(), tree);
            thread::spawn(move || span.in_scope(|| info!("found: bare"))).join().unwrap();
            assert_eq!(unattributed("found: bare"), 1);
        }
        tasks_of_a_runtime: {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
            runtime.block_on(async {
                let capture = Capture::start_process_wide();
                tokio::spawn(async { info!("task: spawned") }).await.unwrap();
                info!("task: of the test");
                assert_eq!(capture.finish().to_string(), "INFO task: of the test");
                assert_eq!(unattributed("task: spawned"), 1);
            });
            // On the thread of the test, all tasks are the test's.
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let capture = Capture::start_process_wide();
                tokio::spawn(async { info!("spawned") }).await.unwrap();
                assert_eq!(capture.finish().to_string(), "INFO spawned");
            });
        }
        what_goes_on_after_its_test_is_not_given_to_another: {
            let capture = Capture::start_process_wide();
            let (test, handle) = (Span::current(), capture.handle());
            let span = info_span!("of the first");
            drop(capture);

            let other = Capture::start_process_wide();
            // On the thread of the other test, as if it drove a runtime that both share.
            span.in_scope(|| {
                info!("late: in a span");
                info_span!("late").in_scope(|| info!("late: in a new span"));
                span.record("no_such_field", 1);
            });
            test.in_scope(|| info!("late: in the test"));
            info!(parent: &span, "late: explicit");
            handle.in_scope(|| info!("late: carried"));
            thread::spawn(move || {
                handle.in_scope(|| info!("late: carried"));
                span.in_scope(|| info!("late: in a span"));
                drop((span, test));
            })
            .join()
            .unwrap();
            assert_eq!(other.finish().all_events().len(), 0);
            let counts = ["in a span", "in a new span", "in the test", "explicit", "carried"]
                .map(|text| unattributed(&format!("late: {text}")));
            assert_eq!(counts, [2, 1, 1, 1, 2]);
            let trace = Capture::unattributed();
            let late = trace.scan_spans().single(&name(eq("late")));
            late.scan_events().single(&message(eq("late: in a new span")));
        }
        many_tests_at_once: {
            const TESTS: usize = 32;

            let start = Barrier::new(TESTS);
            thread::scope(|scope| {
                for number in 0..TESTS {
                    let start = &start;
                    scope.spawn(move || {
                        let capture = Capture::start_process_wide();
                        start.wait();
                        thread::scope(|scope| {
                            for _ in 0..2 {
                                let test = Span::current();
                                scope.spawn(move || {
                                    let _entered = test.entered();
                                    for _ in 0..50 {
                                        info_span!("many", number).in_scope(|| info!(number, "many: in"));
                                    }
                                });
                                scope.spawn(move || info!(number, "many: bare"));
                            }
                            for _ in 0..50 {
                                info_span!(parent: None, "many", number)
                                    .in_scope(|| info!(parent: None, number, "many: root"));
                            }
                        });
                        let trace = capture.finish();
                        assert_eq!((trace.all_spans().len(), trace.all_events().len()), (150, 150));
                        assert!(trace.all_spans().all(|span| span["number"] == number));
                        assert!(trace.all_events().all(|event| event["number"] == number));
                        assert_eq!(trace.root_events().len(), 50);
                    });
                }
            });
            assert_eq!(unattributed("many: bare"), TESTS * 2);
            assert_eq!(unattributed("many: in") + unattributed("many: root"), 0);
        }
    }
}

/// Each has a process to itself: negatives of others would refuse, too.
mod allowing {
    use std::{
        process::abort,
        sync::{
            OnceLock,
            mpsc::{RecvTimeoutError, channel},
        },
        thread,
        time::Duration,
    };

    use spanshot::{Capture, CaptureLayer, SharedStorage};
    use tracing::{Level, error, warn};
    use tracing_subscriber::{layer::SubscriberExt, registry};

    static STORAGE: OnceLock<SharedStorage> = OnceLock::new();

    tests! {
        function_that_allows_an_event_traces: {
            let (done, watched) = channel::<()>();
            // Instead of a hang.
            thread::spawn(move || {
                if watched.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
                    abort();
                }
            });
            let capture = Capture::builder()
                .fail_on_events(Level::WARN)
                .allow_events(|event| {
                    let layer = STORAGE.get().map(CaptureLayer::new);
                    tracing::subscriber::with_default(registry().with(layer), || warn!("is it?"));
                    event.message() == Some("unclaimed")
                })
                .start_process_wide();
            STORAGE.set(capture.storage().clone()).unwrap();
            thread::spawn(|| error!("unclaimed")).join().unwrap();
            capture.finish();
            drop(done);
        }
    }
}

mod lost {
    use std::thread;

    use spanshot::{
        Capture, Print, TracingEvent, TracingEventReceiver, capture::ProcessWideLayer,
        predicates::*,
    };
    use tracing::{Level, info};
    use tracing_subscriber::{layer::SubscriberExt, registry, util::SubscriberInitExt};

    fn start() -> Capture {
        let capture = Capture::builder().print(Print::Never).start_process_wide();
        info!("captured");
        capture
    }

    fn refuse() {
        let mut receiver = TracingEventReceiver::default();
        receiver.try_receive(TracingEvent::SpanDropped { id: 7 }).unwrap_err();
    }

    #[track_caller]
    fn assert_lost(capture: &Capture, lost: Option<&str>) {
        let result = capture.trace().scan_events().try_none(&level(Level::ERROR));
        match lost {
            None => result.unwrap(),
            Some(lost) => {
                let message = result.unwrap_err().to_string();
                assert!(message.contains(&format!("since {lost}")), "{message}");
            }
        }
    }

    const OF_TEST: Option<&str> =
        Some("a record of a receiver was lost: there is no span with ID 7");
    const OF_NOBODY: Option<&str> = Some("1 record of receivers that no test can claim was lost");

    tests! {
        by_the_test: {
            let capture = start();
            refuse();
            assert_lost(&capture, OF_TEST);
            drop(capture);
            assert_lost(&start(), None);
        }
        by_nobody: {
            let capture = start();
            thread::spawn(refuse).join().unwrap();
            assert_lost(&capture, OF_NOBODY);
            capture.take();
            info!("captured");
            assert_lost(&capture, None);
            drop(capture);
            assert_lost(&start(), None);
            let capture = Capture::builder().ignore_lost_records().start_process_wide();
            info!("captured");
            thread::spawn(refuse).join().unwrap();
            assert_lost(&capture, None);
        }
        alone: {
            registry().with(ProcessWideLayer::new()).init();
            let capture = start();
            thread::spawn(refuse).join().unwrap();
            assert_lost(&capture, OF_TEST);
        }
    }
}

/// What one test after another gets in one process.
mod turns {
    use std::thread;

    use spanshot::{Capture, Print, predicates::*};
    use tracing::{Level, error, info, info_span};

    tests! {
        task_of_an_earlier_test: {
            let earlier = Capture::start_process_wide();
            let span = info_span!("of the earlier one");
            drop(earlier);
            let capture = Capture::builder().print(Print::Never).start_process_wide();
            info!("own");
            thread::spawn(move || span.in_scope(|| error!("late"))).join().unwrap();
            let trace = capture.trace();
            assert_eq!(trace.to_string(), "INFO own");
            let failed = trace.scan_events().try_any(&level(Level::ERROR)).unwrap_err().to_string();
            assert!(failed.contains("this event matches, but no test can claim it:\n\n  ERROR late"), "{failed}");
            let refusal = trace.scan_events().try_none(&level(Level::ERROR)).unwrap_err().to_string();
            assert!(refusal.starts_with("this cannot be decided, since 1 event"), "{refusal}");
        }
    }
}

mod one {
    use std::thread;

    use spanshot::{Capture, predicates::*};
    use tracing::{Level, info, info_span};

    tests! {
        verdicts_are_on_what_bare_threads_trace: {
            let builder = || Capture::builder().print(spanshot::Print::Never);
            let capture = builder().start_process_wide();
            thread::spawn(|| tracing::error!("failed")).join().unwrap();
            let trace = capture.trace();
            trace.scan_events().single(&level(Level::ERROR));
            assert!(trace.scan_events().try_none(&level(Level::ERROR)).is_err());
            drop(capture);
            let capture = builder().fail_on_events(Level::WARN).start_process_wide();
            thread::spawn(|| tracing::error!("failed")).join().unwrap();
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| capture.finish())).unwrap_err();
        }
        bare_threads: {
            let capture = Capture::start_process_wide();
            thread::spawn(|| {
                info!("bare");
                info_span!("bare").in_scope(|| info!("in it"));
            })
            .join()
            .unwrap();
            info!("own");
            let tree = "INFO bare\nINFO bare{}\n└─ INFO in it\nINFO own";
            assert_eq!(capture.finish().to_string(), tree);
            thread::spawn(|| info!("too late")).join().unwrap();
            assert_eq!(Capture::unattributed().to_string(), "INFO too late");
        }
        pool_that_is_attached_to_a_capture_that_has_ended: {
            let earlier = Capture::start();
            let pool = crate::Pool::attached_to(&earlier);
            pool.run(|| info!("of the earlier one"));
            assert_eq!(earlier.finish().to_string(), "INFO of the earlier one");
            pool.run(|| info!("of nobody"));
            let builder = Capture::builder().print(spanshot::Print::Never);
            let capture = builder.fail_on_events(Level::WARN).start_process_wide();
            pool.run(|| {
                info_span!("outer", late = tracing::field::Empty).in_scope(|| {
                    tracing::Span::current().record("late", 1);
                    info_span!("inner").in_scope(|| tracing::warn!("inside"));
                });
            });
            let trace = capture.trace();
            assert_eq!(trace.to_string(), "INFO outer{late=1}\n└─ INFO inner{}\n   └─ WARN inside");
            assert!(trace.scan_events().try_none(&level(Level::WARN)).is_err());
            assert!(trace.all_spans().all(|span| span.stats().is_closed && span.stats().entered == 1));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| capture.finish())).unwrap_err();
        }
        captures_in_turn: {
            let capture = Capture::start_process_wide();
            let span = info_span!("of the first");
            drop(capture);
            let capture = Capture::start_process_wide();
            let go_on = move || span.in_scope(|| info_span!("late").in_scope(|| info!("late")));
            thread::spawn(go_on).join().unwrap();
            assert_eq!(capture.finish().to_string(), "INFO late{}\n└─ INFO late");
            assert_eq!(Capture::unattributed().roots().len(), 0);
        }
        tasks_of_a_runtime: {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
            runtime.block_on(async {
                let capture = Capture::start_process_wide();
                tokio::spawn(async { info!("spawned") }).await.unwrap();
                assert_eq!(capture.finish().to_string(), "INFO spawned");
            });
        }
        captures_in_one_another: {
            let outer = Capture::start_process_wide();
            let inner = Capture::start_process_wide();
            thread::spawn(|| info!("bare")).join().unwrap();
            assert_eq!(inner.finish().to_string(), "INFO bare");
            thread::spawn(|| info!("bare, too")).join().unwrap();
            assert_eq!(outer.finish().to_string(), "INFO bare, too");
        }
    }
}
