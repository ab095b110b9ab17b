//! TLS as the link uses it: aws-lc-rs given explicitly, the pinned CA, and nothing remembered.

use std::sync::Arc;

use rustls::{
    ClientConfig,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};

use super::{
    certificate::der_of_pem,
    enrollment::ClientIdentity,
    pinned::{Anchors, PinnedVerifier},
};

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A configuration that trusts the anchors alone and shows the identity, if there is one.
///
/// The error says what is wrong with the identity, without any of it.
pub(super) fn client_config(
    anchors: &Anchors,
    identity: Option<&ClientIdentity>,
) -> Result<ClientConfig, String> {
    let provider = provider();
    let verifier = PinnedVerifier::new(anchors.clone(), Arc::clone(&provider));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = read(identity)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| error.to_string())?
        }
    };
    // A resumed session skips the certificate: here each connection is judged anew.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn read(
    identity: &ClientIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let mut chain = Vec::with_capacity(1 + identity.chain.len());
    for pem in std::iter::once(&identity.certificate).chain(&identity.chain) {
        chain.push(der_of_pem(pem).map_err(|error| error.to_string())?);
    }
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem().as_bytes())
        .map_err(|_| "the certificate's key is not PKCS#8 PEM".to_owned())?;
    Ok((chain, key))
}
