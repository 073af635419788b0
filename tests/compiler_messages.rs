//! What the compiler says of common mistakes: it is all that whoever makes them sees of this crate.
//!
//! Each mistake is compiled in a package of its own. The messages are compared by the lines that help, not as a whole:
//! their form changes with the compiler, and no toolchain is pinned.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The beginning of a test.
const START: &str = "\
use spanshot::{Capture, CapturedEvent, CapturedSpan, predicates::*};
use tracing::Level;

fn is_slow() -> impl for<'a> Predicate<CapturedEvent<'a>> {
    level(Level::WARN)
}

fn main() {
    let trace = Capture::start().trace();
    let (spans, events) = (trace.scan_spans(), trace.scan_events());
";

/// Mistakes, each with what the compiler says.
const MISTAKES: &[(&str, &[&str])] = &[
    (
        "spans.single(&String::from(\"connect\"));",
        &[
            "Predicate<CapturedSpan<'_>>` is not satisfied",
            "is not implemented for `std::string::String`",
        ],
    ),
    (
        "spans.single(&message(\"slow\"));",
        &[
            "Predicate<CapturedSpan<'_>>` is not satisfied",
            "`Predicate<CapturedEvent<'_>>` is implemented for it",
        ],
    ),
    (
        "events.single(&(level(Level::WARN) & String::from(\"slow\")));",
        &[
            "`std::string::String` is not a predicate",
            "`name(…)`, `message(…)`, `target(…)`, `field(…)` and others make",
        ],
    ),
    (
        "events.single(&(level(Level::WARN) | \"slow\"));",
        &["`&str` is not a predicate", "the right side is not a predicate"],
    ),
    (
        "events.single(&(always() & level(Level::WARN)));",
        &["no implementation for", "BooleanPredicate & LevelPredicate"],
    ),
    (
        "events.single(&(is_slow() & level(Level::WARN)));",
        &["no implementation for `impl for<'a> ", "& LevelPredicate"],
    ),
    ("events.single(&!is_slow());", &["cannot apply unary operator `!`"]),
    ("spans.single(&name(5));", &["a text is matched by a string, or by a predicate for `str`"]),
    (
        "spans.single(&field(\"port\", gt(5)));",
        &[
            "`field()` takes a Boolean, a number, a string",
            "or a predicate for `TracedValue` in square brackets",
        ],
    ),
    (
        "spans.single(&level(\"info\"));",
        &["`level()` takes a `Level`, a `LevelFilter`, or a predicate for `Level`"],
    ),
    (
        "spans.count(\"2\", &name(\"connect\"));",
        &[
            "`&str` is not a number or a range of numbers",
            "write a `usize` such as `2`, or a range such as `1..`",
        ],
    ),
    ("spans.single(&entered(\"2\"));", &["`&str` is not a number or a range of numbers"]),
    (
        "spans.single(&tree(name(\"connect\")).span(name(\"dns\")));",
        &[
            "is not a tree",
            "or a predicate for spans in square brackets: `span([name(\"child\")])`",
        ],
    ),
    (
        "events.single(&field(\"ratio\", value(gt(0.5_f32))));",
        &[
            "a `TracedValue` does not convert to `f32`",
            "`str` (text of any kind) and `[u8]` (bytes) are such types",
        ],
    ),
    (
        "Capture::run(|_| 5_u8);",
        &["`u8` is not the result of a test", "a `Result` whose error is `Debug`"],
    ),
];

/// Tests that `#[spanshot::test]` refuses, each with what it says. The attributes of other crates need not be there.
const TEST_MISTAKES: &[(&str, &str)] = &[
    (
        "#[spanshot::test(filtre = \"info\")] fn t() {}",
        "there is no option `filtre`; there are `filter`,",
    ),
    ("#[spanshot::test(filter = \"a\", filter = \"b\")] fn t() {}", "`filter` is given twice"),
    ("#[spanshot::test(filter)] fn t() {}", "write `filter = …`"),
    ("#[spanshot::test(process = 1)] fn t() {}", "write `process`, or `process = true`"),
    (
        "#[spanshot::test(fail_on = \"warning\")] fn t() {}",
        "the levels are \"error\", \"warn\", \"info\"",
    ),
    (
        "#[spanshot::test(print = \"on\")] fn t() {}",
        "printed on \"failure\", \"always\", \"live\" or",
    ),
    (
        "#[spanshot::test(flavor = \"many\")] async fn t() {}",
        "the flavors are \"current_thread\", \"multi_thread\" and",
    ),
    (
        "#[spanshot::test(worker_threads = 2)] async fn t() {}",
        "only `flavor = \"multi_thread\"` has",
    ),
    ("#[spanshot::test(start_paused = true)] fn t() {}", "only an async test has a runtime"),
    ("#[spanshot::test(process, process_wide)] fn t() {}", "leave out `process_wide`"),
    ("#[spanshot::test(process)] #[should_panic] fn t() {}", "cannot be one that should panic"),
    (
        "#[spanshot::test(process)] #[other::test] async fn t() {}",
        "the other attribute builds the runtime: put it above this one",
    ),
    (
        "#[spanshot::test(start_paused = true)] #[tokio::test] async fn t() {}",
        "the other attribute describes the runtime: say this there",
    ),
    (
        "#[spanshot::test] #[tokio::test(workers = 2)] async fn t() {}",
        "`#[tokio::test]` has the options `flavor`,",
    ),
    (
        "#[spanshot::test] #[tokio::test(worker_threads = 2)] async fn t() {}",
        "only `flavor = \"multi_thread\"` has",
    ),
    ("#[spanshot::test(process)] #[rstest] fn t(n: u8) {}", "cannot run in a process of its own"),
    (
        "#[spanshot::test(fail_on = \"warn\")] #[rstest] #[should_panic] fn t(n: u8) {}",
        "`fail_on` cannot tell which cases should panic",
    ),
    (
        "#[spanshot::test(fail_on = \"warn\")] #[rstest] #[should_panic] #[tokio::test] async fn t(n: u8) {}",
        "`fail_on` cannot tell which cases should panic",
    ),
    (
        "#[spanshot::test] #[test_case(1 => 2)] fn t(n: u8) -> u8 { n }",
        "but `test_case` compares it",
    ),
    ("#[spanshot::test] #[quickcheck] fn t(c: Capture) {}", "start a capture in the body"),
    ("#[spanshot::test] #[property_test] fn t(c: Capture) {}", "start a capture in the body"),
    ("#[spanshot::test] fn t(number: u8) {}", "a test has one argument at the most, its capture"),
    (
        "#[spanshot::test] fn t() -> u8 { 1 }",
        "a `#[spanshot::test]` returns `()`, an `ExitCode`, or",
    ),
    ("#[spanshot::test] struct T;", "`#[spanshot::test]` is for functions with a body"),
];

/// What works instead.
const REMEDIES: &[&str] = &[
    "events.single(&(that(always()) & level(Level::WARN)));",
    "events.single(&(that(is_slow()) & level(Level::WARN) & !that(is_slow()) & (that(is_slow()) | is_slow())));",
    "events.single(&(level(Level::WARN) & is_slow() & (level(Level::WARN) | is_slow())));",
    "spans.single(&field(\"port\", value(gt(5))));",
];

const NO_IMPORT: &str = "
use spanshot::{Capture, predicates::name};

fn main() {
    Capture::start().trace().scan_spans().single(&name(\"connect\"));
}
";

/// A package for a program that is compiled.
struct Package {
    root: PathBuf,
}

impl Package {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiler_messages");
        fs::create_dir_all(root.join("src")).unwrap();
        let spanshot = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = format!(
            "[package]\nname = \"mistakes\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nspanshot = {{ path = {:?} }}\ntracing = \"0.1\"\n\n[workspace]\n",
            spanshot.to_str().expect("a manifest is UTF-8, as the path must be")
        );
        fs::write(root.join("Cargo.toml"), manifest).unwrap();
        // The same versions as here, which are there already.
        fs::copy(spanshot.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
        Self { root }
    }

    /// Compiles a program, and returns what the compiler says if it refuses it.
    fn compile(&self, program: &str) -> Result<(), String> {
        self.compile_as(program, "--bins")
    }

    fn compile_tests(&self, program: &str) -> Result<(), String> {
        self.compile_as(program, "--tests")
    }

    fn compile_as(&self, program: &str, target: &str) -> Result<(), String> {
        fs::write(self.root.join("src/main.rs"), program).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        for name in
            ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
        {
            cargo.env_remove(name);
        }
        cargo.args(["check", target, "--quiet", "--color=never", "--target-dir", "target"]);
        let output = cargo.current_dir(&self.root).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        if output.status.success() { Ok(()) } else { Err(said) }
    }
}

fn test(line: &str) -> String {
    format!("{START}    {line}\n}}\n")
}

#[test]
#[ignore = "builds a package; .ci/run runs it"]
fn mistakes_are_explained() {
    let package = Package::new();
    for (mistake, expected) in MISTAKES {
        let said = package.compile(&test(mistake)).expect_err(mistake);
        for line in *expected {
            assert!(said.contains(line), "{mistake}: {line}\n\n{said}");
        }
    }
    for (mistake, expected) in TEST_MISTAKES {
        let program = format!("use spanshot::Capture;\n{mistake}\nfn main() {{}}\n");
        let said = package.compile_tests(&program).expect_err(mistake);
        assert!(said.contains(expected), "{mistake}: {expected}\n\n{said}");
    }
    let said = package.compile(NO_IMPORT).expect_err("the trait is not in scope");
    assert!(
        said.contains("no method named `scan_spans` found") && said.contains("ScanExt"),
        "{said}"
    );
    for remedy in REMEDIES {
        package.compile(&test(remedy)).unwrap();
    }
}
