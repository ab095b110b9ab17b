//! A CA, and what it signs.

use farhold_contract::{
    Sha256Digest,
    id::{RuntimeId, TenantId},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

/// From when to when a certificate holds.
#[derive(Clone, Copy)]
pub(crate) struct Life(i32, i32);

impl Life {
    pub(crate) const NOW: Self = Self(2020, 2099);
    pub(crate) const PAST: Self = Self(2020, 2021);
    pub(crate) const FUTURE: Self = Self(2098, 2099);

    fn apply(self, params: &mut CertificateParams) {
        params.not_before = date_time_ymd(self.0, 1, 1);
        params.not_after = date_time_ymd(self.1, 1, 1);
    }
}

pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        Self::living(name, Life::NOW)
    }

    pub(crate) fn living(name: &str, life: Life) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        life.apply(&mut params);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// What a token pins.
    pub(crate) fn pin(&self) -> Sha256Digest {
        Sha256Digest::new(Sha256::digest(self.0.key().subject_public_key_info()).into())
    }

    pub(crate) fn server(
        &self,
        host: &str,
        life: Life,
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        life.apply(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (certificate.der().clone(), key)
    }

    /// An agent's certificate for the public key of a request; PEM.
    pub(crate) fn client(
        &self,
        request_der: &[u8],
        tenant_id: TenantId,
        runtime_id: RuntimeId,
        life: Life,
    ) -> String {
        let der = CertificateSigningRequestDer::from(request_der);
        let request = CertificateSigningRequestParams::from_der(&der).unwrap();
        let name = format!("spiffe://kernel.test/tenant/{tenant_id}/agent/{runtime_id}");
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI(name.as_str().try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        life.apply(&mut params);
        params.signed_by(&request.public_key, &self.0).unwrap().pem()
    }
}
