//! Tunnel: a test's plain HTTP, carried to a Kernel over TLS.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{io::copy_bidirectional, net::TcpStream};
use tokio_rustls::TlsConnector;

use super::listener::Listener;
use crate::http::Address;

/// A client certificate and its key, each PEM. No `Debug`: the key is one.
#[derive(Clone)]
pub struct Identity {
    /// The certificate, and its chain after it.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// A door on loopback that leads to a Kernel: its certificate is checked against one CA, and a
/// client certificate is shown, or none.
#[derive(Debug)]
pub struct Tunnel {
    listener: Listener,
}

impl Tunnel {
    /// To the server of this name at a port of loopback, by this CA (PEM).
    pub fn to(port: u16, name: &str, ca: &str, identity: Option<&Identity>) -> Self {
        let connector = TlsConnector::from(Arc::new(configured(ca, identity)));
        let name = ServerName::try_from(name.to_owned()).expect("a host's name");
        let listener = Listener::handling(move |mut plain| {
            let (connector, name) = (connector.clone(), name.clone());
            async move {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                let Ok(server) = TcpStream::connect(address).await else { return };
                let _ = server.set_nodelay(true);
                // A server that is not trusted answers nothing: the caller reads an empty answer.
                if let Ok(mut server) = connector.connect(name, server).await {
                    let _ = copy_bidirectional(&mut plain, &mut server).await;
                }
            }
        });
        Self { listener }
    }

    /// The door.
    pub const fn door(&self) -> Address {
        Address::Tcp(self.listener.address())
    }
}

fn configured(ca: &str, identity: Option<&Identity>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(certificate.expect("PEM")).expect("a CA");
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots);
    let Some(identity) = identity else { return builder.with_no_client_auth() };
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
    let chain = chain.map(|certificate| certificate.expect("PEM")).collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a key in PEM");
    builder.with_client_auth_cert(chain, key).expect("key and certificate belong together")
}
