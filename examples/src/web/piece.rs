use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};

/// The longest answer that is copied.
const SHORT: usize = 4096;

/// Writes an answer that is short in one piece: to copy it behind its head costs less than to hand over two pieces.
///
/// To let hyper put everything into one piece would do as well, but the room of the longest answer would stay with the connection.
pub(super) struct OnePiece<S> {
    stream: S,
    piece: Vec<u8>,
}

impl<S> OnePiece<S> {
    pub(super) fn of(stream: S) -> Self {
        Self { stream, piece: Vec::new() }
    }
}

impl<S: Write + Unpin> Write for OnePiece<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, piece } = &mut *self;
        if pieces.iter().map(|bytes| bytes.len()).sum::<usize>() > SHORT {
            return Pin::new(stream).poll_write_vectored(context, pieces);
        }
        piece.clear();
        for bytes in pieces {
            piece.extend_from_slice(bytes);
        }
        Pin::new(stream).poll_write(context, piece)
    }
}

impl<S: Read + Unpin> Read for OnePiece<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Keeps what is written, each call for itself.
    #[derive(Default)]
    struct Calls(Vec<Vec<u8>>);

    impl Write for Calls {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0.push(bytes.to_vec());
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_is_short_goes_in_one_call_and_what_is_long_is_not_copied() {
        let mut whole = OnePiece::of(Calls::default());
        let mut context = Context::from_waker(Waker::noop());
        let mut write = |body: &[u8]| {
            let pieces = [IoSlice::new(b"head "), IoSlice::new(body)];
            let written = Pin::new(&mut whole).poll_write_vectored(&mut context, &pieces);
            assert!(matches!(written, Poll::Ready(Ok(bytes)) if bytes > 0));
        };
        write(b"body");
        write(&[b'x'; SHORT]);
        write(b"again");
        // what cannot write several pieces writes the first, and is called again for the others
        assert_eq!(whole.stream.0, [&b"head body"[..], b"head ", b"head again"]);
        assert!(whole.piece.capacity() <= SHORT);
    }
}
