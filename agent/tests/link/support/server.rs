//! A TLS server that answers a request with whatever bytes a test wants.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Ca, HOST, Life};

/// How a request is answered. All but `Stall` and `Drip` end the connection.
pub(crate) enum Reply {
    /// These bytes, and an orderly end.
    Bytes(Vec<u8>),
    /// These bytes, and a reset.
    Cut(Vec<u8>),
    /// These bytes, and then nothing.
    Stall(Vec<u8>),
    /// These bytes, and then one at a time.
    Drip(Vec<u8>),
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) certified: bool,
}

impl Seen {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

type Script = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// An HTTP answer with a length.
pub(crate) fn http(status: u16, media_type: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n"
    );
    Reply::Bytes([head.as_bytes(), body].concat())
}

/// How the server's TLS is set up.
pub(crate) struct Tls {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<CertificateDer<'static>>,
    each_route_decides: bool,
    old: bool,
}

impl Tls {
    /// The right certificate of a CA, with the CA's own behind it.
    pub(crate) fn of(ca: &Ca) -> Self {
        Self::living(ca, HOST, Life::NOW)
    }

    pub(crate) fn living(ca: &Ca, host: &str, life: Life) -> Self {
        let (leaf, key) = ca.server(host, life);
        Self {
            chain: vec![leaf, ca.der()],
            key,
            clients: None,
            each_route_decides: false,
            old: false,
        }
    }

    /// Presents another CA's certificate behind the leaf.
    pub(crate) fn presenting(mut self, other: &Ca) -> Self {
        self.chain.push(other.der());
        self
    }

    /// Takes no connection without a client certificate of this CA.
    pub(crate) fn asking(mut self, ca: &Ca) -> Self {
        self.clients = Some(ca.der());
        self
    }

    /// Asks for a client certificate of this CA and takes a connection without.
    pub(crate) fn offering(mut self, ca: &Ca) -> Self {
        self.each_route_decides = true;
        self.asking(ca)
    }

    /// Speaks TLS 1.2 alone.
    pub(crate) fn old(mut self) -> Self {
        self.old = true;
        self
    }

    fn config(self) -> ServerConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let versions: &[_] = if self.old { &[&TLS12] } else { &[&TLS13, &TLS12] };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap();
        let builder = match self.clients {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add(ca).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if self.each_route_decides {
                    verifier.allow_unauthenticated()
                } else {
                    verifier
                };
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        builder.with_single_cert(self.chain, self.key).unwrap()
    }
}

impl Server {
    /// Answers every request over TLS of this CA.
    pub(crate) async fn start(
        ca: &Ca,
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with_tls(Tls::of(ca).offering(ca), script).await
    }

    pub(crate) async fn with_tls(
        tls: Tls,
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(tls.config()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (kept, script): (_, Script) = (Arc::clone(&seen), Arc::new(script));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(
                    acceptor.clone(),
                    stream,
                    Arc::clone(&script),
                    Arc::clone(&kept),
                ));
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{HOST}:{}", self.address.port())
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    script: Script,
    kept: Arc<Mutex<Vec<Seen>>>,
) {
    let failed = acceptor.accept(stream).into_fallible().await;
    let mut stream = match failed {
        Ok(stream) => stream,
        Err((_, mut stream)) => {
            // What is not read would be answered by a reset, and our alert be lost.
            let _ = stream.shutdown().await;
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            return;
        }
    };
    let Some(seen) = read(&mut stream).await else { return };
    let reply = script(&seen);
    kept.lock().unwrap().push(seen);
    let _ = answer(stream, reply).await;
}

async fn answer(mut stream: TlsStream<TcpStream>, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await?;
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
        }
        Reply::Cut(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            let (tcp, _) = stream.into_inner();
            tcp.set_zero_linger()
        }
        Reply::Stall(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            std::future::pending().await
        }
        Reply::Drip(bytes) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn read(stream: &mut TlsStream<TcpStream>) -> Option<Seen> {
    let certified = stream.get_ref().1.peer_certificates().is_some();
    let (head, mut body) = read_head(stream).await?;
    let mut seen = Seen { head, body: Vec::new(), certified };
    let length: usize = seen.header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut rest = vec![0; length - body.len()];
    stream.read_exact(&mut rest).await.ok()?;
    body.extend_from_slice(&rest);
    seen.body = body;
    Some(seen)
}

/// Reads up to the empty line: the head, and what came behind it.
pub(super) async fn read_head(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.ok()?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            return Some((String::from_utf8(bytes).unwrap(), body));
        }
        if read == 0 {
            return None;
        }
    }
}
