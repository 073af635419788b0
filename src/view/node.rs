use alloc::{boxed::Box, vec::Vec};
use core::iter;

use super::{
    options::{Options, Rules},
    text::Text,
    timeline::{Happened, What},
};
use crate::{
    capture::{CapturedNode, CapturedSpan},
    wire::TracedValue,
};

/// Place of a node in a view. The root is the ancestor of all other nodes, and not shown itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) usize);

impl Place {
    pub(super) const ROOT: Self = Self(0);
}

/// A node as it is shown.
pub(super) struct ViewNode<'a> {
    /// The span or event. `None` for a repeated group of nodes, and for the root.
    pub(super) node: Option<CapturedNode<'a>>,
    /// The happening, if this is a line of a timeline.
    pub(super) happened: Option<Happened<'a>>,
    /// Texts that are shown instead of values, each with the position of its value among the values of the node, in
    /// their order.
    pub(super) normalized: Vec<(usize, Text<'static>)>,
    /// For each of the [sources](Self::sources): its number among the spans of its name, if that tells them apart.
    pub(super) source_numbers: Vec<Option<usize>>,
    /// How often the node is there in a row.
    pub(super) times: usize,
    /// Number of spans and events in it that are not shown because they are too deep.
    pub(super) inside: usize,
    pub(super) first_child: Option<Place>,
    pub(super) next_sibling: Option<Place>,
    /// The same for nodes that are shown alike, with all their descendants, and for no others: nobody will ever see a
    /// collision of 128 bits.
    pub(super) digest: u128,
}

impl<'a> ViewNode<'a> {
    /// Creates a span or event, without its children.
    pub(super) fn alone(node: CapturedNode<'a>, rules: &dyn Rules) -> Self {
        Self::new(Some(node)).normalized(rules)
    }

    /// Creates the happening of a span or event, with the values that it was given then.
    pub(super) fn at_moment(
        node: CapturedNode<'a>,
        happened: Happened<'a>,
        rules: &dyn Rules,
    ) -> Self {
        Self { happened: Some(happened), ..Self::new(Some(node)) }.normalized(rules)
    }

    fn normalized(self, rules: &dyn Rules) -> Self {
        let Some(node) = self.node else { return self };
        let values = self.traced_values().enumerate();
        let normalize = |(i, (name, value))| Some((i, rules.normalize(node, name, value)?));
        let normalized = values.filter_map(normalize).collect();
        Self { normalized, ..self }
    }

    pub(super) fn new(node: Option<CapturedNode<'a>>) -> Self {
        Self {
            node,
            happened: None,
            normalized: Vec::new(),
            source_numbers: Vec::new(),
            times: 1,
            inside: 0,
            first_child: None,
            next_sibling: None,
            digest: 0,
        }
    }

    /// Returns the message of an event, if it has one.
    pub(super) fn message(&self) -> Option<Text<'_>> {
        self.message_value().map(|value| value.text().into_message())
    }

    /// Returns the message as a value.
    pub(super) fn message_value(&self) -> Option<ShownValue<'_>> {
        let position = message_position(self.node?)?;
        self.all_values().nth(position).map(|(_, value)| value)
    }

    /// Iterates over the spans that this one follows from.
    pub(super) fn sources(&self) -> impl Iterator<Item = CapturedSpan<'a>> + use<'a> {
        let span = match self.node {
            Some(CapturedNode::Span(span)) => Some(span),
            _ => None,
        };
        span.into_iter().flat_map(|span| span.follows_from())
    }

    /// Iterates over the names of the spans that this one follows from, each with its number.
    pub(super) fn source_names(&self) -> impl Iterator<Item = (&'a str, Option<usize>)> {
        let number = |index: usize| self.source_numbers.get(index).copied().flatten();
        let sources = self.sources().enumerate();
        sources.map(move |(index, source)| (source.metadata().name(), number(index)))
    }

    /// Iterates over the fields that are shown, without the message.
    pub(super) fn fields(
        &self,
        options: &Options,
    ) -> impl Iterator<Item = (&'a str, ShownValue<'_>)> {
        let message = self.node.and_then(message_position);
        let are_shown = options.fields;
        let fields = self.all_values().enumerate();
        fields.filter(move |(i, _)| are_shown && Some(*i) != message).map(|(_, field)| field)
    }

    /// Calls a function with each text that is shown instead of a value, the message first, since it is shown first.
    #[cfg(feature = "snapshot")]
    pub(super) fn for_each_shown_text(
        &mut self,
        options: &Options,
        mut change: impl FnMut(&mut Text<'static>),
    ) {
        let message = self.node.and_then(message_position);
        for is_message in [true, false] {
            for (position, text) in &mut self.normalized {
                let is_shown = is_message || options.fields;
                if (Some(*position) == message) == is_message && is_shown {
                    change(text);
                }
            }
        }
    }

    fn all_values(&self) -> impl Iterator<Item = (&'a str, ShownValue<'_>)> {
        let mut normalized = self.normalized.iter().peekable();
        self.traced_values().enumerate().map(move |(i, (name, value))| {
            let text = normalized.next_if(|(position, _)| *position == i);
            (name, text.map_or(ShownValue::Traced(value), |(_, text)| ShownValue::Normalized(text)))
        })
    }
}

impl<'a> ViewNode<'a> {
    /// Iterates over the values of the node or, in a timeline, over the values that it was given at the moment.
    ///
    /// Boxed, since all views would be compiled with the type of the whole chain in their names otherwise: some MB of
    /// debug information in each test.
    fn traced_values(&self) -> Box<dyn Iterator<Item = (&'a str, &'a TracedValue)> + 'a> {
        match (self.node, &self.happened) {
            (Some(CapturedNode::Span(span)), Some(happened)) => match happened.what {
                What::Created | What::Recorded => Box::new(span.recorded_at(happened.moment)),
                _ => Box::new(iter::empty()),
            },
            (Some(node), _) => Box::new(node.values()),
            (None, _) => Box::new(iter::empty()),
        }
    }
}

/// A value as it is shown.
#[derive(Clone, Copy)]
pub(super) enum ShownValue<'v> {
    Traced(&'v TracedValue),
    Normalized(&'v Text<'static>),
}

impl<'v> ShownValue<'v> {
    pub(super) fn text(self) -> Text<'v> {
        match self {
            Self::Traced(value) => Text::of(value),
            Self::Normalized(text) => text.clone(),
        }
    }
}

/// Returns the number by which floats are compared. NaNs have many forms, all shown as `NaN`.
pub(super) fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

/// Returns the position of an event's message among its values. It is the last value named `message`, if that is a
/// text.
fn message_position(node: CapturedNode<'_>) -> Option<usize> {
    let CapturedNode::Event(event) = node else { return None };
    let named = event.values().enumerate().filter(|(_, (name, _))| *name == "message");
    named.last().filter(|(_, (_, value))| value.as_text().is_some()).map(|(position, _)| position)
}
