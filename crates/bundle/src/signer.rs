//! Whoever holds a private key: a file, or a PKCS#11 token.

use crate::{error::Unsigned, key::PublicKey};

/// Signs with one Ed25519 key that it does not give away.
pub trait Signer {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The signature of `message`.
    ///
    /// # Errors
    /// [`Unsigned`] where a device holds the key and gives no signature; a key in memory always
    /// does.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned>;
}
