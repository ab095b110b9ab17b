//! Whoever holds a private key: a file, later a PKCS#11 token.

use crate::key::PublicKey;

/// Signs with one Ed25519 key that it does not give away.
pub trait Signer {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The signature of `message`.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}
