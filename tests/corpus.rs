//! The bodies of the fuzz targets, over the corpus of them: what was found once is not to come again, and what was
//! not found yet may be near.

#[path = "../fuzz/src/lib.rs"]
mod spanshot_fuzz;

use std::{
    collections::BTreeSet,
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use spanshot_fuzz::{Body, TARGETS};

fn dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn files(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = dir("corpus").join(target);
    let read = |name: String| (name.clone(), fs::read(dir.join(&name)).unwrap());
    names(&dir).into_iter().map(read).collect()
}

fn body(target: &str) -> Body {
    TARGETS.iter().find(|(name, _)| *name == target).unwrap().1
}

/// Runs a body, and says over what it fails.
fn check(target: &str, what: &str, data: &[u8]) {
    let result = panic::catch_unwind(AssertUnwindSafe(|| body(target)(data)));
    assert!(result.is_ok(), "{target}, {what}: {}", data.escape_ascii());
}

/// Each file; cut everywhere, if it is short enough; and with a byte of it changed.
fn check_all(target: &str) {
    let files = files(target);
    assert!(files.len() >= 5, "the corpus of {target} has {} files", files.len());
    for (name, data) in files {
        check(target, &name, &data);
        let step = 1 + data.len() / 20;
        for place in (0..data.len()).step_by(step) {
            check(target, &format!("{name}, cut at {place}"), &data[..place]);
            let mut changed = data.clone();
            for byte in [changed[place].wrapping_add(1), changed[place] ^ 0x80, 0xff, 0] {
                changed[place] = byte;
                check(target, &format!("{name}, {byte} at {place}"), &changed);
            }
        }
    }
}

#[test]
fn every_target_has_a_corpus() {
    let targets = TARGETS.map(|(name, _)| name.to_owned()).into();
    assert_eq!(names(&dir("corpus")), targets);
    let sources: BTreeSet<_> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&dir("fuzz_targets")), sources);
    let len = |target: &String| files(target).iter().map(|(_, data)| data.len()).sum::<usize>();
    let all: usize = targets.iter().map(len).sum();
    assert!(all < 300_000, "the corpus has {all} bytes: minimize it");
}

#[test]
fn frame() {
    check_all("frame");
}

#[test]
fn json() {
    check_all("json");
}

#[test]
fn recorded() {
    check_all("recorded");
}

#[test]
fn records() {
    check_all("records");
}

#[test]
fn restore() {
    check_all("restore");
}

#[test]
fn stream() {
    check_all("stream");
}
