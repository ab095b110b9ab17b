//! Private keys at rest: created once, encrypted, loaded, and used to sign.
//!
//! A key is an Ed25519 seed in PKCS#8 v1 PEM, in a file only its owner can read. It is written
//! once and never over another file. The public half is derived from the seed, never read from
//! the file. [`write_secret`] is the one function of the project that writes a secret file.
#![forbid(unsafe_code)]

mod error;
mod file_signer;
mod key_pair;
mod pkcs8_pem;
mod secret_file;
mod throwaway;

pub use error::KeyError;
pub use file_signer::{FileSigner, create, is_encrypted, load};
pub use secret_file::{open_secret, write_secret};
pub use throwaway::Throwaway;
