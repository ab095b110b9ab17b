//! Secret files: written once, whole, for their owner alone.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::error::KeyError;

/// Longest secret file that is read, in bytes: an encrypted key is about 400.
const READ_MAX_BYTES: usize = 64 * 1024;

/// Writes a secret to a new file of mode 0600 and makes file and folder entry durable.
///
/// The path holds the whole secret or nothing, also after a crash: the bytes are synced under a
/// hidden name beside it and then linked to the path, which fails if anything has it.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Unwritable`], [`KeyError::Random`].
pub fn write_secret(path: &Path, secret: &[u8]) -> Result<(), KeyError> {
    // Asked first only for the better message: the link below is what can't overwrite.
    if path.symlink_metadata().is_ok() {
        return Err(KeyError::Exists { path: path.to_owned() });
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let hidden = hidden_name(folder, path)?;
    let written = write_new(&hidden, secret).and_then(|()| fs::hard_link(&hidden, path));
    let cleared = match fs::remove_file(&hidden) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    written.and(cleared).and_then(|()| sync_folder(folder)).map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            KeyError::Exists { path: path.to_owned() }
        } else {
            KeyError::Unwritable { path: path.to_owned(), source }
        }
    })
}

fn hidden_name(folder: &Path, path: &Path) -> Result<PathBuf, KeyError> {
    let name = path.file_name().ok_or_else(|| KeyError::Unwritable {
        path: path.to_owned(),
        source: io::Error::from(io::ErrorKind::InvalidFilename),
    })?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|source| KeyError::Random { source })?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{:016x}.new", u64::from_be_bytes(random)));
    Ok(folder.join(hidden))
}

fn write_new(path: &Path, secret: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(secret)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(()) // folders can't be opened for it there
}

/// Opens a file that holds a secret, unless others than its owner may read or change it.
///
/// # Errors
/// [`KeyError::Unreadable`], [`KeyError::Exposed`].
pub fn open_secret(path: &Path) -> Result<File, KeyError> {
    let file = File::open(path)
        .map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
    refuse_exposed(path, &file)?;
    Ok(file)
}

/// Reads a key's file.
pub(crate) fn read_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
    let file = open_secret(path)?;
    // As large as it may get at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(READ_MAX_BYTES + 1));
    let limit = READ_MAX_BYTES as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > READ_MAX_BYTES {
        return Err(KeyError::NotAKey { path: path.to_owned(), why: "is too large for a key" });
    }
    Ok(bytes)
}

/// The open file is asked, not the path: what is read is what was checked.
#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;

    let metadata =
        file.metadata().map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
    match metadata.permissions().mode() & 0o7777 {
        mode if mode & 0o077 != 0 => Err(KeyError::Exposed { path: path.to_owned(), mode }),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &File) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_whole_for_its_owner_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        write_secret(&path, b"fhr_secret").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"fhr_secret");
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!(metadata.mode() & 0o7777, 0o600);
            assert_eq!(metadata.nlink(), 1);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_has_the_path_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, b"precious").unwrap();
        assert!(matches!(write_secret(&path, b"new"), Err(KeyError::Exists { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        #[cfg(unix)]
        {
            let dangling = folder.path().join("dangling");
            std::os::unix::fs::symlink(folder.path().join("nowhere"), &dangling).unwrap();
            assert!(matches!(write_secret(&dangling, b"new"), Err(KeyError::Exists { .. })));
            assert!(!folder.path().join("nowhere").exists());
        }
        let missing = folder.path().join("no/such/folder/key");
        assert!(matches!(write_secret(&missing, b"new"), Err(KeyError::Unwritable { .. })));
    }
}
