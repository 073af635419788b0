//! Text of the trace as text of the page.

use alloc::format;
use core::{
    fmt::{self, Write},
    time::Duration,
};

use crate::wire::text::Escaped;

/// Shows something in HTML, as text or as the value of an attribute in quotes.
pub(super) struct Html<T>(pub(super) T);

impl<T: fmt::Display> fmt::Display for Html<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Entities(formatter), "{}", self.0)
    }
}

struct Entities<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Entities<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut unescaped_from = 0;
        for (position, byte) in text.bytes().enumerate() {
            let entity = match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\'' => "&#39;",
                _ => continue,
            };
            self.0.write_str(&text[unescaped_from..position])?;
            self.0.write_str(entity)?;
            unescaped_from = position + 1;
        }
        self.0.write_str(&text[unescaped_from..])
    }
}

/// Shows traced text in HTML, and escapes characters that are invisible or would change the text around them.
pub(super) fn traced(text: &str) -> Html<Escaped<'_>> {
    Html(Escaped(text))
}

/// Shows a number with its thousands apart.
pub(super) struct Grouped(pub(super) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{}", self.0);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i) % 3 == 0 {
                formatter.write_char(',')?;
            }
            formatter.write_char(digit)?;
        }
        Ok(())
    }
}

/// Shows a number of things.
pub(super) struct Count<T>(pub(super) T, pub(super) &'static str);

impl<T: TryInto<u64> + Copy> fmt::Display for Count<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.try_into().unwrap_or(u64::MAX);
        let plural = if count == 1 { "" } else { "s" };
        write!(formatter, "{} {}{plural}", Grouped(count), self.1)
    }
}

/// Shows a duration as people read it.
pub(super) struct Time(pub(super) Duration);

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        match nanos {
            0 => formatter.write_str("0 s"),
            1..1_000 => write!(formatter, "{nanos} ns"),
            1_000..1_000_000 => Self::with_unit(formatter, nanos, 1_000, "µs"),
            1_000_000..1_000_000_000 => Self::with_unit(formatter, nanos, 1_000_000, "ms"),
            _ => Self::with_unit(formatter, nanos, 1_000_000_000, "s"),
        }
    }
}

impl Time {
    fn with_unit(
        formatter: &mut fmt::Formatter<'_>,
        nanos: u128,
        unit: u128,
        name: &str,
    ) -> fmt::Result {
        write!(formatter, "{}.{:02} {name}", nanos / unit, nanos % unit * 100 / unit)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn text_is_escaped_twice() {
        let text = "<b a=\"x\" b='&amp;'>\u{1b}[31m\u{202e}\n</b>";
        let expected =
            "&lt;b a=&quot;x&quot; b=&#39;&amp;amp;&#39;&gt;\\u{1b}[31m\\u{202e}\\n&lt;/b&gt;";
        assert_eq!(traced(text).to_string(), expected);
    }

    #[test]
    fn numbers_are_grouped() {
        let numbers = [0, 999, 1_000, 1_048_576].map(|number| Grouped(number).to_string());
        assert_eq!(numbers, ["0", "999", "1,000", "1,048,576"]);
        assert_eq!(Count(1_usize, "span").to_string(), "1 span");
        assert_eq!(Count(2_usize, "span").to_string(), "2 spans");
    }

    #[test]
    fn times_have_a_fitting_unit() {
        let times = [0, 999, 1_000, 1_050, 999_999, 12_345_678, 3_661_000_000_000];
        let times = times.map(|nanos| Time(Duration::from_nanos(nanos)).to_string());
        let expected =
            ["0 s", "999 ns", "1.00 µs", "1.05 µs", "999.99 µs", "12.34 ms", "3661.00 s"];
        assert_eq!(times, expected);
    }
}
