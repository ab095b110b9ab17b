//! The state directory: one process's, with the key that an agent is.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use farhold_keys::FileSigner;

use crate::file::FileError;

use super::error::SiteError;

/// Takes the state directory for this process, making it on a first start.
pub(super) fn lock(state_dir: &Path) -> Result<File, SiteError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir)
        .map_err(FileError::of("create", state_dir))?;
    let path = state_dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(FileError::of("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(SiteError::Locked { path: state_dir.to_owned() })
        }
        Err(std::fs::TryLockError::Error(source)) => {
            Err(FileError::of("lock", &path)(source).into())
        }
    }
}

/// An agent is its device key: made once, at the first start.
pub(super) fn device_key(state_dir: &Path) -> Result<FileSigner, SiteError> {
    let path = state_dir.join("device.key");
    if path.exists() {
        return Ok(farhold_keys::load(&path, None)?);
    }
    Ok(farhold_keys::create(&path, None)?)
}
