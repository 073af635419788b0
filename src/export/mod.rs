//! Writers of a trace as a page for a browser, and as a file for a trace viewer.
//!
//! A test prints a tree of text, and reviewers compare it. If a trace has ten thousand events, and you look for three of
//! them, write an [`HtmlPage`], which you fold, filter and search. To see durations, and work that happened at the same
//! time, write a [`ChromeTrace`], which trace viewers draw along an axis of time.
//!
//! Traced text is not trusted, and you open the outputs in programs that run code. So:
//!
//! - In the page, all traced text is escaped for HTML. Characters that are invisible or change the direction of text are
//!   escaped as everywhere in this crate. The policy of the page forbids all scripts but its own, and all loading: it
//!   would be harmless even if the escaping were wrong.
//! - In the JSON, traced text is in strings, escaped by their serializer, and such characters are written as `\u…`.
//! - Nothing is recursive, or nested deeper than browsers can take: a guest's tree may have any depth.
//! - The output is as long as the trace, up to a factor. A text of a guest must not be repeated for everything that refers
//!   to it: names are cut, and the fields of a span are written once.

// All of them read a storage, and write text.
//
// | file | content |
// |---|---|
// | `html/` | a page that folds, for people |
// | `chrome/` | a file of trace events, for trace viewers |
// | `short.rs` | names that are cut |

mod chrome;
mod html;
mod short;

pub use self::{chrome::ChromeTrace, html::HtmlPage};
