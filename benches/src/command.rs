//! What the program is told to do.

/// Command by which it does the work of one side of a row, for callgrind to look at.
pub(crate) const WORK: &str = "work";

pub(crate) const HELP: &str = "\
Measures spanshot against its peers and against itself.

Usage: cargo run --release -- [COMMAND [PART]] [--markdown]

Commands:
  time [PART]     the tables, by time: both sides by turns, the best of some rounds (if there is no
                  command, too)
  count [PART]    the tables, by instructions, which valgrind (callgrind) counts
  check [PART]    the tables, by what decides; fails where a ratio is not reached, with room for noise
  build           what a clean build of one test costs, the best of three; fails where a ratio is worse than it was;
                  takes minutes
  work ROW SIDE   does the work of one side of a row (ours, peers; much, little; …), to look at it:
                  valgrind --tool=callgrind --toggle-collect='*counted*' PROGRAM work ROW SIDE

PART is a part of the names of the rows to measure.

Options:
  --markdown      writes tables in Markdown
  --help          writes this

Exit codes: 1 if the check or a measurement fails, 2 if the arguments are not understood.
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Build { markdown: bool },
    Measure { gauge: Gauge, part: String, markdown: bool },
    Work { row: String, side: String },
}

/// The measurements to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gauge {
    Time,
    Count,
    /// Whichever decides whether a row passes.
    Check,
}

impl Command {
    /// # Errors
    ///
    /// Returns a message if the arguments are not understood.
    pub(crate) fn parse(args: &[String]) -> Result<Self, String> {
        let is_option = |arg: &&&str| arg.starts_with('-');
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let options: Vec<&str> = args.iter().filter(is_option).copied().collect();
        let words: Vec<&str> = args.iter().filter(|arg| !is_option(arg)).copied().collect();
        if options.iter().any(|option| ["-h", "--help"].contains(option)) {
            return Ok(Self::Help);
        }
        if let Some(unknown) = options.iter().find(|option| **option != "--markdown") {
            return Err(format!("there is no option {unknown}"));
        }

        let (gauge, part) = match words[..] {
            [] => (Gauge::Time, ""),
            [WORK, row, side] => return Ok(Self::Work { row: row.into(), side: side.into() }),
            ["build"] => return Ok(Self::Build { markdown: !options.is_empty() }),
            [WORK, ..] => return Err("work takes a row and a side".into()),
            [command] => (Gauge::named(command)?, ""),
            [command, part] => (Gauge::named(command)?, part),
            [_, _, further, ..] => return Err(format!("{further:?} is one argument too many")),
        };
        Ok(Self::Measure { gauge, part: part.into(), markdown: !options.is_empty() })
    }
}

impl Gauge {
    fn named(name: &str) -> Result<Self, String> {
        match name {
            "time" => Ok(Self::Time),
            "count" => Ok(Self::Count),
            "check" => Ok(Self::Check),
            _ => Err(format!("there is no command {name:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<Command, String> {
        Command::parse(&args.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    fn measure(gauge: Gauge, part: &str, markdown: bool) -> Command {
        Command::Measure { gauge, part: part.into(), markdown }
    }

    #[test]
    fn arguments_are_understood() {
        assert_eq!(parse(""), Ok(measure(Gauge::Time, "", false)));
        assert_eq!(parse("--markdown"), Ok(measure(Gauge::Time, "", true)));
        assert_eq!(parse("time scan"), Ok(measure(Gauge::Time, "scan", false)));
        assert_eq!(parse("count --markdown scan"), Ok(measure(Gauge::Count, "scan", true)));
        assert_eq!(parse("check"), Ok(measure(Gauge::Check, "", false)));
        assert_eq!(parse("build"), Ok(Command::Build { markdown: false }));
        assert_eq!(parse("check --help"), Ok(Command::Help));
        assert_eq!(
            parse("work row ours"),
            Ok(Command::Work { row: "row".into(), side: "ours".into() })
        );
    }

    #[test]
    fn other_arguments_are_refused() {
        for (args, expected) in [
            ("scan", "there is no command \"scan\""),
            ("time --fast", "there is no option --fast"),
            ("time a b", "\"b\" is one argument too many"),
            ("work row", "work takes a row and a side"),
        ] {
            assert_eq!(parse(args), Err(expected.into()), "{args}");
        }
    }
}
