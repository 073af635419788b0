//! Characters that nobody sees, and spaces that look like U+0020, are shown as their numbers, so that no
//! two texts look the same.

use spanshot::{
    SnapshotSettings, StreamSnapshot, TracedValue, TracingEvent, TracingEventSender, predicates::*,
};
use tracing::{info, subscriber::with_default};

use crate::support::{native, panic_message};

/// The first and the last character of each range that an independent source lists.
fn listed() -> impl Iterator<Item = (char, char)> {
    let lines = include_str!("unseen_characters.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(|line| {
        let (first, last) = line.split_once("..").expect("it is a range");
        let char = |digits| char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
        (char(first), char(last))
    })
}

fn is_listed(char: char) -> bool {
    listed().any(|(first, last)| (first..=last).contains(&char))
}

/// What steers, and what is invisible or looks like another text for other reasons.
fn is_escaped_besides(char: char) -> bool {
    char.is_control()
        || char == '\\'
        // Separators of lines and paragraphs; a blank pattern of Braille, and two more characters without
        // ink; format characters of hieroglyphs that came with Unicode 15.
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{1d159}' | '\u{16fe4}')
        || matches!(char, '\u{13439}'..='\u{1343f}')
}

#[test]
fn exactly_what_is_not_seen_is_escaped() {
    let listed: Vec<_> = listed().collect();
    assert!(listed.len() > 25);
    let mut wrong = vec![];
    for char in '\0'..=char::MAX {
        let is_listed = listed.iter().any(|(first, last)| (*first..=*last).contains(&char));
        let shown = TracedValue::debug(&format_args!("{char}")).to_string();
        if (shown != char.to_string()) != (is_listed || is_escaped_besides(char)) {
            wrong.push(char);
        }
    }
    wrong.truncate(20);
    assert_eq!(wrong, [] as [char; 0]);
}

/// Ends of all ranges, and what else is not seen, each between two letters.
fn unseen() -> impl Iterator<Item = char> {
    let ends = listed().flat_map(|(first, last)| [first, last]);
    ends.chain(['\u{2800}', '\u{fe0f}', '\u{180b}', '\u{e0100}', '\u{e0041}', '\u{2060}'])
}

#[test]
fn every_output_shows_their_numbers() {
    let text: String = unseen().flat_map(|char| ['a', char, 'b']).collect();
    let escaped: String = unseen()
        .map(|char| char.escape_unicode().to_string())
        .fold(String::new(), |text, char| text + "a" + &char + "b");
    let trace = native(|| info!(text, "{text}"));

    for settings in [SnapshotSettings::new(), SnapshotSettings::new().ascii(true)] {
        let settings = settings.max_value_chars(10_000);
        let tree = settings.view(&trace).to_string();
        assert_eq!(tree, format!("INFO {escaped} text=\"{escaped}\""));
        let lines = settings.view(&native(|| info!("x\n{text}"))).to_string();
        assert!(lines.ends_with(&escaped), "{lines}");
    }
    #[cfg_attr(not(feature = "export"), allow(unused_mut))]
    let mut outputs = vec![
        ("printed", trace.to_string()),
        ("failure", panic_message(|| trace.scan_events().none(&message(contains("a"))))),
        ("comparison", {
            let other = native(|| info!(text = "x", "{text}"));
            SnapshotSettings::new().compare(&trace, &other).to_string()
        }),
        ("data", serde_json::to_string(&trace).unwrap()),
        ("stream", {
            let (sender, events) = std::sync::mpsc::channel();
            let subscriber = TracingEventSender::new(move |event| drop(sender.send(event)));
            with_default(subscriber, || info!(text, "{text}"));
            let events: Vec<TracingEvent> = events.iter().collect();
            StreamSnapshot::new(&events).to_string()
        }),
    ];
    #[cfg(feature = "export")]
    {
        outputs.push(("page", spanshot::export::HtmlPage::new(&trace).to_string()));
    }
    for (name, output) in outputs {
        let raw: Vec<char> = output.chars().filter(|c| is_listed(*c) || *c == '\u{2800}').collect();
        assert_eq!(raw, [] as [char; 0], "{name}: {output}");
    }
}

#[test]
fn texts_that_look_alike_are_shown_apart() {
    let shown = |text: &str| TracedValue::from(text).to_string();
    assert_eq!(shown("❤\u{fe0f}"), r#""❤\u{fe0f}""#);
    assert_eq!(shown("10\u{a0}000"), r#""10\u{a0}000""#);
    assert_eq!(shown("admin\u{3164}"), r#""admin\u{3164}""#);
    assert_eq!(shown("größer 你好 🦀 نص"), r#""größer 你好 🦀 نص""#);
}
