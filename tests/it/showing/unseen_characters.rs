//! Characters that nobody sees, and spaces that look like U+0020, are shown as their numbers, so that no
//! two texts look the same.

use ::predicates::str::PredicateStrExt;
use spanshot::{
    CapturedEvent, SnapshotSettings, StreamSnapshot, Trace, TracedValue, TracingEvent,
    TracingEventSender, predicates::*,
};
use tracing::{Level, info, subscriber::with_default};

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
        || is_part(char)
}

/// Marks that are drawn as one with a letter, and parts of Hangul syllables.
fn is_part(char: char) -> bool {
    matches!(
        u32::from(char),
        0x300..=0x36f | 0x653..=0x655 | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff
            | 0x3099..=0x309a | 0xfe20..=0xfe2f | 0x1100..=0x11ff | 0xa960..=0xa97f | 0xd7b0..=0xd7ff
    )
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

/// Returns the message that nothing matches, without the line on which the trace is shown.
fn missing<'a>(trace: &'a Trace, predicate: &impl Predicate<CapturedEvent<'a>>) -> String {
    let message = trace.scan_events().try_any(predicate).unwrap_err().to_string();
    let message = message.split("\n\n(records of other threads").next().unwrap();
    message.split("\n\nthe trace:").next().unwrap().to_owned()
}

#[test]
fn expectations_show_their_numbers() {
    let trace = native(|| info!(user = "a b", "a b"));
    let unseen: String = unseen().chain(['\u{1b}', '\0', '\r', '\u{301}']).collect();
    let text = format!("a{unseen}b\n✗ forged");
    let leaked: &'static str = Box::leak(text.clone().into_boxed_str());
    for message in [
        missing(&trace, &message(text.as_str())),
        missing(&trace, &message(contains(&text))),
        missing(&trace, &(message("a b") & message(contains(&text)))),
        missing(&trace, &that(message(ends_with(&text)).and(message("a b")))),
        missing(&trace, &field("user", text.as_str())),
        missing(&trace, &field("user", value::<str, _>(contains(&text)))),
        missing(&trace, &any_field(text.as_str())),
        missing(&trace, &field(leaked, 1)),
        missing(&trace, &only_fields([leaked])),
        missing(&trace, &target(leaked)),
        missing(&trace, &module(leaked)),
        missing(&trace, &file(contains(&text))),
        missing(&trace, &parent(name(text.as_str()))),
        missing(&trace, &level(Level::ERROR).and(target(contains("##[error]")))),
    ] {
        let raw: Vec<char> = message.chars().filter(|c| unseen.contains(*c)).collect();
        assert_eq!(raw, [] as [char; 0], "{message}");
        assert!(!message.lines().any(|line| line.starts_with("✗ forged")), "{message}");
        assert!(!message.contains("##["), "{message}");
    }
    assert_eq!(
        missing(&trace, &message(contains("a\u{3164}b\n"))),
        "no event matches message(var.contains(a\\u{3164}b\\n))\n\nthe only event:\n  INFO a b user=\"a b\"\n    \
         ✗ message(var.contains(a\\u{3164}b\\n)): message is \"a b\""
    );
    assert_eq!(
        missing(&native(|| info!("caf\u{e9}")), &message("cafe\u{301}")),
        "no event matches message(var == \"cafe\\u{301}\")\n\nthe only event:\n  INFO café\n    \
         ✗ message(var == \"cafe\\u{301}\"): message is \"café\""
    );
    let many = missing(&trace, &message(contains("q\n".repeat(50_000))));
    assert!(many.lines().count() < 8 && many.len() < 3_000, "{many}");
}

#[test]
fn predicates_that_look_at_something_else_say_at_what() {
    let trace = native(|| info!(user = "zz", " zz"));
    assert_eq!(
        missing(&trace, &message(contains("zz").count(2))),
        "no event matches message(var.contains(zz))\n\nthe only event:\n  INFO ` zz` user=\"zz\"\n    \
         ✗ message(var.contains(zz)): message is \" zz\": actual count is 1"
    );
    let trimmed = missing(&trace, &message(PredicateStrExt::trim(eq(" zz"))));
    assert!(trimmed.ends_with("(var == \" zz\"): message is \" zz\": var is \"zz\""), "{trimmed}");
    let counted = missing(&trace, &field("user", value::<str, _>(contains("z").count(3))));
    assert!(counted.ends_with("user is \"zz\" (actual count is 2)"), "{counted}");
}

#[test]
fn texts_that_look_alike_are_shown_apart() {
    let shown = |text: &str| TracedValue::from(text).to_string();
    assert_eq!(shown("❤\u{fe0f}"), r#""❤\u{fe0f}""#);
    assert_eq!(shown("10\u{a0}000"), r#""10\u{a0}000""#);
    assert_eq!(shown("admin\u{3164}"), r#""admin\u{3164}""#);
    assert_eq!(shown("cafe\u{301}"), r#""cafe\u{301}""#);
    assert_eq!(shown("ハ\u{309a}"), r#""ハ\u{309a}""#);
    assert_eq!(shown("\u{1112}\u{1161}\u{11ab}"), r#""\u{1112}\u{1161}\u{11ab}""#);
    assert_eq!(shown("größer 你好 🦀 نص"), r#""größer 你好 🦀 نص""#);
}
