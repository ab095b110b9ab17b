//! Files: read within a limit, replaced whole, and what is said where one can't be used.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A file or folder that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation} {}", .path.display())]
pub struct FileError {
    /// What was being done.
    pub operation: &'static str,
    /// To which.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// What an operation on a file makes of the system's word.
    pub(crate) fn of<E: Into<io::Error>>(
        operation: &'static str,
        path: &Path,
    ) -> impl Fn(E) -> Self + use<E> {
        let path = path.to_owned();
        move |source| Self { operation, path: path.clone(), source: source.into() }
    }
}

/// Reads a file of at most so many bytes.
///
/// # Errors
/// What the system said; `FileTooLarge` for one that is longer; one that is no file: a pipe would
/// hold its reader up.
pub(crate) fn read(path: &Path, most_bytes: usize) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    // One byte more tells a file that is longer from one at the limit.
    File::open(path)?.take(most_bytes as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most_bytes { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Replaces a file of mode 0600: after a crash at any moment it is the old or the new one.
///
/// # Errors
/// What the system said; the old file is then still there.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(ErrorKind::InvalidFilename.into());
    };
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".new");
    let hidden = folder.join(hidden);
    // One process has the state directory: what lies there is a crash's.
    match fs::remove_file(&hidden) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&hidden)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&hidden, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_the_limit_is_read_and_a_longer_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        assert_eq!(read(&path, 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_replaced_file_is_the_agents_alone_and_leaves_nothing_beside_it() {
        use std::os::unix::fs::MetadataExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(folder.path().join(".file.new"), "of a crash").unwrap();
        for content in ["one", "two"] {
            replace_private(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
