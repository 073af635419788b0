use super::sink::Sink;
use {
    super::{ReceiveError, stream::Stream},
    crate::wire::{
        Record, RecordValues,
        frame::{self, TakeRecord},
    },
};

/// A sink that a stream tells of frames. What it is told is on the way of each record, and so the stream is
/// compiled for the sink, rather than told which one it is.
pub(crate) trait ToldSink: Sink {
    /// Has the stream take in a frame.
    fn receive_frame(&mut self, stream: &mut Stream, frame: &[u8]) -> Result<(), ReceiveError>;
}

impl<S: Sink> ToldSink for S {
    fn receive_frame(&mut self, stream: &mut Stream, frame: &[u8]) -> Result<(), ReceiveError> {
        frame::decode(frame, Receive { stream, sink: self })?
    }
}

struct Receive<'a, S> {
    stream: &'a mut Stream,
    sink: &'a mut S,
}

impl<S: Sink> TakeRecord<'_> for Receive<'_, S> {
    type Output = Result<(), ReceiveError>;

    #[inline(always)]
    fn take(self, record: Record<RecordValues<'_>>) -> Self::Output {
        self.stream.receive(record, self.sink)
    }
}
