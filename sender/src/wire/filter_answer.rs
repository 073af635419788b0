/// What a host wants of a call site, in answer to a question of the program.
///
/// Across a boundary it goes as a number, its [`code()`](Self::code()).
///
/// # Example
///
/// ```
/// use spanshot_sender::FilterAnswer;
///
/// assert_eq!(FilterAnswer::from_code(3), FilterAnswer::Always);
/// assert_eq!(FilterAnswer::Never.code(), 0);
/// assert!(FilterAnswer::Now.is_wanted() && !FilterAnswer::NotNow.is_wanted());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterAnswer {
    /// Nothing, until the host's filter changes.
    Never,
    /// It depends, on the spans that the program is in for example. Now the host wants nothing.
    NotNow,
    /// It depends. Now the host wants the records from there.
    Now,
    /// Everything, until the host's filter changes.
    Always,
    /// The host does not know the call site, and is to be asked again with a description of it.
    Unknown,
}

impl FilterAnswer {
    /// Returns the number that stands for the answer.
    pub const fn code(self) -> u32 {
        match self {
            Self::Never => 0,
            Self::NotNow => 1,
            Self::Now => 2,
            Self::Always => 3,
            Self::Unknown => 4,
        }
    }

    /// Returns the answer that a number stands for; [`Always`](Self::Always) if it stands for none,
    /// since nothing is lost by sending what nobody wants.
    pub const fn from_code(code: u32) -> Self {
        match code {
            0 => Self::Never,
            1 => Self::NotNow,
            2 => Self::Now,
            4 => Self::Unknown,
            _ => Self::Always,
        }
    }

    /// Whether the host wants records of the call site now, by this answer.
    pub const fn is_wanted(self) -> bool {
        !matches!(self, Self::Never | Self::NotNow)
    }
}
