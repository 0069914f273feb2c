use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep};

/// The most that is read of a body that nobody wants.
const UNWANTED_BYTES: usize = 16 << 20;
/// What a piece of it counts at least: many small ones are work as well.
const FRAME_BYTES: usize = 1 << 10;

/// A body that fails where it is not there in time.
///
/// What nobody wanted of it is read all the same, as far as that is reasonable: a connection that is closed while its client
/// still writes is reset, and the answer may be lost with it (RFC 9112 §9.6).
pub(crate) struct Timely {
    /// Until it is over.
    coming: Option<Coming>,
    /// Whether the client sends nothing before it is asked to (RFC 9110 §10.1.1), and was not yet.
    waits: bool,
}

struct Coming {
    body: Incoming,
    end: Pin<Box<Sleep>>,
}

impl Timely {
    /// There is nothing to wait for.
    pub(super) fn empty() -> Self {
        Self { coming: None, waits: false }
    }

    /// Takes a body, whose client may wait to be asked for it.
    pub(super) fn new(body: Incoming, within: Duration, waits: bool) -> Self {
        Self { coming: Some(Coming { body, end: Box::pin(sleep(within)) }), waits }
    }
}

impl Coming {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        ready!(self.end.as_mut().poll(context));
        Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
    }

    async fn pass_by(mut self) {
        let mut left = UNWANTED_BYTES;
        while let Some(Ok(frame)) = poll_fn(|context| self.poll(context)).await {
            let bytes = frame.data_ref().map_or(0, Bytes::len).max(FRAME_BYTES);
            let Some(rest) = left.checked_sub(bytes) else { return };
            left = rest;
        }
    }
}

impl Body for Timely {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.waits = false;
        let Some(coming) = &mut self.coming else { return Poll::Ready(None) };
        let frame = ready!(coming.poll(context));
        if !matches!(frame, Some(Ok(_))) {
            self.coming = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.coming.as_ref().is_none_or(|coming| coming.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.coming.as_ref().map_or_else(|| SizeHint::with_exact(0), |coming| coming.body.size_hint())
    }
}

impl Drop for Timely {
    fn drop(&mut self) {
        let unread = self.coming.take().filter(|coming| !self.waits && !coming.body.is_end_stream());
        // Where no runtime is left, the connection ends as well.
        if let (Some(unread), Ok(runtime)) = (unread, Handle::try_current()) {
            runtime.spawn(unread.pass_by());
        }
    }
}
