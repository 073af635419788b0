use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    StreamSnapshot,
    record::{ParentRef, Record, Records, SiteRef, SpanRef, What},
    text::kind_name,
};
use crate::{
    view::{
        options::MAX_DATA_CHARS,
        serialize::{Data, Map, Plain, Seq},
        text::Text,
    },
    wire::TracedValue,
};

/// A map with a list of the records:
///
/// ```yaml
/// records:
///   - record: call_site
///     call_site: 0
///     kind: span           # or `event`
///     level: INFO
///     name: connect        # left out if it is an event's, made of its line
///     target: net
///     fields:
///       - port
///   - record: new_span
///     thread: 1            # of this record and others; left out if it is the first
///     span: 1 connect      # or `unknown 1`
///     call_site: 0
///     level: INFO          # left out if the call site is unknown
///     parent: root         # or a span; left out if it is the current one
///     fields:              # left out if there are none
///       port: 8080
///   - record: event
///     call_site: 1
///     level: WARN
///     message: slow        # left out if there is none
///     fields:
///       millis: 850
///   - record: recorded
///     span: 1 connect
///     fields:
///       port: 8081
///   - record: follows_from
///     span: 2 retry
///     follows_from: 1 connect
///   - record: entered      # or `exited`, `cloned`, `dropped`
///     span: 1 connect
/// ```
///
/// Numbers, names, omissions and cuts are the same as in the text. Values are Booleans, numbers and strings. Integers
/// that do not fit an `i64` and floats that are not finite are strings, as are the output of `Debug` and `Display` and,
/// in hexadecimal digits, byte strings; an error is the list of the messages of its chain. There are no nulls, and maps
/// come last: TOML requires both.
impl Serialize for StreamSnapshot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("records", &Seq(|| Records::new(self.events)))?;
        map.end()
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("record", self.what.kind())?;
        if self.thread > 0 {
            map.serialize_entry("thread", &self.thread)?;
        }
        match &self.what {
            What::CallSite { number, site } => {
                map.serialize_entry("call_site", number)?;
                map.serialize_entry("kind", kind_name(site.data.kind))?;
                map.serialize_entry("level", site.data.level.as_level().as_str())?;
                if !site.data.is_named_by_line() {
                    map.serialize_entry("name", &text(&site.data.name))?;
                }
                map.serialize_entry("target", &text(&site.data.target))?;
                map.serialize_entry(
                    "fields",
                    &Seq(|| site.data.fields.iter().map(|name| text(name))),
                )?;
            }
            What::NewSpan { span, site, parent, values } => {
                map.serialize_entry("span", span)?;
                serialize_origin(&mut map, site, parent)?;
                serialize_fields(&mut map, || values.iter())?;
            }
            What::NewEvent { site, parent, values } => {
                serialize_origin(&mut map, site, parent)?;
                if let Some(message) = values.message() {
                    map.serialize_entry("message", &text(message))?;
                }
                serialize_fields(&mut map, || values.beside_message())?;
            }
            What::Recorded { span, values } => {
                map.serialize_entry("span", span)?;
                serialize_fields(&mut map, || values.iter())?;
            }
            What::FollowsFrom { span, source } => {
                map.serialize_entry("span", span)?;
                map.serialize_entry("follows_from", source)?;
            }
            What::Handled { span, .. } => map.serialize_entry("span", span)?,
        }
        map.end()
    }
}

impl What<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::CallSite { .. } => "call_site",
            Self::NewSpan { .. } => "new_span",
            Self::NewEvent { .. } => "event",
            Self::Recorded { .. } => "recorded",
            Self::FollowsFrom { .. } => "follows_from",
            Self::Handled { how, .. } => how,
        }
    }
}

/// Writes where a new span or event comes from.
fn serialize_origin<M: SerializeMap>(
    map: &mut M,
    site: &SiteRef<'_>,
    parent: &ParentRef<'_>,
) -> Result<(), M::Error> {
    map.serialize_entry("call_site", &site.number)?;
    if let Some(site) = &site.site {
        map.serialize_entry("level", site.data.level.as_level().as_str())?;
    }
    match parent {
        ParentRef::Current => Ok(()),
        ParentRef::Root => map.serialize_entry("parent", "root"),
        ParentRef::Span(span) => map.serialize_entry("parent", span),
    }
}

fn serialize_fields<'a, M: SerializeMap, I: Iterator<Item = (&'a str, &'a TracedValue)>>(
    map: &mut M,
    fields: impl Fn() -> I,
) -> Result<(), M::Error> {
    if fields().next().is_none() {
        return Ok(());
    }
    let data = || fields().map(|(name, value)| (text(name), Plain(value, MAX_DATA_CHARS)));
    map.serialize_entry("fields", &Map(data))
}

/// The number and the name.
impl Serialize for SpanRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.without_noun())
    }
}

fn text(text: &str) -> Data<'_> {
    Data(Text::new(text), MAX_DATA_CHARS)
}
