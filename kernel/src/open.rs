//! Open: from a data directory to a control plane.

use std::{path::Path, sync::Arc};

use sha2::{Digest, Sha256};

use farhold_audit::Epoch;
use farhold_bundle::{PublicKey, Signer, Standing};
use farhold_contract::{Code, Sha256Digest, Timestamp, id::TenantId};
use farhold_keys::KeyError;

use crate::{
    ca::{Authority, AuthorityError},
    clock::Clock,
    config::Config,
    control_plane::{ControlPlane, Parts},
    data_dir::{DataDir, DataDirError},
    random,
    storage::{self, OwnChain, Storage, StorageError},
};

/// What keeps a control plane from being opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or a file in it.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The CA.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The receipt key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl OpenError {
    /// The code of the closed list.
    pub fn code(&self) -> Code {
        match self {
            Self::DataDir(source) => source.code(),
            Self::Authority(source) => source.code(),
            Self::Key(source) => source.code(),
            Self::Storage(source) => source.code(),
        }
    }
}

/// Opens everything that calls are answered from, and verifies the documents again.
///
/// # Errors
/// [`OpenError`] names what is missing or damaged; `init` makes what is missing.
pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<ControlPlane, OpenError> {
    let data_dir = config.data_dir.clone();
    data_dir.check()?;
    let receipts = farhold_keys::load(&data_dir.receipt_key(), None)?;
    let storage = storage(&data_dir, receipts.public_key(), clock.now())?;
    let lines = storage.documents().await?;
    let (standing, refused) = Standing::reload(lines.iter().map(Vec::as_slice));
    for reason in &refused {
        tracing::error!(reason = %crate::error_chain(reason), "a stored document no longer verifies");
    }
    Ok(ControlPlane::new(Parts {
        authority: Authority::load(&data_dir)?,
        internal_tenant: internal_tenant(&data_dir)?,
        storage,
        config,
        receipts,
        clock,
        standing,
    }))
}

/// The database of a data directory.
pub(crate) fn storage(
    data_dir: &DataDir,
    receipt_key: &PublicKey,
    now: Timestamp,
) -> Result<Storage, StorageError> {
    let path = data_dir.database();
    let own = OwnChain { key_id: receipt_key.id(), epoch: Epoch::new(random::bytes()), now };
    Storage::open(Path::new(&path), own, storage::Limits::default())
}

/// The vendor's own tenant.
pub(crate) fn internal_tenant(data_dir: &DataDir) -> Result<TenantId, DataDirError> {
    let path = data_dir.admin_tenant();
    let text = data_dir.text(path.clone())?;
    text.parse().map_err(|_| DataDirError::Damaged { path, expected: "a tenant's id" })
}

/// What is stored of a runtime token.
pub(crate) fn token_hash(token: &str) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(token.as_bytes()).into())
}
