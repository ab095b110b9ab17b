//! Partial: what stands under a hidden name until it is whole.
//!
//! Hidden names can be foreseen. So whatever somebody has put there is neither followed nor written
//! into: a new file is new, and what an interrupted run has left is taken up only where it can be
//! nothing else.

use std::{
    ffi::OsString,
    fs::{File, Metadata, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use farhold_contract::Code;

use super::{
    exists,
    left::{open_left, strange},
    require_harmless, unwritable,
};
use crate::refusal::Refusal;

/// A file that goes on where an interrupted run stopped, and that this process alone writes to.
#[derive(Debug)]
pub struct Partial {
    path: PathBuf,
    hidden: PathBuf,
    file: File,
}

/// How often a name is tried that changes hands meanwhile.
const TRIES: usize = 16;

impl Partial {
    /// Refuses a place where no such file could be: before anyone types a passphrase.
    ///
    /// # Errors
    /// As [`Partial::resume`]; `usage.invalid` for an input.
    pub(crate) fn require_usable<'a>(
        path: &Path,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<(), Refusal> {
        let hidden = hidden(path)?;
        require_harmless(&hidden, inputs)?;
        open_left(&hidden)?.map_or(Ok(()), |file| lock(path, &file))
    }

    /// Takes up what an interrupted run has left, or begins.
    ///
    /// # Errors
    /// `output.is_key`, `output.exists`; `output.unwritable`, also while another run writes it, and
    /// for what no run has left.
    pub(crate) fn resume(path: &Path) -> Result<Self, Refusal> {
        let hidden = hidden(path)?;
        for _ in 0..TRIES {
            let file = match create(&hidden) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    match open_left(&hidden)? {
                        Some(file) => file,
                        None => continue, // another run has just finished
                    }
                }
                Err(error) => return Err(unwritable(&hidden, &error)),
            };
            lock(path, &file)?;
            let partial = Self { path: path.to_owned(), hidden: hidden.clone(), file };
            // Whoever had it locked may have given it its name: then it is no partial any more.
            if partial.has_its_name() {
                return match path.symlink_metadata() {
                    Ok(_) => Err(exists(path)),
                    Err(_) => Ok(partial),
                };
            }
        }
        Err(strange(&hidden, "is made and removed by somebody else all the time"))
    }

    /// What is written to.
    pub(crate) const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Makes durable what was written so far.
    ///
    /// # Errors
    /// `output.unwritable`.
    pub(crate) fn sync(&self) -> Result<(), Refusal> {
        self.file.sync_data().map_err(|error| self.refuse(&error))
    }

    /// Gives it its name; what has that already keeps it.
    ///
    /// # Errors
    /// `output.exists`, `output.unwritable`.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        self.file.sync_all().map_err(|error| self.refuse(&error))?;
        if !self.has_its_name() {
            return Err(strange(&self.hidden, "was replaced by somebody else meanwhile"));
        }
        super::rename_new(&self.hidden, &self.path)?;
        super::sync_folder_of(&self.path).map_err(|error| unwritable(&self.path, &error))
    }

    /// The refusal for what the system said of it.
    pub(crate) fn refuse(&self, error: &io::Error) -> Refusal {
        unwritable(&self.hidden, error)
    }

    /// Whether its hidden name stands for it, and for nothing else.
    fn has_its_name(&self) -> bool {
        match (self.hidden.symlink_metadata(), self.file.metadata()) {
            (Ok(named), Ok(open)) => is_same(&named, &open),
            _ => false,
        }
    }
}

/// The name under which a file is written until it is whole.
///
/// # Errors
/// `usage.invalid` for a path that names no file.
pub(crate) fn hidden(path: &Path) -> Result<PathBuf, Refusal> {
    let name = path.file_name().ok_or_else(|| {
        let what = format!("{} names no file", path.display());
        Refusal::usage(what, "Give the path of a file for the output.")
    })?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".partial");
    Ok(path.with_file_name(hidden))
}

/// Makes a file that was not there; nothing is followed or written into.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] for whatever has the name, a link that leads nowhere included.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true // what is open can't be replaced there
}

/// Locks what an output is written to, until it is closed.
fn lock(output: &Path, file: &File) -> Result<(), Refusal> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(refuse_busy(output)),
        Err(TryLockError::Error(error)) => {
            let what = format!("{} can't be locked: {error}", output.display());
            Err(Refusal::new(Code::OutputUnwritable, what)
                .with_next("Choose a place on a file system that knows locks."))
        }
    }
}

/// Keeps another run out of a folder while what is returned is open. Where folders can't be locked,
/// runs still do not write into each other's files.
///
/// # Errors
/// `output.unwritable` while another run writes there.
pub(crate) fn lock_folder(folder: &Path) -> Result<Option<File>, Refusal> {
    let Ok(file) = File::open(folder) else { return Ok(None) };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(refuse_busy(folder)),
        _ => Ok(Some(file)),
    }
}

fn refuse_busy(output: &Path) -> Refusal {
    let what = format!("another run is writing to {}", output.display());
    Refusal::new(Code::OutputUnwritable, what)
        .with_next("Wait until it is done, or choose another path for the output.")
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{Read, Write},
    };

    use super::*;

    #[test]
    fn what_an_interrupted_run_left_is_taken_up_and_gets_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        for text in ["one\n", "two\n"] {
            let mut partial = Partial::resume(&path).unwrap();
            let mut before = String::new();
            partial.file().read_to_string(&mut before).unwrap();
            assert_eq!(before, if text == "one\n" { "" } else { "one\n" });
            partial.file().write_all(text.as_bytes()).unwrap();
        }
        Partial::resume(&path).unwrap().finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
        assert_eq!(Partial::resume(&path).unwrap_err().code(), Code::OutputExists);
    }

    #[test]
    fn two_never_write_to_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let first = Partial::resume(&path).unwrap();
        for refused in
            [Partial::resume(&path).map(drop), Partial::require_usable(&path, std::iter::empty())]
        {
            let refused = refused.unwrap_err();
            assert!(refused.what().starts_with("another run is writing"), "{refused}");
        }
        drop(first);
        Partial::resume(&path).unwrap();
    }

    #[test]
    fn what_took_its_hidden_name_does_not_get_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let partial = Partial::resume(&path).unwrap();
        let hidden = hidden(&path).unwrap();
        fs::remove_file(&hidden).unwrap();
        fs::write(&hidden, "another's").unwrap();
        assert_eq!(partial.finish().unwrap_err().code(), Code::OutputUnwritable);
        assert!(!path.exists());
        assert_eq!(fs::read(&hidden).unwrap(), b"another's");
    }
}
