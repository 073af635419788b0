//! What is measured: a kind of work, done in two ways that are compared.

use crate::{figures::Figures, table::Table};

/// Work that is ready to be done, once. What it makes lives as long as it does, so that taking that
/// down is not measured.
pub(crate) type Work = Box<dyn FnMut()>;

/// Gets work of so many units ready.
pub(crate) type Prepare = fn(u64) -> Work;

/// Work that takes time.
pub(crate) struct Row {
    pub(crate) table: Table,
    pub(crate) name: &'static str,
    /// What a figure is given for one of.
    pub(crate) per: &'static str,
    pub(crate) first: Side,
    /// What it is compared to, if anything.
    pub(crate) second: Option<Side>,
    /// The greatest ratio that the first may have to the second, if there is one.
    pub(crate) reach: Option<f64>,
    /// The ratio that the check holds it to, where what is to be reached is not.
    pub(crate) held: Option<f64>,
    /// That of instructions, where the times are too noisy to show anything.
    pub(crate) held_count: Option<f64>,
    /// How the check judges it.
    pub(crate) judged_by: JudgedBy,
}

/// One of the two ways.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    pub(crate) prepare: Prepare,
    /// The units that it is done for.
    pub(crate) units: u64,
    /// How many of what the row's figures are for a unit has.
    pub(crate) parts: u64,
}

/// What the check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JudgedBy {
    Time,
    /// For what takes too little time to be told.
    Count,
    /// It is there to be read.
    Nothing,
}

impl Row {
    /// Ours against the peers', on the same units.
    pub(crate) const fn against_peers(
        name: &'static str,
        (per, parts): (&'static str, u64),
        ours: Prepare,
        peers: Option<(Prepare, f64)>,
    ) -> Self {
        let (second, reach, judged_by) = match peers {
            Some((prepare, reach)) => {
                (Some(Side { prepare, units: UNITS, parts }), Some(reach), JudgedBy::Time)
            }
            None => (None, None, JudgedBy::Nothing),
        };
        let first = Side { prepare: ours, units: UNITS, parts };
        Self {
            table: Table::Peers,
            name,
            per,
            first,
            second,
            reach,
            held: None,
            held_count: None,
            judged_by,
        }
    }

    /// Much of something against little of it.
    pub(crate) const fn growth(
        name: &'static str,
        (per, parts): (&'static str, u64),
        prepare: Prepare,
        [small, large]: [u64; 2],
    ) -> Self {
        Self {
            table: Table::Growth,
            name,
            per,
            first: Side { prepare, units: large, parts },
            second: Some(Side { prepare, units: small, parts }),
            reach: Some(GROWTH),
            held: None,
            held_count: None,
            judged_by: JudgedBy::Time,
        }
    }

    /// What was measured of the two sides.
    pub(crate) fn figures(&self, unit: &'static str, [first, second]: [f64; 2]) -> Figures {
        let second = self.second.map(|_| second);
        Figures { name: self.name, unit, per: self.per, first, second, reach: self.reach }
    }

    /// The side of this name.
    pub(crate) fn side(&self, name: &str) -> Option<Side> {
        let sides = self.table.sides().into_iter().zip([Some(self.first), self.second]);
        sides.filter(|(other, _)| *other == name).find_map(|(_, side)| side)
    }

    /// The same row, which does not reach what it is to, and is not to get worse than this.
    pub(crate) const fn held_to(mut self, ratio: f64) -> Self {
        self.held = Some(ratio);
        self
    }

    /// The same row, for which such a ratio of instructions will do where the times do not show it.
    pub(crate) const fn or_count(mut self, ratio: f64) -> Self {
        self.held_count = Some(ratio);
        self
    }

    /// The same row, which is judged by its instructions.
    pub(crate) const fn counted(mut self) -> Self {
        self.judged_by = JudgedBy::Count;
        self
    }

    /// The same row, without a limit that the check holds.
    pub(crate) const fn only_shown(mut self) -> Self {
        self.reach = None;
        self.judged_by = JudgedBy::Nothing;
        self
    }
}

/// Units of what is compared with the peers.
pub(crate) const UNITS: u64 = 20_000;

/// The greatest ratio of much to little, for one.
pub(crate) const GROWTH: f64 = 1.3;

/// Something that comes out the same each time.
pub(crate) struct Amount {
    pub(crate) table: Table,
    pub(crate) name: &'static str,
    pub(crate) measure: fn() -> Result<[f64; 2], wasmi::Error>,
    /// The greatest ratio that the first may have to the second.
    pub(crate) reach: f64,
}

impl Amount {
    pub(crate) fn figures(&self) -> Result<Figures, wasmi::Error> {
        let [first, second] = (self.measure)()?;
        let (second, reach) = (Some(second), Some(self.reach));
        Ok(Figures { name: self.name, unit: "", per: "", first, second, reach })
    }
}
