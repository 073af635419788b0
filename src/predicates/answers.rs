//! What predicates find around spans, remembered for the length of an assertion.
//!
//! An assertion asks `descendant(…)` of each span, and most of what is in a span is in the spans around it
//! as well. In a chain of spans, each in the one before, that would take quadratic time:
//!
//! ```text
//! without:  the answer for a span  :=  a look at all that is in it
//! with:     the answer for a span  :=  a look at its children, and their answers
//! ```
//!
//! Answers are those of a predicate for spans of one storage, so they hold only while neither can be another
//! one. A storage that an assertion scans is borrowed until that ends. A predicate has an [`Identity`]: its
//! address would not do, since a closure may make predicates of its own for each span, one after another in
//! the same place. These get identities that are new, and nothing is remembered for them.

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

use crate::capture::{CapturedNode, CapturedSpan, NumberHasher, Storage};

static NEXT_IDENTITY: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    /// Assertions that are under way, one in another.
    static UNDER_WAY: RefCell<Vec<Assertion>> = const { RefCell::new(Vec::new()) };
}

/// Tells a predicate from all that were made before and after, but for its copies, which match the same.
#[derive(Clone, Copy)]
pub(super) struct Identity(usize);

struct Assertion {
    /// Addresses of what it scans: a storage, and that of records that no test can claim.
    storages: [Option<usize>; 2],
    /// The first one of a predicate that was made later.
    first_later: usize,
    answers: HashMap<Question, bool, BuildHasherDefault<NumberHasher>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Question {
    predicate: usize,
    span: usize,
    /// Whether the predicate looks at earlier values of fields.
    ever: bool,
    storage: usize,
}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The rest is mostly the same.
        state.write_usize(self.predicate);
        state.write_usize(self.span);
    }
}

/// While it is there, predicates remember their answers for the spans of a storage.
pub(crate) struct KeptAnswers<'a> {
    /// The thread has no room for it any more if it is about to end.
    is_kept: bool,
    /// The storage cannot change meanwhile, nor does another thread know of this.
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

    /// Returns the answer for a span, which is looked for only if it is not known.
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
            ever: span.is_ever(),
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

/// Equal predicates are those that match the same, whoever made them.
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
    // Spans that are looked into, each in the one before, with what is left to look at. The tree may be
    // deeper than a stack has room for.
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

/// Checks whether a span matches, or one around it.
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
