use alloc::{collections::BTreeMap, vec::Vec};

use crate::capture::{CapturedSpan, Happening, Storage};

/// Slices that are divided at the most where one ends that is around them.
const MAX_DIVIDED: usize = 32;

/// The slice of a span that is entered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice<'a> {
    pub(super) span: CapturedSpan<'a>,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum State {
    /// The span is entered.
    Entered,
    /// It is, and goes on as another slice.
    Divided,
    /// It was exited at that time, and the slice only went on because of the slices in it.
    Exited(f64),
    /// It is exited now.
    Ended,
}

/// What ends and starts when a span is exited, in this order.
#[derive(Debug, Default)]
pub(super) struct Exit<'a> {
    pub(super) ended: Vec<Slice<'a>>,
    pub(super) started: Vec<CapturedSpan<'a>>,
}

/// The open slices of a thread, outermost first. They are properly nested, although the spans of a thread may overlap.
///
/// If a span is exited before others that were entered later, the slices of those end with it, and go on as new slices.
/// With many such spans, there would be as many slices as the square of their number. Then the slice of the exited span
/// goes on until the others end.
#[derive(Debug, Default)]
pub(super) struct Track<'a> {
    open: Vec<Slice<'a>>,
    /// Places of the slices of each span that was not exited.
    places: BTreeMap<usize, Vec<usize>>,
}

impl<'a> Track<'a> {
    pub(super) fn enter(&mut self, span: CapturedSpan<'a>) {
        self.places.entry(span.number()).or_default().push(self.open.len());
        self.open.push(Slice { span, state: State::Entered });
    }

    pub(super) fn exit(&mut self, span: CapturedSpan<'a>, now: f64) -> Exit<'a> {
        let mut exit = Exit::default();
        let Some(place) = self.forget(span) else { return exit };
        if self.open.len() - place - 1 > MAX_DIVIDED {
            self.open[place].state = State::Exited(now);
            return exit;
        }
        while self.open.len() > place + 1 {
            let Some(mut slice) = self.open.pop() else { break };
            if slice.state == State::Entered {
                self.forget(slice.span);
                slice.state = State::Divided;
                exit.started.insert(0, slice.span);
            }
            exit.ended.push(slice);
        }
        exit.ended.extend(self.open.pop().map(|slice| Slice { state: State::Ended, ..slice }));
        exit.started.iter().for_each(|span| self.enter(*span));
        while self.open.last().is_some_and(|slice| slice.state != State::Entered) {
            exit.ended.extend(self.open.pop());
        }
        exit
    }

    /// Takes the innermost slice that is open.
    pub(super) fn pop(&mut self) -> Option<Slice<'a>> {
        self.open.pop()
    }

    /// Takes the innermost place of a span.
    fn forget(&mut self, span: CapturedSpan<'a>) -> Option<usize> {
        let places = self.places.get_mut(&span.number())?;
        let place = places.pop();
        if places.is_empty() {
            self.places.remove(&span.number());
        }
        place
    }
}

/// Finds the spans that threads were in before the timeline begins, outermost first: they are exited
/// there, and not entered.
pub(super) fn entered_before(storage: &Storage) -> BTreeMap<usize, Vec<CapturedSpan<'_>>> {
    let mut entered = BTreeMap::<_, usize>::new();
    let mut before = BTreeMap::<_, Vec<_>>::new();
    for (moment, happening) in storage.timeline() {
        let Some(thread) = storage.thread_of(moment) else { continue };
        match happening {
            Happening::Entered(span) => *entered.entry((thread, span.number())).or_default() += 1,
            Happening::Exited(span) => match entered.get_mut(&(thread, span.number())) {
                Some(times @ 1..) => *times -= 1,
                _ => before.entry(thread).or_default().push(span),
            },
            _ => {}
        }
    }
    for spans in before.values_mut() {
        spans.reverse();
    }
    before
}
