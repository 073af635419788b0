use alloc::vec::Vec;

/// Spans that a thread has entered and not exited yet, outermost first.
///
/// It follows the rules of `tracing_subscriber::Registry`: a span that is entered again does not
/// become current by that, and an exit undoes the latest enter of that span, wherever it stands.
/// Sender and receiver have it both, so that they agree with the host on which span is current.
#[derive(Debug, Clone)]
pub(crate) struct SpanStack<Span> {
    entered: Vec<Entered<Span>>,
}

#[derive(Debug, Clone)]
struct Entered<Span> {
    span: Span,
    /// Whether the span is on the stack further below as well.
    is_reentered: bool,
}

impl<Span: PartialEq> SpanStack<Span> {
    pub(crate) const fn new() -> Self {
        Self { entered: Vec::new() }
    }

    pub(crate) fn push(&mut self, span: Span) {
        let is_reentered = self.entered.iter().any(|entered| entered.span == span);
        self.entered.push(Entered { span, is_reentered });
    }

    /// Undoes the latest enter of a span, and returns it if there is one.
    pub(crate) fn remove(&mut self, is_it: impl Fn(&Span) -> bool) -> Option<Span> {
        let position = self.entered.iter().rposition(|entered| is_it(&entered.span))?;
        Some(self.entered.remove(position).span)
    }

    /// Iterates over those spans that were entered for the first time, innermost first: the
    /// current span, and those that become current as spans are exited.
    pub(crate) fn scope(&self) -> impl Iterator<Item = &Span> {
        let first_enters = self.entered.iter().rev().filter(|entered| !entered.is_reentered);
        first_enters.map(|entered| &entered.span)
    }
}

#[cfg(feature = "receiver")]
impl<Span> SpanStack<Span> {
    pub(crate) fn is_empty(&self) -> bool {
        self.entered.is_empty()
    }

    /// Iterates over all enters that were not undone, outermost first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Span> + ExactSizeIterator {
        self.entered.iter().map(|entered| &entered.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(entered: &[u64]) -> SpanStack<u64> {
        let mut stack = SpanStack::new();
        for id in entered {
            stack.push(*id);
        }
        stack
    }

    fn current(stack: &SpanStack<u64>) -> Option<u64> {
        stack.scope().next().copied()
    }

    #[test]
    fn reentered_span_does_not_become_current() {
        let mut stack = stack(&[1, 2, 1]);
        assert_eq!(current(&stack), Some(2));
        assert_eq!(stack.remove(|id| *id == 1), Some(1));
        assert_eq!(current(&stack), Some(2));
        assert_eq!(stack.remove(|id| *id == 2), Some(2));
        assert_eq!(current(&stack), Some(1));
        assert_eq!(stack.remove(|id| *id == 1), Some(1));
        assert_eq!(current(&stack), None);
        assert_eq!(stack.remove(|id| *id == 1), None);
    }

    #[test]
    fn spans_are_exited_in_any_order() {
        let mut stack = stack(&[1, 2, 3]);
        assert_eq!(stack.remove(|id| *id == 2), Some(2));
        assert_eq!(stack.scope().copied().collect::<Vec<_>>(), [3, 1]);
    }
}
