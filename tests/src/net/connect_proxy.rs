//! Connect proxy: the way out of a company's network.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
};

use super::listener::Listener;

/// A head that is longer is nobody's.
const HEAD_MAX_BYTES: usize = 16 << 10;

/// A proxy that knows `CONNECT` and nothing else.
#[derive(Debug)]
pub struct ConnectProxy {
    listener: Listener,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// What somebody asked of the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The host and port that were named.
    pub target: String,
    /// What it was answered.
    pub status: u16,
}

impl ConnectProxy {
    /// For everyone.
    pub fn open() -> Self {
        Self::expecting(None)
    }

    /// For who knows this name and password.
    pub fn for_one(name: &str, password: &str) -> Self {
        Self::expecting(Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))))
    }

    fn expecting(credentials: Option<String>) -> Self {
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let noted = Arc::clone(&asked);
        let listener = Listener::handling(move |stream| {
            let (credentials, noted) = (credentials.clone(), Arc::clone(&noted));
            async move {
                // Whoever goes away in the middle has seen enough.
                let _ = serve(stream, credentials.as_deref(), &noted).await;
            }
        });
        Self { listener, asked }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Everything it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(
    mut client: TcpStream,
    credentials: Option<&str>,
    asked: &Mutex<Vec<Asked>>,
) -> io::Result<()> {
    let Some(head) = head(&mut client).await? else { return Ok(()) };
    let note = |status| {
        let asked_now = Asked { target: head.target.clone(), status };
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked_now);
    };
    if head.method != "CONNECT" {
        note(405);
        return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n").await;
    }
    if credentials.is_some() && head.authorization.as_deref() != credentials {
        note(407);
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
            Proxy-Authenticate: Basic realm=\"campus\"\r\nContent-Length: 0\r\n\r\n";
        return client.write_all(refusal).await;
    }
    // A name is the proxy's to look up; here every one is this machine.
    let port = head.target.rsplit(':').next().unwrap_or_default();
    let Ok(mut server) = TcpStream::connect(format!("127.0.0.1:{port}")).await else {
        note(502);
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
    };
    let _ = server.set_nodelay(true);
    note(200);
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

/// The head of a request.
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) authorization: Option<String>,
}

/// Reads a head, byte by byte: what follows it is not HTTP.
pub(super) async fn head(stream: &mut TcpStream) -> io::Result<Option<Head>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if bytes.len() == HEAD_MAX_BYTES {
            return Ok(None);
        }
        bytes.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let authorization = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"))
        .map(|(_, value)| value.trim().to_owned());
    Ok(Some(Head { method, target, authorization }))
}
