//! Why a site can't be opened.

use std::path::PathBuf;

use farhold_bundle::KeyId;
use farhold_contract::Code;
use farhold_keys::KeyError;
use farhold_store::StoreError;

use crate::file::FileError;

/// Why a site can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Another process has it.
    #[error("{} has the state directory {}", holder(*.agent), .path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The agent's process, if it is an agent that has it and says so.
        agent: Option<u32>,
    },
    /// A file or folder can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The device key can't be used.
    #[error("the device key can't be used")]
    DeviceKey(#[from] KeyError),
    /// The database was begun by another device key.
    #[error("the database belongs to device key {expected}, and device.key is another; restore it, or move {} away to begin anew", .database.display())]
    OtherDevice {
        /// The key the database was begun with.
        expected: KeyId,
        /// The database.
        database: PathBuf,
    },
    /// The store can't be used.
    #[error("the database can't be used")]
    Store(#[from] StoreError),
}

fn holder(agent: Option<u32>) -> String {
    match agent {
        Some(process) => format!("an agent (process {process})"),
        None => "another process".to_owned(),
    }
}

impl SiteError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Locked { .. } => Code::StateLocked,
            Self::File(_) | Self::DeviceKey(_) | Self::OtherDevice { .. } => Code::StateUnusable,
            Self::Store(error) => error.code(),
        }
    }
}
