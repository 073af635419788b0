//! The WebAssembly boundary: what a guest and its host have to agree on.
//!
//! A guest can do nothing but call what its host gives it, and a host sees nothing of the guest but
//! its memory. This page is the agreement, version 1, between any guest and any host. You need it only if
//! you write one of them by hand: [`wasm_guest`](super::wasm_guest) is such a guest, and
//! `spanshot::transport::wasm_host` such a host.
//!
//! # Imports
//!
//! All are of the module `spanshot`. A guest imports those that it uses: `send` alone, unless it was
//! [set up](super::wasm_guest::Builder) otherwise. A host that provides all of them takes every
//! guest.
//!
//! | import | signature | who imports it | what it does |
//! |---|---|---|---|
//! | `send` | `(address: i32, len: i32)` | every guest | hands over one [frame](crate::frame) |
//! | `hello` | `(version: i32, control: i32)` | a guest that buffers or asks | is called before all else; says the version of this agreement, and the address of the *control block* |
//! | `flush` | `()` | a guest that buffers | has the host read the buffer, and empty it |
//! | `ask` | `(address: i32, len: i32) -> i32` | a guest that asks | hands over a [question](crate::frame#questions), and returns the [code](crate::FilterAnswer::code) of the answer |
//!
//! Addresses and lengths are unsigned, in bytes, in the memory that the guest exports as `memory`.
//! There is one stream of frames for each instance, in the order of the calls.
//!
//! # The control block
//!
//! 12 bytes in the guest's memory that never move, at an address that is divisible by 4. Numbers in
//! memory are little-endian, as everywhere in WebAssembly:
//!
//! | offset | type | who writes it | what it is |
//! |---|---|---|---|
//! | 0 | `u32` | the host | *generation* of the host's filter: another number whenever answers may have become others |
//! | 4 | `u32` | the guest | address of the buffer, 0 if the guest does not buffer |
//! | 8 | `u32` | both | bytes in the buffer |
//!
//! The buffer holds any number of frames, each after its length as 4 bytes.
//!
//! # Who owns what
//!
//! - **Memory** is the guest's. The host reads what it is handed before the call returns, and keeps
//!   no address but the control block's. It writes nothing but the generation and, when it has
//!   read the buffer, 0 at offset 8.
//! - **The buffer**: the guest adds frames, and only the host removes them: all at once, when it has read
//!   them, in `flush` or on its own account. It may do the latter whenever the guest does not run: after
//!   a trap, and in any function that the guest has called. Its own records there then come after the guest's
//!   records.
//!
//! # Traps
//!
//! A guest may be stopped at any instruction, and called again: by its own panic, by an engine whose fuel
//! runs out, or by a host that refuses a frame. No code of the guest runs then, not even `Drop`.
//!
//! - **Nothing is lost** but the record that the guest was about to make. Without a buffer, the host has
//!   all records before that. With one, it has them when it has read the buffer: each frame is there as a
//!   whole, or does not count. If the host does not read it after the trap, the next `flush` hands them over.
//! - **The next call traces as the first one did**, and its records fit to those before. A sender in
//!   WebAssembly has no lock, flag or borrow that a trap could leave behind.
//! - **Spans stay open.** The trapped call never leaves the spans that it has entered. Records of later
//!   calls are inside them. The host's receiver closes them when you drop it. If you want a trace
//!   without them, instantiate the guest anew, with a receiver of its own.
//! - **Each trap costs stack.** Compilers keep a stack in the guest's memory, and a call that trapped does not give
//!   its part of it back: up to 0.7 KB in our tests, of the 1 MiB that Rust sets aside. After 1,500 such traps,
//!   every call traps at once, with an access out of bounds. If your guest has to survive more, build it with
//!   `-C link-arg=--export=__stack_pointer`. After each trap, set this global to what it was before the call.
//! - **A host that refuses** what it is handed traps the guest, or goes on without it, as it likes: no
//!   function returns an error. In either case the stream goes on with the next frame.
//!
//! This holds for the sender. Other code of the guest may be less careful: a `Mutex` that was locked, or a
//! `RefCell` that was borrowed, stays so, and an allocator that was stopped in the middle may be broken.
//! In particular `tracing` itself holds a lock while a subscriber is installed. A guest that was stopped in
//! [`install()`](super::wasm_guest::install) has to be instantiated anew.
//!
//! # Versions
//!
//! The encoding of frames has a [version](crate::frame::VERSION) of its own in each frame. An import
//! whose signature or meaning changes gets another name. So the host refuses a module that does not fit it
//! when it links the module, before the module runs. Everything else that may change has the number that `hello` hands
//! over: a host refuses unknown numbers.

/// Version of the agreement that this crate's guests and hosts keep to.
pub const VERSION: u32 = 1;

/// Name of the module that guests import from.
pub const MODULE: &str = "spanshot";

/// Bytes of the control block.
#[doc(hidden)]
pub const CONTROL_LEN: u32 = 12;
