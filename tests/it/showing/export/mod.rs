//! Traces as pages for browsers and as files for trace viewers. That pages do what they should is what
//! `tests/html_page` is about.

mod chrome;
mod page;

use std::io;

use spanshot::{
    SharedStorage, TracingEventReceiver,
    export::{ChromeTrace, HtmlPage},
};

use crate::support::{HOSTILE_TEXTS, hostile_trace};

/// Captures what a stream of JSON says.
fn captured(stream: &str) -> SharedStorage {
    let storage = SharedStorage::default();
    let mut receiver = TracingEventReceiver::capturing(&storage);
    for event in serde_json::from_str::<Vec<_>>(stream).expect("it is a stream") {
        receiver.receive(event);
    }
    storage
}

/// Whether a character is not what it looks like, or does something.
fn is_dangerous(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[test]
fn nothing_dangerous_is_in_any_output() {
    let trace = hostile_trace();
    let title = HOSTILE_TEXTS.concat();
    let (page, chrome) =
        (HtmlPage::new(&trace).title(&title), ChromeTrace::new(&trace).title(&title));
    let outputs = [
        ("tree", trace.to_string()),
        ("page", page.to_string()),
        ("Chrome", chrome.to_string()),
        ("span", trace.all_spans().next().unwrap().to_string()),
    ];
    for (name, output) in &outputs {
        let mut chars = output.chars().filter(|char| *char != '\n');
        assert_eq!(chars.find(|char| is_dangerous(*char)), None, "{name}");
        assert!(output.len() < 50_000_000, "{name}: {}", output.len());
    }
    // It is text of a value, not markup: there is the page's own script, and no other tag of the trace.
    let (_, page) = &outputs[1];
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    for tag in ["<img", "<svg", "<b>\\", "</pre></textarea", "<!-- <", "<![CDATA"] {
        assert!(!page.contains(tag), "{tag}");
    }
    // In the serialized form, text stays what it is; whoever writes it escapes it.
    let serialized = serde_json::to_value(&trace).unwrap().to_string();
    let text = serde_json::to_string(HOSTILE_TEXTS[0]).unwrap();
    assert!(serialized.contains(&text));
}

/// A writer that fails, but not at first.
struct Full {
    room: usize,
}

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let written = bytes.len().min(self.room);
        self.room -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn errors_of_the_writer_are_returned() {
    let trace = hostile_trace();
    for room in [0, 10, 20_000] {
        let error = HtmlPage::new(&trace).write_to(Full { room }).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let error = ChromeTrace::new(&trace).write_to(Full { room }).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
