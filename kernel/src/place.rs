//! Place: a file put where another one is, whole or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file could not be put in its place; what was there is there still.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be written", path.display())]
pub struct PlaceError {
    /// Its path.
    path: PathBuf,
    /// What the system said.
    #[source]
    source: io::Error,
}

/// Writes beside the file and moves it into place: a reader sees the one or the other.
///
/// # Errors
/// [`PlaceError`].
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), PlaceError> {
    let beside = path.with_extension("new");
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::write(&beside, content)
        .and_then(|()| fs::File::open(&beside)?.sync_all())
        .and_then(|()| fs::rename(&beside, path))
        .and_then(|()| fs::File::open(folder)?.sync_all())
        .map_err(|source| PlaceError { path: path.to_owned(), source })
}
