use core::{fmt::Write as _, panic::Location, time::Duration};
use std::{
    env, eprint, format,
    io::{self, IsTerminal, Write as _},
    panic,
    string::String,
    sync::OnceLock,
};

use tracing_subscriber::filter::Targets;

use crate::{
    capture::{
        SharedStorage, Shown, Storage,
        session::{
            live::Live, outcome::TestIdentity, overdue::Overdue, recording::Recording, short::Short,
        },
        storage::printed_text::Seen,
    },
    wire::text::Escaped,
};

/// When a [`Capture`](crate::Capture) prints its trace to the output of the test.
///
/// The environment variable `SPANSHOT_PRINT` overrides it.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, Print};
///
/// let capture = Capture::builder().print(Print::Always).start();
/// tracing::info!("seen with `cargo test -- --nocapture`, or if the test fails by returning an error");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Print {
    /// If the test panics while the capture lives, or because of events or spans that it [watches
    /// over](crate::CaptureBuilder#watching-over-a-test). This is the default; in the environment, it is `failure`.
    #[default]
    OnFailure,
    /// Whenever the capture ends; in the environment, `always`.
    Always,
    /// Each span and event at once, on a line of its own with the name of the test, past the test runner to the error
    /// stream of the process; in the environment, `live`. Use it for a test that aborts, exits or hangs. Lines are
    /// indented by the number of surrounding spans, and values that are recorded later follow on a line of their own.
    /// They are not redacted, and the trace is not printed again at the end. Records for which the capture has no room
    /// are not printed.
    Live,
    /// Not at all; in the environment, `never`.
    Never,
}

/// The environment variables, which are read once in a process.
#[derive(Debug, Default)]
struct Environment {
    print: Option<Print>,
    filter: Option<Targets>,
    lines: Option<usize>,
    after: Option<Duration>,
    is_json: bool,
}

impl Environment {
    fn get() -> &'static Self {
        static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
        ENVIRONMENT.get_or_init(|| Self {
            print: read("SPANSHOT_PRINT", |value| match value {
                "failure" => Ok(Print::OnFailure),
                "always" => Ok(Print::Always),
                "live" => Ok(Print::Live),
                "never" => Ok(Print::Never),
                _ => Err("it is one of `failure`, `always`, `live` and `never`".into()),
            }),
            filter: read("SPANSHOT_PRINT_FILTER", parse_targets),
            lines: read("SPANSHOT_PRINT_LINES", |value| match value {
                "all" => Ok(usize::MAX),
                _ => value.parse().map_err(|_| "it is a number, or `all`".into()),
            }),
            after: read("SPANSHOT_PRINT_AFTER", parse_time),
            is_json: read("SPANSHOT_FORMAT", |value| match value {
                "text" => Ok(false),
                "json" => Ok(true),
                _ => Err("it is one of `text` and `json`".into()),
            })
            .unwrap_or(false),
        })
    }
}

/// Checks whether a failure prints a line of JSON, too.
pub(crate) fn is_json() -> bool {
    Environment::get().is_json
}

/// Reads an environment variable. An empty value counts as unset. An invalid one is reported past the test runner,
/// which would hide the output of tests that pass.
pub(crate) fn read<T>(name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
    let value = env::var_os(name).filter(|value| !value.is_empty())?;
    let parsed = match value.to_str() {
        Some(text) => parse(text),
        None => Err("it is not Unicode".into()),
    };
    parsed
        .map_err(|error| {
            let report = format!("spanshot: {name}={value:?} is passed over: {error}\n");
            // If there is no error stream, the report is lost.
            let _ = io::stderr().write_all(report.as_bytes());
        })
        .ok()
}

/// Parses a filter in the same way as [`Environment`].
pub(crate) fn parse_filter(filter: &str) -> Result<Targets, String> {
    parse_targets(filter).map_err(|error| format!("{filter:?} is no filter: {error}"))
}

/// Parses a time as people write it: `500ms`, `20s`, `2m`.
fn parse_time(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let find = |(unit, millis): &(&str, u64)| {
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        Some(Duration::from_millis(number.checked_mul(*millis)?))
    };
    units.iter().find_map(find).ok_or_else(|| "it is a time like `500ms`, `20s` or `2m`".into())
}

fn parse_targets(filter: &str) -> Result<Targets, String> {
    let explain = |error: &dyn core::fmt::Display| {
        format!("{error}; a filter is like `info` or `warn,my_crate=debug`")
    };
    // `Targets` would parse directives for an `EnvFilter` as a target, one that no record has.
    if filter.contains(['[', '{']) {
        return Err(explain(&"it goes by targets and levels, not by spans or fields"));
    }
    filter.parse().map_err(|error| explain(&error))
}

/// Printed characters of an error that a test returned. The test runner shows it, too.
const MAX_RETURNED: usize = 300;

/// Printed lines of a trace, unless the environment has another number: a screen or two.
const MAX_LINES: usize = 100;

/// How a capture prints its trace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printing {
    pub(crate) when: Print,
    pub(crate) filter: Option<Targets>,
    /// Time after which the trace of a test that is still running is printed.
    pub(crate) after: Option<Duration>,
}

impl Printing {
    /// Applies the environment variables, which override the options in the code.
    pub(crate) fn in_environment(mut self) -> Self {
        let environment = Environment::get();
        self.when = environment.print.unwrap_or(self.when);
        self.filter = environment.filter.clone().or(self.filter);
        self.after = environment.after.or(self.after);
        self
    }

    /// Returns the printer for a test that takes long, if that is enabled.
    pub(crate) fn overdue(
        &self,
        storage: &SharedStorage,
        recording: &Recording,
        test: &TestIdentity,
        started_at: &'static Location<'static>,
    ) -> Option<Overdue> {
        let after = self.after.filter(|_| self.when != Print::Never)?;
        Some(Overdue::after(after, storage, recording, test, started_at))
    }

    /// Checks whether a test that has run for this time prints something past the test runner.
    pub(crate) fn is_past_runner(&self, time: Duration) -> bool {
        match self.when {
            Print::Live => true,
            Print::Never => false,
            Print::OnFailure | Print::Always => self.after.is_some_and(|after| time >= after),
        }
    }

    /// Returns the printer of records as they come, if that is enabled.
    pub(crate) fn live(&self) -> Option<Live> {
        (self.when == Print::Live).then(|| Live::new(self.filter.clone()))
    }

    /// Returns the same for records that no test can claim.
    pub(crate) fn live_of_no_test(&self) -> Option<Live> {
        (self.when == Print::Live).then(|| Live::of_no_test(self.filter.clone()))
    }

    /// Returns the trace as it should be shown, without colours.
    pub(crate) fn shown<'a>(&'a self, storage: &'a Storage) -> Shown<'a> {
        Shown {
            filter: self.filter.as_ref(),
            max_lines: Environment::get().lines.unwrap_or(MAX_LINES),
            is_redacted: true,
            ..Shown::plain(storage)
        }
    }

    /// Prints the trace, if that is due and it was not shown already. It does not panic, since a panic may be under
    /// way. The heading names the error that the test returned, and the number of failed captures, if there were
    /// several.
    pub(crate) fn print(
        &self,
        storage: &Storage,
        started_at: &Location<'_>,
        has_failed: bool,
        returned: Option<&str>,
        failures: usize,
    ) {
        let is_due = match self.when {
            Print::OnFailure => has_failed,
            Print::Always => true,
            Print::Live | Print::Never => false,
        };
        let shown = self.shown(storage);
        if !is_due {
            return;
        }
        match storage.printed().seen(shown) {
            Seen::All => {}
            Seen::Part if Environment::get().lines.is_none() => {
                print_line(
                    "a part of the trace is shown above: SPANSHOT_PRINT_LINES=all prints all of it, \
                    SPANSHOT_RECORD=failure records it",
                );
            }
            Seen::Part | Seen::Nothing => {
                let mut heading = format!("trace of the capture started at {started_at}");
                // Writing to a string does not fail.
                if failures > 1 {
                    let _ = write!(heading, ", the last of {failures} that failed");
                }
                if let Some(returned) = returned {
                    let text = Escaped(returned);
                    let returned =
                        Short { text, max_chars: MAX_RETURNED, is_cut: None, escapes: false };
                    let _ = write!(heading, ", whose test returned {returned}");
                }
                print(format_args!("{heading}:"), shown);
            }
        }
    }

    /// Prints the unattributed records, if there are any, when a test has failed.
    pub(crate) fn print_unattributed(&self, storage: &Storage) {
        if self.when != Print::Never && storage.roots().next().is_some() {
            let heading = "traced in this process, by none of its tests or after they ended:";
            print(format_args!("{heading}"), self.shown(storage));
        }
    }
}

#[cfg(feature = "log")]
impl Printing {
    /// Prints a line about a test that has failed. Like `print()`, it does not panic.
    pub(crate) fn print_note(&self, note: &str) {
        if self.when != Print::Never {
            print_line(note);
        }
    }
}

/// Prints a line of spanshot's own.
fn print_line(line: &str) {
    // The macro may panic, as in `print()` below.
    let _ = panic::catch_unwind(|| eprint!("{line}\n\n"));
}

fn print(heading: core::fmt::Arguments<'_>, shown: Shown<'_>) {
    let shown = Shown { is_coloured: is_coloured(), ..shown };
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(text, "{heading}\n{shown}\n\n");
    // Only the macro writes to the captured output of a test. It panics if that is closed.
    let _ = panic::catch_unwind(|| eprint!("{text}"));
}

/// Checks whether the output should have colours. The test runner decides which stream the output goes to in the end,
/// so both have to be a terminal.
pub(crate) fn is_coloured() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is = |name, text: &str| env::var_os(name).is_some_and(|value| value == *text);
    if is_set("NO_COLOR") {
        false
    } else if is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") {
        true
    } else {
        !is("TERM", "dumb") && io::stdout().is_terminal() && io::stderr().is_terminal()
    }
}
