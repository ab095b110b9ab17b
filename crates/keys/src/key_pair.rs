//! Key pair: a private key in memory with its public half.

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use farhold_bundle::{PublicKey, Signer, Unsigned};

use crate::error::KeyError;

/// A private key in memory, wiped when dropped.
pub(crate) struct KeyPair {
    key: SigningKey,
    public: PublicKey,
}

/// A seed that nobody has.
pub(crate) fn new_seed() -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|source| KeyError::Random { source })?;
    Ok(seed)
}

impl KeyPair {
    pub(crate) fn of(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let public = PublicKey::from_bytes(key.verifying_key().as_bytes())
            .expect("a clamped seed's public half has the large order");
        Self { key, public }
    }
}

impl Signer for KeyPair {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        Ok(ed25519_dalek::Signer::sign(&self.key, message).to_bytes())
    }
}
