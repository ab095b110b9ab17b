//! Key: a private key to sign with, wherever it lies.

use std::path::Path;

use farhold_bundle::{PublicKey, Signer, Unsigned};
use farhold_keys::FileSigner;

use crate::pkcs11::{TokenSigner, Uri};

/// A private key that may sign: in memory, or in a token that never gives it away.
pub struct Key(Box<dyn Signer + Send + Sync>);

impl From<FileSigner> for Key {
    fn from(signer: FileSigner) -> Self {
        Self(Box::new(signer))
    }
}

impl From<TokenSigner> for Key {
    fn from(signer: TokenSigner) -> Self {
        Self(Box::new(signer))
    }
}

impl Signer for Key {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        self.0.sign(message)
    }
}

/// The name of a key for people: its file's without the ending, or its object's in the token.
pub fn name_of(key: &Path) -> Option<String> {
    match key.to_str().filter(|text| Uri::is_one(text)) {
        Some(text) => Uri::parse(text).ok()?.object,
        None => key.file_stem()?.to_str().map(str::to_owned),
    }
}
