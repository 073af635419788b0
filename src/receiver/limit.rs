use core::fmt;

use crate::wire::MAX_CHAIN;

/// A limit of a [`TracingEventReceiver`](super::TracingEventReceiver).
///
/// Set it with the method of the same name on [`ReceiverLimits`](super::ReceiverLimits), which says what counts.
/// It is displayed as what it counts.
///
/// # Example
///
/// ```
/// use spanshot::receiver::Limit;
///
/// assert_eq!(Limit::OpenSpans.to_string(), "open spans");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [Call sites](super::ReceiverLimits::max_call_sites) of a stream.
    CallSites,
    /// [Bytes](super::ReceiverLimits::max_leaked_bytes) that the process has leaked.
    LeakedBytes,
    /// [Spans](super::ReceiverLimits::max_open_spans) that are not closed.
    OpenSpans,
    /// [Spans in one another](super::ReceiverLimits::max_depth).
    Depth,
    /// [Spans that are entered](super::ReceiverLimits::max_entered), by all threads.
    Entered,
    /// [Spans that one span follows from](super::ReceiverLimits::max_follows_from).
    FollowsFrom,
    /// [Values](super::ReceiverLimits::max_values) of a record, or fields of a call site.
    ValuesPerRecord,
    /// [Bytes of a string](super::ReceiverLimits::max_string_bytes).
    StringBytes,
    /// [Bytes of a frame](super::ReceiverLimits::max_frame_bytes).
    FrameBytes,
    /// [Errors in a chain](super::ReceiverLimits::max_error_chain).
    ErrorChain,
    /// [Records](super::ReceiverLimits::max_records) in all.
    Records,
}

/// All that there is to say of a limit.
pub(super) struct Row {
    #[cfg_attr(not(test), allow(dead_code))]
    limit: Limit,
    /// Name of the method that sets it.
    pub(super) setter: &'static str,
    /// What there is so much of, in a message.
    counts: &'static str,
    /// What counts, for the documentation.
    #[cfg_attr(not(test), allow(dead_code))]
    what: &'static str,
    pub(super) default: u64,
}

const fn row(
    limit: Limit,
    setter: &'static str,
    counts: &'static str,
    what: &'static str,
    default: u64,
) -> Row {
    Row { limit, setter, counts, what, default }
}

/// The limits, in the order of [`Limit`]. `limits.md` and `SECURITY.md` show them; a test compares.
#[rustfmt::skip]
pub(super) const TABLE: [Row; Limit::COUNT] = [
    row(Limit::CallSites, "max_call_sites", "call sites",
        "call sites of a stream; records of the `log` crate have one a level", 1 << 17),
    row(Limit::LeakedBytes, "max_leaked_bytes", "bytes that this process has leaked for call sites",
        "bytes that the process has leaked for call sites, over all receivers that relay", 64 << 20),
    row(Limit::OpenSpans, "max_open_spans", "open spans",
        "spans that are not closed", 1 << 20),
    row(Limit::Depth, "max_depth", "spans in one another",
        "spans in one another, and enters of a thread that were not undone", 1 << 16),
    row(Limit::Entered, "max_entered", "spans that are entered at once",
        "enters of all threads that were not undone", 1 << 12),
    row(Limit::FollowsFrom, "max_follows_from", "spans that a span follows from",
        "spans that an open span follows from", 1 << 16),
    row(Limit::ValuesPerRecord, "max_values", "values of a record",
        "values of a record, and fields of a call site", 1 << 12),
    row(Limit::StringBytes, "max_string_bytes", "bytes of a string",
        "bytes of a text or byte string, of a message of an error, of a name in a call site", 16 << 20),
    row(Limit::FrameBytes, "max_frame_bytes", "bytes of a frame",
        "bytes of a frame", 64 << 20),
    row(Limit::ErrorChain, "max_error_chain", "errors in a chain",
        "errors in a chain; no encoding carries more than 100", MAX_CHAIN as u64),
    row(Limit::Records, "max_records", "records",
        "accepted records", u64::MAX),
];

impl Limit {
    /// Number of limits.
    pub(super) const COUNT: usize = Self::Records as usize + 1;

    pub(super) fn row(self) -> &'static Row {
        const ROWS: &[Row; Limit::COUNT] = &TABLE;
        &ROWS[self as usize]
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.row().counts)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{
        format,
        string::{String, ToString},
        vec::Vec,
    };

    use core::fmt::Write;

    use super::*;

    /// A number of bytes or of other things, as one reads it.
    fn shown(row: &Row) -> String {
        if row.default == u64::MAX {
            return "none".to_string();
        }
        if row.setter.ends_with("bytes") {
            return format!("{} MiB", row.default >> 20);
        }
        let digits = row.default.to_string().into_bytes();
        let groups: Vec<_> = digits.rchunks(3).rev().map(String::from_utf8_lossy).collect();
        groups.join(",")
    }

    #[test]
    fn documentation_shows_the_table() {
        let mut table = "| limit | it counts | default |\n|---|---|---|\n".to_string();
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.limit as usize, index);
            writeln!(table, "| `{}` | {} | {} |", row.setter, row.what, shown(row)).unwrap();
        }
        assert_eq!(include_str!("limits.md"), table);
        assert!(include_str!("../../SECURITY.md").contains(&table), "{table}");
    }
}
