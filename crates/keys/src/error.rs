//! Why a key or another secret can't be written or read.

use std::{io, path::PathBuf};

use farhold_contract::Code;

/// Why a secret file can't be written, or a key not be read. It never holds a part of either.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Something has that path already; it is left as it is.
    #[error("{} exists already and is never overwritten", path.display())]
    Exists {
        /// The path asked for.
        path: PathBuf,
    },
    /// The file can't be made durable.
    #[error("{} can't be written", path.display())]
    Unwritable {
        /// The path asked for.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random {
        /// What the system said.
        #[source]
        source: getrandom::Error,
    },
    /// The file can't be read.
    #[error("{} can't be read", path.display())]
    Unreadable {
        /// The key's path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read or change the file.
    #[error("{} is open to others than its owner (mode {mode:04o}); make it 0600", path.display())]
    Exposed {
        /// The key's path.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// The content is not an Ed25519 key in PKCS#8 PEM.
    #[error("{} {why}", path.display())]
    NotAKey {
        /// The key's path.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The key is encrypted and no passphrase came with it.
    #[error("{} is encrypted and no passphrase was given", path.display())]
    PassphraseMissing {
        /// The key's path.
        path: PathBuf,
    },
    /// The passphrase does not open the key.
    #[error("the passphrase does not open {}", path.display())]
    PassphraseWrong {
        /// The key's path.
        path: PathBuf,
    },
    /// A key was to be encrypted by nothing.
    #[error("an empty passphrase protects nothing")]
    PassphraseEmpty,
}

impl KeyError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Exists { .. } => Code::OutputExists,
            Self::Unwritable { .. } => Code::OutputUnwritable,
            Self::Random { .. } => Code::ServerInternal,
            Self::Unreadable { .. } | Self::Exposed { .. } | Self::NotAKey { .. } => {
                Code::KeyUnreadable
            }
            Self::PassphraseMissing { .. }
            | Self::PassphraseWrong { .. }
            | Self::PassphraseEmpty => Code::KeyPassphrase,
        }
    }
}
