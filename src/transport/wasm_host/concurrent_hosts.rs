//! A guide for hosts that do several things at once: futures, turns of fuel, several guests.
//!
//! A guest may be suspended in the middle of a span: it has used up its fuel, it waits for its host, or it has
//! trapped. Your host does something else then, and perhaps runs another guest. Call each guest in its
//! [scope](super::GuestTrace::scope), and their traces stay apart:
//!
//! - **While a guest is not running, the host is inside none of its spans.**
//! - **While it runs, everything that the host does on its behalf is inside its current span**: the functions of the host
//!   that the guest calls, whether they return at once or are awaited.
//!
//! | your host | write |
//! |---|---|
//! | calls the guest | `scope.in_scope(\|\| run.call(&mut store, 7))`; if the guest [buffers], `trace.read_buffer(memory)` after it |
//! | calls it in turns of fuel | `scope.in_scope(\|\| run.call_resumable(…))`, and for each further turn `scope.in_scope(\|\| stopped.resume(…))` |
//! | awaits it | `scope.in_scope_async(run.call_async(&mut store, 7)).await` |
//! | runs several with `join!` or `select!` | `join!(scope_a.in_scope_async(…), scope_b.in_scope_async(…))` |
//! | spawns it | `tokio::spawn(capture.carry_future(async move { … scope.in_scope_async(…).await … }))` |
//! | starts a span around the call | `scope.in_scope_async(run.call_async(…)).instrument(info_span!("request"))`: the span outside |
//! | traces in a function that the guest calls | nothing; if the guest [buffers], [`trace.read_buffer(memory)`](#functions-that-the-guest-calls) first |
//! | awaits guest B in an async function that guest A calls | `scope_b.in_scope_async(…).await`, with B's scope only |
//! | awaits guest A itself again, in such a function | `scope_a.in_scope_async(…).await` once more, with a scope from `caller.data()` |
//! | handles a trap, or drops the future | nothing; if the guest buffers, `trace.read_buffer(memory)` after it |
//! | reads child processes | `stream::receive_async(stdout, &mut receiver)` for each; no scope |
//!
//! Take the scope before the call, which borrows the store: `let scope = store.data().scope();`. It is a handle:
//! clone it, keep it, and move it to another thread as you like.
//!
//! # Futures
//!
//! [`in_scope_async()`] enters the guest's spans when the future is polled, and exits them when that returns. So your
//! executor may poll other futures in between, and may poll this one on any of its threads. This is the core of
//! `examples/async_host` in the repository, which runs such tasks at once on the threads of tokio, in wasmtime:
//!
//! ```ignore
//! let order = shop.get_typed_func::<u32, u32>(&mut store, "order")?;
//! let scope = store.data().scope();
//! let total = scope.in_scope_async(order.call_async(&mut store, items)).await?;
//! info!(total, "paid"); // in the request, not in the guest
//! ```
//!
//! Each task is carried by the capture, since it runs on a thread that the capture has not been started on:
//!
//! ```ignore
//! let task = serve(shop.clone(), items).instrument(info_span!("request", number));
//! tasks.push(tokio::spawn(capture.carry_future(task)));
//! ```
//!
//! Instrument the call itself, not a longer future that awaits it among other things: all of that would be in the guest's
//! spans. For the same reason, put spans of the host around the instrumented call rather than inside it. A span
//! inside is entered after the guest's spans in each poll, and what the guest traces would be attributed to it.
//!
//! # Turns of fuel
//!
//! An engine that counts instructions hands control back when the fuel is used up. Each turn is a call:
//!
//! ```
//! use spanshot::{Capture, link_wasm_guest, predicates::*, transport::wasm_host::GuestTrace};
//! use tracing::info;
//! use wasmi::{CompilationMode, Config, Engine, Linker, Module, ResumableCall, Store, Val};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let wasm: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/guest.wasm"));
//! let capture = Capture::start();
//! let mut config = Config::default();
//! config.consume_fuel(true).compilation_mode(CompilationMode::Eager);
//! let engine = Engine::new(&config);
//! let mut linker = Linker::new(&engine);
//! link_wasm_guest!(wasmi, linker, |trace| trace)?;
//! let mut store = Store::new(&engine, GuestTrace::default());
//! store.set_fuel(1_000_000)?;
//! let guest = linker.instantiate_and_start(&mut store, &Module::new(&engine, wasm)?)?;
//! let evaluate = guest.get_func(&store, "evaluate").unwrap();
//!
//! let scope = store.data().scope();
//! let mut results = [Val::I32(0)];
//! store.set_fuel(1_000)?;
//! let mut turn = scope.in_scope(|| evaluate.call_resumable(&mut store, &[], &mut results))?;
//! while let ResumableCall::OutOfFuel(stopped) = turn {
//!     info!("the host does something else");
//!     store.set_fuel(stopped.required_fuel() + 1_000)?;
//!     turn = scope.in_scope(|| stopped.resume(&mut store, &mut results))?;
//! }
//!
//! let trace = capture.trace();
//! let evaluated = trace.scan_spans().single(&name(eq("evaluate")));
//! assert!(evaluated.stats().entered > 1, "once for each turn in which it was open");
//! evaluated.scan_events().none(&message(contains("the host")));
//! # Ok(())
//! # }
//! ```
//!
//! The spans of a guest are entered and exited more often than natively: the counts in
//! [`SpanStats`](crate::SpanStats) say how often the host has run the guest in them.
//!
//! # Functions that the guest calls
//!
//! They run in the guest's call, and so in its current span. An async function that waits is polled in that span, too,
//! each time: it may have spans of its own, and may await another guest, whose spans are then inside the first one's. A
//! task that it spawns is not part of the call; give that `.instrument(Span::current())` if you want it there.
//!
//! Such a function may call the same guest again, in a span of its own. Await this call in the guest's scope, too,
//! although the outer call is in it. In wasmtime:
//!
//! ```rust,ignore
//! let scope = caller.data().scope();
//! let nested = scope.in_scope_async(order.call_async(&mut caller, 1));
//! nested.instrument(info_span!("nested")).await?;
//! ```
//!
//! If you leave out the inner scope, you get no error, and a wrong parent: once the inner call has waited, spanshot enters
//! its spans with the spans of the outer call, before the host's span. Until the guest enters another span, what it traces
//! is a child of the host's span then.
//!
//! A guest that [buffers] may not have handed over the span that it is in. So have the function call
//! [`read_buffer()`](super::GuestTrace::read_buffer) before it traces. It is in the guest's scope already. If you forget
//! it, you get no error: the records of the host come too early, and outside the span. In wasmi:
//!
//! ```
//! use spanshot::transport::wasm_host::GuestTrace;
//! use wasmi::{Caller, Error, Extern};
//!
//! fn price(mut caller: Caller<'_, GuestTrace>, item: u32) -> Result<u32, Error> {
//!     if let Some(memory) = caller.get_export("memory").and_then(Extern::into_memory) {
//!         let (memory, trace) = memory.data_and_store_mut(&mut caller);
//!         trace.read_buffer(memory).map_err(Error::new)?;
//!     }
//!     tracing::debug!(item, "priced"); // in the guest's span
//!     Ok(item * 40)
//! }
//! ```
//!
//! # Traps, cancellation, panics
//!
//! However a call ends, the host leaves the guest's spans: on a result, on a trap, when the future is dropped because it
//! lost a `select!`, and when a function of the host panics. The guest itself stays in its spans, since no code of it ran that
//! would have exited them. The trace shows them as open until you drop the [`GuestTrace`]. If you call the
//! instance again, the new spans are inside the old ones. Create a new instance if you don't want that.
//!
//! # Threads
//!
//! A store may be moved to another thread between two calls, and a future between two polls. The spans follow the guest: the
//! thread that calls it enters them, and has left them when the call ends. The [`GuestTrace`] keeps relaying to the
//! subscriber that was current when it was created; what the host itself traces goes to the subscriber of its
//! thread. Carry the capture to there: [`Capture::carry_future()`](crate::Capture::carry_future),
//! [`Capture::carry()`](crate::Capture::carry).
//!
//! # If the scope is missing
//!
//! The guest is trapped as soon as it enters, exits, or traces in a span, and the message tells you what to write:
//!
//! ```text
//! the guest traces in span 1 outside of its scope: call the guest in `GuestScope::in_scope()`, or await it in
//! `GuestScope::in_scope_async()`
//! ```
//!
//! This is [`ReceiveError::NotInScope`](crate::ReceiveError::NotInScope). wasmtime shows the message with `{:?}`, but not
//! with `{}`. You get the same error if you write `scope.in_scope(|| run.call_async(…)).await`: the scope has ended when
//! the future is polled. A guest that buffers traps when it sends its buffer.
//!
//! You need no scope to call functions that enter no span, such as one that only installs the sender, or if the receiver
//! [fills a storage directly](crate::TracingEventReceiver::capturing): there, the host is never in the guest's spans.
//!
//! # Child processes and other streams of bytes
//!
//! A child process runs on while your host reads what it has traced before, so the host is never inside its spans. Read
//! each stream with [`stream::receive_async()`](crate::transport::stream), in as many tasks as there are children: it
//! relays each stream on a thread of its own. So does a [`StreamReceiver`](crate::transport::stream::StreamReceiver) to
//! which you push chunks that you have read yourself.
//!
//! [`GuestTrace`]: super::GuestTrace
//! [`in_scope_async()`]: crate::receiver::GuestScope::in_scope_async
//! [buffers]: spanshot_sender::wasm_guest::Builder::buffered
