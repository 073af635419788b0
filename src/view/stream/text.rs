use core::fmt;

use super::{
    super::{cut::Cut, drawing::Drawing, line::Name, options::MAX_CHARS, text::Text},
    record::{CallSite, ParentRef, Record, SiteRef, SpanRef, What},
};
use crate::wire::{CallSiteKind, TracedValue};

/// Shows a name so that it cannot be mistaken for the text around it.
pub(super) fn name(name: &str) -> Name<'_> {
    Name::in_line(Drawing::Unicode, name)
}

/// Shows a text on the line of its record.
struct OnLine<'a>(Text<'a>);

impl fmt::Display for OnLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text { pieces, quote } = &self.0;
        Cut::new(pieces, *quote, Drawing::Unicode, MAX_CHARS).fmt(formatter)
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.thread > 0 {
            write!(formatter, "thread {}: ", self.thread)?;
        }
        match &self.what {
            What::CallSite { number, site } => {
                write!(formatter, "call site {number}: {site}")
            }
            What::NewSpan { span, site, parent, values } => {
                write!(formatter, "new span {} of {site}{parent}:", span.number)?;
                write_level(formatter, site)?;
                write!(formatter, " {}{{", site.name().unwrap_or_default())?;
                write_values(formatter, values.iter(), "")?;
                formatter.write_str("}")
            }
            What::NewEvent { site, parent, values } => {
                write!(formatter, "event of {site}{parent}:")?;
                write_level(formatter, site)?;
                if let Some(message) = values.message() {
                    write!(formatter, " {}", OnLine(Text::new(message).into_message()))?;
                }
                write_values(formatter, values.beside_message(), " ")
            }
            What::Recorded { span, values } => {
                write!(formatter, "{span}: recorded")?;
                let is_empty = values.iter().next().is_none();
                formatter.write_str(if is_empty { " nothing" } else { "" })?;
                write_values(formatter, values.iter(), " ")
            }
            What::FollowsFrom { span, source } => {
                write!(formatter, "{span}: follows from {source}")
            }
            What::Handled { span, how } => write!(formatter, "{span}: {how}"),
        }
    }
}

/// Writes the announced data of a call site.
impl fmt::Display for CallSite<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.data.level.as_level(), kind_name(self.data.kind))?;
        if let Some(name) = &self.name {
            write!(formatter, " {name}")?;
        }
        formatter.write_str("{")?;
        for (i, field) in self.data.fields.iter().enumerate() {
            write!(formatter, "{}{}", if i > 0 { ", " } else { "" }, name(field))?;
        }
        write!(formatter, "}} in {}", name(&self.data.target))
    }
}

impl fmt::Display for SiteRef<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = if self.site.is_none() { "unknown " } else { "" };
        write!(formatter, "{unknown}call site {}", self.number)?;
        match &self.site {
            Some(site) if site.data.kind != self.kind => {
                write!(formatter, " (of {}s)", kind_name(site.data.kind))
            }
            _ => Ok(()),
        }
    }
}

/// Shows the number and the name of a span.
pub(super) struct Called<'a> {
    span: &'a SpanRef<'a>,
    noun: &'static str,
}

impl SpanRef<'_> {
    /// For places where only a span can stand.
    pub(super) fn without_noun(&self) -> Called<'_> {
        Called { span: self, noun: "" }
    }
}

impl fmt::Display for SpanRef<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Called { span: self, noun: "span " }.fmt(formatter)
    }
}

impl fmt::Display for Called<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = if self.span.is_known { "" } else { "unknown " };
        write!(formatter, "{unknown}{}{}", self.noun, self.span.number)?;
        match self.span.site.as_ref().and_then(|site| site.name.as_deref()) {
            Some(name) => write!(formatter, " {name}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ParentRef<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => Ok(()),
            Self::Root => formatter.write_str(" at the root"),
            Self::Span(span) => write!(formatter, " in {span}"),
        }
    }
}

pub(super) fn kind_name(kind: CallSiteKind) -> &'static str {
    match kind {
        CallSiteKind::Span => "span",
        CallSiteKind::Event => "event",
    }
}

fn write_level(formatter: &mut fmt::Formatter<'_>, site: &SiteRef<'_>) -> fmt::Result {
    match &site.site {
        Some(site) => write!(formatter, " {}", site.data.level.as_level()),
        None => Ok(()),
    }
}

fn write_values<'a>(
    formatter: &mut fmt::Formatter<'_>,
    values: impl Iterator<Item = (&'a str, &'a TracedValue)>,
    before_first: &str,
) -> fmt::Result {
    for (i, (name, value)) in values.enumerate() {
        let before = if i > 0 { " " } else { before_first };
        write!(formatter, "{before}{}={}", self::name(name), OnLine(Text::of(value).into_field()))?;
    }
    Ok(())
}
