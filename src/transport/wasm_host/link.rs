/// Links the imports of a WASM guest, in wasmi, wasmtime, or an engine with the same API.
///
/// Pass the name of the engine's crate, its `Linker`, and a closure that returns the
/// [`GuestTrace`](crate::transport::wasm_host::GuestTrace) in the data of the `Store`. The closure has
/// to be [`Copy`]. Then call the guest in its [scope](crate::transport::wasm_host::GuestTrace::scope). If it
/// [buffers](spanshot_sender::wasm_guest::Builder::buffered),
/// [read its buffer](crate::transport::wasm_host::GuestTrace::read_buffer) after each call.
///
/// # Errors
///
/// Returns the engine's error if something is linked already under the names of the
/// [imports](crate::transport::wasm#imports).
///
/// The guest traps with a [`GuestError`](crate::transport::wasm_host::GuestError) if the host refuses a frame, unless
/// you create its trace with [`going_on()`](crate::transport::wasm_host::GuestTrace::going_on).
///
/// # Example
///
/// ```
/// use spanshot::{link_wasm_guest, transport::wasm_host::GuestTrace};
///
/// struct Host {
///     trace: GuestTrace,
/// }
///
/// let engine = wasmi::Engine::default();
/// let mut linker = wasmi::Linker::<Host>::new(&engine);
/// link_wasm_guest!(wasmi, linker, |host| &mut host.trace)?;
/// # Ok::<_, wasmi::Error>(())
/// ```
#[macro_export]
macro_rules! link_wasm_guest {
    ($($engine:ident)::+, $linker:expr, $trace:expr $(,)?) => {{
        use $crate::transport::wasm_host::{GuestError, GuestTrace};

        fn link<T: 'static, F>(
            linker: &mut $($engine)::+::Linker<T>,
            trace: F,
        ) -> ::core::result::Result<(), $($engine)::+::Error>
        where
            F: Fn(&mut T) -> &mut GuestTrace + Copy + Send + Sync + 'static,
        {
            use $($engine)::+::{Caller, Error};

            /// Runs the function with the guest's memory, and tells the guest of the host's filter.
            fn with_memory<T: 'static, R>(
                mut caller: Caller<'_, T>,
                trace: impl Fn(&mut T) -> &mut GuestTrace,
                without: R,
                f: impl FnOnce(&mut GuestTrace, &mut [u8]) -> ::core::result::Result<R, GuestError>,
            ) -> ::core::result::Result<R, Error> {
                let memory = caller.get_export("memory").and_then(|export| export.into_memory());
                let result = match memory {
                    Some(memory) => {
                        let (memory, data) = memory.data_and_store_mut(&mut caller);
                        let trace = trace(data);
                        let result = f(trace, memory);
                        trace.tell_filter(memory);
                        result
                    }
                    None => trace(caller.data_mut()).has_no_memory().map(|()| without),
                };
                result.map_err(Error::new)
            }

            linker.func_wrap(
                "spanshot",
                "send",
                move |caller: Caller<'_, T>, address: u32, len: u32| {
                    with_memory(caller, trace, (), |trace, memory| trace.send(memory, address, len))
                },
            )?;
            linker.func_wrap(
                "spanshot",
                "hello",
                move |caller: Caller<'_, T>, version: u32, control: u32| {
                    with_memory(caller, trace, (), |trace, memory| {
                        trace.hello(memory, version, control)
                    })
                },
            )?;
            linker.func_wrap(
                "spanshot",
                "flush",
                move |caller: Caller<'_, T>| {
                    with_memory(caller, trace, (), GuestTrace::flush)
                },
            )?;
            linker.func_wrap(
                "spanshot",
                "ask",
                move |caller: Caller<'_, T>, address: u32, len: u32| {
                    with_memory(caller, trace, 3, |trace, memory| {
                        trace.ask(memory, address, len).map(|answer| answer.code())
                    })
                },
            )?;
            ::core::result::Result::Ok(())
        }

        link(&mut $linker, $trace)
    }};
}
