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
//! | `hello` | `(version: i32, control: i32)` | a guest that buffers or asks | is called once, before all else; says the version of this agreement, and the address of the *control block* |
//! | `send_batch` | `(address: i32, len: i32, first: i32)` | a guest that buffers | hands over a *batch*, of frames of which the first has the number `first` |
//! | `ask` | `(address: i32, len: i32) -> i32` | a guest that asks | hands over a [question](crate::frame#questions), and returns the [code](crate::FilterAnswer::code) of the answer |
//!
//! Addresses and lengths are unsigned, in bytes, in the memory that the guest exports as `memory`.
//! There is one stream of frames for each instance, in the order of the calls.
//!
//! A *batch* is any number of frames, each after its length as 4 bytes. Frames of an instance that
//! buffers are numbered from 0, modulo 2³², whichever import they go through. All numbers in
//! memory are little-endian, as everywhere in WebAssembly.
//!
//! # The control block
//!
//! 20 bytes in the guest's memory that never move, at an address that is divisible by 4:
//!
//! | offset | type | who writes it | what it is |
//! |---|---|---|---|
//! | 0 | `u32` | the host | *generation* of the host's filter: another number whenever answers may have become others |
//! | 4 | `u32` | the guest | address of the buffer, 0 if the guest does not buffer |
//! | 8 | `u32` | both | bytes in the buffer, which is a batch |
//! | 12 | `u32` | both | frames in it |
//! | 16 | `u32` | both | number of the first of them |
//!
//! # Who owns what
//!
//! - **Memory** is the guest's. The host reads what it is handed before the call returns, and keeps
//!   no address but that of the control block. It writes nothing but the generation; and, when it has
//!   read the buffer on its own account, an empty buffer: 0 at offsets 8 and 12, and at 16 the number
//!   of the next frame.
//! - **The buffer** may be read by the host whenever the guest does not run: after a trap, and in any
//!   function that the guest has called, so that what the host traces there comes after what the guest
//!   has traced.
//!
//! # Traps
//!
//! - **Of the guest**: without a buffer, everything that it traced is with the host. With one, what is
//!   left is in the buffer, which is whole at any instruction of the guest: no code of the guest has
//!   to run. The host's receiver closes the spans that the guest never left when it is dropped.
//! - **By the host**, for what it refuses: no function returns an error. A host that cannot take what it
//!   is handed traps the guest, or goes on without it, as it likes. The guest may be called again after
//!   either, and its stream goes on with the next frame.
//!
//! # Versions
//!
//! The encoding of frames has a [version](crate::frame::VERSION) of its own in each frame. An import
//! whose signature or meaning changes gets another name, so that a module that does not fit its host is
//! refused when it is linked, before it runs. What else may change has the number that `hello` hands
//! over: a host refuses those that it does not know.

/// Version of the agreement that this crate's guests and hosts keep to.
pub const VERSION: u32 = 1;

/// Name of the module that guests import from.
pub const MODULE: &str = "spanshot";

/// Bytes of the control block.
#[doc(hidden)]
pub const CONTROL_LEN: u32 = 20;
