//! The second copy of the documents, beside the database: it serves licenses when that is torn.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::error::StoreError;

/// The file's name in the state directory (`bundle.md` §3.6).
pub const SECOND_COPY: &str = "current.bundle";

/// Replaces the second copy atomically: after a crash at any moment it is the old or the new one.
///
/// # Errors
/// [`StoreError::File`]; the old copy is then still there.
pub fn write_second_copy(state_dir: &Path, bundle: &[u8]) -> Result<(), StoreError> {
    let path = state_dir.join(SECOND_COPY);
    let fresh = state_dir.join("current.bundle.new");
    let write = || -> io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(bundle)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        File::open(state_dir)?.sync_all()
    };
    write().map_err(|source| StoreError::File { operation: "write", path: path.clone(), source })
}

/// The second copy's lines; none if there is no copy yet.
///
/// # Errors
/// [`StoreError::File`] if it is there and can't be read.
pub fn read_second_copy(state_dir: &Path) -> Result<Vec<Vec<u8>>, StoreError> {
    let path = state_dir.join(SECOND_COPY);
    match read_file(&path) {
        Ok(bundle) => Ok(bundle
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(StoreError::File { operation: "read", path, source }),
    }
}

/// Reads the copy: what else lies there, a pipe or a device, must not hold a start up.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    std::fs::read(path)
}
