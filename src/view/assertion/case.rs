//! Finds the test that asserts a snapshot without a name, if it is not the function that contains the assertion.
//!
//! insta names such a snapshot after the function. Several tests may run that function: the cases of an `#[rstest]`, or
//! all the callers of a helper. insta would number their snapshots in the order in which the tests reach the assertion,
//! which differs from run to run. If each test runs in its own process, all of them would get the same number. So the
//! snapshot of such a test gets the name of the test as a suffix: `parse@case_1`.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use std::{
    backtrace::Backtrace,
    thread::{self, ThreadId},
};

use crate::lock::Mutex;

/// Returns the suffix of the snapshots that this function asserts in the running test. Its path begins with the crate:
/// `my_crate::tests::parse`.
pub(super) fn suffix(function: &str) -> Option<String> {
    let (_, path) = function.split_once("::")?;
    let test = running_test(function)?;
    let rest = match test.strip_prefix(path) {
        Some("") => return None,
        // `#[rstest]` makes a module with the name of the function.
        Some(rest) if rest.starts_with("::") => &rest[2..],
        _ => &*test,
    };
    Some(rest.replace("::", "__"))
}

/// Returns the path of the running test, without its crate, as test runners show it. Returns `None` if it is unknown,
/// as on a thread that the test has started.
///
/// libtest names the thread of a test after the test. Other threads may have any name, and if one thread runs all
/// tests, it is `main`. Looking at the stack takes longer, so it comes last:
///
/// ```text
/// if the thread is called like the function, or like something in it:
///     that is the test
/// if libtest is on the stack:
///     it is the name of the thread, or else the outermost function of this crate that libtest has called
/// ```
fn running_test(function: &str) -> Option<String> {
    let (krate, path) = function.split_once("::")?;
    let thread = thread::current();
    let name = thread.name().filter(|name| *name != "main");
    let is_related = |name: &&str| {
        name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    if let Some(name) = name.filter(is_related) {
        return Some(name.into());
    }
    let test = outermost_function(&format!("{}", Backtrace::force_capture()), krate)?;
    Some(name.map_or(test, String::from))
}

/// Finds the outermost function of a crate that libtest has called, in the text of a backtrace.
fn outermost_function(backtrace: &str, krate: &str) -> Option<String> {
    let mut outermost = None;
    for line in backtrace.lines() {
        // Of several functions that were merged into one frame, only the first has a number.
        let frame = line.trim_start_matches(|char: char| char == ' ' || char.is_ascii_digit());
        let frame = frame.strip_prefix(": ").unwrap_or(frame);
        if frame.starts_with("test::__rust_begin_short_backtrace") {
            return outermost;
        }
        outermost = path_in(frame, krate).or(outermost);
    }
    None
}

/// Finds the path of a function in the text of a frame: `my_crate::tests::parse::{{closure}}`, or, if the compiler has
/// merged its caller, `<my_crate::tests::parse::{closure#0} as …>::call_once`.
fn path_in(frame: &str, krate: &str) -> Option<String> {
    let path = frame.trim_start_matches('<').strip_prefix(krate)?.strip_prefix("::")?;
    let segments = path.split("::").take_while(|segment| {
        segment.chars().all(|char| char.is_alphanumeric() || char == '_') && !segment.is_empty()
    });
    let path = segments.collect::<Vec<_>>().join("::");
    (!path.is_empty()).then_some(path)
}

/// Says why the snapshots of a function would get their numbers by chance, if they would: several threads assert them,
/// and nothing tells the tests of these threads apart.
pub(super) fn numbered_by_chance(function: &str, suffix: Option<&str>) -> Option<String> {
    static THREADS: Mutex<BTreeMap<String, ThreadId>> = Mutex::new(BTreeMap::new());

    let this_thread = thread::current().id();
    let mut threads = THREADS.lock();
    let key = format!("{function}@{}", suffix.unwrap_or_default());
    let first = *threads.entry(key).or_insert(this_thread);
    (first != this_thread).then(|| {
        format!(
            "`{function}` asserts snapshots without a name on several threads, so that it would depend on chance \
             which is which: name them, `assert_trace_snapshot!(\"a name\", …)`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outermost_function_is_the_one_that_libtest_calls() {
        let backtrace = "   0: std::backtrace::Backtrace::create
   1: spanshot::view::assertion::case::running_test
             at ./src/view/assertion/case.rs:1:2
   2: it::support::check
             at ./tests/it/support.rs:3:4
   3: it::parse::case_1
   4: it::parse::case_1::{{closure}}
   5: core::ops::function::FnOnce::call_once
   6: test::__rust_begin_short_backtrace
   7: it::main";
        assert_eq!(outermost_function(backtrace, "it").as_deref(), Some("parse::case_1"));
        assert_eq!(outermost_function(backtrace, "other"), None);
        // Merged, as in optimized code.
        let backtrace = "  10: it::support::check
      <it::parse::case_2::{closure#0} as core::ops::function::FnOnce<()>>::call_once
  12: test::__rust_begin_short_backtrace::<core::result::Result<(), String>, fn()>";
        assert_eq!(outermost_function(backtrace, "it").as_deref(), Some("parse::case_2"));
        // A thread that the test has started.
        assert_eq!(outermost_function("  1: it::parse::{{closure}}", "it"), None);
    }

    #[test]
    fn tests_are_told_apart_by_what_is_behind_the_function() {
        // The name of this test is the name of this thread, or else it is in the backtrace.
        let path = concat!(module_path!(), "::tests_are_told_apart_by_what_is_behind_the_function");
        assert_eq!(suffix(path), None);
        let (module, name) = path.rsplit_once("::").unwrap();
        assert_eq!(suffix(module).as_deref(), Some(name));
        let other = concat!(module_path!(), "::helper");
        let (_, all) = path.split_once("::").unwrap();
        assert_eq!(suffix(other), Some(all.replace("::", "__")));
        assert_eq!(thread::spawn(move || suffix(other)).join().unwrap(), None);
    }
}
