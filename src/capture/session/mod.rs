//! The session: a capture from its start to its end, as the code of a test sees it.
//!
//! | file | contents |
//! |---|---|
//! | `capture.rs` | [`Capture`](capture::Capture): starts, is read, and ends with its test |
//! | `builder.rs` | the options of a capture |
//! | `attribute.rs` | the test that `#[spanshot::test]` makes of a function |
//! | `own_process.rs` | such a test in a process of its own |
//! | `started.rs` | the captures that a thread has started, which may end in any order |
//! | `entered.rs` | a thread's stay in a capture, and subscribers that are left behind meanwhile |
//! | `handle.rs`, `carried.rs`, `attached.rs` | other threads and tasks |
//! | `waiting.rs` | waiting for something to be captured |
//! | `ending.rs`, `watch.rs`, `test_result.rs` | the end of a test: printing, recording, and failing it |
//! | `print.rs`, `shown.rs`, `excerpt.rs`, `short.rs` | the text that people see |
//! | `live.rs`, `overdue.rs` | printing while the test runs |
//! | `outcome.rs`, `latest_panic.rs` | the test, and how it ended |
//! | `scope.rs` | captures that end inside a test whose end is observed |
//! | `recording.rs` | traces left in files |
//! | `report.rs` | reports of a failing test for machines |
//! | `logger.rs` | records of the `log` crate |

pub(crate) mod attached;
pub(crate) mod attribute;
pub(crate) mod builder;
pub(crate) mod capture;
pub(crate) mod carried;
pub(crate) mod ending;
pub(crate) mod entered;
pub(crate) mod excerpt;
pub(crate) mod handle;
pub(crate) mod latest_panic;
pub(crate) mod live;
#[cfg(feature = "log")]
pub(crate) mod logger;
pub(crate) mod outcome;
pub(crate) mod overdue;
pub(crate) mod own_process;
pub(crate) mod print;
pub(crate) mod recording;
pub(crate) mod report;
mod scope;
pub(crate) mod short;
pub(crate) mod shown;
pub(crate) mod started;
pub(crate) mod test_result;
pub(crate) mod waiting;
pub(crate) mod watch;
