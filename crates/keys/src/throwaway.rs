//! Throwaway: a key that lives in memory alone, for rehearsals.

use farhold_bundle::{PublicKey, Signer, Unsigned};

use crate::{
    error::KeyError,
    key_pair::{KeyPair, new_seed},
};

/// A private key that no file ever holds: nobody trusts what it signs outside of this process.
pub struct Throwaway(KeyPair);

impl Throwaway {
    /// Makes one.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn make() -> Result<Self, KeyError> {
        Ok(Self(KeyPair::of(&*new_seed()?)))
    }
}

impl Signer for Throwaway {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        self.0.sign(message)
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
