//! Interceptor: somebody who answers in the Kernel's place.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::{Authority, connect_proxy, listener::Listener};

/// What a portal shows to whoever has not paid for the hotel's network.
const PAGE: &str = "<!doctype html><title>Welcome</title><p>Please sign in.";

/// A TLS-inspecting proxy, or a captive portal: it ends the connection itself, by its own CA or
/// without TLS, and answers everything with `200` and a page. What it could read it keeps.
pub struct Interceptor {
    listener: Listener,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    refused: AtomicU64,
    text: Mutex<Vec<u8>>,
    /// What everything is answered with, in place of the page.
    answer: Mutex<Option<Vec<u8>>>,
}

impl Interceptor {
    /// Presents a certificate of another CA for this host: in the Kernel's place, or as a proxy
    /// that was asked to `CONNECT`.
    pub fn inspecting(authority: &Authority, host: &str) -> Self {
        Self::presenting(authority.server(host))
    }

    /// Presents the certificate of this configuration.
    pub fn presenting(server: Arc<ServerConfig>) -> Self {
        Self::listening(Some(TlsAcceptor::from(server)))
    }

    /// Answers without TLS, whatever is said.
    pub fn plain() -> Self {
        Self::listening(None)
    }

    fn listening(acceptor: Option<TlsAcceptor>) -> Self {
        let seen = Arc::<Seen>::default();
        let kept = Arc::clone(&seen);
        let listener = Listener::handling(move |stream| {
            let (acceptor, kept) = (acceptor.clone(), Arc::clone(&kept));
            async move {
                kept.connections.fetch_add(1, Ordering::SeqCst);
                let _ = serve(stream, acceptor, &kept).await;
            }
        });
        Self { listener, seen }
    }

    /// Answers everything with these bytes from now on.
    pub fn says(&self, answer: impl Into<Vec<u8>>) {
        *self.seen.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.into());
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Connections taken so far.
    pub fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Handshakes in which its certificate was not taken.
    pub fn refused(&self) -> u64 {
        self.seen.refused.load(Ordering::SeqCst)
    }

    /// What it could read behind TLS: everything that would have leaked.
    pub fn overheard(&self) -> Vec<u8> {
        self.seen.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    seen: &Seen,
) -> io::Result<()> {
    let mut first = [0; 8];
    let length = stream.peek(&mut first).await?;
    let Some(acceptor) = acceptor else {
        // It can't read TLS, and does not try: a page is all it knows.
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(page().as_bytes()).await?;
        return stream.shutdown().await;
    };
    if first[..length].starts_with(b"CONNECT") {
        if connect_proxy::head(&mut stream).await?.is_none() {
            return Ok(());
        }
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    }
    match acceptor.accept(stream).await {
        Ok(stream) => answer(stream, seen).await,
        Err(error) => {
            seen.refused.fetch_add(1, Ordering::SeqCst);
            Err(error)
        }
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Seen) -> io::Result<()> {
    let mut bytes = vec![0; 16 << 10];
    let read = match stream.read(&mut bytes).await {
        // In TLS 1.3 a client's refusal comes after the server's handshake is done.
        Err(error) => {
            seen.refused.fetch_add(1, Ordering::SeqCst);
            return Err(error);
        }
        Ok(read) => read,
    };
    if read > 0 {
        // Whoever sends a long body is answered in the middle of it, as by any hasty gateway.
        seen.text.lock().unwrap_or_else(PoisonError::into_inner).extend(&bytes[..read]);
        let answer = seen.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        stream.write_all(&answer.unwrap_or_else(|| page().into_bytes())).await?;
    }
    stream.shutdown().await
}

fn page() -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{PAGE}",
        PAGE.len()
    )
}
