//! Listener: a loopback server whose connections end with it.

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

use super::engine;

/// A server on loopback. Dropped, it and its connections are gone.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Listener {
    /// Listens, and handles each connection by itself.
    pub(super) fn handling<F, H>(handle: F) -> Self
    where
        F: Fn(TcpStream) -> H + Send + 'static,
        H: Future<Output = ()> + Send + 'static,
    {
        let any = (Ipv4Addr::LOCALHOST, 0);
        let listener = engine().block_on(TcpListener::bind(any)).expect("a port of loopback");
        let address = listener.local_addr().expect("it is bound");
        let accepting = engine().spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // What is small goes out at once, as from every client and server worth testing.
                let _ = stream.set_nodelay(true);
                connections.spawn(handle(stream));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, accepting: accepting.abort_handle() }
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
