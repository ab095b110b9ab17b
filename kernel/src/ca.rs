//! Authority: the Kernel's own CA, which says who is which agent.

use std::{fs, io, net::IpAddr, path::PathBuf, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData, SanType, SerialNumber,
    SubjectPublicKeyInfo, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_parser::{
    certification_request::X509CertificationRequest, extensions::GeneralName, prelude::FromDer,
};

use farhold_api::ClientCertificate;
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{RuntimeId, TenantId},
};

use crate::{
    data_dir::{DataDir, DataDirError},
    life::YEAR,
    random,
};

/// How long a CA certificate holds.
pub(crate) const CA_LIFE: Duration = Duration::from_secs(10 * YEAR.as_secs());

/// How far a certificate's beginning lies back: a site whose clock is a little slow takes it.
const BACKDATED: Duration = Duration::from_hours(1);

/// Issues certificates, and reads whose they are.
pub struct Authority {
    /// The newest CA.
    issuer: Issuer<'static, KeyPair>,
    /// Every CA certificate, the newest first.
    certificates: Vec<CertificateDer<'static>>,
    /// The `<kernel>` of SPIFFE ids.
    trust_domain: String,
}

/// An agent by the name its certificate carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentName {
    /// The agent's own tenant.
    pub tenant_id: TenantId,
    /// The agent.
    pub runtime_id: RuntimeId,
}

/// A certificate just made.
pub struct Issued {
    /// It, in PEM.
    pub pem: String,
    /// SHA-256 of its DER.
    pub sha256: Sha256Digest,
    /// When it ends.
    pub not_after: Timestamp,
}

/// What a CA's certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaFacts {
    /// SHA-256 of its public key (SPKI): what is pinned.
    pub spki_sha256: Sha256Digest,
    /// Its name.
    pub subject: String,
    /// Who vouches for it: itself, or the CA before it.
    pub issuer: String,
    /// When it begins.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
}

/// Why the CA can't be used, or a certificate not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The private key is not that of the first certificate.
    #[error("{} is not the key of the first certificate in {}", key.display(), certificates.display())]
    Mismatch {
        /// The key's path.
        key: PathBuf,
        /// The certificates' path.
        certificates: PathBuf,
    },
    /// The cryptographic library refuses.
    #[error("a certificate can't be made")]
    Unmade(#[from] rcgen::Error),
}

impl AuthorityError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::DataDir(source) => source.code(),
            Self::Mismatch { .. } => Code::StateUnusable,
            Self::Unmade(_) => Code::ServerInternal,
        }
    }
}

/// Why no certificate is made for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// It is not a certificate request in DER, base64.
    #[error("the csr is not a PKCS#10 request in DER, base64")]
    Malformed,
    /// Whoever made it does not hold the key in it.
    #[error("the csr is not signed by the key in it")]
    Signature,
    /// Its key is of a kind that this Kernel does not certify.
    #[error("the csr's key is not ECDSA P-256 or P-384, nor Ed25519")]
    Key,
}

/// The public key of a certificate request: all that is taken of one.
pub struct RequestedKey(SubjectPublicKeyInfo);

impl RequestedKey {
    /// The key of a request in DER, base64, by whoever holds its private half. Names and
    /// extensions in it are not looked at.
    ///
    /// # Errors
    /// [`CsrError`].
    pub fn of(csr: &str) -> Result<Self, CsrError> {
        let der = STANDARD.decode(csr).map_err(|_| CsrError::Malformed)?;
        let (rest, request) =
            X509CertificationRequest::from_der(&der).map_err(|_| CsrError::Malformed)?;
        if !rest.is_empty() {
            return Err(CsrError::Malformed);
        }
        let spki = request.certification_request_info.subject_pki.raw;
        let key = SubjectPublicKeyInfo::from_der(spki).map_err(|_| CsrError::Key)?;
        let kinds = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519];
        if !kinds.contains(&key.algorithm()) {
            return Err(CsrError::Key);
        }
        request.verify_signature().map_err(|_| CsrError::Signature)?;
        Ok(Self(key))
    }
}

impl Authority {
    /// Loads the CA of a data directory.
    ///
    /// # Errors
    /// [`AuthorityError`] if a file is missing, damaged, or does not fit the others.
    pub fn load(data_dir: &DataDir) -> Result<Self, AuthorityError> {
        let path = data_dir.ca_certificates();
        let damaged = |expected| DataDirError::Damaged { path: path.clone(), expected };
        let certificates = CertificateDer::pem_slice_iter(&read(path.clone())?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| damaged("certificates in PEM"))?;
        let first = certificates.first().ok_or_else(|| damaged("certificates in PEM"))?;
        let key = key_of(first, data_dir)?;
        let issuer = Issuer::from_ca_cert_der(first, key)?;
        let trust_domain = data_dir.text(data_dir.trust_domain())?;
        Ok(Self { issuer, certificates, trust_domain })
    }

    /// Certifies a key as this agent's.
    ///
    /// # Errors
    /// [`CsrError`].
    pub fn issue_agent(
        &self,
        RequestedKey(key): &RequestedKey,
        agent: AgentName,
        now: Timestamp,
        life: Duration,
    ) -> Result<Issued, CsrError> {
        let mut params = params(now, life);
        let name = self.spiffe_id(agent).try_into().expect("a SPIFFE id is ASCII");
        params.subject_alt_names = vec![SanType::URI(name)];
        params.distinguished_name = common_name(&agent.runtime_id.to_string());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let made = params.signed_by(key, &self.issuer).map_err(|_| CsrError::Key)?;
        Ok(Issued { pem: made.pem(), sha256: sha256(made.der()), not_after: end(now, life) })
    }

    /// Certifies the server's own key for these host names and addresses.
    ///
    /// # Errors
    /// [`AuthorityError::Unmade`] for a name no certificate can carry.
    pub(crate) fn issue_server(
        &self,
        key: &KeyPair,
        names: &[String],
        now: Timestamp,
        life: Duration,
    ) -> Result<Certificate, AuthorityError> {
        let mut params = params(now, life);
        params.subject_alt_names = names
            .iter()
            .map(|name| match name.parse::<IpAddr>() {
                Ok(address) => Ok(SanType::IpAddress(address)),
                Err(_) => name.as_str().try_into().map(SanType::DnsName),
            })
            .collect::<Result<_, _>>()?;
        params.distinguished_name = common_name("Farhold Kernel");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        Ok(params.signed_by(key, &self.issuer)?)
    }

    /// Certifies the key of the CA that follows this one, PEM.
    ///
    /// # Errors
    /// [`AuthorityError::Unmade`].
    pub(crate) fn certify_successor(
        &self,
        params: &CertificateParams,
        key: &KeyPair,
    ) -> Result<String, AuthorityError> {
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }

    /// Whose certificate it is, if this Kernel issues under that name. That its chain and dates
    /// hold, the handshake has verified.
    pub fn agent_of(&self, certificate: &ClientCertificate) -> Option<AgentName> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate.as_der()).ok()?;
        let names = parsed.subject_alternative_name().ok()??;
        let [GeneralName::URI(uri)] = names.value.general_names[..] else { return None };
        let path = uri.strip_prefix("spiffe://")?.strip_prefix(self.trust_domain.as_str())?;
        let (tenant_id, runtime_id) = path.strip_prefix("/tenant/")?.split_once("/agent/")?;
        Some(AgentName { tenant_id: tenant_id.parse().ok()?, runtime_id: runtime_id.parse().ok()? })
    }

    /// SHA-256 of the newest CA's SPKI: the `ca_sha256` of enrollment tokens.
    pub fn anchor_sha256(&self) -> Sha256Digest {
        sha256(&self.issuer.key().subject_public_key_info())
    }

    /// Every CA certificate, the newest first.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// Every CA certificate, the newest first, each PEM: from an agent's issuer to whichever CA its
    /// enrollment token names.
    pub fn certificates_pem(&self) -> Vec<String> {
        self.certificates.iter().map(|certificate| pem(certificate)).collect()
    }

    /// What every CA certificate says, the newest first.
    pub fn facts(&self) -> Vec<CaFacts> {
        self.certificates.iter().filter_map(|der| facts_of(der)).collect()
    }

    fn spiffe_id(&self, agent: AgentName) -> String {
        let AgentName { tenant_id, runtime_id } = agent;
        format!("spiffe://{}/tenant/{tenant_id}/agent/{runtime_id}", self.trust_domain)
    }
}

/// The certificate of a new CA, PEM.
///
/// # Errors
/// [`AuthorityError::Unmade`].
pub(crate) fn make_ca(
    trust_domain: &str,
    key: &KeyPair,
    now: Timestamp,
) -> Result<String, AuthorityError> {
    Ok(ca_params(trust_domain, now).self_signed(key)?.pem())
}

/// What a CA's certificate says. No two have one name: a chain is built by names.
pub(crate) fn ca_params(trust_domain: &str, now: Timestamp) -> CertificateParams {
    let mut params = params(now, CA_LIFE);
    params.distinguished_name = common_name(&format!("Farhold Kernel CA {trust_domain} {now}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A new key of the kind the Kernel uses itself.
///
/// # Errors
/// [`AuthorityError::Unmade`].
pub(crate) fn make_key() -> Result<KeyPair, AuthorityError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

/// The private key of a CA. A rotation that was interrupted left it under another name: there it
/// is found, and put in its place.
fn key_of(certificate: &CertificateDer<'_>, data_dir: &DataDir) -> Result<KeyPair, AuthorityError> {
    let (path, next_path) = (data_dir.ca_key(), data_dir.next_ca_key());
    let belongs =
        |key: &KeyPair| spki_of(certificate).as_deref() == Some(&*key.subject_public_key_info());
    if next_path.exists() {
        let next = load_key(data_dir, next_path.clone())?;
        if belongs(&next) {
            fs::rename(&next_path, &path)
                .map_err(|source| DataDirError::Unreadable { path: next_path, source })?;
            return Ok(next);
        }
    }
    let key = load_key(data_dir, path.clone())?;
    if belongs(&key) {
        return Ok(key);
    }
    Err(AuthorityError::Mismatch { key: path, certificates: data_dir.ca_certificates() })
}

/// A private key of the data directory.
pub(crate) fn load_key(data_dir: &DataDir, path: PathBuf) -> Result<KeyPair, DataDirError> {
    let pem = data_dir.text(path.clone())?;
    KeyPair::from_pem(&pem)
        .map_err(|_| DataDirError::Damaged { path, expected: "a private key in PEM" })
}

fn params(now: Timestamp, life: Duration) -> CertificateParams {
    let unix = |at: Timestamp| {
        date_time_ymd(1970, 1, 1) + Duration::from_millis(u64::try_from(at.as_ms()).unwrap_or(0))
    };
    let mut params = CertificateParams::default();
    // A short life must not be half over at its beginning: renewal counts by it.
    params.not_before = unix(now - BACKDATED.min(life / 20));
    params.not_after = unix(end(now, life));
    // RFC 5280 §4.1.2.2: positive, at most 20 octets.
    let mut serial = random::bytes::<16>();
    serial[0] = (serial[0] & 0x7f) | 0x01;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params
}

/// A certificate ends on a whole second.
fn end(now: Timestamp, life: Duration) -> Timestamp {
    let end = (now + life).as_ms();
    Timestamp::from_ms(end - end.rem_euclid(1_000))
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn read(path: PathBuf) -> Result<Vec<u8>, DataDirError> {
    fs::read(&path).map_err(|source: io::Error| DataDirError::Unreadable { path, source })
}

fn spki_of(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(parsed.public_key().raw.to_vec())
}

fn facts_of(certificate: &CertificateDer<'_>) -> Option<CaFacts> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_ms(time.timestamp() * 1_000);
    Some(CaFacts {
        spki_sha256: sha256(parsed.public_key().raw),
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        not_before: at(parsed.validity().not_before),
        not_after: at(parsed.validity().not_after),
    })
}

fn sha256(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(bytes).into())
}

/// RFC 7468: 64 characters a line.
fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for at in (0..text.len()).step_by(64) {
        pem.push_str(&text[at..text.len().min(at + 64)]);
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
