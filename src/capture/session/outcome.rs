//! How a test ended, and which test it was.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::time::Duration;
use std::{env, sync::OnceLock, thread};

use super::latest_panic::{Panic, Place};

/// How a test ended, as far as its capture knows.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The capture ended, and the test went on.
    Unknown,
    Passed,
    /// The panic, if it was noted.
    Panicked(Option<Panic>),
    /// The test returned this error.
    Returned(String),
    /// The capture failed the test, at this place.
    Failed {
        findings: String,
        place: Place,
    },
    /// It had not ended after this time.
    Running(Duration),
}

impl Outcome {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Passed => "passed",
            Self::Panicked(_) => "panicked",
            Self::Returned(_) => "returned",
            Self::Failed { .. } => "failed",
            Self::Running(_) => "running",
        }
    }

    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self, Self::Passed | Self::Unknown)
    }

    /// Returns the message of a failure.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::Unknown | Self::Passed => None,
            Self::Panicked(panic) => panic.as_ref().map(|panic| panic.message.to_string()),
            Self::Returned(error) => Some(error.clone()),
            Self::Failed { findings, .. } => Some(findings.trim().to_owned()),
            Self::Running(time) => Some(format!("still running after {time:?}")),
        }
    }

    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Self::Panicked(panic) => panic.as_ref()?.place.as_ref(),
            Self::Failed { place, .. } => Some(place),
            Self::Unknown | Self::Passed | Self::Returned(_) | Self::Running(_) => None,
        }
    }
}

/// Facts about the function of a test.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TestFunction {
    pub(crate) path: Option<&'static str>,
    /// Whether the capture is told how the function ends.
    pub(crate) sees_end: bool,
    /// Whether it is one of many cases of its test.
    pub(crate) is_case: bool,
    /// Whether the test passes only if it panics.
    pub(crate) should_panic: bool,
    /// Text that the message of the panic must contain.
    pub(crate) expected: Option<&'static str>,
}

impl TestFunction {
    /// Checks whether the test expects this panic. If the panic is not known well enough, it does not.
    pub(crate) fn expects(&self, panic: Option<&Panic>) -> bool {
        let is_expected = |text| panic.is_some_and(|panic| panic.message.contains(text));
        self.should_panic && self.expected.is_none_or(is_expected)
    }
}

/// The test that a capture belongs to, and its attempt.
#[derive(Debug, Clone)]
pub(crate) struct TestIdentity {
    pub(crate) name: Option<String>,
    pub(crate) runner: &'static Runner,
}

/// Facts about the test runner, the same for all tests of a process.
#[derive(Debug)]
pub(crate) struct Runner {
    /// Name of the binary, without the hash that cargo adds to names of test binaries.
    pub(crate) binary: Option<String>,
    /// A name of the binary that no other binary of the package has, as far as it is known. A library, a program and an
    /// integration test may have one name.
    pub(crate) unique_binary: Option<String>,
    /// Attempt of the test, which counts from 1: nextest starts a process for each.
    pub(crate) attempt: u32,
    /// Iteration of nextest's stress run.
    pub(crate) stress: Option<u32>,
    /// Identifier of nextest's run.
    pub(crate) run: Option<String>,
}

impl TestIdentity {
    /// Returns the test of the current thread, which the test runner has named after it. `path` is the path of the test
    /// function, if known: it counts if all tests share one thread, or if the test was started on another thread.
    pub(crate) fn current(path: Option<&str>) -> Self {
        let thread = thread::current();
        let named = thread.name().filter(|name| *name != "main");
        let declared = path.map(name_of);
        let name =
            named.or(declared).map(ToOwned::to_owned).or_else(|| variable("NEXTEST_TEST_NAME"));
        Self { name, runner: Runner::get() }
    }
}

impl Runner {
    fn get() -> &'static Self {
        static RUNNER: OnceLock<Runner> = OnceLock::new();
        RUNNER.get_or_init(|| {
            let number = |name| variable(name).and_then(|number| number.parse().ok());
            let binary = binary();
            let unique_binary =
                binary.as_ref().map(|name| unique(name, variable("NEXTEST_BINARY_ID").as_deref()));
            Self {
                binary,
                unique_binary,
                attempt: number("NEXTEST_ATTEMPT").unwrap_or(1),
                stress: number("NEXTEST_STRESS_CURRENT"),
                run: variable("NEXTEST_RUN_ID"),
            }
        })
    }
}

/// Returns a name of the binary with this name and nextest's ID: `app` for a library, `app::it` for an integration test,
/// `app::bin/app` for a program.
fn unique(name: &str, id: Option<&str>) -> String {
    let id = id.and_then(|id| Some((id, id.split_once("::")?)));
    match id {
        Some((id, (package, target))) if target != name || package.replace('-', "_") == name => {
            id.replace("::", "__")
        }
        _ => name.to_owned(),
    }
}

/// Returns the name of a test function with this path: the test runner knows `my_crate::tests::works` as `tests::works`.
pub(crate) fn name_of(path: &str) -> &str {
    path.split_once("::").map_or(path, |(_, name)| name)
}

/// Returns a variable that has a value. Nextest writes `none` for a missing one.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty() && value != "none")
}

fn binary() -> Option<String> {
    let path = env::current_exe().ok()?;
    let stem = path.file_stem()?.to_str()?;
    let is_hash =
        |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match stem.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash) => name,
        _ => stem,
    };
    Some(name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_of_a_package_have_different_names() {
        assert_eq!(unique("my_app", None), "my_app");
        assert_eq!(unique("my_app", Some("my-app")), "my_app");
        assert_eq!(unique("my_app", Some("my-app::my_app")), "my-app__my_app");
        assert_eq!(unique("my_app", Some("my-app::bin/my-app")), "my-app__bin/my-app");
        assert_eq!(unique("it", Some("my-app::it")), "it");
    }
}
