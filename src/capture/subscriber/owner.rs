//! The owner of a record, if many tests share one subscriber.
//!
//! A record belongs to the test in whose span it is. A record may also be a root, or in a span that no test created,
//! such as a static one. Then it belongs to the test in whose span the thread is, or to the test that the thread runs.
//! If the process runs one test at a time, it belongs to that test in any case. Otherwise it belongs to no test.
//!
//! A test that has ended leaves spans behind. Records in them are not given to a test that merely runs on the same
//! thread: a runtime may be shared, and go on with tasks of an earlier test.

use alloc::sync::{Arc, Weak};

use tracing_core::Metadata;

use crate::capture::{
    SharedStorage,
    storage::node::SpanKey,
    subscriber::{
        process_wide::{only_test, unattributed},
        test_span::{self, Test},
    },
};

/// The test that a record belongs to, if any.
#[derive(Debug, Clone)]
pub(crate) enum Owner {
    Test(Arc<Test>),
    /// The record is in no span of a test.
    Nobody,
    /// The record is in a span of a test that has ended.
    Ended,
}

impl Owner {
    pub(crate) fn of_test(test: &Weak<Test>) -> Self {
        test.upgrade().map_or(Self::Ended, Self::Test)
    }

    pub(crate) fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        match self {
            Self::Test(test) => test.is_enabled(metadata),
            Self::Nobody | Self::Ended => true,
        }
    }

    pub(crate) fn storage(&self) -> &SharedStorage {
        match self {
            Self::Test(test) => &test.spans.storage,
            Self::Nobody | Self::Ended => &unattributed().storage,
        }
    }
}

/// A span that a record may be in.
#[derive(Debug, Clone)]
pub(crate) struct Around {
    pub(crate) owner: Owner,
    /// The span itself, or its nearest ancestor that the owner has captured.
    pub(crate) nearest: Option<SpanKey>,
    /// Whether this is the span of a whole test, which was entered on a thread of the test.
    pub(crate) is_whole_test: bool,
}

/// The stated parent of a record.
#[derive(Debug)]
pub(crate) enum ParentKind {
    /// A span of this subscriber, or of another one.
    Explicit(Option<Around>),
    Root,
    /// The span that the thread is in.
    Contextual,
}

/// Finds the owner of a record in no span.
pub(crate) fn of_thread() -> Owner {
    place(ParentKind::Contextual, core::iter::empty()).0
}

/// Finds the owner of a record, and the owner's span that contains it. `entered` has the spans that the thread is in,
/// innermost first.
pub(crate) fn place(
    parent: ParentKind,
    mut entered: impl Iterator<Item = Around>,
) -> (Owner, Option<SpanKey>) {
    let is_contextual = matches!(parent, ParentKind::Contextual);
    let around = match parent {
        ParentKind::Explicit(around) => around,
        ParentKind::Root => None,
        ParentKind::Contextual => entered.next(),
    };
    let own = around.as_ref().and_then(|around| around.nearest);
    let mut is_ended = false;
    match around.map(|around| around.owner) {
        Some(Owner::Test(test)) => return (Owner::Test(test), own),
        Some(Owner::Ended) => is_ended = true,
        Some(Owner::Nobody) | None => {}
    }
    for span in entered {
        match span.owner {
            Owner::Test(test) if !(is_ended && span.is_whole_test) => {
                return (Owner::Test(test), span.nearest.filter(|_| is_contextual));
            }
            Owner::Ended => is_ended = true,
            Owner::Test(_) | Owner::Nobody => {}
        }
    }
    let running = || test_span::running().filter(|_| !is_ended);
    match running().or_else(|| only_test(is_ended)) {
        Some(test) => (Owner::Test(test), None),
        None if is_ended => (Owner::Ended, own),
        None => (Owner::Nobody, own),
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;

    fn test() -> Arc<Test> {
        Test::new(&SharedStorage::default(), None)
    }

    fn around(owner: Owner, key: u32) -> Around {
        let nearest = core::num::NonZeroU32::new(key).map(SpanKey::from_raw);
        Around { owner, nearest, is_whole_test: false }
    }

    fn whole(test: &Arc<Test>) -> Around {
        let owner = Owner::Test(Arc::clone(test));
        Around { owner, nearest: None, is_whole_test: true }
    }

    /// Returns the owner of a record, a test by its letter.
    fn said(tests: &[&Arc<Test>; 2], parent: ParentKind, entered: &[Around]) -> (char, u32) {
        let (owner, key) = place(parent, entered.iter().cloned());
        let owner = match owner {
            Owner::Test(test) if Arc::ptr_eq(&test, tests[0]) => 'a',
            Owner::Test(_) => 'b',
            Owner::Nobody => '-',
            Owner::Ended => 'x',
        };
        (owner, key.map_or(0, |key| key.into_raw().get()))
    }

    #[test]
    fn record_is_of_the_test_whose_span_it_or_else_the_thread_is_in() {
        use ParentKind::{Contextual, Explicit, Root};

        let (a, b) = (test(), test());
        let tests = [&a, &b];
        let of_a = || around(Owner::Test(Arc::clone(&a)), 1);
        let of_b = || around(Owner::Test(Arc::clone(&b)), 2);
        let (nobody, ended) = (|| around(Owner::Nobody, 3), || around(Owner::Ended, 4));
        for (parent, entered, expected) in [
            (Contextual, vec![of_a(), of_b()], ('a', 1)),
            (Explicit(Some(of_b())), vec![of_a()], ('b', 2)),
            (Root, vec![of_a(), of_b()], ('a', 0)),
            // A static span, on a thread that is in a span of the test.
            (Explicit(Some(nobody())), vec![of_a()], ('a', 0)),
            (Contextual, vec![nobody(), of_a()], ('a', 1)),
            (Contextual, vec![nobody(), whole(&a)], ('a', 0)),
            // A span of another subscriber.
            (Explicit(None), vec![of_a()], ('a', 0)),
            // Spans that an earlier test has left.
            (Explicit(Some(ended())), vec![of_a()], ('a', 0)),
            (Contextual, vec![ended(), of_a()], ('a', 1)),
            (Contextual, vec![ended(), whole(&a)], ('x', 4)),
            (Explicit(Some(ended())), vec![whole(&a)], ('x', 4)),
            (Contextual, vec![nobody(), ended(), whole(&a)], ('x', 3)),
            (Contextual, vec![nobody()], ('-', 3)),
            (Contextual, vec![], ('-', 0)),
            (Root, vec![], ('-', 0)),
            (Root, vec![ended()], ('x', 0)),
        ] {
            let what = format!("{parent:?} in {entered:?}");
            assert_eq!(said(&tests, parent, &entered), expected, "{what}");
        }
    }
}
