//! Stream: a connection's bytes, noted in its watch, and ended so that the answer arrives.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use crate::watch::Watch;

/// A connection whose bytes are noted in its watch.
pub(crate) struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
    linger_time: Duration,
    ending: Ending,
}

/// How far the connection's end has come.
enum Ending {
    NotBegun,
    /// Nothing more will be written; what still comes is thrown away.
    Written,
    /// The same, until this fires.
    Lingering(Pin<Box<Sleep>>),
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, watch: Arc<Watch>, linger_time: Duration) -> Self {
        Self { stream, watch, linger_time, ending: Ending::NotBegun }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, into))?;
        if into.filled().len() > before {
            self.watch.heard(Instant::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.watch.told(Instant::now());
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, pieces))?;
        self.watch.told(Instant::now());
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.watch.flushed();
        Poll::Ready(Ok(()))
    }

    /// Ends our side, then throws away what the peer still sends, for a while: closing with
    /// bytes unread resets the connection, and the peer may lose the answer it is about to read.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Ending::NotBegun = this.ending {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.ending = Ending::Written;
        }
        let mut scratch = [0; 8 << 10];
        loop {
            let mut into = ReadBuf::new(&mut scratch);
            match Pin::new(&mut this.stream).poll_read(cx, &mut into) {
                Poll::Ready(Ok(())) if !into.filled().is_empty() => {}
                // The peer has ended its side, or is gone.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => break,
            }
        }
        if let Ending::Written = this.ending {
            this.ending = Ending::Lingering(Box::pin(sleep(this.linger_time)));
        }
        match &mut this.ending {
            Ending::Lingering(end) => end.as_mut().poll(cx).map(Ok),
            Ending::NotBegun | Ending::Written => Poll::Ready(Ok(())),
        }
    }
}

/// An answer's body, whose end is noted in the connection's watch.
pub(crate) struct Answer {
    pub(crate) body: Body,
    pub(crate) watch: Arc<Watch>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.watch.answered();
    }
}
