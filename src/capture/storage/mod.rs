//! The storage: everything that a capture saw, as a log in the order of time and as a tree over it.
//!
//! | file | contents |
//! |---|---|
//! | `tree.rs` | [`Storage`](tree::Storage): the log and the tree together, for readers |
//! | `fill.rs` | how records are added |
//! | `shared.rs` | a storage that is filled and read at the same time, from any thread |
//! | `timeline.rs` | the log: what happened to which node, when, and on which thread |
//! | `threads.rs` | threads as small numbers |
//! | `node.rs`, `keys.rs`, `names.rs` | nodes, their links, and the names of spans outside of the storage |
//! | `values.rs` | the values of nodes, and when they were recorded |
//! | `chunks.rs`, `numbers.rs` | lists whose copies share their contents; a hash of small numbers |
//! | `metadata.rs`, `call_sites.rs` | call sites, each stored once |
//! | `bound.rs`, `eviction.rs` | limits, and the eviction of the oldest nodes |
//! | `span.rs`, `event.rs`, `iter.rs`, `descendants.rs`, `captured.rs` | the handles that readers get |
//! | `sight.rs`, `lost.rs` | the blind spots of a capture; records that were lost on their way here |
//! | `handles.rs` | the handles and children that keep a span open |
//! | `parent_kind.rs` | how the parent of a node was determined |
//! | `durations.rs` | how long threads were in a span |
//! | `frames.rs` | a trace as a stream of frames |
//! | `printed_text.rs` | how much of a trace people have seen already, and how a snapshot has shown it |

pub(crate) mod bound;
pub(crate) mod call_sites;
pub(crate) mod captured;
pub(crate) mod chunks;
pub(crate) mod descendants;
pub(crate) mod durations;
pub(crate) mod event;
pub(crate) mod eviction;
pub(crate) mod fill;
mod frames;
pub(crate) mod handles;
pub(crate) mod iter;
pub(crate) mod keys;
mod lost;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod node;
pub(crate) mod numbers;
pub(crate) mod parent_kind;
pub(crate) mod printed_text;
pub(crate) mod shared;
pub(crate) mod sight;
pub(crate) mod span;
pub(crate) mod threads;
pub(crate) mod timeline;
pub(crate) mod tree;
pub(crate) mod values;
