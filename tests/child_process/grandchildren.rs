//! Children that start themselves again, replace themselves, or fork: whatever their descendants do, the child's own
//! trace arrives as a whole.

#[cfg(unix)]
use std::sync::mpsc;

use super::*;

/// Events that each process traces while the others do.
const EVENTS: u64 = 300;

/// Text with line ends, some of it longer than a pipe takes at once.
fn text(number: u64) -> String {
    "line\n".repeat(if number % 10 == 0 { 5_000 } else { 3 })
}

fn trace_events(process: &str) {
    for number in 0..EVENTS {
        info!(process, number, text = text(number));
    }
}

/// This binary again, with everything that a process hands down: environment, output and error stream.
fn descendant(what: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "runs_as_child", "--nocapture", "--test-threads=1"]).env(CHILD, what);
    command
}

/// What a child of these tests does with its stream.
pub(super) fn run(what: &str) {
    match what {
        "is spawned" => trace_events("grandchild"),
        "is spawned and waits" => {
            // Until its parent is gone.
            io::stdin().read_to_end(&mut vec![]).unwrap();
            trace_events("grandchild");
        }
        "spawns" => {
            let mut children: Vec<_> =
                (0..3).map(|_| descendant("is spawned").spawn().unwrap()).collect();
            trace_events("child");
            for child in &mut children {
                assert!(child.wait().unwrap().success());
            }
            info!(process = "child", number = EVENTS, text = text(EVENTS));
        }
        "spawns and leaves" => {
            trace_events("child");
            let child = descendant("is spawned and waits").stdin(Stdio::piped()).spawn().unwrap();
            // Its input stays open until this process has ended.
            std::mem::forget(child);
            info!(process = "child", number = EVENTS, text = text(EVENTS));
        }
        #[cfg(unix)]
        "replaces itself" => {
            use std::os::unix::process::CommandExt;

            trace_events("child");
            let error = descendant("is spawned").exec();
            panic!("{error}");
        }
        #[cfg(unix)]
        "forks and both return" => {
            let fork = fork();
            trace_events(if fork == 0 { "fork" } else { "child" });
            if fork != 0 {
                wait_for(fork);
                info!(process = "child", number = EVENTS, text = text(EVENTS));
            }
        }
        #[cfg(unix)]
        "forks and the fork exits" => {
            let span = info_span!("inherited").entered();
            let fork = fork();
            if fork == 0 {
                drop(span); // no more than the parent's own span, of which nothing is lost
                exit_at_once();
            }
            trace_events("child");
            wait_for(fork);
            info!(process = "child", number = EVENTS, text = text(EVENTS));
        }
        #[cfg(unix)]
        "forks while it writes" => forks_while_it_writes(),
        _ => panic!("{what}"),
    }
}

/// An output that stops in the middle of a write until it is told to go on.
#[cfg(unix)]
struct Stops(mpsc::Sender<()>, mpsc::Receiver<()>);

#[cfg(unix)]
impl Write for Stops {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(()).unwrap();
        self.1.recv().unwrap();
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A thread writes to the stream, which is locked, at the time of the fork.
#[cfg(unix)]
fn forks_while_it_writes() {
    let ((writes, is_writing), (go_on, goes_on)) = (mpsc::channel(), mpsc::channel());
    let stream = thread::spawn(|| child_process::install(Stops(writes, goes_on)).unwrap());
    is_writing.recv().unwrap();
    let fork = fork();
    if fork == 0 {
        // It would wait for ever.
        alarm();
        info!(process = "fork", number = 0, text = text(0));
        exit_at_once();
    }
    wait_for(fork);
    let step = || go_on.send(()).unwrap();
    step();
    let stream = stream.join().unwrap();
    let traces = thread::spawn(|| info!(process = "child", number = 0, text = text(1)));
    for _ in 0..2 {
        is_writing.recv().unwrap();
        step();
    }
    traces.join().unwrap();
    let finishes = thread::spawn(|| stream.finish().unwrap());
    is_writing.recv().unwrap();
    step();
    finishes.join().unwrap();
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "it has the system kill a process that hangs")]
pub(super) fn alarm() {
    unsafe { libc::alarm(60) };
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "there is no other way to fork")]
fn fork() -> libc::pid_t {
    let fork = unsafe { libc::fork() };
    assert!(fork >= 0);
    fork
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "a fork is no `std::process::Child`")]
fn wait_for(fork: libc::pid_t) {
    let mut status = 0;
    assert_eq!(unsafe { libc::waitpid(fork, &raw mut status, 0) }, fork);
    assert_eq!(status, 0);
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "it runs nothing else, as programs do in a fork")]
fn exit_at_once() -> ! {
    unsafe { libc::_exit(0) }
}

fn received(what: &str, pipe: Pipe) -> (SharedStorage, Receipt) {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let finished = child_process::run_with(&mut child(what), pipe, &mut receiver, |_| ()).unwrap();
    assert!(finished.status.success(), "{what}");
    (storage, finished.receipt)
}

/// Asserts that so many events of the child arrived, in order and unchanged, and none of another process.
#[track_caller]
fn assert_whole(storage: &SharedStorage, count: u64) {
    let trace = storage.lock();
    let events = trace.all_events().map(|event| {
        let number = u64::try_from(event["number"].as_uint().unwrap()).unwrap();
        assert_eq!(event["process"].as_str(), Some("child"));
        assert!(event["text"].as_str() == Some(&text(number)), "text of event {number}");
        number
    });
    let numbers: Vec<_> = events.collect();
    assert!(numbers.iter().copied().eq(0..count), "{numbers:?}");
}

/// Asserts that the stream was ended by the child, and that nothing is wrong but the streams of others.
#[track_caller]
fn assert_others(receipt: &Receipt, count: usize, message: &str) {
    assert!(matches!(receipt.end, StreamEnd::Finished), "{receipt:?}");
    assert_eq!(receipt.problems.len(), count, "{receipt:?}");
    for problem in &receipt.problems {
        assert!(problem.to_string().contains(message), "{problem}");
    }
}

/// Says in a message that the variable was inherited, and what to do.
const INHERITED: &str = "start it without SPANSHOT_STREAM in its environment";

#[test]
fn grandchildren_that_trace_at_once_cost_the_child_nothing() {
    for pipe in [Pipe::Stdout, Pipe::Stderr] {
        let (storage, receipt) = received("spawns", pipe);
        assert_whole(&storage, EVENTS + 1);
        assert_others(&receipt, 3, INHERITED);
    }
}

#[test]
fn grandchild_that_outlives_the_child_costs_it_nothing() {
    for pipe in [Pipe::Stdout, Pipe::Stderr] {
        let (storage, receipt) = received("spawns and leaves", pipe);
        assert_whole(&storage, EVENTS + 1);
        assert_others(&receipt, 1, INHERITED);
    }
}

#[cfg(unix)]
#[test]
fn child_that_replaces_itself_has_sent_all_before_it() {
    for pipe in [Pipe::Stdout, Pipe::Stderr] {
        let (storage, receipt) = received("replaces itself", pipe);
        assert_whole(&storage, EVENTS);
        assert!(matches!(receipt.end, StreamEnd::Open), "{receipt:?}");
        assert_eq!(receipt.problem_count, 1, "{receipt:?}");
        let problem = receipt.problems[0].to_string();
        assert!(problem.contains("after `exec`"), "{problem}");
    }
}

#[cfg(unix)]
#[test]
fn fork_that_traces_costs_the_child_nothing() {
    for pipe in [Pipe::Stdout, Pipe::Stderr] {
        let (storage, receipt) = received("forks and both return", pipe);
        assert_whole(&storage, EVENTS + 1);
        assert_others(&receipt, 1, "was forked");
    }
}

#[cfg(unix)]
#[test]
fn fork_that_only_leaves_inherited_spans_is_no_problem() {
    let (storage, receipt) = received("forks and the fork exits", Pipe::Stderr);
    assert_whole(&storage, EVENTS + 1);
    receipt.into_result().unwrap();
    assert_eq!(storage.lock().all_spans().len(), 1);
}

#[cfg(unix)]
#[test]
fn fork_does_not_wait_for_a_thread_that_it_does_not_have() {
    let output = child("forks while it writes").stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = spanshot::transport::stream::receive(&*output.stderr, &mut receiver);
    receipt.into_result().unwrap();
    assert_eq!(storage.lock().all_events().len(), 1);
}

#[test]
fn stream_of_an_earlier_run_is_kept_and_reported() {
    let path = file("earlier.spanshot");
    let _ = fs::remove_file(&path); // if a run before this one failed
    for _ in 0..2 {
        let status = child("traces").env(child_process::STREAM_VARIABLE, &path).status().unwrap();
        assert!(status.success());
    }
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = RecordedTrace::open(&path).unwrap().replay(&mut receiver);
    assert_others(&receipt, 1, "if it is of an earlier run, delete the file before each run");
    assert_eq!((receipt.frames, receipt.other_frames), (receipt.other_frames, receipt.frames));
    assert_eq!(storage.lock().to_string(), "INFO work{step=1}\n└─ WARN slow");
    fs::remove_file(path).unwrap();
}

#[test]
fn grandchildren_append_to_the_file_of_the_child() {
    let path = file("grandchildren.spanshot");
    let _ = fs::remove_file(&path); // if a run before this one failed
    let status = child("spawns").env(child_process::STREAM_VARIABLE, &path).status().unwrap();
    assert!(status.success());
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let receipt = RecordedTrace::open(&path).unwrap().replay(&mut receiver);
    assert_whole(&storage, EVENTS + 1);
    assert_others(&receipt, 3, INHERITED);
    fs::remove_file(path).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn grandchildren_inherit_the_file_descriptor_of_the_child() {
    let mut child = Command::new("sh")
        .args(["-c", r#"exec "$0" "$@" 3>&1 >/dev/null 2>/dev/null"#])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "runs_as_child", "--nocapture", "--test-threads=1"])
        .env(CHILD, "spawns")
        .env(child_process::STREAM_VARIABLE, "/dev/fd/3")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    let stdout = child.stdout.take().unwrap();
    let receipt = spanshot::transport::stream::receive(stdout, &mut receiver);
    assert!(child.wait().unwrap().success());
    assert_whole(&storage, EVENTS + 1);
    assert_others(&receipt, 3, INHERITED);
}
