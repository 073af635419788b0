use super::{ReceiveError, sink::Sink, stream::Stream};
use crate::wire::frame;

/// A sink with which a stream takes in frames. This is on the way of each record: the stream is compiled for
/// each sink, rather than told which one it is.
pub(crate) trait ToldSink: Sink {
    /// Has the stream take in a frame.
    fn receive_frame(&mut self, stream: &mut Stream, frame: &[u8]) -> Result<(), ReceiveError>;
}

impl<S: Sink> ToldSink for S {
    fn receive_frame(&mut self, stream: &mut Stream, frame: &[u8]) -> Result<(), ReceiveError> {
        stream.receive(frame::decode(frame)?, self)
    }
}
