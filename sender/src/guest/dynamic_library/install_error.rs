use core::{error::Error, fmt, num::NonZeroI32};

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
    /// The library's function has returned another code: it is of a newer version, or has errors of its
    /// own.
    Other(NonZeroI32),
}

impl InstallError {
    /// Returns what stands for the error between a library and its host.
    pub const fn code(self) -> i32 {
        match self {
            Self::AlreadyInstalled => 1,
            Self::OtherSubscriber => 2,
            Self::Other(code) => code.get(),
        }
    }

    /// Returns the error that a code stands for; 0 stands for none.
    ///
    /// # Errors
    ///
    /// Returns the error, unless the code is 0.
    #[doc(hidden)]
    pub fn check(code: i32) -> Result<(), Self> {
        match (NonZeroI32::new(code), code) {
            (None, _) => Ok(()),
            (_, 1) => Err(Self::AlreadyInstalled),
            (_, 2) => Err(Self::OtherSubscriber),
            (Some(code), _) => Err(Self::Other(code)),
        }
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
            Self::Other(code) => {
                write!(formatter, "the library refuses to send its trace, with code {code}")
            }
        }
    }
}

impl Error for InstallError {}
