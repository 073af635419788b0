use super::{Limit, ReceiveError};

/// How many records a [`TracingEventReceiver`](super::TracingEventReceiver) has refused, and why.
///
/// # Example
///
/// ```
/// use spanshot::{TracingEvent, TracingEventReceiver, receiver::Limit};
///
/// let mut receiver = TracingEventReceiver::default();
/// receiver.try_receive(TracingEvent::SpanDropped { id: 1 }).unwrap_err();
/// let refusals = receiver.refusals();
/// assert_eq!((refusals.total(), refusals.of_unknown(), refusals.by(Limit::Records)), (1, 1, 0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusals {
    by_limit: [u64; Limit::COUNT],
    of_unknown: u64,
    otherwise: u64,
}

impl Refusals {
    #[cold]
    pub(super) fn count(&mut self, error: &ReceiveError) {
        let place = match error {
            ReceiveError::LimitExceeded { limit, .. } => self.by_limit.get_mut(*limit as usize),
            ReceiveError::UnknownMetadataId(_) | ReceiveError::UnknownSpanId(_) => {
                Some(&mut self.of_unknown)
            }
            _ => Some(&mut self.otherwise),
        };
        if let Some(count) = place {
            *count = count.saturating_add(1);
        }
    }

    /// Returns how many records would have exceeded a limit.
    pub fn by(&self, limit: Limit) -> u64 {
        self.by_limit.get(limit as usize).copied().unwrap_or(0)
    }

    /// Returns how many records would have exceeded any of the limits.
    pub fn by_limits(&self) -> u64 {
        self.by_limit.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns how many records named a span or a call site that is not there.
    ///
    /// If a limit has been exceeded, these are mostly records of spans and call sites that were refused for
    /// it.
    pub fn of_unknown(&self) -> u64 {
        self.of_unknown
    }

    /// Returns how many records were refused for other reasons: they were no records, or not possible.
    pub fn otherwise(&self) -> u64 {
        self.otherwise
    }

    /// Returns how many records were refused in all.
    pub fn total(&self) -> u64 {
        self.by_limits().saturating_add(self.of_unknown).saturating_add(self.otherwise)
    }
}
