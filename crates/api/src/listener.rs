//! Listener: where connections come from.

use std::{
    future::{Future, ready},
    io,
    marker::PhantomData,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

use crate::credentials::ClientCertificate;

/// Where connections come from.
pub trait Listener: Send + Sync + 'static {
    /// One connection, as the system gives it.
    type Raw: Send + 'static;
    /// Greets peers, away from the listener.
    type Greeter: Greeter<Raw = Self::Raw>;

    /// Waits for the next connection. Dropping the future loses none.
    ///
    /// # Errors
    /// What the system says; the server pauses and goes on.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Raw>> + Send;

    /// Who greets its peers, each in its connection's own task.
    fn greeter(&self) -> Self::Greeter;
}

/// What comes between a connection and its first request: a TLS handshake, or nothing.
pub trait Greeter: Clone + Send + Sync + 'static {
    /// One connection, as the system gives it.
    type Raw: Send + 'static;
    /// One connection, once its peer has been greeted.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Greets the peer. The server bounds its time by the time a head may take.
    ///
    /// # Errors
    /// What ends the connection; the peer's doing.
    fn greet(
        &self,
        raw: Self::Raw,
    ) -> impl Future<Output = io::Result<Greeted<Self::Stream>>> + Send;
}

/// A connection whose peer has been greeted.
#[derive(Debug)]
pub struct Greeted<S> {
    /// The connection.
    pub stream: S,
    /// The certificate that the peer has shown and proven to be its own.
    pub certificate: Option<ClientCertificate>,
}

/// Greets nobody: the door is on this machine.
#[derive(Debug)]
pub struct Plain<S>(PhantomData<fn() -> S>);

impl<S> Clone for Plain<S> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Greeter for Plain<S> {
    type Raw = S;
    type Stream = S;

    fn greet(&self, stream: S) -> impl Future<Output = io::Result<Greeted<S>>> + Send {
        ready(Ok(Greeted { stream, certificate: None }))
    }
}

impl Listener for TcpListener {
    type Raw = TcpStream;
    type Greeter = Plain<TcpStream>;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _peer) = Self::accept(self).await?;
        // Answers are small and whole: waiting for more to send only delays them. A peer that
        // is gone already is noticed at the first read.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    fn greeter(&self) -> Plain<TcpStream> {
        Plain(PhantomData)
    }
}

impl Listener for UnixListener {
    type Raw = UnixStream;
    type Greeter = Plain<UnixStream>;

    async fn accept(&self) -> io::Result<UnixStream> {
        Self::accept(self).await.map(|(stream, _peer)| stream)
    }

    fn greeter(&self) -> Plain<UnixStream> {
        Plain(PhantomData)
    }
}
