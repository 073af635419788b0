//! What happens to snapshots of traces on their way from a first run to a review, with real `cargo test` and
//! `cargo insta` in a package of its own.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

const CARGO_INSTA: &str =
    "this test needs cargo-insta: run `cargo install --locked cargo-insta` and try again";

/// The three kinds of snapshots, and one that insta's settings put elsewhere.
const TESTS: &str = r#"
use spanshot::{Capture, Trace, assert_trace_snapshot};

fn trace() -> Trace {
    let capture = Capture::start();
    tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow \"net\""));
    capture.trace()
}

#[test]
fn named() {
    assert_trace_snapshot!("a_name", trace());
}

#[test]
fn unnamed() {
    assert_trace_snapshot!(trace());
}

#[test]
fn inline() {
    assert_trace_snapshot!(trace(), @"");
}

#[test]
fn elsewhere() {
    insta::with_settings!({ snapshot_path => "beside", prepend_module_to_snapshot => false }, {
        assert_trace_snapshot!("elsewhere", trace());
    });
}
"#;

const TREE: &str = "INFO connect{port=8080}\n└─ WARN slow \"net\"\n";

const INLINE: &str = r##"    assert_trace_snapshot!(trace(), @r#"
    INFO connect{port=8080}
    └─ WARN slow "net"
    "#);"##;

/// One test that has the path of another one, in the library instead of an integration test.
const SAME_PATH: &str = r#"
#[test]
fn unnamed() {
    let capture = spanshot::Capture::start();
    tracing::info!("in the library");
    spanshot::assert_trace_snapshot!(capture.trace());
}
"#;

/// Several tests that run one function, as `#[rstest]` makes them, and others that share a helper.
const CASES: &str = r#"
use spanshot::{Capture, assert_trace_snapshot};

fn parse(case: u32) {
    let capture = Capture::start();
    tracing::info!(case, "parsed");
    assert_trace_snapshot!(capture.trace());
    // The second one of a function has a number.
    tracing::info!("and more");
    assert_trace_snapshot!(capture.trace());
}

mod parse {
    #[test]
    fn case_1() { super::parse(1); }
    #[test]
    fn case_2_with_a_name() { super::parse(2); }
    #[test]
    fn case_3() { super::parse(3); }
}

mod helper {
    pub fn check(case: u32) {
        let capture = super::Capture::start();
        tracing::info!(case, "checked");
        super::assert_trace_snapshot!(capture.trace());
    }
}

#[test]
fn first() { helper::check(1); }

#[test]
fn second() { helper::check(2); }

#[test]
fn alone() { parse(4); }
"#;

const CASE_FILES: [&str; 10] = [
    "cases__helper__check@first.snap",
    "cases__helper__check@second.snap",
    "cases__parse@alone-2.snap",
    "cases__parse@alone.snap",
    "cases__parse@case_1-2.snap",
    "cases__parse@case_1.snap",
    "cases__parse@case_2_with_a_name-2.snap",
    "cases__parse@case_2_with_a_name.snap",
    "cases__parse@case_3-2.snap",
    "cases__parse@case_3.snap",
];

/// Snapshots that nothing tells apart but chance.
const BY_CHANCE: &str = r#"
use std::thread;
use spanshot::{Capture, assert_trace_snapshot};

fn assert_on_a_thread(case: u32) {
    let asserting = thread::spawn(move || {
        let capture = Capture::start();
        tracing::info!(case, "on a thread");
        assert_trace_snapshot!(capture.trace());
    });
    asserting.join().unwrap();
}

fn assert_by_name(case: u32) {
    let capture = Capture::start();
    tracing::info!(case, "by name");
    assert_trace_snapshot!("a_name", capture.trace());
    assert_trace_snapshot!(String::from("a_name"), capture.trace());
}

#[test]
fn on_a_thread_1() { assert_on_a_thread(1); }
#[test]
fn on_a_thread_2() { assert_on_a_thread(2); }
#[test]
fn by_name_1() { assert_by_name(1); }
#[test]
fn by_name_2() { assert_by_name(2); }
"#;

/// Snapshots that pin only a part of the trace.
const ELIDED: &str = r#"
use spanshot::{Capture, Trace, assert_trace_snapshot};

const PORT: u16 = 8_080;

fn trace() -> Trace {
    let capture = Capture::start();
    tracing::info_span!("connect", port = PORT).in_scope(|| {
        tracing::info!("elided");
        tracing::warn!("slow");
    });
    capture.trace()
}

#[test]
fn inline() {
    assert_trace_snapshot!(trace(), @r"
    INFO connect{port=8080}
    ├─ …
    └─ WARN slow
    ");
}

#[test]
fn in_a_file() {
    assert_trace_snapshot!(trace());
}
"#;

/// Where snapshots belong. The last one is named by insta's settings, from the source of the test on.
const FILES: [&str; 3] =
    ["snapshots/flow__a_name.snap", "snapshots/flow__unnamed.snap", "tests/beside/elsewhere.snap"];

/// The package, which one test has at a time: so it is built but once.
struct Package {
    root: PathBuf,
    /// Locked: tests take turns, and under nextest they are processes of their own.
    _turn: File,
}

impl Package {
    /// Makes the package anew, without any snapshots.
    #[expect(clippy::incompatible_msrv, reason = "tests may need a newer Rust than the library")]
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("insta_flow");
        fs::create_dir_all(&root).unwrap();
        let turn = File::create(root.join("turn.lock")).unwrap();
        turn.lock().unwrap();
        for dir in ["tests", "snapshots"] {
            let _ = fs::remove_dir_all(root.join(dir));
        }
        fs::create_dir_all(root.join("tests")).unwrap();
        fs::create_dir_all(root.join("src")).unwrap();
        let spanshot = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = spanshot.to_str().expect("a manifest is UTF-8, as the path must be");
        let manifest = format!(
            "[package]\nname = \"flow\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
            [dev-dependencies]\ninsta = \"1\"\nspanshot = {{ path = {path:?} }}\ntracing = \"0.1\"\n\n\
            [profile.dev]\ndebug = false\n\n[workspace]\n"
        );
        fs::write(root.join("Cargo.toml"), manifest).unwrap();
        fs::write(root.join("src/lib.rs"), "").unwrap();
        fs::write(root.join("tests/flow.rs"), TESTS).unwrap();
        // The same versions as here, which are there already.
        fs::copy(spanshot.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
        Self { root, _turn: turn }
    }

    fn cargo(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        // What is set for the tests that run here is not meant for those there.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            let is_for_here = ["INSTA_", "CARGO_PKG_", "CARGO_BUILD_", "CARGO_PROFILE_", "NEXTEST"]
                .iter()
                .any(|prefix| name.starts_with(prefix));
            let others =
                ["CI", "TF_BUILD", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"];
            let more = ["RUSTC_WORKSPACE_WRAPPER", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"];
            if is_for_here
                || others.contains(&&*name)
                || more.contains(&&*name)
                || name.starts_with("RUST_TEST")
                || name.starts_with("SPANSHOT")
            {
                cargo.env_remove(&*name);
            }
        }
        cargo
            .args(arguments)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_COLOR", "never")
            .envs(variables.iter().copied())
            .output()
            .expect("cargo runs")
    }

    /// Runs the tests, with insta told what to do, and returns whether they passed, and what they said.
    fn test(&self, update: &str, more: &[(&str, &str)]) -> (bool, String) {
        let mut variables = vec![("INSTA_UPDATE", update)];
        variables.extend(more);
        let output = self.cargo(&["test", "--test", "flow", "--no-fail-fast"], &variables);
        let said = said(&output);
        assert!(said.contains("running 4 tests"), "{said}");
        (output.status.success(), said)
    }

    /// Makes the package with other files instead of the tests.
    fn with(files: &[(&str, &str)]) -> Self {
        let package = Self::new();
        for (path, source) in files {
            fs::write(package.root.join(path), source).unwrap();
        }
        package
    }

    /// Runs some of the tests, and returns whether they passed, and what they said.
    fn test_some(&self, update: &str, arguments: &[&str]) -> (bool, String) {
        let arguments = [&["test", "--no-fail-fast"], arguments].concat();
        let output = self.cargo(&arguments, &[("INSTA_UPDATE", update)]);
        (output.status.success(), said(&output))
    }

    /// Names of the files in `snapshots`.
    fn snapshots(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join("snapshots")).into_iter().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs `cargo insta`, which must be there.
    fn insta(&self, arguments: &[&str]) -> Output {
        let output = self.cargo(&[&["insta"], arguments].concat(), &[]);
        assert!(!said(&output).contains("no such command"), "{CARGO_INSTA}");
        output
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    /// Paths of pending snapshots, inline ones among them.
    fn pending(&self) -> Vec<String> {
        let mut found: Vec<String> =
            ["snapshots", "tests", "tests/beside", "tests/snapshots", "src"]
                .iter()
                .flat_map(|dir| {
                    let entries = fs::read_dir(self.root.join(dir)).into_iter().flatten();
                    let names =
                        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
                    names.map(move |name| format!("{dir}/{name}"))
                })
                .filter(|path| path.ends_with(".snap.new") || path.ends_with(".pending-snap"))
                .collect();
        found.sort();
        found
    }

    /// Paths of accepted snapshots.
    fn accepted(&self) -> Vec<&'static str> {
        FILES.into_iter().filter(|path| self.read(path).is_some()).collect()
    }

    #[track_caller]
    fn assert_nothing_but_tests(&self) {
        assert_eq!((self.pending(), self.accepted()), (vec![], vec![]));
        assert_eq!(self.read("tests/flow.rs").as_deref(), Some(TESTS));
    }

    /// Asserts that every snapshot is where it belongs, with the tree as its content.
    #[track_caller]
    fn assert_accepted(&self) {
        assert_eq!((self.pending(), self.accepted()), (vec![], FILES.to_vec()));
        for path in FILES {
            assert_is_tree(&self.read(path).unwrap());
        }
        let source = self.read("tests/flow.rs").unwrap();
        assert_eq!(source, TESTS.replace("    assert_trace_snapshot!(trace(), @\"\");", INLINE));
        assert!(self.test("no", &[]).0);
    }
}

/// Asserts that the file of a snapshot says where it is from, and has the tree.
#[track_caller]
fn assert_is_tree(file: &str) {
    let (metadata, content) = file.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    assert_eq!(content, TREE);
    assert!(metadata.contains("source: tests/flow.rs\n"), "{metadata}");
    assert!(metadata.contains("expression: trace()"), "{metadata}");
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}\n{err}")
}

fn new_ones() -> Vec<String> {
    let mut all: Vec<_> = FILES.iter().map(|path| format!("{path}.new")).collect();
    all.push("tests/.flow.rs.pending-snap".to_owned());
    all.sort();
    all
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn without_an_update_nothing_is_written() {
    let package = Package::new();
    let (is_passed, said) = package.test("no", &[]);
    assert!(!is_passed);
    assert!(said.contains("test result: FAILED. 0 passed; 4 failed"), "{said}");
    // What the trace is like can be read in any case.
    assert!(said.contains("INFO connect{port=8080}"), "{said}");
    package.assert_nothing_but_tests();

    // As insta does by itself where it runs for CI.
    let output = package.cargo(&["test", "--test", "flow"], &[("CI", "true")]);
    assert!(!output.status.success());
    package.assert_nothing_but_tests();
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn new_snapshots_are_pending_and_the_tests_fail() {
    let package = Package::new();
    let (is_passed, said) = package.test("new", &[]);
    assert!(!is_passed);
    assert!(said.contains("test result: FAILED. 0 passed; 4 failed"), "{said}");
    assert_eq!(package.pending(), new_ones());
    assert_eq!(package.accepted(), [""; 0]);
    for path in FILES {
        assert_is_tree(&package.read(&format!("{path}.new")).unwrap());
    }
    assert_eq!(package.read("tests/flow.rs").as_deref(), Some(TESTS));

    // They are pending still in the next run, and taken by none.
    assert!(!package.test("no", &[]).0);
    assert_eq!(package.pending(), new_ones());
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn forced_tests_pass_with_pending_snapshots() {
    let package = Package::new();
    let (is_passed, said) = package.test("new", &[("INSTA_FORCE_PASS", "1")]);
    assert!(is_passed, "{said}");
    assert_eq!(package.pending(), new_ones());
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn snapshots_are_written_where_updates_are_told_to() {
    let package = Package::new();
    package.test("always", &[]);
    assert_eq!(package.accepted(), FILES);
    for path in FILES {
        assert_is_tree(&package.read(path).unwrap());
    }

    // A trace that changed is another snapshot.
    let source = package.read("tests/flow.rs").unwrap().replace("8_080", "8_081");
    fs::write(package.root.join("tests/flow.rs"), source).unwrap();
    let (is_passed, said) = package.test("no", &[]);
    assert!(!is_passed);
    assert!(said.contains("-INFO connect{port=8080}"), "{said}");
    assert!(said.contains("+INFO connect{port=8081}"), "{said}");
    assert_is_tree(&package.read(FILES[0]).unwrap());
    package.test("always", &[]);
    assert!(
        package
            .read(FILES[0])
            .unwrap()
            .ends_with("\nINFO connect{port=8081}\n└─ WARN slow \"net\"\n")
    );
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn unseen_snapshots_are_written_and_changed_ones_are_pending() {
    let package = Package::new();
    package.test("unseen", &[]);
    assert_eq!(package.accepted(), FILES);

    let source = package.read("tests/flow.rs").unwrap().replace("8_080", "8_081");
    fs::write(package.root.join("tests/flow.rs"), source).unwrap();
    assert!(!package.test("unseen", &[]).0);
    let mut changed: Vec<_> = FILES.iter().map(|path| format!("{path}.new")).collect();
    changed.sort();
    assert!(changed.iter().all(|path| package.pending().contains(path)), "{:?}", package.pending());
    assert_is_tree(&package.read(FILES[0]).unwrap());
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn tests_of_two_sources_that_have_one_file_are_reported() {
    let package = Package::with(&[("src/lib.rs", SAME_PATH)]);
    // The first one may write its snapshot, in a process of its own.
    let (is_passed, said) = package.test_some("always", &["--lib"]);
    assert!(is_passed, "{said}");
    let first = package.read(FILES[1]).unwrap();
    assert!(first.contains("in the library"), "{first}");

    for update in ["always", "new", "no"] {
        let (is_passed, said) = package.test_some(update, &["--test", "flow", "--", "unnamed"]);
        assert!(!is_passed, "{said}");
        let reason = "tests in \"src/lib.rs\" and in \"tests/flow.rs\" have one snapshot, \
                      \"unnamed\", because their paths are the same: rename a test or its module, or \
                      name the snapshot. If the test was moved, delete the snapshot";
        assert!(said.contains(reason), "{said}");
        assert_eq!(package.read(FILES[1]).unwrap(), first);
    }

    // A source that is not there any more is one that was moved.
    fs::write(package.root.join("src/moved.rs"), SAME_PATH).unwrap();
    fs::write(package.root.join("src/lib.rs"), "include!(\"moved.rs\");").unwrap();
    let moved = first.replace("src/lib.rs", "src/gone.rs");
    fs::write(package.root.join(FILES[1]), moved).unwrap();
    let (is_passed, said) = package.test_some("always", &["--test", "flow", "--", "unnamed"]);
    assert!(is_passed, "{said}");
    assert_is_tree(&package.read(FILES[1]).unwrap());
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn each_test_that_runs_one_function_has_a_file() {
    let package = Package::with(&[("tests/cases.rs", CASES)]);
    let (is_passed, said) = package.test_some("always", &["--test", "cases"]);
    assert!(is_passed, "{said}");
    assert_eq!(package.snapshots(), CASE_FILES);
    let second = package.read("snapshots/cases__parse@case_2_with_a_name.snap").unwrap();
    assert!(second.ends_with("\nINFO parsed case=2\n"), "{second}");

    // In any order, and each alone, as nextest runs them. With one thread, all of them are on that of `main()`.
    for threads in ["--test-threads=8", "--test-threads=1"] {
        let (is_passed, said) = package.test_some("no", &["--test", "cases", "--", threads]);
        assert!(is_passed, "{said}");
        for test in ["parse::case_2_with_a_name", "parse::case_3", "second", "alone"] {
            let arguments = ["--test", "cases", "--", threads, "--exact", test];
            let (is_passed, said) = package.test_some("no", &arguments);
            assert!(is_passed && said.contains("1 passed"), "{said}");
        }
    }
    let release = ["--release", "--test", "cases", "--", "--test-threads=1"];
    let (is_passed, said) = package.test_some("no", &release);
    assert!(is_passed, "{said}");
    assert_eq!(package.snapshots(), CASE_FILES);
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn snapshots_that_only_chance_tells_apart_are_reported() {
    let package = Package::with(&[("tests/chance.rs", BY_CHANCE)]);
    for threads in ["--test-threads=4", "--test-threads=1"] {
        let arguments = ["--test", "chance", "--", threads];
        let (is_passed, said) = package.test_some("always", &arguments);
        assert!(!is_passed, "{said}");
        assert!(said.contains("test result: FAILED. 2 passed; 2 failed"), "{said}");
        let reason = "`chance::assert_on_a_thread` asserts snapshots without a name on several threads, so that \
                      it would depend on chance which is which: name them";
        assert!(said.contains(reason), "{said}");
        let reason = "two assertions put different traces into one snapshot, `chance::a_name`: name them \
                      differently";
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn snapshots_with_elisions_are_never_updated() {
    let file = "snapshots/elided__in_a_file.snap";
    let package = Package::with(&[("tests/elided.rs", ELIDED)]);
    let tests = ["--test", "elided"];
    let (is_passed, said) = package.test_some("always", &tests);
    assert!(is_passed, "{said}");
    let elided = package.read(file).unwrap().replace("├─ INFO elided", "…");
    assert!(elided.contains("\nINFO connect{port=8080}\n…\n└─ WARN slow\n"), "{elided}");
    fs::write(package.root.join(file), &elided).unwrap();
    let (is_passed, said) = package.test_some("no", &tests);
    assert!(is_passed, "{said}");
    // What is pinned is another matter, and so is a snapshot that is rewritten in any case.
    let changed = ELIDED.replace("8_080", "8_081");
    for (source, update, reason) in [
        (
            &*changed,
            "no",
            "lines `…` stand for any lines\n\n- INFO connect{port=8080}\n+ INFO connect{port=8081}\n  ",
        ),
        (
            &changed,
            "new",
            "Edit the snapshot: insta does not update it as long as it has lines `…`",
        ),
        (
            &changed,
            "always",
            "the trace does not match the snapshot \"in_a_file\": lines `…` stand",
        ),
        (
            ELIDED,
            "force",
            "the snapshot \"in_a_file\" matches, but has lines `…`, which an update would replace",
        ),
    ] {
        fs::write(package.root.join("tests/elided.rs"), source).unwrap();
        let (is_passed, said) = package.test_some(update, &tests);
        assert!(!is_passed && said.contains("0 passed; 2 failed"), "{said}");
        assert!(said.contains(reason), "{said}");
        assert_eq!(package.pending(), [""; 0]);
        assert_eq!(package.read(file).unwrap(), elided);
    }
}

#[test]
#[ignore = "needs cargo-insta and cargo-nextest; .ci/run runs it"]
fn cargo_insta_takes_the_files_of_several_tests_under_nextest() {
    let package = Package::with(&[("tests/cases.rs", CASES)]);
    fs::remove_file(package.root.join("tests/flow.rs")).unwrap();
    let nextest = ["test", "--test-runner=nextest"];
    let output = package.insta(&[&nextest[..], &["--accept"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(package.snapshots(), CASE_FILES);
    // A file of a case that is gone is found, and no other.
    let [first, gone] =
        ["case_1", "case_4"].map(|case| format!("snapshots/cases__parse@{case}.snap"));
    fs::write(package.root.join(gone), package.read(&first).unwrap()).unwrap();
    let output = package.insta(&[&nextest[..], &["--unreferenced=delete"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(package.snapshots(), CASE_FILES);
}

#[test]
#[ignore = "needs cargo-insta; .ci/run runs it"]
fn cargo_insta_accepts_them_all() {
    let package = Package::new();
    let output = package.insta(&["test", "--accept"]);
    assert!(output.status.success(), "{}", said(&output));
    package.assert_accepted();
}

#[test]
#[ignore = "needs cargo-insta; .ci/run runs it"]
fn pending_snapshots_are_listed_and_accepted_one_by_one() {
    let package = Package::new();
    let output = package.insta(&["test"]);
    assert!(!output.status.success());
    assert_eq!(package.pending(), new_ones());

    let listed = said(&package.insta(&["pending-snapshots"]));
    for path in ["flow__a_name.snap", "flow__unnamed.snap", "elsewhere.snap", "flow.rs:"] {
        assert!(listed.contains(path), "{listed}");
    }
    let name = package.root.join(FILES[0]);
    let output = package.insta(&["accept", "--snapshot", name.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(package.accepted(), [FILES[0]]);
    assert_eq!(package.pending().len(), 3);

    let output = package.insta(&["accept"]);
    assert!(output.status.success(), "{}", said(&output));
    package.assert_accepted();
}

#[test]
#[ignore = "needs cargo-insta; .ci/run runs it"]
fn rejected_snapshots_leave_nothing() {
    let package = Package::new();
    assert!(!package.insta(&["test"]).status.success());
    assert_eq!(package.pending(), new_ones());
    let output = package.insta(&["reject"]);
    assert!(output.status.success(), "{}", said(&output));
    package.assert_nothing_but_tests();
}
