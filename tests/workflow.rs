//! The workflow of `examples/workflow`: a job that goes on in other processes, after crashes, and after traps.
//!
//! Each command is a process: this binary again, told by an environment variable what to do.

#[path = "../examples/workflow/commands.rs"]
mod commands;
#[path = "../examples/workflow/engine.rs"]
mod engine;
#[path = "../examples/workflow/state_file.rs"]
mod state_file;

use std::{
    env, fs,
    path::Path,
    process::{Command, exit},
    rc::Rc,
    slice,
};

use spanshot::{Capture, LocalSpans};

use engine::Guest;
use state_file::Job;

/// Says that this is a process of the workflow. Its arguments are the lines.
const ARGUMENTS: &str = "SPANSHOT_TEST_WORKFLOW";

/// Has this binary run only that test.
const AS_WORKFLOW: [&str; 4] = ["--exact", "runs_as_workflow", "--nocapture", "--test-threads=1"];

/// Comes before all that the workflow prints.
const BEGIN: &str = "(the workflow begins)\n";

/// How a guest may send: at once, two or three records at a time, and when it is told to.
const BUFFERS: [&str; 3] = ["0", "60", "50000"];

fn ways() -> impl Iterator<Item = [&'static str; 2]> {
    BUFFERS.into_iter().flat_map(|buffer| [[buffer, "false"], [buffer, "true"]])
}

/// Does nothing unless it is a process of the workflow.
#[test]
fn runs_as_workflow() {
    let Ok(arguments) = env::var(ARGUMENTS) else { return };
    print!("{BEGIN}");
    let result = match &*arguments {
        "" => commands::story(|arguments| Ok(this_program(arguments))),
        arguments => commands::run(&arguments.split('\n').collect::<Vec<_>>()),
    };
    if let Err(error) = &result {
        eprint!("{error}");
    }
    exit(i32::from(result.is_err()));
}

fn this_program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(AS_WORKFLOW).env(ARGUMENTS, arguments.join("\n"));
    command
}

/// A process of the workflow that has ended.
struct Ended {
    /// `None` if it has crashed.
    succeeded: Option<bool>,
    output: String,
    error: String,
}

fn workflow(arguments: &[&str]) -> Ended {
    let output = this_program(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!error.contains("panicked"), "{arguments:?}: {error}");
    let succeeded = match output.status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    };
    let output = text.split_once(BEGIN).map(|(_, output)| output.to_owned());
    Ended { succeeded, output: output.expect("the workflow has begun"), error }
}

impl Ended {
    /// Asserts that the process has succeeded, and captured this.
    fn assert_captured(&self, tree: &str, still_open: &str) {
        assert_eq!((self.succeeded, &*self.error), (Some(true), ""));
        self.assert_shown(tree, still_open);
    }

    fn assert_shown(&self, tree: &str, still_open: &str) {
        let lines = self.output.lines().skip_while(|line| {
            ["step ", "order ", "5 steps", "2 steps"].iter().any(|start| line.starts_with(start))
        });
        let shown = lines.collect::<Vec<_>>().join("\n");
        assert_eq!(shown, format!("{tree}\nstill open: {still_open}"));
    }

    /// The number of records that were sent in all processes.
    fn records(&self) -> u64 {
        let line = self.output.lines().find(|line| line.ends_with("records were sent")).unwrap();
        line.split(' ').nth(4).unwrap().parse().unwrap()
    }

    /// The number of the step that was begun last.
    fn last_step(&self) -> usize {
        let step = self.output.lines().filter_map(|line| line.strip_prefix("step ")).next_back();
        step.unwrap().split_once(':').unwrap().0.parse().unwrap()
    }
}

/// A file of its own, in a state that it can be brought back to.
struct StateFile {
    path: String,
    started: Vec<u8>,
}

impl StateFile {
    /// Starts a job.
    fn start(test: &str, [buffer, asks]: [&str; 2]) -> Self {
        let name = format!("workflow-{}-{test}-{buffer}-{asks}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).display().to_string();
        let started = workflow(&["start", &path, buffer, asks]);
        started.assert_captured(&shift(&["DEBUG open".to_owned(), order(2)]), r#"["shift"]"#);
        Self { started: fs::read(&path).unwrap(), path }
    }

    fn restart(&self) {
        fs::write(&self.path, &self.started).unwrap();
    }

    fn resume(&self) -> Ended {
        workflow(&["resume", &self.path])
    }

    fn retry(&self, orders: &[&str]) -> Ended {
        workflow(&[&["retry", &*self.path], orders].concat())
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(format!("{}.tmp", self.path));
        let _ = fs::remove_file(&self.path);
    }
}

fn node(line: &str, children: &[String]) -> String {
    let mut drawn = line.to_owned();
    for (left, child) in (0..children.len()).rev().zip(children) {
        let (branch, below) = if left == 0 { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        drawn.extend(["\n", branch, &child.replace('\n', &format!("\n{below}"))]);
    }
    drawn
}

fn shift(children: &[String]) -> String {
    node("INFO shift{number=7}", children)
}

fn item(item: u32) -> String {
    let price = item * 40;
    let priced = format!("DEBUG priced by the host item={item}");
    let expensive = (price > 100).then(|| format!("WARN expensive price={price}"));
    let children: Vec<_> = [priced].into_iter().chain(expensive).collect();
    node(&format!("DEBUG item{{item={item} price={price}}}"), &children)
}

fn order(items: u32) -> String {
    let total: u32 = (0..items).map(|item| item * 40).sum();
    let children: Vec<_> = (0..items).map(item).chain(["INFO served".to_owned()]).collect();
    node(&format!("INFO order{{items={items} total={total}}}"), &children)
}

/// An order of more than 12 items: the guest traps at the 13th.
fn trapped(items: u32) -> String {
    node(&format!("INFO order{{items={items}}}"), &(0..13).map(item).collect::<Vec<_>>())
}

#[test]
fn job_that_is_resumed_is_captured_as_if_it_had_not_been_suspended() {
    for way in ways() {
        let capture = Capture::builder().filter("debug").start();
        let [buffer, asks] = way;
        let (buffer, asks) = (buffer.parse().unwrap(), asks.parse().unwrap());
        let mut guest = Guest::start(buffer, asks, &(Rc::new(|| ()) as _)).unwrap();
        for (export, argument) in
            [("shift", 7), ("order", 2), ("order", 1), ("order", 3), ("shift", 0)]
        {
            guest.call(export, &[argument]).unwrap();
        }
        let records = guest.suspend().0.records;
        let whole = shift(&["DEBUG open".to_owned(), order(2), order(1), order(3)]);
        assert_eq!(capture.trace().to_string(), whole, "{way:?}");

        let job = StateFile::start("resumed", way);
        let resumed = job.resume();
        resumed.assert_captured(&shift(&[order(1), order(3)]), "[]");
        assert_eq!(resumed.records(), records, "{way:?}");
        // There is nothing left to do.
        let again = job.resume();
        again.assert_captured("(nothing was captured)", "[]");
        assert_eq!(again.records(), records);
    }
}

/// Has the process crash at each call of its host, and another process finish the job.
fn crash_everywhere(way: [&str; 2]) {
    let job = StateFile::start("crashed", way);
    let finished = job.resume();
    let mut crashed_in = vec![];
    for call in 1.. {
        job.restart();
        let crashed = workflow(&["resume", &job.path, "--crash-at", &call.to_string()]);
        if crashed.succeeded.is_some() {
            crashed.assert_captured(&shift(&[order(1), order(3)]), "[]");
            break;
        }
        // What a process leaves that dies while it saves.
        fs::write(format!("{}.tmp", job.path), &job.started[..call * 100]).unwrap();
        let step = crashed.last_step();
        let left = [order(1), order(3)];
        let resumed = job.resume();
        resumed.assert_captured(&shift(&left[step - 2..]), "[]");
        assert_eq!(resumed.records(), finished.records(), "{way:?}, at call {call}");
        crashed_in.push(step);
    }
    assert!(crashed_in.is_sorted());
    crashed_in.dedup();
    assert_eq!(crashed_in, [2, 3, 4], "{way:?}: in each step that is left");
}

#[test]
fn job_of_a_guest_that_sends_at_once_survives_a_crash_at_each_record() {
    crash_everywhere(["0", "false"]);
}

#[test]
fn job_of_a_guest_that_asks_survives_a_crash_at_each_record() {
    crash_everywhere(["0", "true"]);
}

#[test]
fn job_of_a_guest_that_buffers_survives_a_crash_at_each_call_of_its_host() {
    for way in [["60", "true"], ["50000", "false"], ["50000", "true"]] {
        crash_everywhere(way);
    }
}

/// A process that is killed while it writes: its files may not get larger.
#[cfg(unix)]
#[test]
fn crash_in_the_middle_of_saving_leaves_the_state_as_it_was() {
    let job = StateFile::start("saved", ["0", "false"]);
    let mut killed = Command::new("sh");
    killed.args(["-c", r#"ulimit -c 0; ulimit -f 64; exec "$@""#, "sh"]);
    killed.arg(env::current_exe().unwrap()).args(AS_WORKFLOW);
    killed.env(ARGUMENTS, format!("resume\n{}", job.path));
    let killed = killed.output().unwrap();
    assert_eq!(killed.status.code(), None, "it is killed by a signal");
    let temporary = fs::metadata(format!("{}.tmp", job.path)).unwrap();
    assert!(temporary.len() < job.started.len() as u64);
    assert!(fs::read(&job.path).unwrap() == job.started);
    job.resume().assert_captured(&shift(&[order(1), order(3)]), "[]");
}

#[test]
fn guest_that_asks_learns_what_the_next_process_wants() {
    for buffer in [0, 60] {
        let on_import = Rc::new(|| ()) as _;
        let (snapshot, _) = {
            let _capture = Capture::builder().filter("off").start();
            let mut guest = Guest::start(buffer, true, &on_import).unwrap();
            guest.call("order", &[1]).unwrap();
            guest.suspend()
        };
        let capture = Capture::builder().filter("debug").start();
        let mut guest = Guest::resume(&snapshot, LocalSpans::default(), &on_import).unwrap();
        guest.call("order", &[1]).unwrap();
        assert_eq!(capture.trace().to_string(), order(1));
    }
}

#[test]
fn retry_is_in_the_same_span_and_leaves_none_open() {
    for way in ways() {
        let job = StateFile::start("retried", way);
        let retried = job.retry(&["13", "14", "2"]);
        let orders = [trapped(13), trapped(14), order(2)];
        retried.assert_captured(&shift(&orders), "[]");
        let traps = retried.output.matches(": wasm `unreachable` instruction executed");
        assert_eq!(traps.count(), 2, "{way:?}: {}", retried.output);
        job.resume().assert_captured("(nothing was captured)", "[]");

        // If no attempt succeeds, the job is as it was.
        job.restart();
        let failed = job.retry(&["13"]);
        assert_eq!(failed.succeeded, Some(false));
        assert_eq!(failed.error, "no order was served, the job is as it was");
        failed.assert_shown(&shift(slice::from_ref(&orders[0])), r#"["shift"]"#);
        assert!(fs::read(&job.path).unwrap() == job.started);
        job.resume().assert_captured(&shift(&[order(1), order(3)]), "[]");
    }
}

#[test]
fn state_file_that_is_damaged_is_an_error() {
    let job = StateFile::start("damaged", ["60", "true"]);
    let len = job.started.len();
    let ends = (0..20).chain(len - 20..len);
    // The trace comes first, then the memory.
    let positions = ends.chain((20..2_000).step_by(50)).chain((0..len).step_by(len / 60));
    for position in positions {
        let mut changed = job.started.clone();
        changed[position] ^= 1 << (position % 8);
        for damaged in [&changed[..], &job.started[..position]] {
            fs::write(&job.path, damaged).unwrap();
            let error = Job::load(&job.path).err().expect("it is damaged").to_string();
            assert!(error.ends_with("no state of this guest, or damaged"), "{error}");
        }
        // The whole process, a few times.
        if position % 10 == 0 && position < 20 || position == len - 1 {
            for ended in [job.resume(), job.retry(&["1"])] {
                assert_eq!(ended.succeeded, Some(false));
                assert!(ended.error.ends_with("or damaged"), "{}", ended.error);
            }
        }
    }
    fs::write(&job.path, [&*job.started, &[0]].concat()).unwrap();
    assert!(Job::load(&job.path).is_err());
    job.restart();
    assert_eq!(Job::load(&job.path).unwrap().done, 2);
}

#[test]
fn wrong_arguments_are_answered_with_the_usage() {
    for arguments in [
        "stop",
        "start",
        "start\njob\nlarge\ntrue",
        "start\njob\n65536\ntrue",
        "start\njob\n60\nyes",
        "start\njob\n60",
        "resume",
        "resume\njob\n--crash-at",
        "resume\njob\n--crash-at\n-1",
        "resume\njob\n--crash\n1",
        "retry",
        "retry\njob\n1\nmany",
    ] {
        let ended = workflow(&arguments.split('\n').collect::<Vec<_>>());
        assert_eq!((ended.succeeded, &*ended.error), (Some(false), commands::USAGE));
        assert_eq!(ended.output, "");
    }
    let missing = workflow(&["resume", "/nowhere/job"]);
    assert_eq!(missing.succeeded, Some(false));
    assert!(missing.error.starts_with("/nowhere/job: "), "{}", missing.error);
    assert_eq!(workflow(&["start", "/nowhere/job"]).succeeded, Some(false));
}

#[test]
fn story_is_told_to_its_end() {
    let told = workflow(&[]);
    assert_eq!((told.succeeded, &*told.error), (Some(true), ""));
    let parts: Vec<_> = told.output.split("# ").skip(1).collect();
    assert_eq!(parts.len(), 5, "{}", told.output);
    let trees = [
        shift(&["DEBUG open".to_owned(), order(2)]),
        shift(&[order(1), "INFO order{items=3}".to_owned()]),
        shift(&[order(3)]),
        shift(&["DEBUG open".to_owned(), order(2)]),
        shift(&[trapped(13), order(2)]),
    ];
    for (part, tree) in parts.iter().zip(trees) {
        assert!(part.contains(&format!("\n{tree}\nstill open: ")), "{part}");
    }
    let ends = parts.iter().map(|part| part.contains("still open: []"));
    assert_eq!(ends.collect::<Vec<_>>(), [false, false, true, false, true]);
}
