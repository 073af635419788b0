//! What people see of a trace: the tree as text, the same as structured data, and snapshots of
//! both.
//!
//! Everything here is stable from run to run by default: no identifiers, lines, threads, times or
//! addresses. Text that a program traced is never taken at its word: characters that steer a
//! terminal, or change the direction of the text around them, are escaped.

#[cfg(feature = "predicates")]
mod around;
#[cfg(feature = "snapshot")]
pub(crate) mod assert;
mod serialize;
mod tree;
mod visible;

#[cfg(feature = "predicates")]
pub(crate) use self::{around::Around, tree::Line};
