//! TLS: every connection is one, and may show an agent's certificate.

use std::{io, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use farhold_api::{ClientCertificate, Greeted, Greeter, Listener};

use crate::{ca::Authority, server_identity::ServerIdentity};

/// A TCP listener whose connections are TLS.
pub struct TlsListener {
    tcp: TcpListener,
    greeter: TlsGreeter,
}

/// Makes the handshake, in the connection's own task.
#[derive(Clone)]
pub struct TlsGreeter(TlsAcceptor);

/// Why TLS can't be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The library refuses the protocol versions or an anchor.
    #[error("TLS can't be set up")]
    Library(#[from] rustls::Error),
    /// The library refuses the anchors.
    #[error("client certificates can't be verified")]
    Verifier(#[from] VerifierBuilderError),
}

/// Whether a door asks its peers for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// It does, and goes on without one: each route decides.
    ForCertificates,
    /// It does not.
    ForNothing,
}

impl TlsListener {
    /// Speaks TLS 1.2 and 1.3 on `tcp` as `identity`.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(
        tcp: TcpListener,
        identity: Arc<ServerIdentity>,
        authority: &Authority,
        asks: Asks,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = match asks {
            Asks::ForNothing => builder.with_no_client_auth(),
            Asks::ForCertificates => {
                let mut anchors = RootCertStore::empty();
                for certificate in authority.certificates() {
                    anchors.add(certificate.clone())?;
                }
                let anchors = Arc::new(anchors);
                builder.with_client_cert_verifier(
                    WebPkiClientVerifier::builder_with_provider(anchors, provider)
                        .allow_unauthenticated()
                        .build()?,
                )
            }
        };
        let mut config = builder.with_cert_resolver(identity);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A resumed session would speak for a certificate that has ended since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { tcp, greeter: TlsGreeter(TlsAcceptor::from(Arc::new(config))) })
    }
}

impl Listener for TlsListener {
    type Raw = TcpStream;
    type Greeter = TlsGreeter;

    async fn accept(&self) -> io::Result<TcpStream> {
        Listener::accept(&self.tcp).await
    }

    fn greeter(&self) -> TlsGreeter {
        self.greeter.clone()
    }
}

impl Greeter for TlsGreeter {
    type Raw = TcpStream;
    type Stream = TlsStream<TcpStream>;

    async fn greet(&self, raw: TcpStream) -> io::Result<Greeted<TlsStream<TcpStream>>> {
        let stream = self.0.accept(raw).await?;
        let (_, session) = stream.get_ref();
        let certificate = session
            .peer_certificates()
            .and_then(<[_]>::first)
            .map(|certificate| ClientCertificate::from_der(certificate));
        Ok(Greeted { stream, certificate })
    }
}
