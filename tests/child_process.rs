//! Child processes that trace into a pipe, a file or a file descriptor.
//!
//! The child is this binary again, told by an environment variable what to do. It is one of its own since
//! a child's subscriber is that of the whole process.

use std::{
    env, fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio, exit},
    thread,
};

use spanshot::{
    Capture, Keep, SharedStorage, TracingEventReceiver,
    predicates::*,
    transport::{
        child_process::{self, Pipe},
        recorded::RecordedTrace,
        stream::{Problem, Receipt, StreamEnd, StreamError, StreamReceiver},
    },
};
use tracing::{Level, info, info_span, warn};

#[path = "child_process/grandchildren.rs"]
mod grandchildren;

/// Says what the child is to do.
const CHILD: &str = "SPANSHOT_TEST_CHILD";

/// The lines that the child's test wrote, without what libtest writes before and after them.
fn without_harness(text: &[u8]) -> Vec<String> {
    let of_test = |line: &str| line.find("line ").map(|start| line[start..].to_owned());
    String::from_utf8_lossy(text).lines().filter_map(of_test).collect()
}

fn child(what: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "runs_as_child", "--nocapture", "--test-threads=1"]).env(CHILD, what);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Text of a frame that does not fit into a pipe.
fn long_text() -> String {
    "x".repeat(1 << 20)
}

/// Does nothing unless it is the child.
#[test]
fn runs_as_child() {
    let Ok(what) = env::var(CHILD) else { return };
    if what == "forks while it writes" {
        return grandchildren::run(&what); // it installs by itself
    }
    let stream = child_process::install_from_env().unwrap().expect("the host asks for a stream");
    match &*what {
        "traces" => {
            info_span!("work", step = 1).in_scope(|| {
                println!("line to output");
                eprintln!("line to error");
                warn!("slow");
            });
        }
        "threads" => {
            thread::scope(|scope| {
                for number in 0..4 {
                    scope.spawn(move || {
                        for step in 0..500 {
                            info_span!("step", number, step).in_scope(|| {
                                println!("line {number} {step} of a child");
                                eprintln!("line {number} {step} of a child");
                                info!("done");
                            });
                        }
                    });
                }
            });
        }
        "fast" => (0..100_000).for_each(|number| info!(number, text = "x".repeat(100))),
        "long" => {
            let text = long_text();
            (0..1_000_u64).for_each(|number| info!(number, text));
        }
        "exits" => {
            info!("before the exit");
            exit(3);
        }
        "panics" => {
            let _entered = info_span!("work").entered();
            panic!("as it was told to");
        }
        "traces after its stream is dropped" => {
            info!("before");
            drop(stream);
            (0..2).for_each(|number| tracing::error!(number, "lost"));
            return;
        }
        "traces after its stream is finished" => {
            info!("before");
            stream.finish().unwrap();
            return tracing::error!("not of the trace");
        }
        "twice" => {
            let error = child_process::install(io::sink()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            info!("said");
        }
        "closed" => {
            // The host has closed the pipe by the time that it answers.
            io::stdin().read_to_end(&mut vec![]).unwrap();
            (0..10).for_each(|number| info!(number));
            let error = stream.finish().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            exit(7);
        }
        #[cfg(unix)]
        "does not block" => {
            do_not_block_outputs();
            (0..5_000_u64).for_each(|number| info!(number, text = "x".repeat(500)));
        }
        #[cfg(unix)]
        "opens too many files" => {
            info!("before");
            let files = leave_no_file_descriptor();
            warn!("meanwhile");
            println!("line of the child");
            drop(files);
            info!("after");
        }
        #[cfg(unix)]
        "traces under the lock of an output" => {
            grandchildren::alarm();
            let worker = || info!("worker");
            let _output = io::stdout().lock();
            thread::scope(|scope| scope.spawn(worker).join().unwrap());
            let _error = io::stderr().lock();
            thread::scope(|scope| scope.spawn(worker).join().unwrap());
        }
        #[cfg(unix)]
        "loses its output" => {
            info!("before");
            close_stdout();
            tracing::error!("lost");
            return;
        }
        what => grandchildren::run(what),
    }
    stream.finish().unwrap();
}

#[test]
fn child_is_received_by_either_pipe_and_its_text_passed_on() {
    for (pipe, name) in [(Pipe::Stdout, "output"), (Pipe::Stderr, "error")] {
        let capture = Capture::start();
        let mut text = vec![];
        let mut receiver = TracingEventReceiver::default();
        let finished =
            child_process::run_with(&mut child("traces"), pipe, &mut receiver, |bytes| {
                text.extend_from_slice(bytes);
            })
            .unwrap();
        assert!(finished.status.success());
        finished.receipt.into_result().unwrap();
        assert_eq!(capture.trace().to_string(), "INFO work{step=1}\n└─ WARN slow");
        assert_eq!(without_harness(&text), [format!("line to {name}")]);
    }
}

#[test]
fn threads_of_a_child_trace_and_write_at_once() {
    for pipe in [Pipe::Stdout, Pipe::Stderr] {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let mut text = vec![];
        let finished =
            child_process::run_with(&mut child("threads"), pipe, &mut receiver, |bytes| {
                text.extend_from_slice(bytes);
            })
            .unwrap();
        finished.receipt.into_result().unwrap();
        let trace = storage.lock();
        assert_eq!((trace.all_spans().len(), trace.all_events().len()), (2_000, 2_000));
        assert!(trace.all_events().all(|event| event.parent().is_some()));
        let mut lines = without_harness(&text);
        let expected = (0..4).flat_map(|number| {
            (0..500).map(move |step| format!("line {number} {step} of a child"))
        });
        let mut expected: Vec<_> = expected.collect();
        lines.sort();
        expected.sort();
        assert!(lines == expected, "{} lines", lines.len());
    }
}

#[test]
fn nothing_of_a_fast_child_is_lost() {
    let storage = SharedStorage::default();
    storage.set_max_nodes(10, Keep::Newest);
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let finished = child_process::run(&mut child("fast"), Pipe::Stderr, &mut receiver).unwrap();
    let receipt = finished.receipt.into_result().unwrap();
    assert_eq!(receipt.frames, 100_001);
    let trace = storage.lock();
    assert_eq!(trace.all_events().next_back().unwrap()["number"], 99_999);
}

#[test]
fn child_that_is_killed_in_a_frame_has_sent_all_before_it() {
    let packet_len = long_text().len();
    // A pipe holds less than what is left of the frame then.
    for read_len in [packet_len / 7, packet_len / 2, packet_len + packet_len / 3, 3 * packet_len] {
        let mut child = child("long")
            .env(child_process::STREAM_VARIABLE, "stderr")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let mut stream = StreamReceiver::new(&mut receiver);
        let mut chunk = vec![0; read_len];
        stderr.read_exact(&mut chunk).unwrap();
        stream.push(&chunk, |_| ());
        child.kill().unwrap();
        child.wait().unwrap();
        let receipt = stream.read(stderr, |_| ());

        let StreamEnd::Cut { offset, len } = receipt.end else { panic!("{receipt:?}") };
        assert!(offset + len >= read_len as u64);
        assert_eq!(receipt.problem_count, 0, "{receipt:?}");
        let trace = storage.lock();
        let numbers: Vec<_> =
            trace.all_events().map(|event| event["number"].as_uint().unwrap()).collect();
        let whole = read_len / packet_len;
        assert!(numbers.iter().copied().eq(0..numbers.len() as u128));
        assert!((whole.saturating_sub(1)..=whole).contains(&numbers.len()), "{}", numbers.len());
    }
}

#[test]
fn child_that_is_killed_anywhere_has_sent_all_before_it() {
    for read_len in (1_000..60_000).step_by(4_321) {
        let mut child = child("fast")
            .env(child_process::STREAM_VARIABLE, "stdout")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let mut stream = StreamReceiver::new(&mut receiver);
        let mut chunk = vec![0; read_len];
        stdout.read_exact(&mut chunk).unwrap();
        stream.push(&chunk, |_| ());
        child.kill().unwrap();
        let receipt = stream.read(stdout, |_| ());
        child.wait().unwrap();

        assert!(!receipt.is_complete());
        assert_eq!(receipt.problem_count, 0, "{receipt:?}");
        let trace = storage.lock();
        let numbers = trace.all_events().map(|event| event["number"].as_int().unwrap());
        assert!(numbers.eq(0..trace.all_events().len() as i128));
    }
}

#[test]
fn child_that_exits_or_panics_has_sent_all_before_it() {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    let finished = child_process::run(&mut child("exits"), Pipe::Stderr, &mut receiver).unwrap();
    assert_eq!(finished.status.code(), Some(3));
    assert!(matches!(finished.receipt.end, StreamEnd::Open), "it did not end its stream");
    assert_eq!(finished.receipt.problem_count, 0);
    assert_eq!(capture.trace().to_string(), "INFO before the exit");

    let mut text = vec![];
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let finished =
        child_process::run_with(&mut child("panics"), Pipe::Stderr, &mut receiver, |bytes| {
            text.extend_from_slice(bytes);
        })
        .unwrap();
    assert!(!finished.status.success());
    assert!(finished.receipt.is_complete(), "it was unwound");
    assert!(storage.lock().all_spans().next().unwrap().stats().is_closed);
    assert!(String::from_utf8_lossy(&text).contains("as it was told to"));
}

#[test]
fn child_that_traces_after_its_stream_is_dropped_makes_no_verdict_green() {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    let command = &mut child("traces after its stream is dropped");
    let finished = child_process::run(command, Pipe::Stderr, &mut receiver).unwrap();
    assert!(finished.status.success());
    let problems = &finished.receipt.problems[..];
    let [Problem::Stream(error @ StreamError::AfterEnd { .. })] = problems else {
        panic!("{problems:?}");
    };
    assert!(error.to_string().contains("`ChildStream` was dropped"), "{error}");
    let trace = capture.trace();
    assert_eq!(trace.to_string(), "INFO before");
    let refused = trace.scan_events().try_none(&level(Level::ERROR)).unwrap_err().to_string();
    assert!(refused.contains("comes after the end"), "{refused}");
}

#[test]
fn child_that_traces_after_it_has_finished_its_stream_has_said_what_it_wanted() {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    let command = &mut child("traces after its stream is finished");
    let finished = child_process::run(command, Pipe::Stderr, &mut receiver).unwrap();
    finished.receipt.into_result().unwrap();
    capture.trace().scan_events().none(&level(Level::ERROR));
}

/// As libraries for asynchronous input and output do.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library has no such function")]
fn do_not_block_outputs() {
    for output in [1, 2] {
        let flags = unsafe { libc::fcntl(output, libc::F_GETFL) };
        assert_eq!(unsafe { libc::fcntl(output, libc::F_SETFL, flags | libc::O_NONBLOCK) }, 0);
    }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library has no such function")]
fn close_stdout() {
    unsafe { libc::close(1) };
}

/// Opens files until there can be no more.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the standard library has no such function")]
fn leave_no_file_descriptor() -> Vec<fs::File> {
    let few = libc::rlimit { rlim_cur: 50, rlim_max: 50 };
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const few) }, 0);
    let files = (0..100).map_while(|_| fs::File::open("/dev/null").ok());
    files.collect()
}

#[cfg(unix)]
#[test]
fn child_without_a_file_descriptor_left_loses_nothing() {
    for pipe in [Pipe::Stdout, Pipe::Stderr] {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let finished = child_process::run(&mut child("opens too many files"), pipe, &mut receiver);
        let finished = finished.unwrap();
        assert!(finished.status.success());
        finished.receipt.into_result().unwrap();
        assert_eq!(storage.lock().to_string(), "INFO before\nWARN meanwhile\nINFO after");
    }
}

#[cfg(unix)]
#[test]
fn child_whose_pipe_does_not_block_loses_nothing() {
    for pipe in [Pipe::Stdout, Pipe::Stderr] {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let finished = child_process::run(&mut child("does not block"), pipe, &mut receiver);
        let finished = finished.unwrap();
        assert!(finished.status.success());
        finished.receipt.into_result().unwrap();
        let trace = storage.lock();
        let numbers = trace.all_events().map(|event| event["number"].as_uint().unwrap());
        assert!(numbers.eq(0..5_000));
    }
}

#[cfg(unix)]
#[test]
fn child_that_holds_the_lock_of_an_output_does_not_hang() {
    for pipe in [Pipe::Stdout, Pipe::Stderr] {
        let storage = SharedStorage::default();
        let mut receiver = TracingEventReceiver::capturing(&storage);
        let command = &mut child("traces under the lock of an output");
        let finished = child_process::run(command, pipe, &mut receiver).unwrap();
        assert!(finished.status.success(), "{}", finished.status);
        finished.receipt.into_result().unwrap();
        assert_eq!(storage.lock().to_string(), "⟨2×⟩ INFO worker");
    }
}

#[cfg(unix)]
#[test]
fn child_that_loses_its_output_makes_no_verdict_green() {
    let capture = Capture::start();
    let mut receiver = TracingEventReceiver::default();
    let command = &mut child("loses its output");
    let finished = child_process::run(command, Pipe::Stdout, &mut receiver).unwrap();
    assert!(finished.status.success());
    assert!(matches!(finished.receipt.end, StreamEnd::Open), "{:?}", finished.receipt);
    let trace = capture.trace();
    assert_eq!(trace.to_string(), "INFO before");
    let refused = trace.scan_events().try_none(&level(Level::ERROR)).unwrap_err().to_string();
    assert!(refused.contains("its stream was not ended"), "{refused}");
}

#[test]
fn second_installation_is_refused_and_disturbs_nothing() {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let finished = child_process::run(&mut child("twice"), Pipe::Stderr, &mut receiver).unwrap();
    assert!(finished.status.success());
    finished.receipt.into_result().unwrap();
    assert_eq!(storage.lock().to_string(), "INFO said");
}

#[test]
fn host_that_closes_the_pipe_does_not_disturb_the_child() {
    let mut child = child("closed")
        .env(child_process::STREAM_VARIABLE, "stderr")
        .stderr(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_exact(&mut [0; 4]).unwrap(); // the stream has started
    drop(stderr);
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("child-process-{name}"))
}

#[test]
fn child_sends_to_a_file_that_is_a_recorded_trace() {
    let path = file("file.spanshot");
    let before = "what was there before, and is longer than the stream. ".repeat(100);
    fs::write(&path, &before).unwrap();
    let status = child("traces").env(child_process::STREAM_VARIABLE, &path).status().unwrap();
    assert!(status.success());
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = RecordedTrace::open(&path).unwrap().replay(&mut receiver).into_result().unwrap();
    assert_eq!(receipt.foreign, before.len() as u64, "the stream was appended");
    assert_eq!(storage.lock().to_string(), "INFO work{step=1}\n└─ WARN slow");
    fs::remove_file(path).unwrap();
}

#[cfg(unix)]
#[test]
fn child_sends_to_a_named_pipe() {
    let path = file(&format!("fifo-{}", std::process::id()));
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut child = child("traces").env(child_process::STREAM_VARIABLE, &path).spawn().unwrap();
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let fifo = fs::File::open(&path).unwrap();
    let receipt = spanshot::transport::stream::receive(fifo, &mut receiver);
    assert!(child.wait().unwrap().success());
    assert_eq!(receipt.into_result().unwrap().foreign, 0);
    assert_eq!(storage.lock().to_string(), "INFO work{step=1}\n└─ WARN slow");
    fs::remove_file(path).unwrap();
}

/// The shell has the child's descriptor 3 be the pipe, and its output go elsewhere.
#[cfg(target_os = "linux")]
#[test]
fn child_sends_to_a_file_descriptor() {
    let mut child = Command::new("sh")
        .args(["-c", r#"exec "$0" "$@" 3>&1 >/dev/null 2>/dev/null"#])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "runs_as_child", "--nocapture", "--test-threads=1"])
        .env(CHILD, "traces")
        .env(child_process::STREAM_VARIABLE, "/dev/fd/3")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let stdout = child.stdout.take().unwrap();
    let receipt = spanshot::transport::stream::receive(stdout, &mut receiver);
    assert!(child.wait().unwrap().success());
    assert_eq!(receipt.into_result().unwrap().foreign, 0);
    assert_eq!(storage.lock().to_string(), "INFO work{step=1}\n└─ WARN slow");
}

#[test]
fn child_that_nobody_asks_does_not_trace() {
    for value in [None, Some("")] {
        let mut command = child("traces");
        command.env_remove(child_process::STREAM_VARIABLE);
        if let Some(value) = value {
            command.env(child_process::STREAM_VARIABLE, value);
        }
        let output = command.stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("the host asks for a stream"), "{text}");
    }
}

#[test]
fn child_that_cannot_be_started_is_an_error() {
    let mut receiver = TracingEventReceiver::default();
    let error = child_process::run(&mut Command::new("/none"), Pipe::Stdout, &mut receiver);
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[cfg(feature = "tokio")]
mod in_tasks {
    use spanshot::transport::stream::receive_async;

    use super::*;

    fn tokio_child(what: &str) -> tokio::process::Command {
        let mut command = child(what);
        command.env(child_process::STREAM_VARIABLE, "stderr").stderr(Stdio::piped());
        command.into()
    }

    #[tokio::test]
    async fn child_is_received_in_the_span_of_the_task() {
        use tracing::Instrument;

        let capture = Capture::start();
        let mut child = tokio_child("traces").spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let receipt = async {
            let mut receiver = TracingEventReceiver::default();
            let receipt = receive_async(stderr, &mut receiver).await;
            info!("received");
            receipt
        }
        .instrument(info_span!("host"))
        .await;
        receipt.into_result().unwrap();
        assert!(child.wait().await.unwrap().success());
        assert_eq!(
            capture.trace().to_string(),
            "INFO host{}\n├─ INFO work{step=1}\n│  └─ WARN slow\n└─ INFO received"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn children_are_received_at_once_each_by_its_own_capture() {
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                tokio::spawn(async {
                    let storage = SharedStorage::default();
                    let subscriber = {
                        use tracing_subscriber::layer::SubscriberExt;
                        tracing_subscriber::registry().with(spanshot::CaptureLayer::new(&storage))
                    };
                    // It goes to the subscriber that it was created with, on whichever thread.
                    let mut receiver = tracing::subscriber::with_default(
                        subscriber,
                        TracingEventReceiver::default,
                    );
                    let mut child = tokio_child("threads").spawn().unwrap();
                    let stderr = child.stderr.take().unwrap();
                    let receipt = receive_async(stderr, &mut receiver).await;
                    receipt.into_result().unwrap();
                    child.wait().await.unwrap();
                    let trace = storage.lock();
                    assert_eq!(trace.all_spans().len(), 2_000);
                    assert_eq!(trace.root_spans().len(), 2_000);
                    assert!(trace.all_events().all(|event| event.parent().is_some()));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }

    #[tokio::test]
    async fn task_is_not_in_the_spans_of_the_child_while_it_waits() {
        let (mut writer, reader) = tokio::io::duplex(64);
        let bytes = {
            let path = file("waits.spanshot");
            let status = child("panics").env(child_process::STREAM_VARIABLE, &path).status();
            status.unwrap();
            let bytes = fs::read(&path).unwrap();
            fs::remove_file(path).unwrap();
            bytes
        };
        let capture = Capture::start();
        let mut receiver = TracingEventReceiver::default();
        let sends = async {
            use tokio::io::AsyncWriteExt;
            for byte in bytes {
                writer.write_all(&[byte]).await.unwrap();
                writer.flush().await.unwrap();
                tokio::task::yield_now().await;
                info!("of the host");
            }
            drop(writer);
        };
        let (receipt, ()) = tokio::join!(receive_async(reader, &mut receiver), sends);
        receipt.into_result().unwrap();
        let trace = capture.trace();
        assert_eq!(trace.all_spans().len(), 1);
        assert!(trace.all_events().len() > 50);
        assert_eq!(trace.root_events().len(), trace.all_events().len());
    }
}

/// What is written to the host's own output does not disturb the harness.
#[test]
fn text_is_passed_on_to_the_error_stream_of_the_host() {
    if env::var_os("SPANSHOT_TEST_HOST").is_some() {
        let mut receiver = TracingEventReceiver::default();
        child_process::run(&mut child("traces"), Pipe::Stderr, &mut receiver).unwrap();
        io::stderr().flush().unwrap();
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "text_is_passed_on_to_the_error_stream_of_the_host"])
        .env("SPANSHOT_TEST_HOST", "1")
        .output()
        .unwrap();
    assert_eq!(without_harness(&output.stderr), ["line to error"]);
    assert!(!output.stderr.contains(&0xff));
}
