//! Remembers the answers of predicates for spans, for the length of an assertion.
//!
//! An assertion asks `descendant(…)` of each span, and most descendants of a span are descendants of the spans around
//! it as well. In a chain of nested spans, that would take quadratic time:
//!
//! ```text
//! without:  the answer for a span  :=  a look at all that is in it
//! with:     the answer for a span  :=  a look at its children, and their answers
//! ```
//!
//! An answer belongs to a predicate and a span of one storage, so it holds only as long as both stay the same. The
//! storage that an assertion scans is borrowed until the assertion ends. A predicate has an [`Identity`]. Its address
//! would not do, since a closure may make predicates of its own for each span, one after another in the same place.
//! Such predicates get new identities, and nothing is remembered for them.

use alloc::vec::Vec;
use core::{
    cell::RefCell,
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
    iter,
    marker::PhantomData,
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};
use std::collections::HashMap;

use crate::capture::{CapturedNode, CapturedSpan, NumberHasher, Reading, Storage};

static NEXT_IDENTITY: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    /// Assertions that are under way, one in another.
    static UNDER_WAY: RefCell<Vec<Assertion>> = const { RefCell::new(Vec::new()) };
}

/// Distinguishes a predicate from all others, except for its copies, which match the same.
#[derive(Clone, Copy)]
pub(super) struct Identity(usize);

struct Assertion {
    /// Addresses of the storages that it scans: the storage of the trace, and the storage of records that no test can
    /// claim.
    storages: [Option<usize>; 2],
    /// The identity of the first predicate that was made later.
    first_later: usize,
    answers: HashMap<Question, bool, BuildHasherDefault<NumberHasher>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Question {
    predicate: usize,
    span: usize,
    /// How the predicate reads values.
    reading: Reading,
    storage: usize,
}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The other fields are mostly the same.
        state.write_usize(self.predicate);
        state.write_usize(self.span);
    }
}

/// Guard that makes predicates remember their answers for the spans of a storage.
pub(crate) struct KeptAnswers<'a> {
    /// False if the thread is about to end, and its thread-local storage is gone.
    is_kept: bool,
    /// The storage cannot change meanwhile, and the guard stays on its thread.
    _borrowed: PhantomData<(&'a Storage, *const ())>,
}

impl<'a> KeptAnswers<'a> {
    pub(crate) fn new(storage: &'a Storage) -> Self {
        let unattributed = storage.sight().unattributed.as_deref();
        let assertion = Assertion {
            storages: [Some(address(storage)), unattributed.map(address)],
            first_later: NEXT_IDENTITY.load(Ordering::Relaxed),
            answers: HashMap::default(),
        };
        let kept = UNDER_WAY.try_with(|under_way| under_way.borrow_mut().push(assertion));
        Self { is_kept: kept.is_ok(), _borrowed: PhantomData }
    }
}

impl Drop for KeptAnswers<'_> {
    fn drop(&mut self) {
        if self.is_kept {
            // Dropping answers calls nothing that could come back here.
            let _ = UNDER_WAY.try_with(|under_way| under_way.borrow_mut().pop());
        }
    }
}

fn address(storage: &Storage) -> usize {
    ptr::from_ref(storage).addr()
}

impl Identity {
    pub(super) fn new() -> Self {
        Self(NEXT_IDENTITY.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns the answer for a span, and computes it only if it is not known.
    pub(super) fn answer(self, span: CapturedSpan<'_>, find: impl FnOnce() -> bool) -> bool {
        self.known(span).unwrap_or_else(|| {
            let answer = find();
            self.remember(span, answer);
            answer
        })
    }

    fn known(self, span: CapturedSpan<'_>) -> Option<bool> {
        let question = self.question(span);
        self.with_assertion(span, |assertion| assertion.answers.get(&question).copied()).flatten()
    }

    fn remember(self, span: CapturedSpan<'_>, answer: bool) {
        let question = self.question(span);
        self.with_assertion(span, |assertion| assertion.answers.insert(question, answer));
    }

    fn question(self, span: CapturedSpan<'_>) -> Question {
        Question {
            predicate: self.0,
            span: span.number(),
            reading: span.reading(),
            storage: address(span.trace()),
        }
    }

    /// Calls a function with the outermost assertion that may ask this predicate of the span again.
    fn with_assertion<R>(
        self,
        span: CapturedSpan<'_>,
        f: impl FnOnce(&mut Assertion) -> R,
    ) -> Option<R> {
        let storage = Some(address(span.trace()));
        let call = |under_way: &RefCell<Vec<Assertion>>| {
            let mut under_way = under_way.borrow_mut();
            let mut assertions = under_way.iter_mut();
            let may_ask = |assertion: &&mut Assertion| {
                self.0 < assertion.first_later && assertion.storages.contains(&storage)
            };
            assertions.find(may_ask).map(f)
        };
        UNDER_WAY.try_with(call).ok().flatten()
    }
}

/// Predicates are equal if they match the same, so their identities do not matter.
impl PartialEq for Identity {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("_")
    }
}

/// Checks whether something in a span matches, at any depth.
pub(super) fn any_inside<'a>(
    identity: Identity,
    span: CapturedSpan<'a>,
    matches: impl Fn(CapturedNode<'a>) -> bool,
) -> bool {
    if let Some(answer) = identity.known(span) {
        return answer;
    }
    // The spans that are searched, each the parent of the next, with their remaining children. The tree may be deeper
    // than a stack has room for.
    let mut path = alloc::vec![(span, span.nodes())];
    while let Some((span, nodes)) = path.last_mut() {
        let Some(node) = nodes.next() else {
            identity.remember(*span, false);
            path.pop();
            continue;
        };
        let is_found = matches(node)
            || match node {
                CapturedNode::Span(child) => identity.known(child).unwrap_or_else(|| {
                    path.push((child, child.nodes()));
                    false
                }),
                CapturedNode::Event(_) => false,
            };
        if is_found {
            for (span, _) in path {
                identity.remember(span, true);
            }
            return true;
        }
    }
    false
}

/// Checks whether a span or one of its ancestors matches.
pub(super) fn any_around<'a>(
    identity: Identity,
    span: Option<CapturedSpan<'a>>,
    matches: impl Fn(&CapturedSpan<'a>) -> bool,
) -> bool {
    let spans = || iter::successors(span, CapturedSpan::parent);
    let mut looked_at = 0;
    let answer = spans().find_map(|span| {
        let known = identity.known(span);
        looked_at += usize::from(known.is_none());
        known.or_else(|| matches(&span).then_some(true))
    });
    let answer = answer.unwrap_or(false);
    for span in spans().take(looked_at) {
        identity.remember(span, answer);
    }
    answer
}
