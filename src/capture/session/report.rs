//! Reports of a failing test for machines: an annotation for GitHub Actions, and a line of JSON for editors and agents.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::{
    cell::Cell,
    fmt::{self, Write as _},
};
use std::{
    env, panic,
    path::{Path, PathBuf},
    print, thread,
};

use super::{
    latest_panic::Place,
    outcome::{Outcome, TestIdentity},
    print::is_json,
};
use crate::wire::text::{beginning, needs_escape};

/// Maximal characters of a headline, and of the line of a span or event.
const MAX_LINE: usize = 500;

/// Checks whether failures are reported to machines at all.
pub(crate) fn is_wanted() -> bool {
    is_json() || is_on_github()
}

fn is_on_github() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == *"true")
}

std::thread_local! {
    /// Whether the failure of this thread's test is reported: several captures may see it.
    static IS_REPORTED: Cell<bool> = const { Cell::new(false) };
}

/// Notes that a capture starts, which may belong to another test.
pub(crate) fn begin() {
    if !thread::panicking() {
        let _ = IS_REPORTED.try_with(|reported| reported.set(false));
    }
}

/// A test that has failed.
pub(crate) struct Report<'a> {
    pub(crate) test: &'a TestIdentity,
    pub(crate) outcome: &'a Outcome,
    /// Where it failed, or else where its capture was started.
    pub(crate) place: &'a Place,
    /// The span or event that came nearest to a match for an assertion, as in the assertion's message.
    pub(crate) nearest: Option<&'a str>,
    pub(crate) recording: Option<&'a Path>,
}

impl Report<'_> {
    /// Prints the report into the output of the test, unless the failure was reported. It does not panic, since a panic
    /// may be under way.
    pub(crate) fn print(&self) {
        let is_new = IS_REPORTED.try_with(|reported| !reported.replace(true)).unwrap_or(true);
        if !is_new {
            return;
        }
        // Each begins with a line break, since the test may have printed an unfinished line.
        let mut lines = String::new();
        if is_on_github() {
            let _ = writeln!(lines, "\n{}", self.annotation());
        }
        if is_json() {
            let _ = writeln!(lines, "\n{}", self.json());
        }
        // As for the trace, only the macro writes to the captured output of a test.
        let _ = panic::catch_unwind(|| print!("{lines}"));
    }

    /// Returns the first line of the message that is not empty.
    fn headline(&self) -> String {
        let message = self.outcome.message().unwrap_or_default();
        let line = message.lines().map(str::trim).find(|line| !line.is_empty());
        let line = line.unwrap_or("the test panicked"); // of which nothing is known
        beginning(line.trim_end_matches(':'), MAX_LINE).to_owned()
    }

    fn annotation(&self) -> String {
        let mut message = match (self.outcome, self.headline()) {
            (Outcome::Returned(_), headline) => format!("the test returned {headline}"),
            (_, headline) => headline,
        };
        if let Some(nearest) = self.nearest {
            let _ = write!(message, "\nnearest: {}", beginning(nearest, MAX_LINE));
        }
        if let Some(recording) = self.recording {
            let _ = write!(message, "\ntrace recorded in {}", recording.display());
        }
        let mut annotation = String::from("::error ");
        if let Some(file) = in_repository(&self.place.file) {
            let (file, Place { line, column, .. }) = (GithubProperty(&file), self.place);
            let _ = write!(annotation, "file={file},line={line},col={column},");
        }
        let test = self.test.name.as_deref().unwrap_or("a test");
        let title = format!("{test} failed");
        let _ = write!(annotation, "title={}::{}", GithubProperty(&title), GithubData(&message));
        annotation
    }

    /// Returns one object on one line. The names are in the docs of [`CaptureBuilder`](crate::CaptureBuilder#reports).
    fn json(&self) -> String {
        let Self { test, outcome, place, .. } = self;
        let recording = self.recording.map(|path| path.to_string_lossy());
        let text =
            |text: Option<&str>| text.map_or("null".to_owned(), |text| Json(text).to_string());
        format!(
            "{{\"spanshot\":\"failure\",\"version\":1,\"test\":{},\"binary\":{},\"attempt\":{},\"outcome\":{},\
             \"headline\":{},\"location\":{{\"file\":{},\"line\":{},\"column\":{}}},\"nearest\":{},\"recording\":{}}}",
            text(test.name.as_deref()),
            text(test.runner.binary.as_deref()),
            test.runner.attempt,
            Json(outcome.name()),
            Json(&self.headline()),
            Json(&place.file),
            place.line,
            place.column,
            text(self.nearest),
            text(recording.as_deref()),
        )
    }
}

/// Returns the path of a source file from the root of the repository, as GitHub knows it, if the file is in it.
fn in_repository(file: &str) -> Option<String> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The compiler names a file by its path from the root of the workspace, which is where the lock file is.
    let package = variable("CARGO_MANIFEST_DIR").or_else(|| env::current_dir().ok());
    let is_workspace = |directory: &&Path| directory.join("Cargo.lock").is_file();
    let workspace = || package.as_ref()?.ancestors().find(is_workspace).map(Path::to_path_buf);
    let workspace = variable("NEXTEST_WORKSPACE_ROOT").or_else(workspace).or(package);
    let path = workspace.unwrap_or_default().join(file);
    let in_repository = match variable("GITHUB_WORKSPACE") {
        Some(repository) => path.strip_prefix(repository).ok()?,
        None => Path::new(file),
    };
    Some(in_repository.to_str()?.replace('\\', "/"))
}

/// Text behind the colons of a workflow command.
struct GithubData<'a>(&'a str);

impl fmt::Display for GithubData<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_encoded(formatter, self.0, &['%', '\r', '\n'])
    }
}

/// The value of a property of a workflow command.
struct GithubProperty<'a>(&'a str);

impl fmt::Display for GithubProperty<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_encoded(formatter, self.0, &['%', '\r', '\n', ':', ','])
    }
}

/// Writes the encoded characters, of ASCII, as `%3A`, and characters that steer a terminal as in a Rust literal.
fn write_encoded(formatter: &mut fmt::Formatter<'_>, text: &str, encoded: &[char]) -> fmt::Result {
    for char in text.chars() {
        if encoded.contains(&char) {
            write!(formatter, "%{:02X}", u32::from(char))?;
        } else if char != '\\' && needs_escape(char) {
            write!(formatter, "{}", char.escape_unicode())?;
        } else {
            formatter.write_char(char)?;
        }
    }
    Ok(())
}

/// A string of JSON, in which nothing steers a terminal or commands a CI server.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('"')?;
        let mut before = ' ';
        let mut is_behind_hashes = false;
        for char in self.0.chars() {
            match char {
                '"' | '\\' => write!(formatter, "\\{char}")?,
                // The beginnings of `##[command]`, `##vso[command]` and `[[ATTACHMENT|…]]`.
                '[' if is_behind_hashes || before == '[' => {
                    formatter.write_str("\\u005b")?;
                }
                ' '..='~' => formatter.write_char(char)?,
                _ if char.is_alphanumeric() => formatter.write_char(char)?,
                _ => {
                    for unit in char.encode_utf16(&mut [0; 2]) {
                        write!(formatter, "\\u{unit:04x}")?;
                    }
                }
            }
            is_behind_hashes =
                [before, char] == ['#', '#'] || is_behind_hashes && char.is_ascii_lowercase();
            before = char;
        }
        formatter.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_and_data_are_encoded_as_github_decodes_them() {
        assert_eq!(GithubData("50 %: a,\r\n::error").to_string(), "50 %25: a,%0D%0A::error");
        assert_eq!(GithubProperty("a::b, 5 %\n").to_string(), "a%3A%3Ab%2C 5 %25%0A");
        assert_eq!(GithubData("\u{1b}[0m \\n").to_string(), r"\u{1b}[0m \n");
        assert_eq!(GithubData("").to_string(), "");
    }

    #[test]
    fn strings_of_json_are_on_one_line_and_command_nothing() {
        let text = "say \"hi\"\\\n\u{1b}\u{2028}größer 🦀 ##[error] ##vso[x] [[ATTACHMENT|x]]";
        let json = Json(text).to_string();
        assert_eq!(
            json,
            r#""say \"hi\"\\\u000a\u001b\u2028größer \ud83e\udd80 ##\u005berror] ##vso\u005bx] [\u005bATTACHMENT|x]]""#
        );
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
