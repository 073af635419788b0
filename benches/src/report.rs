//! The tables, as they are written.

use crate::{figures::Figures, table::Table};

/// The way in which tables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    Text,
    Markdown,
}

/// Whatever the widths, two spaces are between columns.
const WIDTHS: [usize; 7] = [64, 19, 9, 9, 6, 8, 3];

impl Report {
    /// Returns the lines that a table begins with.
    pub(crate) fn heading(self, table: Table) -> String {
        let [first, second] = table.sides();
        let title = table.title();
        let heads = ["", "in", first, second, "ratio", "to reach", ""].map(String::from);
        match self {
            Self::Text => {
                let mut heads = heads;
                heads[0] = title.into();
                format!("\n{}", self.line(&heads))
            }
            Self::Markdown => {
                format!("\n{title}:\n\n{}\n|---|---|--:|--:|--:|--:|---|", self.line(&heads))
            }
        }
    }

    /// Returns the line of a row.
    pub(crate) fn row(self, figures: &Figures) -> String {
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "–".into());
        let verdict = match (figures.reach, figures.is_within(1.0)) {
            (None, _) => "",
            (Some(_), true) => "yes",
            (Some(_), false) => "no",
        };
        self.line(&[
            figures.name.into(),
            figures.measure(),
            amount(figures.first),
            or_none(figures.second.map(amount)),
            or_none(figures.ratio().map(|ratio| format!("{ratio:.3}"))),
            or_none(figures.reach.map(|reach| format!("≤ {reach:.3}"))),
            verdict.into(),
        ])
    }

    fn line(self, cells: &[String; 7]) -> String {
        if self == Self::Markdown {
            return format!("| {} |", cells.join(" | "));
        }
        let padded = cells.iter().zip(WIDTHS).enumerate().map(|(column, (cell, width))| {
            // Words begin below one another, numbers end so.
            let is_number = (2..6).contains(&column);
            if is_number { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().into()
    }
}

/// With as many places as tell something, and the thousands apart.
fn amount(value: f64) -> String {
    if value < 1_000.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut apart = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURES: Figures = Figures {
        name: "a row",
        unit: "ns",
        per: "a record",
        first: 100.04,
        second: Some(1_234_567.0),
        reach: Some(0.25),
    };

    #[test]
    fn columns_are_below_one_another() {
        let lines = [Report::Text.heading(Table::Peers), Report::Text.row(&FIGURES)];
        let lines = lines.map(|line| line.trim_start_matches('\n').to_string());
        let place = |line: usize, part: &str| {
            let end = lines[line].find(part).expect("it is there");
            lines[line][..end].chars().count()
        };
        assert_eq!(place(0, "in  "), place(1, "ns a record"), "{lines:#?}");
        assert_eq!(place(0, "ours") + 4, place(1, "100.0") + 5, "{lines:#?}");
        assert!(lines[1].ends_with("100.0  1,234,567   0.000   ≤ 0.250  yes"), "{}", lines[1]);
    }

    #[test]
    fn markdown_is_a_table() {
        let without = Figures { second: None, reach: None, ..FIGURES };
        assert_eq!(
            Report::Markdown.row(&without),
            "| a row | ns a record | 100.0 | – | – | – |  |"
        );
        let heading = Report::Markdown.heading(Table::Peers);
        let lines: Vec<&str> = heading.lines().collect();
        assert_eq!(lines[3], "|  | in | ours | peers | ratio | to reach |  |");
        assert_eq!(lines[4].matches('|').count(), lines[3].matches('|').count());
    }

    #[test]
    fn thousands_are_apart() {
        for (value, expected) in [
            (0.04, "0.0"),
            (999.94, "999.9"),
            (1_000.4, "1,000"),
            (46_000.0, "46,000"),
            (1e7, "10,000,000"),
        ] {
            assert_eq!(amount(value), expected);
        }
    }
}
