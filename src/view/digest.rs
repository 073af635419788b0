//! Digests of nodes: nodes that are shown alike, with all their descendants, have equal digests.

use core::hash::Hash;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::{
    node::{ShownValue, ViewNode, canonical},
    options::Options,
    text::Text,
};
use crate::{
    capture::{CapturedNode, Moment},
    wire::TracedValue,
};

/// Digests a node, with the digests of its children.
pub(super) fn digest(
    node: &ViewNode<'_>,
    options: &Options,
    children: impl Iterator<Item = u128>,
) -> u128 {
    let mut hasher = SipHasher13::new();
    (node.times, node.inside).hash(&mut hasher);
    if let Some(shown) = node.node {
        let moment = node.happened.map_or_else(|| shown.moment(), |happened| happened.moment);
        hash_node(shown, moment, options, &mut hasher);
        for source in node.source_names() {
            (true, source).hash(&mut hasher);
        }
        false.hash(&mut hasher);
    }
    if let Some(happened) = &node.happened {
        let parent = happened.parent.map(|parent| parent.number);
        (happened.what, happened.number, parent).hash(&mut hasher);
    }
    if let Some(message) = node.message() {
        message.pieces.hash(&mut hasher);
    }
    for (name, value) in node.fields(options) {
        (true, name).hash(&mut hasher);
        hash_value(value, &mut hasher);
    }
    false.hash(&mut hasher);
    children.for_each(|child| child.hash(&mut hasher));
    hasher.finish128().as_u128()
}

fn hash_node(node: CapturedNode<'_>, moment: Moment, options: &Options, hasher: &mut SipHasher13) {
    let metadata = node.metadata();
    (metadata.is_span(), metadata.level().as_str()).hash(hasher);
    // Folded nodes are one node in data, too, and data always show the target.
    if options.targets || options.folds {
        metadata.target().hash(hasher);
    }
    if options.modules {
        metadata.module_path().hash(hasher);
    }
    if options.lines {
        (metadata.file(), metadata.line()).hash(hasher);
    }
    if let CapturedNode::Span(span) = node {
        metadata.name().hash(hasher);
        if options.stats {
            span.stats().hash(hasher);
        }
    }
    if options.threads {
        node.trace().thread_of(moment).hash(hasher);
    }
    if options.times {
        // No two nodes have the same moment.
        moment.hash(hasher);
    }
}

fn hash_value(value: ShownValue<'_>, hasher: &mut SipHasher13) {
    match value {
        ShownValue::Traced(value) => {
            core::mem::discriminant(value).hash(hasher);
            match value {
                TracedValue::String(text) => text.hash(hasher),
                TracedValue::Object(text) => text.as_ref().hash(hasher),
                TracedValue::Bool(value) => value.hash(hasher),
                TracedValue::Int(value) => value.hash(hasher),
                TracedValue::UInt(value) => value.hash(hasher),
                TracedValue::Float(value) => canonical(*value).to_bits().hash(hasher),
                TracedValue::Bytes(bytes) => bytes.hash(hasher),
                TracedValue::Error(error) => {
                    error.messages().for_each(|text| (true, text).hash(hasher));
                    false.hash(hasher);
                }
            }
        }
        ShownValue::Normalized(Text { pieces, quote }) => (pieces, quote).hash(hasher),
    }
}

/// Digests a text.
#[cfg(feature = "snapshot")]
pub(super) fn digest_text(text: &str) -> u128 {
    let mut hasher = SipHasher13::new();
    text.hash(&mut hasher);
    hasher.finish128().as_u128()
}
