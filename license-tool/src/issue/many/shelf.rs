//! Shelf: where the licenses of a table are put, so that a name only ever stands for a whole one.

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use farhold_bundle::LIMITS;

use crate::{
    export::next_line,
    file::{self, Partial, unwritable},
    refusal::Refusal,
    template::Stamp,
};

/// Where licenses are put.
#[derive(Debug)]
pub enum Shelf {
    /// Each in a file of its own, in a folder.
    Folder(Folder),
    /// One a line, in one file, in the order of the table.
    Lines(Partial),
}

/// A folder of licenses.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked, so that no two runs put the same license there.
    _lock: Option<File>,
    /// The names that were there at the beginning.
    taken: HashSet<OsString>,
    /// Written under another name, and not yet durable.
    unnamed: Vec<(PathBuf, String)>,
}

/// What the file of a license is called.
pub fn file_name(stamp: Stamp) -> String {
    format!("{}.{}.json", stamp.license_id, stamp.serial)
}

impl Shelf {
    /// A folder, made if it is not there.
    ///
    /// # Errors
    /// `output.unwritable`, also while another run writes there.
    pub fn folder(path: &Path) -> Result<Self, Refusal> {
        let refuse = |error: io::Error| unwritable(path, &error);
        if !path.is_dir() {
            fs::create_dir_all(path).map_err(refuse)?;
        }
        let lock = file::lock_folder(path)?;
        let mut taken = HashSet::new();
        for entry in fs::read_dir(path).map_err(refuse)? {
            taken.insert(entry.map_err(refuse)?.file_name());
        }
        Ok(Self::Folder(Folder { path: path.to_owned(), _lock: lock, taken, unnamed: Vec::new() }))
    }

    /// A file that gets its name when it is whole; until then it stands beside, hidden.
    ///
    /// # Errors
    /// `output.*`; `output.unwritable` also while another run writes it.
    pub fn lines(path: &Path) -> Result<Self, Refusal> {
        Partial::resume(path).map(Self::Lines)
    }

    /// Refuses a place for one file where it could not be written: before anyone types a passphrase.
    ///
    /// # Errors
    /// As [`Shelf::lines`]; `usage.invalid` for an input.
    pub fn require_usable<'a>(
        path: &Path,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<(), Refusal> {
        Partial::require_usable(path, inputs)
    }

    /// Takes away what an interrupted run has left of a license that is not whole.
    ///
    /// # Errors
    /// `output.is_key`, `output.unwritable` for what no run has left.
    pub(super) fn clear(&self, stamp: Stamp) -> Result<(), Refusal> {
        let Self::Folder(folder) = self else { return Ok(()) };
        let hidden = file::hidden(&folder.path.join(file_name(stamp)))?;
        if !hidden.file_name().is_some_and(|name| folder.taken.contains(name)) {
            return Ok(());
        }
        match file::open_left(&hidden)? {
            Some(_) => fs::remove_file(&hidden).map_err(|error| unwritable(&hidden, &error)),
            None => Ok(()),
        }
    }

    /// Whether something has the name of a license already.
    pub(super) fn has(&self, stamp: Stamp) -> Option<PathBuf> {
        let Self::Folder(folder) = self else { return None };
        let name = file_name(stamp);
        folder.taken.contains(OsStr::new(&name)).then(|| folder.path.join(name))
    }

    /// Keeps the lines that an interrupted run has written, as long as `holds` says so of the one
    /// at each place; the rest is cut off. How many were kept.
    ///
    /// # Errors
    /// `input.unreadable`, `output.unwritable`.
    pub(super) fn keep(
        &mut self,
        mut holds: impl FnMut(usize, &[u8]) -> bool,
    ) -> Result<usize, Refusal> {
        let Self::Lines(lines) = self else { return Ok(0) };
        let file = lines.file();
        if let Err(error) = file.rewind() {
            return Err(lines.refuse(&error));
        }
        let (mut kept, mut bytes) = (0, 0);
        let mut reader = BufReader::new(&*file);
        let mut line = Vec::new();
        while next_line(&mut reader, LIMITS.envelope_bytes, &mut line)?
            && let Some(content) = line.strip_suffix(b"\n")
            && holds(kept, content)
        {
            kept += 1;
            bytes += line.len() as u64;
        }
        let cut = file.set_len(bytes).and_then(|()| file.seek(SeekFrom::Start(bytes)));
        cut.map(|_| kept).map_err(|error| lines.refuse(&error))
    }

    /// Puts licenses there: their lines, and of each its stamp and where its line ends.
    ///
    /// # Errors
    /// `output.unwritable`.
    pub(super) fn put(
        &mut self,
        lines: &[u8],
        stamps: impl Iterator<Item = (Stamp, usize)>,
    ) -> Result<(), Refusal> {
        match self {
            Self::Folder(folder) => {
                let mut begin = 0;
                for (stamp, end) in stamps {
                    let name = file_name(stamp);
                    let hidden = file::hidden(&folder.path.join(&name))?;
                    file::create(&hidden)
                        .and_then(|mut file| file.write_all(&lines[begin..end]))
                        .map_err(|error| unwritable(&hidden, &error))?;
                    folder.unnamed.push((hidden, name));
                    begin = end;
                }
                Ok(())
            }
            Self::Lines(file) => {
                let written = file.file().write_all(lines);
                written.map_err(|error| file.refuse(&error))
            }
        }
    }

    /// Makes durable what was put, and gives it its name where each has its own.
    ///
    /// # Errors
    /// `output.exists`, `output.unwritable`.
    pub(super) fn settle(&mut self) -> Result<(), Refusal> {
        let folder = match self {
            Self::Folder(folder) => folder,
            // Signing goes on meanwhile: at the end there is little left to wait for.
            Self::Lines(lines) => return lines.sync(),
        };
        if folder.unnamed.is_empty() {
            return Ok(());
        }
        let refuse = |error: io::Error| unwritable(&folder.path, &error);
        file::sync_all_in(&folder.path, folder.unnamed.iter().map(|(hidden, _)| hidden.as_path()))
            .map_err(refuse)?;
        for (hidden, name) in folder.unnamed.drain(..) {
            file::rename_new(&hidden, &folder.path.join(name))?;
        }
        file::sync_folder(&folder.path).map_err(refuse)
    }

    /// Gives one file of all its name.
    ///
    /// # Errors
    /// `output.exists`, `output.unwritable`.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        self.settle()?;
        match self {
            Self::Folder(_) => Ok(()),
            Self::Lines(lines) => lines.finish(),
        }
    }
}
