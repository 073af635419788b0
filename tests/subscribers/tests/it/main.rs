//! A relayed trace arrives whole in what hosts have: `fmt`, a JSON log, OpenTelemetry, Chrome.
//!
//! Each is the real crate, and each is tested alike: a program is run natively under the subscriber,
//! and its stream is relayed into another one of the same kind, and what comes out has to be the same.
//! The programs are those of `programs`, and the WASM guest of `examples/guest`.
//!
//! # What is left out of the comparison
//!
//! - **Times and generated IDs**, which are others in every run.
//! - **Targets and paths of the guest**, which is another crate than its native twin here.
//! - **Threads of the host.** A guest's first thread is that which receives, but each further one is relayed
//!   on a thread of the receiver's, of the name `spanshot relay`: what a thread is called, and the ID that
//!   the host gives it, are not carried. *Which* records are of one thread is, and that is compared.
//!
//! # What is different, and cannot be otherwise
//!
//! - An integer of type `i128` or `u128` that 64 bits hold arrives as one of 64 bits: `fmt` writes the same,
//!   JSON and OpenTelemetry a number in place of a string.
//! - An error arrives with up to 100 errors of its chain, each with its message and its `Debug` output, and cannot be
//!   downcast.
//! - A value recorded through `Debug` arrives as text: who shows it with `{:#?}` gets one line.
//! - What a guest traces on further threads, outside of its spans, is in the span of the host, too, which
//!   natively would be current on the thread that has it only.
//! - Times are those at which records arrive: a boundary that is slow makes spans look slow.

mod chrome;
mod fmt;
mod guest;
mod json;
mod opentelemetry;
mod programs;
mod support;
mod with_layer;
