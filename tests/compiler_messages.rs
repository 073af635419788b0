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
        fs::write(self.root.join("src/main.rs"), program).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        for name in
            ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"]
        {
            cargo.env_remove(name);
        }
        cargo.args(["check", "--quiet", "--color=never", "--target-dir", "target"]);
        let output = cargo.current_dir(&self.root).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        if output.status.success() { Ok(()) } else { Err(said) }
    }
}

fn test(line: &str) -> String {
    format!("{START}    {line}\n}}\n")
}

#[test]
fn mistakes_are_explained() {
    let package = Package::new();
    for (mistake, expected) in MISTAKES {
        let said = package.compile(&test(mistake)).expect_err(mistake);
        for line in *expected {
            assert!(said.contains(line), "{mistake}: {line}\n\n{said}");
        }
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
