//! The measured figures, and their limits.

/// The figures of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    /// What was measured, and for one of what: nothing of both if the name says that.
    pub(crate) unit: &'static str,
    pub(crate) per: &'static str,
    pub(crate) first: f64,
    pub(crate) second: Option<f64>,
    /// The greatest ratio of the two that is all right.
    pub(crate) reach: Option<f64>,
}

impl Figures {
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.second.map(|second| self.first / second)
    }

    /// What the figures are in.
    pub(crate) fn measure(&self) -> String {
        format!("{} {}", self.unit, self.per).trim().into()
    }

    /// Whether the ratio, to three places, is at most the limit, times the room. It is if
    /// nothing is to be reached.
    pub(crate) fn is_within(&self, room: f64) -> bool {
        match (self.ratio(), self.reach) {
            (Some(ratio), Some(reach)) => ratio <= reach * room + 0.000_5,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(first: f64, second: Option<f64>, reach: Option<f64>) -> Figures {
        Figures { name: "row", unit: "ns", per: "a record", first, second, reach }
    }

    #[test]
    fn ratio_is_compared_to_what_is_to_be_reached() {
        for (first, room, expected) in [
            (24.0, 1.0, true),
            (25.0, 1.0, true),
            (25.06, 1.0, false),
            (25.1, 1.25, true),
            (31.25, 1.25, true),
            (31.4, 1.25, false),
            (f64::INFINITY, 1.25, false),
            (f64::NAN, 1.25, false),
        ] {
            let figures = figures(first, Some(100.0), Some(0.25));
            assert_eq!(figures.is_within(room), expected, "{first} with {room}");
        }
    }

    #[test]
    fn nothing_to_reach_is_reached() {
        assert!(figures(5.0, None, None).is_within(1.0));
        assert!(figures(5.0, Some(1.0), None).is_within(1.0));
    }
}
