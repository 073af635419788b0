/// Exports the two functions by which a host has this dynamic library send its trace.
///
/// They are `spanshot_install` and `spanshot_uninstall`; see
/// [`dynamic_library`](crate::dynamic_library). It is called once, anywhere in the library.
///
/// # Example
///
/// ```
/// spanshot_sender::export_dynamic_library!();
///
/// #[unsafe(no_mangle)]
/// pub extern "C" fn run() {
///     tracing::info!("the host will know");
/// }
/// ```
#[macro_export]
macro_rules! export_dynamic_library {
    () => {
        const _: () = {
            /// # Safety
            ///
            /// If this library has that version, the function may be called with the context until
            /// `spanshot_uninstall` returns 0.
            #[allow(unsafe_code)]
            #[unsafe(no_mangle)]
            unsafe extern "C" fn spanshot_install(
                version: u32,
                send: $crate::dynamic_library::SendFunction,
                context: *mut ::core::ffi::c_void,
            ) -> i32 {
                // SAFETY: the caller has promised it.
                let host =
                    unsafe { $crate::dynamic_library::HostFunction::new(version, send, context) };
                match $crate::dynamic_library::install(host) {
                    Ok(()) => 0,
                    Err(error) => error.code(),
                }
            }

            #[allow(unsafe_code)]
            #[unsafe(no_mangle)]
            extern "C" fn spanshot_uninstall(wait: i32) -> i32 {
                let uninstalled = if wait == 0 {
                    $crate::dynamic_library::uninstall_without_waiting()
                } else {
                    $crate::dynamic_library::uninstall()
                };
                match uninstalled {
                    Ok(()) => 0,
                    Err(error) => error.code(),
                }
            }
        };
    };
}
