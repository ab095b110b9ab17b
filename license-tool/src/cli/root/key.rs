//! A key for a root: a private key, whose public half is taken, or that half as hex.

use std::path::{Path, PathBuf};

use farhold_bundle::{PublicKey, Signer, payload::Role};
use farhold_contract::Code;

use crate::{
    cli::passphrase::Passphrases,
    key::{Key, name_of},
    refusal::Refusal,
    root::Change,
};

/// A key as it was given.
pub(super) enum KeySource {
    /// Its public half.
    Public(PublicKey),
    /// Where the private key lies.
    Private(PathBuf),
}

/// A role that a root gives to keys.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum RoleName {
    /// Signs roots
    Root,
    /// Signs licenses and clock resets
    License,
    /// Signs revocations
    Revocation,
    /// Signs receipts
    Kernel,
}

impl RoleName {
    pub(super) const fn role(self) -> Role {
        match self {
            Self::Root => Role::Root,
            Self::License => Role::License,
            Self::Revocation => Role::Revocation,
            Self::Kernel => Role::Kernel,
        }
    }
}

impl KeySource {
    /// Reads what was given.
    ///
    /// # Errors
    /// `key.weak`.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex {
            return Ok(Self::Private(PathBuf::from(text)));
        }
        text.to_ascii_lowercase().parse().map(Self::Public).map_err(|_| {
            Refusal::new(Code::KeyWeak, format!("{text} is not a usable Ed25519 public key"))
        })
    }

    /// The file or token in which its private half lies.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Private(path) => Some(path),
            Self::Public(_) => None,
        }
    }

    /// Its public half, its name for people, and the private one where that was given.
    ///
    /// # Errors
    /// `key.*`.
    pub(super) fn load(
        self,
        passphrases: &Passphrases,
    ) -> Result<(PublicKey, Option<String>, Option<Key>), Refusal> {
        match self {
            Self::Public(key) => Ok((key, None, None)),
            Self::Private(path) => {
                let key = passphrases.load(&path)?;
                Ok((key.public_key().clone(), name_of(&path), Some(key)))
            }
        }
    }

    /// Adding it to a root.
    ///
    /// # Errors
    /// `key.*`.
    pub(super) fn addition(
        self,
        role: Role,
        name: Option<String>,
        passphrases: &Passphrases,
    ) -> Result<Change, Refusal> {
        let (public_key, of_file, _) = self.load(passphrases)?;
        Ok(Change::AddKey { role, public_key: Box::new(public_key), name: name.or(of_file) })
    }
}
