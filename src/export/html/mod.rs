//! A trace as a page for a browser.
//!
//! | file | content |
//! |---|---|
//! | `tree.rs` | the tree of the page: spans that fold, with their children |
//! | `row.rs` | the line of a span or event |
//! | `values.rs` | fields, on that line or below it |
//! | `text.rs` | text of the trace, escaped for the page |

mod row;
mod text;
mod tree;
mod values;

use alloc::{borrow::ToOwned, string::String};
use core::fmt;
use std::io::{self, Write as _};

use tracing_core::Level;

use self::{
    row::class,
    text::{Count, Grouped, Time, traced},
    tree::Tree,
};
use crate::capture::{CapturedNode, Storage};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Hashes of the two, by which browsers know that they are the page's own. A test compares them.
const STYLE_HASH: &str = "sha256-D0tbZC824+JYNI1mYTonWMXLjNE4yA85lnRth4IQCaI=";
const SCRIPT_HASH: &str = "sha256-B/rFbYw+/KClOtD0c3uMBHADRTSoPJBImn1U0JBMxVA=";

const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];

/// A trace as a page for a browser.
///
/// It is one HTML file, which needs nothing else and loads nothing. It shows a tree of spans that you can fold, with their
/// fields, source lines, and enters and exits. If the capture [kept times](crate::SharedStorage::keep_times), it also
/// shows when a span began and how long it took. You can search the page, and hide levels. Each span and event has
/// a link of its own. Folding works without JavaScript, too.
///
/// Traced text is only text in the page: no markup or script in a field has an effect, and control characters and
/// characters that change the direction of text are shown escaped. Long values, and values with several lines, are shown as a
/// whole, below the line of their span or event.
///
/// Its [`Display`](fmt::Display) output is the page.
///
/// # Example
///
/// ```
/// use spanshot::{Capture, export::HtmlPage};
/// use std::fs::File;
///
/// let capture = Capture::builder().keep_times().start();
/// tracing::info_span!("connect", port = 8_080).in_scope(|| tracing::warn!("slow"));
///
/// let trace = capture.trace();
/// let path = std::env::temp_dir().join("trace.html");
/// HtmlPage::new(&trace).title("A slow connection").write_to(File::create(path)?)?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HtmlPage<'a> {
    storage: &'a Storage,
    title: String,
}

impl<'a> HtmlPage<'a> {
    /// Makes a page of a trace.
    pub fn new(storage: &'a Storage) -> Self {
        Self { storage, title: "Trace".to_owned() }
    }

    /// Sets the title, above the tree and in the title bar. The default is `Trace`.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Writes the page, in UTF-8. The writer need not be buffered.
    ///
    /// # Errors
    ///
    /// Returns the error of the writer if it fails.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{Capture, export::HtmlPage};
    ///
    /// let capture = Capture::start();
    /// tracing::info!("<b>not bold</b>");
    /// let mut page = vec![];
    /// HtmlPage::new(&capture.trace()).write_to(&mut page)?;
    /// assert!(String::from_utf8_lossy(&page).contains("&lt;b&gt;not bold&lt;/b&gt;"));
    /// # Ok::<_, std::io::Error>(())
    /// ```
    pub fn write_to(&self, writer: impl io::Write) -> io::Result<()> {
        let mut writer = io::BufWriter::new(writer);
        write!(writer, "{self}")?;
        writer.flush()
    }

    /// How many threads the capture saw, as far as that is told.
    fn threads(&self) -> usize {
        let moments = self.storage.timeline().map(|(moment, _)| moment);
        moments.filter_map(|moment| self.storage.thread_of(moment)).max().map_or(0, |last| last + 1)
    }

    fn write_head(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = traced(&self.title);
        write!(
            formatter,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src '{STYLE_HASH}'; script-src '{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n"
        )
    }

    fn write_header(&self, formatter: &mut fmt::Formatter<'_>, threads: usize) -> fmt::Result {
        let storage = self.storage;
        write!(formatter, "<header>\n<h1>{}</h1>\n<p>", traced(&self.title))?;
        write!(formatter, "{}, ", Count(storage.span_count(), "span"))?;
        write!(formatter, "{}", Count(storage.event_count(), "event"))?;
        if threads > 1 {
            write!(formatter, ", {}", Count(threads, "thread"))?;
        }
        let last = storage.timeline().next_back();
        if let Some(time) = last.and_then(|(moment, _)| storage.time_since_start(moment)) {
            write!(formatter, ", {}", Time(time))?;
        }
        if storage.left_out() > 0 {
            write!(formatter, " <em>({} left out)</em>", Count(storage.left_out(), "node"))?;
        }
        formatter.write_str("</p>\n")?;
        self.write_tools(formatter)?;
        formatter.write_str("</header>\n")
    }

    /// Writes what the script makes work.
    fn write_tools(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "<div id=\"tools\" hidden>\n<div role=\"search\">\
             <input id=\"query\" type=\"search\" placeholder=\"Search\" aria-label=\"Search\" \
             title=\"/ to search, Enter and Shift+Enter to go on and back, Escape to clear\" \
             spellcheck=\"false\" autocomplete=\"off\"> \
             <button id=\"previous\" type=\"button\" aria-label=\"Previous match\">↑</button>\
             <button id=\"next\" type=\"button\" aria-label=\"Next match\">↓</button> \
             <output id=\"count\" for=\"query\"></output> \
             <label><input id=\"only\" type=\"checkbox\"> only matches</label></div>\n\
             <fieldset><legend>Levels</legend>",
        )?;
        let spans = self.storage.all_spans().map(CapturedNode::Span);
        let mut counts = [0_usize; LEVELS.len()];
        for node in spans.chain(self.storage.all_events().map(CapturedNode::Event)) {
            let level = match node {
                CapturedNode::Span(span) => span.metadata().level(),
                CapturedNode::Event(event) => event.metadata().level(),
            };
            for (known, count) in LEVELS.iter().zip(&mut counts) {
                *count += usize::from(known == level);
            }
        }
        for (level, count) in LEVELS.into_iter().zip(counts) {
            let class = class(level);
            write!(
                formatter,
                "<label class=\"{class}\"><input type=\"checkbox\" value=\"{class}\" checked> \
                 <b>{level}</b> <small>{}</small></label> ",
                Grouped(count as u64)
            )?;
        }
        formatter.write_str(
            "</fieldset>\n<div><button id=\"expand\" type=\"button\">Expand all</button> \
             <button id=\"collapse\" type=\"button\">Collapse all</button></div>\n</div>\n",
        )
    }
}

impl fmt::Display for HtmlPage<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let storage = self.storage;
        let threads = self.threads();
        self.write_head(formatter)?;
        formatter.write_str("<body>\n")?;
        self.write_header(formatter, threads)?;
        formatter.write_str("<main aria-label=\"Spans and events\">\n")?;
        if storage.left_out_earlier() > 0 {
            let count = Count(storage.left_out_earlier(), "earlier node");
            writeln!(formatter, "<p class=\"note\">{count} left out</p>")?;
        }
        if storage.roots().len() == 0 {
            formatter.write_str("<p class=\"note\">Nothing was captured</p>\n")?;
        }
        write!(formatter, "{}", Tree::new(storage, threads > 1))?;
        if storage.left_out_later() > 0 {
            let count = Count(storage.left_out_later(), "later node");
            writeln!(formatter, "<p class=\"note\">{count} left out</p>")?;
        }
        write!(formatter, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
    }
}
