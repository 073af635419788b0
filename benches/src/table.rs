//! The tables that the rows are in.

/// What rows that stand together compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Peers,
    Growth,
    Calls,
    Threads,
    Unused,
    Build,
}

impl Table {
    /// All but the build, which takes minutes.
    pub(crate) const OF_ROWS: [Self; 5] =
        [Self::Peers, Self::Growth, Self::Calls, Self::Threads, Self::Unused];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Peers => "Ours against the peers",
            Self::Growth => "Growth: much against little",
            Self::Calls => "Calls of a guest: in its scope against calls that nobody is told of",
            Self::Threads => "Threads: two at once against one",
            Self::Unused => "What is disabled: with spanshot against without",
            Self::Build => "A clean build of one test: ours against the peers",
        }
    }

    /// Names of the two sides: headings of the columns, and arguments of the command that does the
    /// work of one.
    pub(crate) fn sides(self) -> [&'static str; 2] {
        match self {
            Self::Peers | Self::Build => ["ours", "peers"],
            Self::Growth => ["much", "little"],
            Self::Calls => ["scoped", "untold"],
            Self::Threads => ["two", "one"],
            Self::Unused => ["with", "without"],
        }
    }

    /// Rounds in which the times are taken: with so many, the best is what is told, and with so many
    /// at most, a check gives up.
    pub(crate) fn rounds(self) -> [u32; 2] {
        match self {
            Self::Peers | Self::Calls | Self::Threads | Self::Unused => [5, 10],
            Self::Growth => [2, 6],
            Self::Build => [3, 3],
        }
    }

    /// What the units are divided by where instructions are counted: callgrind is fifty times slower
    /// than the machine.
    pub(crate) fn share_counted(self) -> u64 {
        match self {
            Self::Peers | Self::Calls => 10,
            Self::Growth => 20,
            Self::Threads | Self::Build => 1,
            Self::Unused => 100,
        }
    }

    /// Whether counting instructions tells anything.
    pub(crate) fn is_countable(self) -> bool {
        !matches!(self, Self::Threads | Self::Build)
    }
}
