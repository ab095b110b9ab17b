//! Output files: whole or not there, durable, never over another file.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use farhold_contract::Code;
use farhold_terminal::{
    Failure,
    output::{exists, unwritable, vacant},
};

use crate::{config::Config, random};

/// Refuses a path that exists, or that lies where the agent keeps its state and its keys.
///
/// Asked before anything is done, for the better message; [`OutputFile::commit`] is what can't
/// overwrite.
pub(super) fn check_path(path: &Path, config: &Config) -> anyhow::Result<()> {
    vacant(path)?;
    let folder = folder_of(path);
    let folder = fs::canonicalize(folder).map_err(|error| unwritable(path, error))?;
    // A state directory that isn't there can't be written into.
    if fs::canonicalize(&config.state_dir).is_ok_and(|state| folder.starts_with(state)) {
        let what = format!("{} lies in the agent's state directory", path.display());
        return Err(Failure::new(Code::UsageInvalid, what)
            .action("Choose a path outside of it.")
            .into());
    }
    Ok(())
}

/// A file under a hidden name beside its path; dropped without [`OutputFile::commit`], it is gone.
pub(super) struct OutputFile {
    path: PathBuf,
    hidden: PathBuf,
    file: File,
    kept: bool,
}

impl OutputFile {
    /// Begins a file of mode 0600.
    pub(super) fn begin(path: &Path) -> anyhow::Result<Self> {
        let name = path
            .file_name()
            .ok_or_else(|| unwritable(path, io::Error::from(io::ErrorKind::InvalidFilename)))?;
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.new", hex::encode(random::salt())));
        let hidden = path.with_file_name(hidden);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&hidden)
            .map_err(|error| unwritable(path, error))?;
        Ok(Self { path: path.to_owned(), hidden, file, kept: false })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.file.write_all(bytes).map_err(|error| unwritable(&self.path, error))?)
    }

    /// Makes it durable, then gives it its name, unless something has that name.
    pub(super) fn commit(mut self) -> anyhow::Result<()> {
        let failed = |error| unwritable(&self.path, error);
        self.file.sync_all().map_err(failed)?;
        match renameat_with(CWD, &self.hidden, CWD, &self.path, RenameFlags::NOREPLACE) {
            Ok(()) => self.kept = true,
            Err(Errno::EXIST) => return Err(exists(&self.path).into()),
            // A filesystem that can't rename without replacing can perhaps link; the hidden name
            // goes when this is dropped.
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::hard_link(&self.hidden, &self.path).map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => exists(&self.path),
                    _ => failed(error),
                })?;
            }
            Err(error) => return Err(failed(error.into()).into()),
        }
        let folder = File::open(folder_of(&self.path)).and_then(|folder| folder.sync_all());
        Ok(folder.map_err(failed)?)
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if !self.kept {
            // What failed has been told already.
            let _ = fs::remove_file(&self.hidden);
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.jsonl");
        let mut first = OutputFile::begin(&path).unwrap();
        first.write(b"one\n").unwrap();
        assert!(!path.exists());
        let mut second = OutputFile::begin(&path).unwrap();
        second.write(b"two\n").unwrap();
        first.commit().unwrap();
        assert!(second.commit().unwrap_err().to_string().contains("exists already"));
        assert_eq!(fs::read(&path).unwrap(), b"one\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(OutputFile::begin(&folder.path().join("export.jsonl")).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
