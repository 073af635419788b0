use alloc::collections::BTreeMap;

use super::{MetadataId, RawSpanId, ThreadIndex};

/// Numbers the IDs of a stream in the order in which they come: call sites and threads from 0, spans
/// from 1. Two streams that differ only in their IDs get the same numbers.
///
/// It is asked for each ID of each record once, in order. An ID that the stream has not introduced is
/// numbered like any other: the stream may be the tail of a longer one, or invalid.
#[derive(Debug, Default)]
pub struct Numbering {
    call_sites: BTreeMap<MetadataId, MetadataId>,
    threads: BTreeMap<ThreadIndex, ThreadIndex>,
    spans: BTreeMap<RawSpanId, NumberedSpan>,
    last_span: RawSpanId,
}

#[derive(Debug)]
struct NumberedSpan {
    number: RawSpanId,
    /// Handles, as far as the stream tells.
    handles: u64,
}

impl Numbering {
    pub fn call_site(&mut self, id: MetadataId) -> MetadataId {
        let next = self.call_sites.len() as MetadataId;
        *self.call_sites.entry(id).or_insert(next)
    }

    pub fn thread(&mut self, thread: ThreadIndex) -> ThreadIndex {
        let next = self.threads.len() as ThreadIndex;
        *self.threads.entry(thread).or_insert(next)
    }

    /// Numbers a span that is created. With an ID whose handles are all dropped, it is another span;
    /// while there are some, the stream is invalid, and stays so.
    pub fn new_span(&mut self, id: RawSpanId) -> RawSpanId {
        if self.spans.get(&id).is_some_and(|span| span.handles == 0) {
            self.spans.remove(&id);
        }
        let span = self.numbered(id);
        span.handles = span.handles.max(1);
        span.number
    }

    pub fn span(&mut self, id: RawSpanId) -> RawSpanId {
        self.numbered(id).number
    }

    /// Numbers a span whose handle is cloned.
    pub fn cloned_span(&mut self, id: RawSpanId) -> RawSpanId {
        let span = self.numbered(id);
        span.handles = span.handles.saturating_add(1);
        span.number
    }

    /// Numbers a span whose handle is dropped.
    pub fn dropped_span(&mut self, id: RawSpanId) -> RawSpanId {
        let span = self.numbered(id);
        span.handles = span.handles.saturating_sub(1);
        span.number
    }

    fn numbered(&mut self, id: RawSpanId) -> &mut NumberedSpan {
        let last = &mut self.last_span;
        self.spans.entry(id).or_insert_with(|| {
            *last += 1;
            NumberedSpan { number: *last, handles: 0 }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbered_as_they_come() {
        let mut numbering = Numbering::default();
        assert_eq!([7, 3, 7, u64::MAX].map(|id| numbering.call_site(id)), [0, 1, 0, 2]);
        assert_eq!([5, 0, 5].map(|index| numbering.thread(index)), [0, 1, 0]);
        assert_eq!([9, 0, 9, 4].map(|id| numbering.span(id)), [1, 2, 1, 3]);
    }

    #[test]
    fn id_comes_again_for_another_span_only_after_the_last_handle() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.new_span(8), 1);
        assert_eq!(numbering.cloned_span(8), 1);
        assert_eq!(numbering.dropped_span(8), 1);
        assert_eq!(numbering.new_span(8), 1, "it is open");
        assert_eq!(numbering.dropped_span(8), 1);
        assert_eq!(numbering.span(8), 1, "one may speak of a closed span");
        assert_eq!(numbering.new_span(8), 2);
        assert_eq!(numbering.span(8), 2);
    }

    #[test]
    fn span_that_nobody_introduced_is_not_the_one_that_is_created() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.dropped_span(8), 1);
        assert_eq!(numbering.new_span(8), 2);
    }
}
