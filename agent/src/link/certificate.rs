//! Certificates: what is read out of them, and whether one was issued to us.

use std::{fmt, sync::Arc};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::WebPkiClientVerifier,
};
use sha2::{Digest, Sha256};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, time::ASN1Time,
    x509::X509Name,
};

use farhold_contract::{Sha256Digest, Timestamp};

use super::tls;

/// Longest name of a certificate that is shown, in characters: strangers write them.
const NAME_MAX_CHARS: usize = 200;

/// The bytes are not one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one X.509 certificate")]
pub struct CertificateError;

/// What the link asks a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The public key with its algorithm, DER.
    pub spki: Vec<u8>,
    /// The hash of that: what a pin names.
    pub spki_sha256: Sha256Digest,
    /// Whose it is, as it says; printable.
    pub subject: String,
    /// Who issued it, as it says; printable.
    pub issuer: String,
    /// When it begins to hold.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
    /// The URIs it is for.
    pub uris: Vec<String>,
}

impl CertificateFacts {
    /// Reads one certificate in DER.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn of_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| CertificateError)?;
        if !rest.is_empty() {
            return Err(CertificateError);
        }
        let names = certificate.subject_alternative_name().map_err(|_| CertificateError)?;
        let uris = names
            .iter()
            .flat_map(|names| &names.value.general_names)
            .filter_map(|name| match name {
                GeneralName::URI(uri) => Some((*uri).to_owned()),
                _ => None,
            })
            .collect();
        let spki = certificate.tbs_certificate.subject_pki.raw;
        Ok(Self {
            spki: spki.to_vec(),
            spki_sha256: sha256(spki),
            subject: printable(certificate.subject()),
            issuer: printable(certificate.issuer()),
            not_before: instant(certificate.validity().not_before),
            not_after: instant(certificate.validity().not_after),
            uris,
        })
    }

    /// Reads one certificate in PEM.
    ///
    /// # Errors
    /// [`CertificateError`]; two certificates in one text are not one.
    pub fn of_pem(pem: &str) -> Result<Self, CertificateError> {
        Self::of_der(&der_of_pem(pem)?)
    }

    /// Whether `at` lies inside its life.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }
}

/// The one certificate of a PEM text.
pub(super) fn der_of_pem(pem: &str) -> Result<CertificateDer<'static>, CertificateError> {
    let mut found = CertificateDer::pem_slice_iter(pem.as_bytes());
    match (found.next(), found.next()) {
        (Some(Ok(certificate)), None) => Ok(certificate),
        _ => Err(CertificateError),
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(bytes).into())
}

/// Whether a client certificate leads to one of the roots at `at`; the reason where it does not.
pub(super) fn leads_to(
    certificate: &CertificateDer<'_>,
    chain: &[CertificateDer<'static>],
    roots: &[CertificateDer<'static>],
    at: Timestamp,
) -> Result<(), String> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).map_err(|error| error.to_string())?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), tls::provider())
        .build()
        .map_err(|error| error.to_string())?;
    verifier
        .verify_client_cert(certificate, chain, unix_time(at))
        .map(drop)
        .map_err(|error| error.to_string())
}

pub(super) fn unix_time(at: Timestamp) -> UnixTime {
    let seconds = u64::try_from(at.as_ms() / 1000).unwrap_or(0);
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

pub(super) fn timestamp(at: UnixTime) -> Timestamp {
    Timestamp::from_ms(i64::try_from(at.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000))
}

fn instant(time: ASN1Time) -> Timestamp {
    Timestamp::from_ms(time.timestamp().saturating_mul(1000))
}

/// A name for people: no control characters, no novel.
fn printable(name: &X509Name<'_>) -> String {
    let text = safe_text(name, NAME_MAX_CHARS);
    if text.is_empty() { "(no name)".to_owned() } else { text }
}

/// A stranger's text, cut and without control characters.
pub(super) fn safe_text(text: impl fmt::Display, max_chars: usize) -> String {
    let text = text.to_string();
    let mut safe: String =
        text.chars().take(max_chars).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(max_chars).is_some() {
        safe.push('…');
    }
    safe
}
