//! The sending side, linked into the module under test.
//!
//! A [`TracingEventSender`] is an ordinary `tracing` subscriber. What the module traces comes to
//! it through the usual macros, and leaves through one function: as [`TracingEvent`]s, or as
//! encoded frames. It decides nothing but what
//! it is told to filter out, be it by the host that it asks, and knows little: call sites, each announced when it is
//! first used, the span that each thread is in, and the number of the next span. All else
//! (parents, reference counts, filters) is the business of the receiver.
//!
//! It needs no `std`, only an allocator. Nothing here is held locked while the function runs or
//! while a value is formatted: either may trace, or panic, and the sender is none the worse. In
//! WebAssembly, where no `Drop` runs after a trap, nothing is held at all, and each change is complete
//! with a single store.
//!
//! [`TracingEvent`]: crate::TracingEvent

// | file | content |
// |---|---|
// | `subscriber.rs` | `TracingEventSender`: what `tracing` calls |
// | `output.rs`, `frames.rs` | the records, and the two forms in which it hands them out |
// | `call_sites.rs`, `segments.rs` | call sites by their numbers, in a list that grows without a lock |
// | `span_id.rs`, `counter.rs` | numbers of spans |
// | `context/` | the spans that each thread is in |
// | `filter.rs`, `host_filter.rs` | what the program or its host wants |

mod call_sites;
mod context;
mod counter;
mod filter;
mod frames;
mod host_filter;
mod output;
mod segments;
mod span_id;
mod subscriber;

pub use self::{frames::Frames, host_filter::HostFilter, subscriber::TracingEventSender};
