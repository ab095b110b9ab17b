//! The key pair of a client certificate: made new for every certificate, never reused.

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use zeroize::Zeroizing;

/// The system or the algorithm gives no key pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no key pair for TLS could be made: {0}")]
pub struct KeyPairError(String);

/// A key pair for TLS: ECDSA over P-256. No `Debug`.
pub struct TlsKeyPair(KeyPair);

impl TlsKeyPair {
    /// Makes a new one.
    ///
    /// # Errors
    /// `KeyPairError`: the system gives no randomness.
    pub fn generate() -> Result<Self, KeyPairError> {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
            .map(Self)
            .map_err(|error| KeyPairError(error.to_string()))
    }

    /// Reads one from PKCS#8 PEM.
    ///
    /// # Errors
    /// [`KeyPairError`], without any of the text.
    pub(super) fn of_pem(pem: &str) -> Result<Self, KeyPairError> {
        KeyPair::from_pem(pem)
            .map(Self)
            .map_err(|_| KeyPairError("the key is not PKCS#8 PEM".to_owned()))
    }

    /// A certificate request in DER. It names nobody: the Kernel takes its public key alone.
    ///
    /// # Errors
    /// `KeyPairError`.
    pub fn request_der(&self) -> Result<Vec<u8>, KeyPairError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .serialize_request(&self.0)
            .map(|request| request.der().to_vec())
            .map_err(|error| KeyPairError(error.to_string()))
    }

    /// The public key with its algorithm, DER.
    pub fn spki(&self) -> Vec<u8> {
        self.0.subject_public_key_info()
    }

    /// The private key, PKCS#8 PEM.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }
}
