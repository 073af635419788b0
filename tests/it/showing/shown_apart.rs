//! What the tree shows of a trace, held against the trace as plain data: different traces have different
//! trees, whatever the texts in them are, and folding loses nothing.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use spanshot::{SharedStorage, SnapshotSettings, Trace, TracedValue, TracingEventReceiver};

use crate::support::native;

/// What there may be of nodes and of texts within a tree, and what means something in one.
const NASTY: &[&str] = &[
    "x",
    "y",
    "m",
    "s",
    " ",
    "  ",
    "=",
    "a=1",
    " b=2",
    "\"",
    "`",
    "{",
    "}",
    "(",
    ")",
    ", ",
    "(follows from s)",
    " (follows from s",
    "⟨",
    "⟩",
    "⟨2×⟩ ",
    "⟨2 lines⟩",
    "<<",
    ">>",
    "\\",
    "\\n",
    "\n",
    "\r",
    "├─ ",
    "└─ INFO x",
    "│  ",
    "┆ ",
    "INFO ",
    "INFO x\n",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{a0}",
];

/// A text, and whether it was recorded as a string.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Text(String, bool);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    is_warning: bool,
    message: Option<String>,
    fields: Vec<(String, Text)>,
    span: Option<Span>,
}

/// What only spans have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    name: String,
    follows_from: Vec<String>,
    nodes: Vec<Node>,
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(NASTY), 0..4).prop_map(|parts| parts.concat())
}

fn node(span: impl Strategy<Value = Option<Span>>) -> impl Strategy<Value = Node> {
    let value = (text(), prop::bool::weighted(0.3)).prop_map(|(text, quoted)| Text(text, quoted));
    let name =
        prop_oneof![3 => prop::sample::select(&["a", "b"][..]).prop_map(Into::into), 1 => text()];
    let message = prop::option::weighted(0.8, text());
    let fields = prop::collection::vec((name, value), 0..3);
    (any::<bool>(), message, fields, span).prop_map(|(is_warning, message, mut fields, span)| {
        // That no name is there twice is the business of whoever declares a call site.
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields.dedup_by(|a, b| a.0 == b.0);
        Node { is_warning, message: message.filter(|_| span.is_none()), fields, span }
    })
}

fn span(nodes: impl Strategy<Value = Vec<Node>>) -> impl Strategy<Value = Option<Span>> {
    let name = || prop_oneof![2 => Just("s".to_owned()), 1 => text()];
    let follows_from = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(name(), 1..3)];
    let span = (name(), follows_from, nodes).prop_map(|(name, follows_from, nodes)| Span {
        name,
        follows_from,
        nodes,
    });
    prop::option::of(span)
}

/// Single nodes, with nothing in them: what is to be told apart on a line.
fn leaf() -> impl Strategy<Value = Node> {
    node(span(Just(vec![])))
}

fn forest() -> impl Strategy<Value = Vec<Node>> {
    let nodes = prop::collection::vec(leaf(), 0..3);
    let inner = prop::collection::vec(node(span(nodes)), 0..3);
    prop::collection::vec(node(span(inner)), 0..3)
}

/// Has a guest send the nodes.
#[derive(Default)]
struct Guest {
    receiver: Option<TracingEventReceiver>,
    call_sites: u64,
    spans: u64,
}

impl Guest {
    fn trace(nodes: &[Node]) -> Trace {
        let storage = SharedStorage::default();
        let receiver = Some(TracingEventReceiver::capturing(&storage));
        let mut guest = Self { receiver, ..Self::default() };
        for node in nodes {
            guest.send(node, None);
        }
        storage.lock()
    }

    fn receive(&mut self, event: &str) {
        let event = serde_json::from_str(event).expect("it is an event");
        self.receiver.as_mut().unwrap().try_receive(event).expect("it is valid");
    }

    fn call_site(&mut self, kind: &str, name: &str, level: &str, fields: &[&str]) -> u64 {
        self.call_sites += 1;
        let id = self.call_sites;
        let site = json!({ "new_call_site": {
            "id": id, "kind": kind, "name": name, "target": "t", "level": level, "fields": fields,
        }});
        self.receive(&site.to_string());
        id
    }

    fn new_span(&mut self, site: u64, parent: Option<u64>, is_root: bool, values: &str) -> u64 {
        self.spans += 1;
        let id = self.spans;
        let parent = parent.map_or("null".into(), |parent| parent.to_string());
        self.receive(&format!(
            r#"{{"new_span": {{"id": {id}, "metadata_id": {site}, "parent_id": {parent}, "is_root": {is_root}, "values": {values}}}}}"#
        ));
        id
    }

    fn send(&mut self, node: &Node, parent: Option<u64>) {
        let message = node.message.iter().map(|text| ("message", text, "object"));
        let fields = node.fields.iter().map(|(name, Text(text, is_string))| {
            (name.as_str(), text, if *is_string { "string" } else { "object" })
        });
        let all: Vec<_> = message.chain(fields).collect();
        let names: Vec<&str> = all.iter().map(|(name, ..)| *name).collect();
        // The order of an object of `serde_json` is not that of the fields.
        let values = all.iter().map(|(name, text, variant)| {
            let value: Value = json!({ *variant: text });
            format!("{}: {value}", Value::from(*name))
        });
        let values = format!("{{{}}}", values.collect::<Vec<_>>().join(", "));
        let level = if node.is_warning { "warn" } else { "info" };
        let Some(span) = &node.span else {
            let site = self.call_site("event", "event", level, &names);
            let parent = parent.map_or("null".into(), |parent| parent.to_string());
            return self.receive(&format!(
                r#"{{"new_event": {{"metadata_id": {site}, "parent": {parent}, "values": {values}}}}}"#
            ));
        };
        let site = self.call_site("span", &span.name, level, &names);
        let id = self.new_span(site, parent, parent.is_none(), &values);
        for source in &span.follows_from {
            let site = self.call_site("span", source, "trace", &[]);
            let source = self.new_span(site, None, true, "{}");
            self.receive(
                &json!({ "follows_from": { "id": id, "follows_from": source }}).to_string(),
            );
        }
        for node in &span.nodes {
            self.send(node, Some(id));
        }
    }
}

/// Spans that are only there to be followed are not shown.
fn settings() -> SnapshotSettings {
    SnapshotSettings::new().filter(|node| *node.metadata().level() != tracing::Level::TRACE)
}

fn shown(nodes: &[Node]) -> String {
    settings().view(&Guest::trace(nodes)).to_string()
}

/// What of a node must be seen: a string and the `Debug` output of one differ in their type only.
fn essence(node: &Node) -> Value {
    let fields = node.fields.iter().map(|(name, Text(text, is_string))| {
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match inner.filter(|text| !text.contains(['"', '\n'])) {
            Some(inner) if !is_string => json!([name, inner, true]),
            _ => json!([name, text, is_string]),
        }
    });
    json!({
        "is_warning": node.is_warning,
        "message": node.message,
        "fields": fields.collect::<Vec<_>>(),
        "span": node.span.as_ref().map(|span| json!({
            "name": span.name,
            "follows_from": span.follows_from,
            "nodes": span.nodes.iter().map(essence).collect::<Vec<_>>(),
        })),
    })
}

/// Asserts that no two of the traces look the same, and that the same ones do.
fn assert_told_apart(traces: &[Vec<Node>]) -> Result<(), TestCaseError> {
    let mut of_text: HashMap<String, Value> = HashMap::new();
    for nodes in traces {
        let text = shown(nodes);
        prop_assert_eq!(&shown(nodes), &text);
        // What insta does not compare must not be what makes the difference.
        prop_assert_eq!(text.trim_end(), &*text);
        let essence: Value = nodes.iter().map(essence).collect();
        let other = of_text.entry(text.clone()).or_insert_with(|| essence.clone());
        prop_assert_eq!(&essence, other, "both are\n{}", text);
    }
    Ok(())
}

/// Nodes of the lines of a tree, with their lines and what is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    texts: Vec<String>,
    inside: Vec<Line>,
}

/// Reads a tree as naively as can be: by the branches that lines begin with.
fn parse(tree: &str) -> Vec<Line> {
    let mut roots: Vec<Line> = vec![];
    for line in tree.lines().filter(|line| !line.starts_with('(')) {
        let (mut depth, mut rest) = (0, line);
        let mut is_node = true;
        loop {
            if let Some(text) = rest.strip_prefix("├─ ").or(rest.strip_prefix("└─ ")) {
                (depth, rest) = (depth + 1, text);
                break;
            }
            if let Some(text) = rest.strip_prefix('┆') {
                (is_node, rest) = (false, text);
                break;
            }
            let Some(text) = rest.strip_prefix("│  ").or(rest.strip_prefix("   ")) else { break };
            (depth, rest) = (depth + 1, text);
        }
        let mut siblings = &mut roots;
        for _ in 0..depth {
            siblings = &mut siblings.last_mut().expect("a line has one above it").inside;
        }
        if is_node {
            siblings.push(Line { texts: vec![rest.to_owned()], inside: vec![] });
        } else {
            siblings.last_mut().expect("a text has a node").texts.push(rest.to_owned());
        }
    }
    roots
}

/// Writes `⟨n×⟩` out.
fn expand(lines: Vec<Line>) -> Vec<Line> {
    let expand_one = |mut line: Line| {
        line.inside = expand(line.inside);
        let mark = line.texts[0].strip_prefix('⟨').and_then(|text| text.split_once("×⟩"));
        let Some((times, rest)) = mark.and_then(|(n, rest)| Some((n.parse().ok()?, rest))) else {
            return vec![line];
        };
        let of_one = match rest.strip_prefix(' ') {
            None => line.inside,
            Some(text) => {
                line.texts = [&[text.to_owned()], &line.texts[1..]].concat();
                vec![line]
            }
        };
        let times: usize = times;
        std::iter::repeat_n(of_one, times).flatten().collect()
    };
    lines.into_iter().flat_map(expand_one).collect()
}

fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + node.span.as_ref().map_or(0, |span| count(&span.nodes))).sum()
}

fn count_lines(lines: &[Line]) -> usize {
    lines.iter().map(|line| 1 + count_lines(&line.inside)).sum()
}

/// Nodes of which many are the same, and in the same order.
fn repetitive() -> impl Strategy<Value = Vec<Node>> {
    fn of_few(inside: impl Strategy<Value = Vec<Node>> + 'static) -> BoxedStrategy<Vec<Node>> {
        let event = |text: &'static str| {
            let message = Some(text.to_owned());
            Node { is_warning: false, message, fields: vec![], span: None }
        };
        let span = inside.prop_map(|nodes| Node {
            is_warning: false,
            message: None,
            fields: vec![],
            span: Some(Span { name: "s".into(), follows_from: vec![], nodes }),
        });
        let node = prop_oneof![
            Just(event("a")),
            Just(event("b")),
            Just(event("⟨2×⟩ c\n⟨2×⟩ INFO c")),
            span,
        ];
        let some = prop::collection::vec(node, 1..4);
        let times = prop_oneof![Just(1_usize), 2_usize..6];
        prop::collection::vec((some, times), 0..4)
            .prop_map(|runs| {
                runs.into_iter().flat_map(|(run, times)| vec![run; times].concat()).collect()
            })
            .boxed()
    }
    of_few(of_few(of_few(Just(vec![]))))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_two_lines_look_the_same(nodes in prop::collection::vec(leaf(), 100)) {
        let traces: Vec<_> = nodes.into_iter().map(|node| vec![node]).collect();
        assert_told_apart(&traces)?;
    }

    #[test]
    fn no_two_trees_look_the_same(traces in prop::collection::vec(forest(), 12)) {
        assert_told_apart(&traces)?;
    }

    #[test]
    fn traced_text_makes_neither_marks_nor_nodes(nodes in forest()) {
        let trace = Guest::trace(&nodes);
        let tree = settings().folds(false).view(&trace).to_string();
        let expected = count(&nodes);
        prop_assert_eq!(count_lines(&parse(&tree)), expected, "{}", tree);
        for (mark, _) in tree.match_indices('⟨') {
            let (mark, _) = tree[mark..].split_once('⟩').expect("marks are closed");
            prop_assert!(mark.ends_with(" lines"), "{:?} in\n{}", mark, tree);
        }
        let ascii = settings().folds(false).ascii(true).view(&trace).to_string();
        for (mark, _) in ascii.match_indices("<<") {
            let (mark, _) = ascii[mark..].split_once(">>").expect("marks are closed");
            prop_assert!(mark.ends_with(" lines"), "{:?} in\n{}", mark, ascii);
        }
    }

    #[test]
    fn folded_tree_written_out_is_the_unfolded_one(nodes in repetitive()) {
        let trace = Guest::trace(&nodes);
        let folded = settings().view(&trace).to_string();
        let unfolded = settings().folds(false).view(&trace).to_string();
        prop_assert_eq!(expand(parse(&folded)), parse(&unfolded), "{}\n\n{}", folded, unfolded);
        prop_assert_eq!(count_lines(&parse(&unfolded)), count(&nodes));
        prop_assert!(folded.lines().count() <= unfolded.lines().count());
    }

    #[test]
    fn whatever_was_replaced_is_marked_and_listed(texts in prop::collection::vec(text(), 1..4)) {
        let fields = texts.iter().enumerate().map(|(i, text)| (format!("f{i}"), Text(text.clone(), false)));
        let node = Node { is_warning: false, message: None, fields: fields.collect(), span: None };
        let trace = Guest::trace(&[node]);
        let settings = SnapshotSettings::new().redact_matches("[xm]", "a letter");
        let line = settings.view(&trace).to_string();
        let data = serde_json::to_value(settings.view(&trace)).unwrap();

        let letters: usize = texts.iter().map(|text| text.matches(['x', 'm']).count()).sum();
        // Escapes have letters of their own, which are not the program's.
        prop_assert_eq!(line.matches("⟨a letter⟩").count(), letters, "{}", line);
        // Characters that data show as their numbers are replaced as well.
        let is_listed = |text: &&str| {
            text.contains(['x', 'm'])
                || text.contains(|c: char| !c.is_ascii() && !TracedValue::from(*text).to_string().contains(c))
        };
        let names = texts.iter().enumerate().filter(|(_, text)| is_listed(&text.as_str()));
        let names: Vec<_> = names.map(|(i, _)| format!("f{i}")).collect();
        let normalized = data["nodes"][0].get("normalized").cloned();
        prop_assert_eq!(normalized, (!names.is_empty()).then(|| json!(names)));
    }
}

/// Pairs that a random text finds only now and then.
#[test]
fn what_looks_like_something_else_is_quoted() {
    let event = |message: &str, fields: &[(&str, &str, bool)]| {
        let fields = fields
            .iter()
            .map(|(name, text, is_string)| {
                ((*name).to_owned(), Text((*text).to_owned(), *is_string))
            })
            .collect();
        let message = Some(message.to_owned()).filter(|text| !text.is_empty());
        Node { is_warning: false, message, fields, span: None }
    };
    let span = |name: &str, follows_from: &[&str], fields: &[(&str, &str, bool)]| Node {
        span: Some(Span {
            name: name.into(),
            follows_from: follows_from.iter().map(|&name| name.into()).collect(),
            nodes: vec![],
        }),
        ..event("", fields)
    };
    let nodes = [
        // A quote or backtick that opens in one value and closes in another.
        event("", &[("a", "`x y", false), ("b", "1`", false)]),
        event("", &[("a", "x y b=1", false)]),
        event("", &[("a", "\"x y", false), ("b", "1\"", false)]),
        event("", &[("a", "x y b=1", true)]),
        event("m", &[("a", "\"x\" y", false), ("b", "1\"", false)]),
        // Names that go on as fields, or as other names.
        span("s{a=x", &[], &[("b", "1", false)]),
        span("s", &[], &[("a", "x{b=1", false)]),
        span("s", &["a", "b"], &[]),
        span("s", &["a, b"], &[]),
        span("s", &["p"], &[("a", "x", false)]),
        span("s", &[], &[("a", "x} (follows from p)", false)]),
        span("s{a=x} (follows from p)", &[], &[]),
        event("s{} (follows from", &[("p", "1)", false)]),
        span("s", &["p=1"], &[]),
        event("s{", &[("p", "1}", false)]),
        span("s{ p=1", &[], &[]),
        // What ends in white space, which neither eyes nor insta see.
        event("", &[("a", "x ", false)]),
        event("", &[("a", "x", false)]),
        event("", &[("a", "x\u{a0}", false)]),
        event("x\u{3000}", &[]),
        event("x", &[]),
        event("x\ny ", &[]),
        event("x\ny", &[]),
        event("x\n", &[]),
        event("x\n ", &[]),
    ];
    let traces: Vec<_> = nodes.into_iter().map(|node| vec![node]).collect();
    assert_told_apart(&traces).unwrap();
}

/// Where the levels are hidden, a line begins with traced text.
#[test]
fn without_levels_nothing_that_was_traced_looks_drawn() {
    let settings = SnapshotSettings::new().levels(false);
    let inside = native(|| tracing::info_span!("s").in_scope(|| tracing::info!("x")));
    assert_eq!(settings.view(&inside).to_string(), "s{}\n└─ x");
    for message in ["└─ x", "├─ x", "│  x", "|- x", "|  x", "⋮ x", "---", "- …", "├─ …"]
    {
        let behind = native(|| {
            drop(tracing::info_span!("s"));
            tracing::info!("{message}");
        });
        assert_eq!(settings.view(&behind).to_string(), format!("s{{}}\n`{message}`"));
    }
    for message in ["- x", "-- -", "x└─ x", "…x", "|x"] {
        let trace = native(|| tracing::info!("{message}"));
        assert_eq!(settings.view(&trace).to_string(), message);
    }
    let spans = native(|| drop(tracing::info_span!("└─ x")));
    assert_eq!(settings.view(&spans).to_string(), "\"└─ x\"{}");
    let settings = settings.targets(true);
    let event = |text: &str| format!("{}", settings.view(&native_of_target(text)));
    assert_eq!(event("a::b"), "a::b: c");
    assert_eq!(event("a: b"), "\"a: b\": c");
    assert_eq!(event("└─"), "\"└─\": c");
}

fn native_of_target(target: &str) -> Trace {
    native(|| match target {
        "a::b" => tracing::info!(target: "a::b", "c"),
        "a: b" => tracing::info!(target: "a: b", "c"),
        _ => tracing::info!(target: "└─", "c"),
    })
}

/// GitHub's runner obeys a line that begins with two colons, behind white space.
#[test]
fn names_of_fields_in_a_comparison_are_no_commands() {
    let event = |value: &str| {
        let fields = vec![("::error file=x::forged".to_owned(), Text(value.to_owned(), true))];
        Guest::trace(&[Node { is_warning: false, message: None, fields, span: None }])
    };
    let compared = settings().compare(&event("1"), &event("2")).to_string();
    assert!(compared.contains("forged"), "{compared}");
    assert!(!compared.lines().any(|line| line.trim_start().starts_with("::")), "{compared}");
}

#[test]
fn more_than_a_level_of_groups_is_written_out_too() {
    let trace = native(|| {
        for _ in 0..4 {
            for _ in 0..3 {
                tracing::info!("tick");
            }
            tracing::info_span!("s").in_scope(|| (0..9).for_each(|i| tracing::info!("{}", i % 3)));
        }
    });
    let folded = trace.to_string();
    let unfolded = SnapshotSettings::new().folds(false).view(&trace).to_string();
    assert_eq!(unfolded.lines().count(), 4 * (3 + 1 + 9));
    assert_eq!(expand(parse(&folded)), parse(&unfolded), "{folded}");
    assert!(folded.lines().count() < 10, "{folded}");
}
