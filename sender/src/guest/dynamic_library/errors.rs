use core::{error::Error, fmt, num::NonZeroI32};

use super::ABI_VERSION;

/// Why a library does not send its trace to a host.
///
/// # Example
///
/// ```
/// use spanshot_sender::dynamic_library::InstallError;
///
/// assert_eq!(InstallError::AlreadyInstalled.code(), 1);
/// assert_eq!(
///     InstallError::AlreadyInstalled.to_string(),
///     "the library sends its trace to a host already: uninstall it there, or load a copy of its file"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstallError {
    /// The library sends its trace to a host already. Its code is 1.
    AlreadyInstalled,
    /// The library has a global default subscriber of its own. Its code is 2.
    OtherSubscriber,
    /// The library was uninstalled, but still sends a record to its last host: see
    /// [`UninstallError::InUse`]. Install it again after the call that traced the record has returned. Its code is 3.
    InUse,
    /// Library and host speak different versions of the interface between them. Update `spanshot-sender` in the
    /// library if its version is the lower one, and `spanshot` in the host if the host's is.
    ///
    /// Its code is the version of the library, negated.
    OtherVersion {
        /// The version that the host speaks.
        host: u32,
        /// The version that the library speaks.
        library: u32,
    },
    /// The library's function returned a code that is none of these.
    Other(NonZeroI32),
}

impl InstallError {
    /// Returns the number that stands for the error between a library and its host: what `spanshot_install`
    /// returns.
    pub const fn code(self) -> i32 {
        match self {
            Self::AlreadyInstalled => 1,
            Self::OtherSubscriber => 2,
            Self::InUse => 3,
            Self::OtherVersion { library, .. } => 0_i32.wrapping_sub_unsigned(library),
            Self::Other(code) => code.get(),
        }
    }

    /// Returns the error that a code stands for, to a host of this version; 0 stands for none.
    ///
    /// # Errors
    ///
    /// Returns the error, unless the code is 0.
    #[doc(hidden)]
    pub fn check(code: i32) -> Result<(), Self> {
        let Some(other) = NonZeroI32::new(code) else { return Ok(()) };
        Err(match (code, code.unsigned_abs()) {
            (1, _) => Self::AlreadyInstalled,
            (2, _) => Self::OtherSubscriber,
            (3, _) => Self::InUse,
            // A library that refuses its own version has another reason.
            (..=-1, library) if library != ABI_VERSION => {
                Self::OtherVersion { host: ABI_VERSION, library }
            }
            _ => Self::Other(other),
        })
    }
}

impl fmt::Display for InstallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyInstalled => formatter.write_str(
                "the library sends its trace to a host already: uninstall it there, or load a copy of its file",
            ),
            Self::OtherSubscriber => formatter.write_str(
                "the library has set a global default subscriber of its own, which stays until it is unloaded",
            ),
            Self::InUse => formatter.write_str(
                "the library still sends a record to its last host: install it again after the call \
                 that traced the record has returned",
            ),
            Self::OtherVersion { host, library } => {
                let update = if library < host {
                    "`spanshot-sender` in the library"
                } else {
                    "`spanshot` in the host"
                };
                write!(
                    formatter,
                    "the library speaks version {library} of the interface between libraries and \
                     hosts, and the host version {host}: update {update}"
                )
            }
            Self::Other(code) => {
                write!(formatter, "the library refuses to send its trace, with code {code}")
            }
        }
    }
}

impl Error for InstallError {}

/// Why a library may still call the function of its host after it was uninstalled.
///
/// # Example
///
/// See [`uninstall()`](super::uninstall()).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UninstallError {
    /// The library is sending a record, and did not wait for it. The library sends nothing else any more. Do not
    /// unload it, and keep the function and its context, until the call that traced the record has returned. Its
    /// code is 1.
    InUse,
}

impl UninstallError {
    /// Returns the number that stands for the error between a library and its host: what `spanshot_uninstall`
    /// returns.
    pub const fn code(self) -> i32 {
        match self {
            Self::InUse => 1,
        }
    }
}

impl fmt::Display for UninstallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => formatter.write_str(
                "the library is still sending a record to its host: do not unload it before the call \
                 that traced the record has returned",
            ),
        }
    }
}

impl Error for UninstallError {}
