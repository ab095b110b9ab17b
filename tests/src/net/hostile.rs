//! Hostile: the network between a site and its Kernel, as bad as a test wants it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::{Behavior, Direction, engine, free_port, pump::Connection};

/// A TCP proxy whose behavior can be changed while it runs. It knows nothing of what it carries.
pub struct Hostile {
    address: SocketAddr,
    behavior: watch::Sender<Behavior>,
    listening: watch::Receiver<bool>,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

struct Shared {
    upstream: Mutex<SocketAddr>,
    connections: AtomicU64,
    bytes: [AtomicU64; 2],
}

impl Hostile {
    /// Before a server that need not listen yet.
    pub fn before(upstream: SocketAddr) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            connections: AtomicU64::new(0),
            bytes: [AtomicU64::new(0), AtomicU64::new(0)],
        });
        let (behavior, seen) = watch::channel(Behavior::Pass);
        let (tell, listening) = watch::channel(false);
        let accepting = engine().spawn(accept(address, seen, tell, Arc::clone(&shared)));
        let accepting = accepting.abort_handle();
        let hostile = Self { address, behavior, listening, shared, accepting };
        hostile.wait_until_listening(true);
        hostile
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Behaves so from now on, to connections that stand and to those that come.
    pub fn turns(&self, behavior: Behavior) {
        self.behavior.send_replace(behavior);
        self.wait_until_listening(behavior != Behavior::Refuse);
    }

    /// Leads to another server; connections that stand stay where they are.
    pub fn leads_to(&self, upstream: SocketAddr) {
        *self.shared.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
    }

    /// Connections taken so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Bytes handed on so far.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.shared.bytes[direction as usize].load(Ordering::SeqCst)
    }

    fn wait_until_listening(&self, expected: bool) {
        let mut listening = self.listening.clone();
        engine()
            .block_on(listening.wait_for(|now| *now == expected))
            .expect("the proxy's task lives as long as the proxy");
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    address: SocketAddr,
    mut behavior: watch::Receiver<Behavior>,
    listening: watch::Sender<bool>,
    shared: Arc<Shared>,
) {
    let mut connections = JoinSet::new();
    let handed_on = behavior.clone();
    loop {
        listening.send_replace(false);
        if behavior.wait_for(|now| *now != Behavior::Refuse).await.is_err() {
            return;
        }
        let Ok(listener) = TcpListener::bind(address).await else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        listening.send_replace(true);
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((client, _)) = accepted else { break };
                    shared.connections.fetch_add(1, Ordering::SeqCst);
                    connections.spawn(connect(client, handed_on.clone(), Arc::clone(&shared)));
                }
                refuses = behavior.wait_for(|now| *now == Behavior::Refuse) => {
                    if refuses.is_err() {
                        return;
                    }
                    break;
                }
            }
            while connections.try_join_next().is_some() {}
        }
        // Whoever is told that nobody listens may rely on what stood being gone.
        drop(listener);
        while connections.join_next().await.is_some() {}
    }
}

async fn connect(
    mut client: TcpStream,
    mut behavior: watch::Receiver<Behavior>,
    shared: Arc<Shared>,
) {
    // In a black hole not even the way to the server is looked for.
    match behavior.wait_for(|now| *now != Behavior::BlackHole).await.map(|now| *now) {
        Ok(Behavior::Refuse) | Err(_) => {
            let _ = client.set_zero_linger();
            return;
        }
        Ok(_) => {}
    }
    let upstream = *shared.upstream.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let connection = Connection { behavior, bytes: &shared.bytes, asked: AtomicBool::new(false) };
    let ended: io::Result<_> = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::try_join!(
            connection.carry(Direction::Up, from_client, to_server),
            connection.carry(Direction::Down, from_server, to_client),
        )
    };
    if ended.is_err() {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}
