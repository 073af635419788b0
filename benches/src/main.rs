//! spanshot against its peers and against itself, measured in one run. See README.md.

#![allow(clippy::cast_precision_loss, reason = "figures are shown to three places")]

mod buffer;
mod build;
mod call_site;
mod check;
mod command;
mod counting;
mod figures;
mod guests;
mod heap;
mod report;
mod row;
mod rows;
mod table;
mod timing;
mod tunnels;
mod workload;

use std::{env, error::Error, process::ExitCode};

use command::{Command, Gauge, HELP};
use figures::Figures;
use report::Report;
use table::Table;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let result = match Command::parse(&args) {
        Ok(Command::Help) => {
            print!("{HELP}");
            Ok(vec![])
        }
        Ok(Command::Work { row, side }) => match counting::work(&row, &side) {
            Some(()) => Ok(vec![]),
            None => return misunderstood(&format!("there is no row {row:?} with a side {side:?}")),
        },
        Ok(Command::Build { markdown }) => {
            let mut lines = Lines::new(Table::Build, markdown);
            build::measure(|figures| lines.write(figures))
        }
        Ok(Command::Measure { gauge, part, markdown }) => {
            if !names().any(|name| name.contains(&part)) {
                return misunderstood(&format!("no row's name contains {part:?}"));
            }
            measure(gauge, &part, markdown)
        }
        Err(message) => return misunderstood(&message),
    };
    match result {
        Ok(failures) if failures.is_empty() => ExitCode::SUCCESS,
        Ok(failures) => {
            eprintln!("\nnot reached:\n  {}", failures.join("\n  "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn misunderstood(message: &str) -> ExitCode {
    eprintln!("{message}; --help tells what there is");
    ExitCode::from(2)
}

fn names() -> impl Iterator<Item = &'static str> {
    rows::all().map(|row| row.name).chain(rows::amounts().map(|amount| amount.name))
}

/// Measures the rows whose names contain a part, and writes their tables. Returns what the check has
/// against them.
fn measure(gauge: Gauge, part: &str, markdown: bool) -> Result<Vec<String>, Box<dyn Error>> {
    let can_count = counting::is_possible();
    match gauge {
        Gauge::Count if !can_count => {
            return Err("valgrind is what counts, and is not there".into());
        }
        Gauge::Check if !can_count => eprintln!("there is no valgrind: nothing is counted"),
        _ => {}
    }
    let mut failures = vec![];
    for table in Table::OF_ROWS {
        let mut lines = Lines::new(table, markdown);
        for row in rows::all().filter(|row| row.table == table && row.name.contains(part)) {
            match gauge {
                // What takes next to no time is counted if it can be.
                Gauge::Time if row.table != Table::Unused || !can_count => {
                    lines.write(&timing::measure(row, table.rounds(), |_| true));
                }
                Gauge::Time | Gauge::Count if table.is_countable() => {
                    lines.write(&counting::measure(row)?);
                }
                Gauge::Time | Gauge::Count => {}
                Gauge::Check => {
                    if let Some(judgement) = check::judge(row, can_count)? {
                        lines.write(&judgement.figures);
                        failures.extend(judgement.failure);
                    }
                }
            }
        }
        for amount in rows::amounts().filter(|row| row.table == table && row.name.contains(part)) {
            let judgement = check::judge_amount(amount)?;
            lines.write(&judgement.figures);
            if gauge == Gauge::Check {
                failures.extend(judgement.failure);
            }
        }
    }
    Ok(failures)
}

/// What is written of a table.
struct Lines {
    table: Table,
    report: Report,
    has_heading: bool,
}

impl Lines {
    fn new(table: Table, markdown: bool) -> Self {
        let report = if markdown { Report::Markdown } else { Report::Text };
        Self { table, report, has_heading: false }
    }

    /// Writes a row, at once since the next one may take long. The first one comes with the heading.
    fn write(&mut self, figures: &Figures) {
        if !self.has_heading {
            println!("{}", self.report.heading(self.table));
            self.has_heading = true;
        }
        println!("{}", self.report.row(figures));
    }
}
