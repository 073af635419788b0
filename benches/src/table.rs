//! The tables that the rows are in.

/// What rows that stand together compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Peers,
    Growth,
    Calls,
    Threads,
    Unused,
}

impl Table {
    pub(crate) const ALL: [Self; 5] =
        [Self::Peers, Self::Growth, Self::Calls, Self::Threads, Self::Unused];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Peers => "Ours against the peers",
            Self::Growth => "Growth: much against little",
            Self::Calls => "Calls of a guest: in its scope against calls that nobody is told of",
            Self::Threads => "Threads: two at once against one",
            Self::Unused => "What is disabled: with spanshot against without",
        }
    }

    /// Names of the two sides: headings of the columns, and arguments of the command that does the
    /// work of one.
    pub(crate) fn sides(self) -> [&'static str; 2] {
        match self {
            Self::Peers => ["ours", "peers"],
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
        }
    }

    /// What the units are divided by where instructions are counted: callgrind is fifty times slower
    /// than the machine.
    pub(crate) fn share_counted(self) -> u64 {
        match self {
            Self::Peers | Self::Calls => 10,
            Self::Growth => 20,
            Self::Threads => 1,
            Self::Unused => 100,
        }
    }

    /// Whether counting instructions tells anything.
    pub(crate) fn is_countable(self) -> bool {
        self != Self::Threads
    }
}
