//! Wire: just enough HTTP/1.1 for a generator: a request, its whole answer, and again.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A server that is silent for so long is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection, kept open.
pub(super) struct Wire<S> {
    stream: S,
    answer: Vec<u8>,
}

/// A connection over TLS.
pub(super) type Secure = Wire<TlsStream<TcpStream>>;

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer<'w> {
    /// The status.
    pub(super) status: u16,
    /// The seconds of `Retry-After`.
    pub(super) retry_after: Option<u64>,
    /// The body.
    pub(super) body: &'w [u8],
}

/// A server with TLS at loopback, trusted by its CA alone.
pub(super) struct Door {
    address: SocketAddr,
    name: ServerName<'static>,
    anchors: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

/// Who a client is at a [`Door`].
pub(super) type Identity = Arc<ClientConfig>;

/// A request as it goes over a wire.
pub(super) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n",
        body.len()
    );
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

impl Wire<TcpStream> {
    /// A connection without TLS.
    ///
    /// # Errors
    /// If there is none.
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    fn over(stream: S) -> Self {
        Self { stream, answer: Vec::with_capacity(2 << 10) }
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// # Errors
    /// If no whole answer comes.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await.context("the request can't be sent")?;
        self.stream.flush().await.context("the request can't be sent")?;
        self.answer.clear();
        let body_at = loop {
            self.read().await?;
            if let Some(at) = find(&self.answer, b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = std::str::from_utf8(&self.answer[..body_at])?.to_ascii_lowercase();
        let value = |name: &str| {
            let line = head.split("\r\n").find_map(|line| line.strip_prefix(name));
            line.map(str::trim)
        };
        let length: usize = value("content-length:")
            .ok_or_else(|| anyhow!("an answer without its length: {head}"))?
            .parse()?;
        let retry_after = value("retry-after:").and_then(|value| value.parse().ok());
        let status = head.strip_prefix("http/1.1 ").and_then(|rest| rest.get(..3));
        let status = status.context("not an answer of HTTP")?.parse()?;
        while self.answer.len() < body_at + length {
            self.read().await?;
        }
        Ok(Answer { status, retry_after, body: &self.answer[body_at..] })
    }

    async fn read(&mut self) -> Result<()> {
        let reading = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.answer));
        match reading.await.context("no answer came")?? {
            0 => bail!("the connection was closed"),
            _ => Ok(()),
        }
    }
}

impl Answer<'_> {
    /// The answer of a call that must have been taken.
    ///
    /// # Errors
    /// Any status but 200 and 201, with what it says.
    pub(super) fn taken(&self) -> Result<&[u8]> {
        if !matches!(self.status, 200 | 201) {
            let said = String::from_utf8_lossy(&self.body[..self.body.len().min(500)]);
            bail!("refused: {} {said}", self.status);
        }
        Ok(self.body)
    }
}

impl Door {
    /// The server of this name, an IP address of loopback, by this CA (PEM).
    ///
    /// # Errors
    /// If the CA can't be read.
    pub(super) fn new(address: SocketAddr, ca: &str) -> Result<Self> {
        let mut anchors = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            anchors.add(certificate.map_err(|error| anyhow!("the CA's PEM: {error}"))?)?;
        }
        Ok(Self {
            address,
            name: ServerName::IpAddress(address.ip().into()),
            anchors: Arc::new(anchors),
            provider: Arc::new(aws_lc_rs::default_provider()),
        })
    }

    /// Who shows no certificate.
    ///
    /// # Errors
    /// What the library says.
    pub(super) fn nobody(&self) -> Result<Identity> {
        self.identity(None)
    }

    /// Who shows this chain (PEM) and has its key (PKCS#8, DER).
    ///
    /// # Errors
    /// If they do not belong together.
    pub(super) fn certified(&self, chain: &str, key: Vec<u8>) -> Result<Identity> {
        self.identity(Some((chain, key)))
    }

    /// A new connection, with a whole handshake.
    ///
    /// # Errors
    /// If it can't be made, or either side is not trusted.
    pub(super) async fn open(&self, identity: &Identity) -> Result<Secure> {
        let making = async {
            let tcp = TcpStream::connect(self.address).await.context("no connection")?;
            tcp.set_nodelay(true)?;
            let connector = TlsConnector::from(Arc::clone(identity));
            let stream = connector.connect(self.name.clone(), tcp).await;
            anyhow::Ok(Wire::over(stream.context("no handshake")?))
        };
        tokio::time::timeout(PATIENCE, making).await.context("no handshake in time")?
    }

    fn identity(&self, certified: Option<(&str, Vec<u8>)>) -> Result<Identity> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.anchors));
        let mut config = match certified {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
                    .collect::<Result<_, _>>()
                    .map_err(|error| anyhow!("the chain's PEM: {error}"))?;
                builder.with_client_auth_cert(chain, PrivateKeyDer::Pkcs8(key.into()))?
            }
        };
        // Each connection is by the whole handshake, as an agent's first one is.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

/// Where `wanted` first stands.
pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
