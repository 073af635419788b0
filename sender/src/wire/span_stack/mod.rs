mod places;

use alloc::vec::Vec;

use self::places::{Enter, Places};

/// Spans that a thread has entered and not exited yet, outermost first.
///
/// It follows the rules of `tracing_subscriber::Registry`: a span that is entered again does not
/// become current by that, and an exit undoes the latest enter of that span, at any place.
/// Sender, receiver and capture all use it, and so agree on which span is current.
#[derive(Debug, Clone)]
pub struct SpanStack<Span> {
    /// Enters, with gaps where one below others was undone. The last one is no gap.
    entered: Vec<Option<Entered<Span>>>,
    gaps: usize,
    /// Where the enters are, if there are many: a stack may be a hundred thousand spans deep, and left
    /// from its other end.
    places: Places,
}

/// Gaps that are not worth to be closed.
const FEW_GAPS: usize = 64;

#[derive(Debug, Clone)]
struct Entered<Span> {
    span: Span,
    /// Whether the span is on the stack further below as well.
    is_reentered: bool,
}

/// What can stand on a [`SpanStack`].
pub trait StackedSpan {
    /// Tells the span from all others.
    fn key(&self) -> u64;

    /// Whether it is one of those for which [`SpanStack::wanted()`] looks.
    fn is_wanted(&self) -> bool {
        true
    }
}

impl<Span: StackedSpan> Entered<Span> {
    fn enter(&self, place: usize) -> Enter {
        let (key, is_wanted) = (self.span.key(), self.span.is_wanted());
        Enter { key, place, is_first: !self.is_reentered, is_wanted }
    }
}

impl StackedSpan for tracing_core::span::Id {
    fn key(&self) -> u64 {
        self.into_u64()
    }
}

impl<Span: StackedSpan> Default for SpanStack<Span> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Span: StackedSpan> SpanStack<Span> {
    pub const fn new() -> Self {
        Self { entered: Vec::new(), gaps: 0, places: Places::new() }
    }

    pub fn push(&mut self, span: Span) {
        if self.places.are_wanted(self.entered.len()) {
            self.close_gaps();
        }
        let is_reentered = self.latest(span.key()).is_some();
        let entered = Entered { span, is_reentered };
        self.places.push(entered.enter(self.entered.len()));
        self.entered.push(Some(entered));
    }

    /// Undoes the latest enter of a span, and returns it if there is one.
    pub fn remove(&mut self, key: u64) -> Option<Span> {
        let place = self.latest(key)?;
        self.places.pop(key, place);
        let removed = self.entered.get_mut(place)?.take()?;
        self.gaps += 1;
        while let Some(None) = self.entered.last() {
            self.entered.pop();
            self.gaps -= 1;
        }
        if self.gaps > FEW_GAPS.max(self.entered.len() / 2) {
            self.close_gaps();
        }
        Some(removed.span)
    }

    /// Checks whether a span was entered and not exited yet.
    pub fn contains(&self, key: u64) -> bool {
        self.latest(key).is_some()
    }

    /// Finds the latest enter of a span.
    fn latest(&self, key: u64) -> Option<usize> {
        let is_it = |entered: &Option<Entered<Span>>| {
            entered.as_ref().is_some_and(|entered| entered.span.key() == key)
        };
        self.places.latest(key).unwrap_or_else(|()| self.entered.iter().rposition(is_it))
    }

    /// Moves enters to where others were undone.
    fn close_gaps(&mut self) {
        self.entered.retain(Option::is_some);
        self.gaps = 0;
        let enter = |(place, entered): (usize, &Option<Entered<Span>>)| match entered {
            Some(entered) => entered.enter(place),
            None => Enter { key: 0, place, is_first: false, is_wanted: false }, // there are no gaps
        };
        self.places.rebuild(self.entered.iter().enumerate().map(enter));
    }
}

impl<Span> SpanStack<Span> {
    /// Iterates over those spans that were entered for the first time, innermost first: the
    /// current span, and those that become current as spans are exited.
    pub fn scope(&self) -> impl Iterator<Item = &Span> {
        let places = self.places.firsts();
        let looked_through = places.is_none().then(|| self.entered.iter().rev().flatten());
        let looked_through =
            looked_through.into_iter().flatten().filter(|entered| !entered.is_reentered);
        let found = places.into_iter().flatten().filter_map(|place| self.at(place));
        found.chain(looked_through).map(|entered| &entered.span)
    }

    fn at(&self, place: usize) -> Option<&Entered<Span>> {
        self.entered.get(place)?.as_ref()
    }
}

impl<Span> SpanStack<Span> {
    pub fn is_empty(&self) -> bool {
        self.entered.is_empty()
    }
}

impl<Span> SpanStack<Span> {
    /// Returns the number of enters that were not undone.
    #[inline]
    pub fn len(&self) -> usize {
        self.entered.len() - self.gaps
    }

    /// Returns the current span.
    #[inline]
    pub fn current(&self) -> Option<&Span> {
        match self.entered.last() {
            Some(Some(Entered { span, is_reentered: false })) => Some(span),
            _ => self.scope().next(),
        }
    }

    /// Returns the innermost span in the scope that is wanted.
    #[inline]
    pub fn wanted(&self) -> Option<&Span>
    where
        Span: StackedSpan,
    {
        match self.places.wanted() {
            Ok(place) => Some(&self.at(place?)?.span),
            Err(()) => self.scope().find(|span| span.is_wanted()),
        }
    }

    /// Leaves the innermost spans out of the scope for as long as the function says so, if there are so
    /// many that passing over them would take long. A span that is wanted has to stay.
    #[inline]
    pub fn pass_over(&mut self, is_passed_over: impl Fn(&Span) -> bool) {
        let entered = &self.entered;
        let span = |place: usize| entered.get(place)?.as_ref().map(|entered| &entered.span);
        self.places.pass_over(|place| span(place).is_some_and(&is_passed_over));
    }

    /// Iterates over all enters that were not undone, outermost first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Span> {
        self.entered.iter().flatten().map(|entered| &entered.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use tracing_core::span::Id;

    fn stack(entered: &[u64]) -> SpanStack<Id> {
        let mut stack = SpanStack::new();
        for id in entered {
            stack.push(Id::from_u64(*id));
        }
        stack
    }

    fn current(stack: &SpanStack<Id>) -> Option<u64> {
        stack.scope().next().map(Id::into_u64)
    }

    #[test]
    fn reentered_span_does_not_become_current() {
        let mut stack = stack(&[1, 2, 1]);
        assert_eq!(current(&stack), Some(2));
        assert_eq!(stack.remove(1), Some(Id::from_u64(1)));
        assert_eq!(current(&stack), Some(2));
        assert_eq!(stack.remove(2), Some(Id::from_u64(2)));
        assert_eq!(current(&stack), Some(1));
        assert_eq!(stack.remove(1), Some(Id::from_u64(1)));
        assert_eq!(current(&stack), None);
        assert_eq!(stack.remove(1), None);
    }

    #[test]
    fn spans_are_exited_in_any_order() {
        let mut stack = stack(&[1, 2, 3]);
        assert_eq!(stack.remove(2), Some(Id::from_u64(2)));
        assert_eq!(stack.scope().map(Id::into_u64).collect::<Vec<_>>(), [3, 1]);
    }

    /// The rules, as `Registry` has them: a list that is searched, and moved up.
    #[derive(Default)]
    struct Model(Vec<(u64, bool)>);

    impl Model {
        fn push(&mut self, id: u64) {
            let is_reentered = self.0.iter().any(|(other, _)| *other == id);
            self.0.push((id, is_reentered));
        }

        fn remove(&mut self, id: u64) -> Option<u64> {
            let place = self.0.iter().rposition(|(other, _)| *other == id)?;
            Some(self.0.remove(place).0)
        }

        fn scope(&self) -> Vec<u64> {
            let entered = self.0.iter().rev().filter(|(_, is_reentered)| !is_reentered);
            entered.map(|(id, _)| *id).collect()
        }
    }

    #[test]
    fn deep_stack_follows_the_same_rules() {
        let (mut stack, mut model) = (stack(&[]), Model::default());
        let mut random = 1_u64;
        for step in 0..20_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let id = 1 + (random >> 33) % 300;
            // It grows for a while, and then shrinks.
            if (random >> 20) % 10 < if step % 4_000 < 2_000 { 7 } else { 3 } {
                stack.push(Id::from_u64(id));
                model.push(id);
            } else {
                let removed = stack.remove(id).map(|id| id.into_u64());
                assert_eq!(removed, model.remove(id), "step {step}");
            }
            assert_eq!(current(&stack), model.scope().first().copied(), "step {step}");
            if step % 100 == 0 {
                let scope: Vec<_> = stack.scope().map(Id::into_u64).collect();
                assert_eq!(scope, model.scope(), "step {step}");
            }
        }
    }

    #[test]
    fn wanted_spans_are_found_and_others_passed_over() {
        #[derive(Debug, Clone, Copy, PartialEq)]
        struct Numbered(u64);

        impl StackedSpan for Numbered {
            fn key(&self) -> u64 {
                self.0
            }

            fn is_wanted(&self) -> bool {
                self.0 % 5 == 0
            }
        }

        let (mut stack, mut model) = (SpanStack::new(), Model::default());
        let mut random = 1_u64;
        let mut gone = alloc::collections::BTreeSet::new();
        for step in 0..20_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let id = 1 + (random >> 33) % 300;
            match (random >> 20) % 10 {
                // A span that is gone stays gone for as long as it is on the stack.
                0 if !Numbered(id).is_wanted() && model.0.iter().any(|(other, _)| *other == id) => {
                    gone.insert(id);
                }
                more if more < if step % 4_000 < 2_000 { 7 } else { 3 } => {
                    stack.push(Numbered(id));
                    model.push(id);
                }
                _ => {
                    assert_eq!(stack.remove(id).map(|span| span.0), model.remove(id));
                    if model.0.iter().all(|(other, _)| *other != id) {
                        gone.remove(&id);
                    }
                }
            }
            stack.pass_over(|span| gone.contains(&span.0));
            let is_gone = |id: &u64| gone.contains(id);
            let scope = model.scope();
            let wanted = scope.iter().copied().find(|id| Numbered(*id).is_wanted());
            assert_eq!(stack.wanted().map(|span| span.0), wanted, "step {step}");
            let there = stack.scope().map(|span| span.0).filter(|id| !is_gone(id));
            assert!(there.eq(scope.into_iter().filter(|id| !is_gone(id))), "step {step}");
        }
    }

    #[test]
    fn many_spans_are_exited_from_either_end() {
        const LEN: u64 = 100_000;
        for from_below in [true, false] {
            let mut stack = stack(&(1..=LEN).collect::<Vec<_>>());
            for nth in 1..=LEN {
                let id = if from_below { nth } else { LEN + 1 - nth };
                assert!(stack.remove(id).is_some());
                assert_eq!(current(&stack).is_none(), nth == LEN);
            }
        }
    }
}
