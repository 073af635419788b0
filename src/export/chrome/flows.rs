use alloc::{collections::BTreeMap, vec, vec::Vec};

use crate::capture::{CapturedSpan, Happening, Storage};

/// Arrows from spans to those that follow from them. They go from where the one was entered first to
/// where the other was, if that was later.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// Numbers of the arrows that start, and of those that end, where a span is entered first.
    starts: BTreeMap<usize, Vec<usize>>,
    ends: BTreeMap<usize, Vec<usize>>,
}

impl Flows {
    pub(super) fn new(storage: &Storage) -> Self {
        let mut first_entered = vec![None; storage.span_count()];
        for (moment, happening) in storage.timeline() {
            if let Happening::Entered(span) = happening {
                if let Some(first) = first_entered.get_mut(span.number()) {
                    first.get_or_insert(moment);
                }
            }
        }
        let mut flows = Self::default();
        let mut next = 1;
        let entered = |span: CapturedSpan<'_>| first_entered.get(span.number()).copied().flatten();
        for span in storage.all_spans() {
            for source in span.follows_from() {
                if entered(source).is_some() && entered(source) < entered(span) {
                    flows.starts.entry(source.number()).or_default().push(next);
                    flows.ends.entry(span.number()).or_default().push(next);
                    next += 1;
                }
            }
        }
        flows
    }

    /// Takes the arrows that start and end where the span is entered first.
    pub(super) fn take(&mut self, span: CapturedSpan<'_>) -> (Vec<usize>, Vec<usize>) {
        let (starts, ends) = (&mut self.starts, &mut self.ends);
        let number = span.number();
        (starts.remove(&number).unwrap_or_default(), ends.remove(&number).unwrap_or_default())
    }
}
