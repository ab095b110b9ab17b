//! Whom a connection may lead to: certificates whose public key is pinned, and nobody else.
//!
//! A pin is the hash of a public key. The certificate with that key may be known from the
//! enrollment or be presented by the server: either way it is the only anchor (contract v0.2
//! §8.1.5), and chain, dates and host name are checked as usual. There is no way around it.

use std::{collections::BTreeSet, iter, sync::Arc};

use rustls::{
    CertificateError as TlsCertificateError, DigitallySignedStruct, Error as TlsError, OtherError,
    RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use farhold_contract::{Sha256Digest, Timestamp};

use super::{
    certificate::{CertificateError, CertificateFacts, der_of_pem, safe_text, timestamp},
    untrusted::Untrusted,
};

/// The pinned keys, and the certificates known to have them.
#[derive(Debug, Clone)]
pub struct Anchors {
    pins: BTreeSet<Sha256Digest>,
    known: Vec<CertificateDer<'static>>,
}

impl Anchors {
    /// One pinned key, its certificate not known yet: an enrollment token's.
    pub fn pinned(spki_sha256: Sha256Digest) -> Self {
        Self { pins: BTreeSet::from([spki_sha256]), known: Vec::new() }
    }

    /// Pinned keys, and certificates in PEM whose keys are pinned with them.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn new(
        pins: impl IntoIterator<Item = Sha256Digest>,
        known_pem: &[String],
    ) -> Result<Self, CertificateError> {
        let mut pins: BTreeSet<Sha256Digest> = pins.into_iter().collect();
        let mut known = Vec::with_capacity(known_pem.len());
        for pem in known_pem {
            let der = der_of_pem(pem)?;
            pins.insert(CertificateFacts::of_der(&der)?.spki_sha256);
            known.push(der);
        }
        Ok(Self { pins, known })
    }

    /// Whether a certificate's key is pinned.
    pub fn pins(&self, facts: &CertificateFacts) -> bool {
        self.pins.contains(&facts.spki_sha256)
    }

    /// Whom is expected, for people.
    fn expected(&self) -> String {
        let known: Vec<String> = self
            .known
            .iter()
            .filter_map(|der| CertificateFacts::of_der(der).ok())
            .map(|facts| facts.subject)
            .collect();
        if known.is_empty() {
            let pins: Vec<String> = self.pins.iter().map(ToString::to_string).collect();
            format!("a CA with the key {}", pins.join(" or "))
        } else {
            known.join(" or ")
        }
    }
}

/// The server's certificate, judged by the pins alone.
#[derive(Debug)]
pub(super) struct PinnedVerifier {
    anchors: Anchors,
    provider: Arc<CryptoProvider>,
}

impl PinnedVerifier {
    pub(super) fn new(anchors: Anchors, provider: Arc<CryptoProvider>) -> Self {
        Self { anchors, provider }
    }

    fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Untrusted> {
        let presented: Vec<CertificateFacts> = iter::once(end_entity)
            .chain(intermediates)
            .filter_map(|der| CertificateFacts::of_der(der).ok())
            .collect();
        let anchors = self.anchors_at(iter::once(end_entity).chain(intermediates), timestamp(now));
        if anchors.store.is_empty() {
            return Err(self.without_anchor(&presented, &anchors, timestamp(now)));
        }
        let store = Arc::new(anchors.store.clone());
        WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&self.provider))
            .build()
            .map_err(|error| Untrusted::Other { reason: error.to_string() })?
            .verify_server_cert(end_entity, intermediates, server_name, &[], now)
            .map_err(|error| self.explain(error, &presented, &anchors, timestamp(now)))
    }

    /// Every certificate with a pinned key, and whether it holds now: an anchor's dates are not
    /// looked at further down.
    fn anchors_at<'c>(
        &self,
        presented: impl Iterator<Item = &'c CertificateDer<'c>>,
        now: Timestamp,
    ) -> AnchorsAt {
        let mut at =
            AnchorsAt { store: RootCertStore::empty(), holding: vec![], out_of_date: vec![] };
        let known = self.anchors.known.iter().map(|der| der.as_ref());
        for der in known.chain(presented.map(|der| der.as_ref())) {
            let Ok(facts) = CertificateFacts::of_der(der) else { continue };
            if !self.anchors.pins(&facts) {
                continue;
            }
            if !facts.holds_at(now) {
                at.out_of_date.push(facts);
            } else if at.store.add(CertificateDer::from(der.to_vec())).is_ok() {
                at.holding.push(facts);
            }
        }
        at
    }

    fn without_anchor(
        &self,
        presented: &[CertificateFacts],
        anchors: &AnchorsAt,
        now: Timestamp,
    ) -> Untrusted {
        let named = |anchor: &&CertificateFacts| names(presented, anchor);
        match anchors.out_of_date.iter().find(named) {
            Some(anchor) => Untrusted::AnchorOutOfDate {
                subject: anchor.subject.clone(),
                not_before: anchor.not_before,
                not_after: anchor.not_after,
                now,
            },
            None => self.intercepted(presented),
        }
    }

    fn intercepted(&self, presented: &[CertificateFacts]) -> Untrusted {
        let issuer = presented.first().map_or("(none)", |leaf| &leaf.issuer).to_owned();
        Untrusted::Intercepted { issuer, expected: self.anchors.expected() }
    }

    fn explain(
        &self,
        error: TlsError,
        presented: &[CertificateFacts],
        anchors: &AnchorsAt,
        now: Timestamp,
    ) -> Untrusted {
        let TlsError::InvalidCertificate(reason) = error else {
            return Untrusted::Other { reason: error.to_string() };
        };
        match reason {
            TlsCertificateError::UnknownIssuer | TlsCertificateError::BadSignature => {
                // The anchor presented for show names itself: the leaf's own word counts.
                let leaf = presented.get(..1).unwrap_or_default();
                match anchors.holding.iter().find(|anchor| names(leaf, anchor)) {
                    Some(anchor) => Untrusted::NotSigned { issuer: anchor.subject.clone() },
                    None => self.without_anchor(leaf, anchors, now),
                }
            }
            TlsCertificateError::ExpiredContext { time, not_after } => {
                Untrusted::Expired { not_after: timestamp(not_after), now: timestamp(time) }
            }
            TlsCertificateError::NotValidYetContext { time, not_before } => {
                Untrusted::NotBegun { not_before: timestamp(not_before), now: timestamp(time) }
            }
            TlsCertificateError::NotValidForNameContext { expected, presented } => {
                Untrusted::WrongHost {
                    expected: expected.to_str().into_owned(),
                    presented: if presented.is_empty() {
                        "no host".to_owned()
                    } else {
                        safe_text(presented.join(", "), 300)
                    },
                }
            }
            other => Untrusted::Other { reason: safe_text(other, 300) },
        }
    }
}

/// The anchors as they are at one moment.
struct AnchorsAt {
    store: RootCertStore,
    holding: Vec<CertificateFacts>,
    out_of_date: Vec<CertificateFacts>,
}

/// Whether anything presented says it was issued by this anchor.
fn names(presented: &[CertificateFacts], anchor: &CertificateFacts) -> bool {
    presented.iter().any(|facts| facts.issuer == anchor.subject)
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        // The reason travels inside the error: it is found again where the call failed.
        self.judge(end_entity, intermediates, server_name, now).map_err(|reason| {
            TlsError::InvalidCertificate(TlsCertificateError::Other(OtherError(Arc::new(reason))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
