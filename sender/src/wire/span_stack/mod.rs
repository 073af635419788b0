#[cfg_attr(target_family = "wasm", path = "no_places.rs")]
mod places;

use alloc::vec::Vec;

use self::places::Places;

/// Spans that a thread has entered and not exited yet, outermost first.
///
/// It follows the rules of `tracing_subscriber::Registry`: a span that is entered again does not
/// become current by that, and an exit undoes the latest enter of that span, wherever it stands.
/// Sender, receiver and capture have it all three, so that they agree on which span is current.
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
        self.places.push(span.key(), self.entered.len());
        self.entered.push(Some(Entered { span, is_reentered }));
    }

    /// Undoes the latest enter of a span, and returns it if there is one.
    pub fn remove(&mut self, key: u64) -> Option<Span> {
        let place = self.latest(key)?;
        self.places.pop(key);
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
        let key = |entered: &Option<Entered<Span>>| {
            entered.as_ref().map_or(0, |entered| entered.span.key())
        };
        self.places.rebuild(self.entered.iter().map(key));
    }
}

impl<Span> SpanStack<Span> {
    /// Iterates over those spans that were entered for the first time, innermost first: the
    /// current span, and those that become current as spans are exited.
    pub fn scope(&self) -> impl Iterator<Item = &Span> {
        let entered = self.entered.iter().rev().flatten();
        entered.filter(|entered| !entered.is_reentered).map(|entered| &entered.span)
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
    // without, it takes minutes
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
