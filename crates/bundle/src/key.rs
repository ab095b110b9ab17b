//! Public keys and their ids.

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use farhold_contract::{Sha256Digest, digest::DigestError};

/// The id of a key: SHA-256 of its 32 raw bytes, written as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(Sha256Digest);

impl KeyId {
    /// The id of the key with these raw bytes, whether or not they are a usable key.
    pub fn of(raw: &[u8; 32]) -> Self {
        Self(Sha256Digest::new(Sha256::digest(raw).into()))
    }

    /// Takes 32 bytes over as an id.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Sha256Digest::new(bytes))
    }

    /// The id's 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl FromStr for KeyId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key:{self}")
    }
}

/// The bytes are no Ed25519 key, or one of small order: anyone could sign for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 public key")]
pub struct WeakKey;

/// An Ed25519 public key that is not of small order.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    verifying: VerifyingKey,
}

impl PublicKey {
    /// Loads a key from its 32 raw bytes.
    ///
    /// # Errors
    /// [`WeakKey`] if they are not a point of the curve or of small order (`bundle.md` §1.6).
    pub fn from_bytes(raw: &[u8; 32]) -> Result<Self, WeakKey> {
        let verifying = VerifyingKey::from_bytes(raw).map_err(|_| WeakKey)?;
        if verifying.is_weak() {
            return Err(WeakKey);
        }
        Ok(Self { id: KeyId::of(raw), verifying })
    }

    /// The key's id.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The key's 32 raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.verifying.as_bytes()
    }

    /// Whether `signature` over `message` is by this key, strictly: no malleable form passes.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.verifying.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = WeakKey;

    fn from_str(hex: &str) -> Result<Self, WeakKey> {
        let raw: Sha256Digest = hex.parse().map_err(|_| WeakKey)?;
        Self::from_bytes(raw.as_bytes())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sha256Digest::new(*self.as_bytes()).fmt(f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{self}")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_small_order_is_refused_when_loaded() {
        // The eight points of small order, in their canonical encodings, and two that are not
        // canonical but that lenient libraries read as the same points.
        for hex in [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            assert_eq!(hex.parse::<PublicKey>(), Err(WeakKey), "{hex}");
        }
    }
}
