use alloc::vec::Vec;

/// Spans that a thread has entered and not exited yet, outermost first.
///
/// It follows the rules of `tracing_subscriber::Registry`: a span that is entered again does not
/// become current by that, and an exit undoes the latest enter of that span, wherever it stands.
/// Sender and receiver have it both, so that they agree with the host on which span is current.
#[derive(Debug, Clone)]
pub(crate) struct SpanStack<Id> {
    entered: Vec<Id>,
}

impl<Id: Clone + PartialEq> SpanStack<Id> {
    pub(crate) const fn new() -> Self {
        Self { entered: Vec::new() }
    }

    pub(crate) fn push(&mut self, id: Id) {
        self.entered.push(id);
    }

    /// Undoes the latest enter of the span, and tells whether there was one.
    pub(crate) fn remove(&mut self, id: &Id) -> bool {
        let position = self.entered.iter().rposition(|entered| entered == id);
        position.map(|position| self.entered.remove(position)).is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entered.is_empty()
    }

    /// Iterates over all enters that were not undone, outermost first.
    pub(crate) fn iter(&self) -> core::slice::Iter<'_, Id> {
        self.entered.iter()
    }

    /// Iterates over those spans that were entered for the first time, innermost first: the
    /// current span, and those that become current as spans are exited.
    pub(crate) fn scope(&self) -> impl Iterator<Item = &Id> {
        let is_first_enter = |(i, id): &(usize, &Id)| !self.entered[..*i].contains(id);
        self.entered.iter().enumerate().rev().filter(is_first_enter).map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(entered: &[u64]) -> SpanStack<u64> {
        let mut stack = SpanStack::new();
        entered.iter().for_each(|id| stack.push(*id));
        stack
    }

    fn current(stack: &SpanStack<u64>) -> Option<u64> {
        stack.scope().next().copied()
    }

    #[test]
    fn reentered_span_does_not_become_current() {
        let mut stack = stack(&[1, 2, 1]);
        assert_eq!(current(&stack), Some(2));
        assert!(stack.remove(&1));
        assert_eq!(current(&stack), Some(2));
        assert!(stack.remove(&2));
        assert_eq!(current(&stack), Some(1));
        assert!(stack.remove(&1));
        assert_eq!(current(&stack), None);
        assert!(!stack.remove(&1));
    }

    #[test]
    fn spans_are_exited_in_any_order() {
        let mut stack = stack(&[1, 2, 3]);
        assert!(stack.remove(&2));
        assert_eq!(stack.scope().copied().collect::<Vec<_>>(), [3, 1]);
    }
}
