//! A trace to look at: as a page for a browser, and as a file for a trace viewer.
//!
//! A tree of text is what a test prints, and what reviewers compare. It is not what one wants of a
//! trace with ten thousand events, of which three are of interest; nor does it show how long anything
//! took, or what happened at the same time. For the former there is an [`HtmlPage`], in which one folds,
//! filters and searches; for the latter a [`ChromeTrace`], which trace viewers draw along an axis of time.
//!
//! What was traced is not trusted, and the outputs are opened in programs that run code. So:
//!
//! - In the page, all that was traced is text: escaped for HTML, and what is invisible or changes the
//!   direction of text is escaped as everywhere in this crate. The page says itself that it runs nothing
//!   but its own script, and loads nothing, so that it would be harmless even if that were wrong.
//! - In the JSON, it is strings, escaped by their serializer, and such characters are written as `\u…`.
//! - Nothing is recursive, or deeper than browsers stand: a guest's tree may have any depth.
//! - The output is as long as the trace, up to a factor. What a guest says once must not be repeated for
//!   everything that refers to it: names are cut, and fields of a span are told once.

mod chrome;
mod html;
mod short;

pub use self::{chrome::ChromeTrace, html::HtmlPage};
