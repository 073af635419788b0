//! What is measured: a kind of work, ours and the peers'.

/// Work that is ready to be done, once. What it makes lives as long as it does, so that taking that
/// down is not measured.
pub(crate) type Work = Box<dyn FnMut()>;

/// Gets work of so many units ready.
pub(crate) type Prepare = fn(u64) -> Work;

/// Work that takes time.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What the time is given for one of, and how many of these a unit has.
    pub(crate) per: (&'static str, u64),
    pub(crate) ours: Prepare,
    /// That of the peers, and the greatest share of their time that ours may take.
    pub(crate) peers: Option<(Prepare, f64)>,
}

impl Row {
    pub(crate) fn side(&self, side: Side) -> Option<Prepare> {
        match side {
            Side::Ours => Some(self.ours),
            Side::Peers => self.peers.map(|(prepare, _)| prepare),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Peers,
}

impl Side {
    pub(crate) const ALL: [Self; 2] = [Self::Ours, Self::Peers];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Peers => "peers",
        }
    }
}

/// Something that comes out the same each time.
pub(crate) struct Amount {
    pub(crate) name: &'static str,
    pub(crate) ours: f64,
    pub(crate) peers: f64,
    /// The greatest share of the peers' amount that ours may be.
    pub(crate) reach: f64,
}
