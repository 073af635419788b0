use alloc::vec;
use core::pin::pin;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Receipt, StreamReceiver};
use crate::receiver::TracingEventReceiver;

/// Bytes that are read at once.
const CHUNK_LEN: usize = 16 << 10;

/// Receives a stream of [packets](super#specification), as [`receive()`](super::receive) does, without blocking the
/// thread while there is nothing to read.
///
/// After each wait, a task may go on on another thread, while other tasks run on the first one. To keep them out of
/// the spans of the stream, it is [relayed elsewhere](TracingEventReceiver::relaying_elsewhere).
///
/// If you drop the future, the intact frames until then were received, but you cannot resume, and assertions that
/// something is not in the trace fail. To stop in between, feed a [`StreamReceiver`].
///
/// # Example
///
/// ```no_run
/// use std::process::Stdio;
/// use spanshot::{Capture, TracingEventReceiver, transport::stream};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let capture = Capture::start();
/// let mut child = tokio::process::Command::new("./plugin").stdout(Stdio::piped()).spawn()?;
/// let stdout = child.stdout.take().unwrap();
/// stream::receive_async(stdout, &mut TracingEventReceiver::default()).await.into_result()?;
/// child.wait().await?;
/// assert_eq!(capture.trace().root_spans().len(), 1);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub async fn receive_async(input: impl AsyncRead, receiver: &mut TracingEventReceiver) -> Receipt {
    StreamReceiver::new(receiver).read_async(input, |_| ()).await
}

impl StreamReceiver<'_> {
    /// Takes all that can be read, as [`receive_async()`] does. Bytes that are of no whole packet are
    /// given to the function, in order.
    ///
    /// # Example
    ///
    /// ```
    /// use spanshot::{TracingEventReceiver, transport::stream::StreamReceiver};
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let (mut receiver, mut text) = (TracingEventReceiver::default(), vec![]);
    /// let receipt = StreamReceiver::new(&mut receiver)
    ///     .read_async(&b"only text"[..], |bytes| text.extend_from_slice(bytes))
    ///     .await;
    /// assert_eq!((receipt.frames, receipt.foreign, &text[..]), (0, 9, &b"only text"[..]));
    /// # });
    /// # Ok::<_, std::io::Error>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    pub async fn read_async(
        mut self,
        input: impl AsyncRead,
        mut on_foreign: impl FnMut(&[u8]),
    ) -> Receipt {
        let mut input = pin!(input);
        let mut chunk = vec![0; CHUNK_LEN];
        loop {
            match input.read(&mut chunk).await {
                Ok(0) => {
                    self.pass_rest(on_foreign);
                    return self.finish();
                }
                Ok(len) => self.push(chunk.get(..len).unwrap_or_default(), &mut on_foreign),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(error),
            }
        }
    }
}
