//! Checks that a secret is nowhere in a trace, without ever showing it.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::ptr;

use ::predicates::constant::always;

use super::{
    checks::ScanError,
    scanner::or_panic,
    sight::{evicted_unattributed, gap, limit},
    unattributed::WAYS_OUT,
};
use crate::{
    capture::{
        Captured, CapturedEvent, CapturedMetadata, CapturedNode, CapturedSpan, Sealed, Storage,
        short::Short,
    },
    wire::{TracedValue, hex::Hex, text::Quoted},
};

/// Stands for a trace that has the secret.
const WITHHELD: &str =
    "⟨not printed, since an assertion found a secret in it: SPANSHOT_RECORD=failure records it⟩";

/// Number of places that a message lists.
const MAX_PLACES: usize = 10;

/// Minimum length in bytes of secrets that are also searched for as a list of numbers. Shorter lists occur by chance.
const MIN_LISTED: usize = 4;

/// Assertions on secrets.
impl Storage {
    /// Asserts that a secret, such as a password or a token, is nowhere in the trace.
    ///
    /// `assert!(!trace.to_string().contains(secret))` is not enough, since the text of a trace cuts long values and
    /// shows only the last value of a field. This method searches
    ///
    /// - all values as a whole: strings, the output of `Debug` and `Display`, byte strings, the text of numbers and
    ///   Booleans, and the messages and `Debug` output of errors and their sources;
    /// - earlier values of the fields of spans;
    /// - names of spans, events and fields, targets, modules and files;
    /// - in a [process-wide](crate::Capture::start_process_wide) capture, also records that no test can claim.
    ///
    /// It finds the secret as it is, in `Debug` output and in JSON: with any of the escapes there, and, if it has 4 bytes or
    /// more, its bytes as a list of decimal or hexadecimal numbers, on one line or several. It does not find a part of the
    /// secret, or the secret in another encoding such as Base64, or hexadecimal digits in a row. Call it again for each of
    /// these.
    ///
    /// If the secret is there, the capture does not print the trace when your test fails. But [`Print::Live`](crate::Print)
    /// has printed it by then, a [recording](crate::CaptureBuilder#recording) has all values, and another assertion may
    /// fail before this one, with the secret in its message.
    ///
    /// # Panics
    ///
    /// Panics
    ///
    /// - if the secret is in the trace. The message lists the places, and shows neither the secret nor the trace;
    /// - if the capture could not have seen it, as for other [negatives](crate::predicates::Scanner#negatives): it saw
    ///   nothing at all, it evicted spans, events or values, another subscriber or layer had some of the records, an
    ///   error has a chain that [may be cut](crate::TracedError::may_be_cut), or its filter lets nothing pass. The
    ///   trace lacks the records that a filter rejects: if they matter, do not
    ///   filter;
    /// - if records that no test can claim contain the secret, or were evicted;
    /// - if the secret is empty.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::Capture;
    ///
    /// let capture = Capture::start();
    /// let login = tracing::info_span!("login", user = "alice", password = "hunter2");
    /// login.record("password", "***");
    /// let trace = capture.trace();
    /// assert!(!trace.to_string().contains("hunter2"));
    /// let error = trace.try_never_contains("hunter2").unwrap_err().to_string();
    /// assert!(error.contains("an earlier value of the field \"password\" of the INFO span \"login\""));
    /// assert!(!error.contains("hunter2"));
    ///
    /// trace.assert_never_contains("correct horse");
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "predicates")))]
    #[track_caller]
    pub fn assert_never_contains(&self, secret: &str) {
        or_panic(self.try_never_contains(secret));
    }

    /// Checks that a secret is nowhere in the trace, as
    /// [`assert_never_contains()`](Self::assert_never_contains) does, with a [`Result`].
    ///
    /// # Errors
    ///
    /// Returns an error if the secret is in the trace, if the capture could not have seen it, if records that no
    /// test can claim contain it or were evicted, or if it is empty.
    #[cfg_attr(docsrs, doc(cfg(feature = "predicates")))]
    pub fn try_never_contains(&self, secret: &str) -> Result<(), ScanError> {
        if secret.is_empty() {
            let refusal =
                "the secret is empty, and so in every trace: was it read from where it should be?";
            return Err(ScanError::new(refusal.to_string()));
        }
        let secret = Secret::new(secret);
        let sight = self.sight();
        let found = Places::of(&secret, self, |_| true);
        if found.count > 0 {
            self.printed().withhold(WITHHELD);
            return Err(found.error(&format!("a secret is in the trace, {}", found.number())));
        }
        let says_nothing = |reason: String| {
            let reason = secret.hide(&reason);
            ScanError::new(format!("that a secret is not there says nothing, since {reason}"))
        };
        if let Some(reason) = limit(self, &always(), true).or_else(|| gap(self)) {
            return Err(says_nothing(reason));
        }
        // If a record is the test's, the filter of the capture applies to it.
        let passes =
            |metadata: CapturedMetadata<'_>| sight.passes(*metadata.level(), metadata.target());
        if let Some(unattributed) = sight.unattributed.as_deref() {
            let found = Places::of(&secret, unattributed, passes);
            if found.count > 0 {
                unattributed.printed().withhold(WITHHELD);
                let number = found.number();
                let error = found.error(&format!(
                    "a secret is in records that no test can claim, and may be this test's, {number}"
                ));
                return Err(ScanError::new(format!("{error}\n{WAYS_OUT}")));
            }
            if let Some(reason) = evicted_unattributed(self) {
                return Err(ScanError::new(format!("{}\n{WAYS_OUT}", says_nothing(reason))));
            }
        }
        Ok(())
    }
}

/// A secret, with its forms in `Debug` output that contain it letter by letter.
struct Secret<'s> {
    text: &'s str,
    others: Vec<String>,
}

impl<'s> Secret<'s> {
    fn new(text: &'s str) -> Self {
        let escape = |text: &str| {
            let escaped = format!("{text:?}");
            escaped[1..escaped.len() - 1].to_string() // without the quotes
        };
        let once = escape(text);
        // The form in the output of a structure that has such output in a string.
        let twice = escape(&once);
        let mut others = alloc::vec![once, twice];
        if text.len() >= MIN_LISTED {
            let lists = [format!("{:?}", text.as_bytes()), Hex(text.as_bytes()).to_string()];
            others.extend(lists.map(|list| list[1..list.len() - 1].to_string()));
        }
        others.retain(|other| other != text);
        others.dedup();
        Self { text, others }
    }

    fn is_in(&self, text: &str) -> bool {
        text.contains(self.text)
            || self.others.iter().any(|other| text.contains(other))
            || self.is_in_debug_output(text.as_bytes())
    }

    /// Looks for the secret in the other forms of `Debug` output: lists of numbers, and escapes. Types differ in what
    /// they escape, and how: `"it's"` is `it\'s` as a C string, and `\xNN` may be a byte or a letter. So the output is
    /// read back, twice for output in a string of other output.
    fn is_in_debug_output(&self, text: &[u8]) -> bool {
        let mut unescaped;
        let mut text = text;
        for _ in 0..2 {
            if self.is_listed(text) {
                return true;
            }
            if !text.contains(&b'\\') {
                return false;
            }
            unescaped = unescape(text);
            text = &unescaped;
            if self.is_in_bytes(text) {
                return true;
            }
        }
        self.is_listed(text)
    }

    fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        bytes.windows(self.text.len()).any(|window| window == self.text.as_bytes())
    }

    /// Whether the bytes of the secret are in a list of numbers, such as `[104, 105]`, `[68, 69]` in hexadecimal digits,
    /// or one with a line for each.
    fn is_listed(&self, text: &[u8]) -> bool {
        let is_listed = |number: fn(&[u8]) -> Option<u8>| {
            let mut run = Vec::new();
            for part in text.split(|byte| *byte == b',') {
                let part = part.trim_ascii();
                if let Some(byte) = number(part) {
                    run.push(byte);
                    continue;
                }
                // The list ends here, and another one may begin.
                let end = part.iter().position(|byte| !is_of_number(*byte));
                let start = part.iter().rposition(|byte| !is_of_number(*byte));
                let (Some(end), Some(start)) = (end, start) else {
                    run.clear();
                    continue;
                };
                run.extend(number(&part[..end]));
                if self.is_in_bytes(&run) {
                    return true;
                }
                run.clear();
                run.extend(number(&part[start + 1..]));
            }
            self.is_in_bytes(&run)
        };
        self.text.len() >= MIN_LISTED
            && text.contains(&b',')
            && (is_listed(decimal) || is_listed(hexadecimal))
    }

    fn is_in_value(&self, value: &TracedValue) -> bool {
        match value {
            TracedValue::Bool(_) | TracedValue::Int(_) | TracedValue::UInt(_) => {
                self.is_in(&value.to_string())
            }
            TracedValue::Float(value) => {
                self.is_in(&value.to_string()) || self.is_in(&format!("{value:?}"))
            }
            TracedValue::String(text) => self.is_in(text),
            TracedValue::Object(text) => self.is_in(text.as_ref()),
            TracedValue::Error(error) => (error.texts()).any(|(message, debug)| {
                self.is_in(message) || debug.is_some_and(|debug| self.is_in(debug))
            }),
            TracedValue::Bytes(bytes) => self.is_in_bytes(bytes) || self.is_in_debug_output(bytes),
        }
    }

    /// Replaces the secret in a text. A name may contain it, and a number may be it.
    fn hide(&self, text: &str) -> String {
        let hidden = text.replace(self.text, "⟨secret⟩");
        let hidden = self.others.iter().fold(hidden, |text, other| text.replace(other, "⟨secret⟩"));
        // The replacement, with the text around it, may contain the secret again.
        if self.is_in(&hidden) {
            "(not shown, since that would show the secret)".to_string()
        } else {
            hidden
        }
    }

    /// Shows a name between quotes.
    fn quoted(&self, name: &str) -> String {
        Short::phrase(Quoted(&self.hide(name))).to_string()
    }
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'+' | b'-')
}

/// Reads a byte, signed or unsigned, in decimal digits.
fn decimal(text: &[u8]) -> Option<u8> {
    let number: i32 = core::str::from_utf8(text).ok()?.parse().ok()?;
    (-128..=255).contains(&number).then(|| number.to_le_bytes()[0])
}

/// Reads a byte in hexadecimal digits, with or without `0x`.
fn hexadecimal(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}

/// Replaces the escapes of `Debug` output and of JSON by what they stand for. Other backslashes stay.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut unescaped = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        if byte == b'\\' {
            if let Some(len) = push_unescaped(&mut unescaped, behind) {
                rest = &behind[len..];
                continue;
            }
        }
        unescaped.push(byte);
        rest = behind;
    }
    unescaped
}

/// Reads an escape behind its backslash. Returns its length, or `None` if it is none.
fn push_unescaped(unescaped: &mut Vec<u8>, text: &[u8]) -> Option<usize> {
    let byte = match *text.first()? {
        byte @ (b'\\' | b'"' | b'\'' | b'/') => byte,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0' => 0,
        b'b' => 8,
        b'f' => 12,
        b'x' => {
            let digits =
                text.get(1..3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            unescaped.push(hexadecimal(digits)?);
            return Some(3);
        }
        b'u' if !text.starts_with(b"u{") => {
            let unit = utf16_unit(text)?;
            // Two escapes may stand for one character.
            let low = text.get(5..).and_then(|text| utf16_unit(text.strip_prefix(b"\\")?));
            let (units, len) = match low {
                Some(low) if (0xd800..0xdc00).contains(&unit) => (&[unit, low][..], 11),
                _ => (&[unit][..], 5),
            };
            let char = char::decode_utf16(units.iter().copied()).next()?.ok()?;
            unescaped.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(len);
        }
        b'u' => {
            let digits = text.strip_prefix(b"u{")?;
            let len = digits.iter().take(7).position(|byte| *byte == b'}')?;
            let number = core::str::from_utf8(&digits[..len]).ok()?;
            let char = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
            unescaped.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            return Some("u{}".len() + len);
        }
        _ => return None,
    };
    unescaped.push(byte);
    Some(1)
}

/// Reads a `u` with the four digits behind it.
fn utf16_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"u")?.get(..4)?;
    let digits = Some(digits).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u16::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}

/// The places where a secret is.
struct Places<'s> {
    secret: &'s Secret<'s>,
    count: usize,
    /// Descriptions of the first places.
    listed: Vec<String>,
    /// Call sites that were searched, by their addresses.
    searched: BTreeSet<usize>,
}

impl<'s> Places<'s> {
    fn of(
        secret: &'s Secret<'s>,
        storage: &Storage,
        is_searched: impl Fn(CapturedMetadata<'_>) -> bool,
    ) -> Self {
        let mut places = Self { secret, count: 0, listed: Vec::new(), searched: BTreeSet::new() };
        for span in storage.all_spans().filter(|span| is_searched(span.metadata())) {
            places.search_span(span);
        }
        for event in storage.all_events().filter(|event| is_searched(event.metadata())) {
            places.search_event(event);
        }
        places
    }

    fn search_span(&mut self, span: CapturedSpan<'_>) {
        self.search_call_site(&span);
        for (name, value) in span.with_earlier_values().all_values() {
            if self.secret.is_in_value(value) {
                self.add(&span, || {
                    let is_last = span.values().any(|(_, last)| ptr::eq(last, value));
                    let which = if is_last { "the field" } else { "an earlier value of the field" };
                    (which, Some(name))
                });
            }
        }
    }

    fn search_event(&mut self, event: CapturedEvent<'_>) {
        self.search_call_site(&event);
        for (name, value) in event.values() {
            if self.secret.is_in_value(value) {
                self.add(&event, || match name {
                    "message" => ("the message", None),
                    name => ("the field", Some(name)),
                });
            }
        }
    }

    /// Searches the texts that all spans or events of a call site have in common.
    fn search_call_site<'a>(&mut self, item: &impl Captured<'a>) {
        let metadata = item.metadata();
        if !self.searched.insert(metadata.address()) {
            return;
        }
        let texts = [
            ("the name", Some(metadata.name())),
            ("the target", Some(metadata.target())),
            ("the module", metadata.module_path()),
            ("the file", metadata.file()),
        ];
        for (what, text) in texts {
            if text.is_some_and(|text| self.secret.is_in(text)) {
                self.add(item, || (what, None));
            }
        }
        for name in metadata.fields() {
            if self.secret.is_in(name) {
                self.add(item, || ("the name of the field", Some(name)));
            }
        }
    }

    /// Adds a place, and describes it only if it is listed: there may be a million.
    fn add<'a, 'n>(
        &mut self,
        item: &impl Captured<'a>,
        place: impl FnOnce() -> (&'static str, Option<&'n str>),
    ) {
        self.count += 1;
        if self.listed.len() == MAX_PLACES {
            return;
        }
        let (what, field) = place();
        let field = field.map_or_else(String::new, |name| format!(" {}", self.secret.quoted(name)));
        let metadata = item.metadata();
        let item = match item.node() {
            CapturedNode::Span(_) => format!("span {}", self.secret.quoted(metadata.name())),
            CapturedNode::Event(_) => "event".to_string(),
        };
        let target = self.secret.quoted(metadata.target());
        let file = metadata.file().map_or_else(String::new, |file| {
            let line = metadata.line().map_or_else(String::new, |line| format!(":{line}"));
            format!(", {}{line}", self.secret.quoted(file))
        });
        let level = metadata.level();
        self.listed.push(
            self.secret
                .hide(&format!("{what}{field} of the {level} {item} (target {target}{file})")),
        );
    }

    fn number(&self) -> String {
        match self.count {
            1 => "at 1 place".to_string(),
            count => format!("at {count} places"),
        }
    }

    fn error(&self, headline: &str) -> ScanError {
        let more = self.count - self.listed.len();
        let more = (more > 0).then(|| format!("(and {more} more)"));
        let lines = self.listed.iter().chain(&more).map(|line| format!("  {line}\n"));
        let message = format!("{headline} (neither is shown here):\n{}", lines.collect::<String>());
        ScanError::new(message)
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use std::string::ToString;

    use tracing::{debug, error, info};

    use super::*;
    use crate::{Capture, Trace};

    fn trace(unattributed: impl FnOnce(), evicted: u64) -> Trace {
        let elsewhere = Capture::start();
        unattributed();
        let unattributed = (*elsewhere.finish()).clone();
        let capture = Capture::builder().filter("info").start();
        capture.storage().set_sight(|sight| {
            sight.unattributed = Some(Arc::new(unattributed));
            sight.unattributed_evicted = evicted;
        });
        info!("done");
        capture.trace()
    }

    #[test]
    fn records_that_no_test_can_claim_are_searched() {
        let trace = trace(|| error!(password = "hunter2", "failed"), 0);
        let line = line!() - 1;
        let error = trace.try_never_contains("hunter2").unwrap_err().to_string();
        let expected = format!(
            "a secret is in records that no test can claim, and may be this test's, at 1 place (neither is \
             shown here):\n  the field \"password\" of the ERROR event (target {}, {}:{line})\n\n{WAYS_OUT}",
            Quoted(module_path!()),
            Quoted(file!()),
        );
        assert_eq!(error, expected);
        trace.assert_never_contains("hunter3");
    }

    #[test]
    fn records_that_the_filter_would_reject_are_not_the_tests() {
        trace(|| debug!("hunter2"), 0).assert_never_contains("hunter2");
    }

    #[test]
    fn records_that_are_gone_may_have_contained_it() {
        let error = trace(|| {}, 2).try_never_contains("hunter2").unwrap_err().to_string();
        let expected = "that a secret is not there says nothing, since 2 records that no test can claim were evicted";
        assert_eq!(error, format!("{expected}\n{WAYS_OUT}"));
    }

    #[test]
    fn capture_that_is_bypassed_says_nothing() {
        let capture = Capture::start();
        info!("seen");
        capture.storage().note_bypass();
        let error = capture.trace().try_never_contains("hunter2").unwrap_err().to_string();
        assert!(
            error.starts_with("that a secret is not there says nothing, since a thread of this"),
            "{error}"
        );
    }
}
