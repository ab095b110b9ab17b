//! Authority: a CA in a test's hands.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};

/// A CA: a proxy's, a thief's, or a Kernel's own whose key the test took.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// A new one of this name.
    pub fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// The one with this certificate and this key, each PEM.
    pub fn of(certificate: &str, key: &str) -> Self {
        let key = KeyPair::from_pem(key).expect("a key");
        let issuer = Issuer::from_ca_cert_pem(certificate, key).expect("a CA");
        Self { issuer, pem: certificate.to_owned() }
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    /// A server that claims to be this host, by this CA's word.
    pub fn server(&self, host: &str) -> Arc<ServerConfig> {
        self.serving(CertificateParams::new([host.to_owned()]).expect("a host's name"))
    }

    /// The same, whose certificate ended long ago.
    pub fn ended_server(&self, host: &str) -> Arc<ServerConfig> {
        let mut parameters = CertificateParams::new([host.to_owned()]).expect("a host's name");
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(2021, 1, 1);
        self.serving(parameters)
    }

    fn serving(&self, mut parameters: CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        parameters.use_authority_key_identifier_extension = true;
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        let mut chain = vec![certificate.der().clone()];
        let own = CertificateDer::pem_slice_iter(self.pem.as_bytes());
        chain.extend(own.map(|certificate| certificate.expect("PEM")));
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("key and certificate belong together");
        Arc::new(config)
    }
}
