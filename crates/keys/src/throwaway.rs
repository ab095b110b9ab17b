//! Throwaway: a key that lives in memory alone, for rehearsals.

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use farhold_bundle::{PublicKey, Signer, Unsigned};

use crate::error::KeyError;

/// A private key that no file ever holds: nobody trusts what it signs outside of this process.
pub struct Throwaway {
    key: SigningKey,
    public: PublicKey,
}

impl Throwaway {
    /// Makes one.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn make() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|source| KeyError::Random { source })?;
        let key = SigningKey::from_bytes(&seed);
        let public = PublicKey::from_bytes(key.verifying_key().as_bytes())
            .expect("a clamped seed's public half has the large order");
        Ok(Self { key, public })
    }
}

impl Signer for Throwaway {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        Ok(ed25519_dalek::Signer::sign(&self.key, message).to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same_key_and_each_signs_by_its_own() {
        let (one, other) = (Throwaway::make().unwrap(), Throwaway::make().unwrap());
        assert_ne!(one.public_key(), other.public_key());
        let signature = one.sign(b"word").unwrap();
        assert!(one.public_key().verifies(b"word", &signature));
        assert!(!other.public_key().verifies(b"word", &signature));
    }
}
