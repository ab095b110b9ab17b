//! Shelf: where the licenses of a table are put, so that a name only ever stands for a whole one.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use farhold_bundle::LIMITS;
use farhold_contract::Code;

use crate::{export::next_line, file, refusal::Refusal, template::Stamp};

/// Where licenses are put.
#[derive(Debug)]
pub enum Shelf {
    /// Each in a file of its own, in a folder.
    Folder(Folder),
    /// One a line, in one file, in the order of the table.
    Lines(Lines),
}

/// A folder of licenses.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The names that were there at the beginning.
    taken: HashSet<OsString>,
    /// Written under another name, and not yet durable.
    unnamed: Vec<String>,
}

/// One file of licenses.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    partial: PathBuf,
    file: File,
}

/// What the file of a license is called.
pub fn file_name(stamp: Stamp) -> String {
    format!("{}.{}.json", stamp.license_id, stamp.serial)
}

impl Shelf {
    /// A folder, made if it is not there.
    ///
    /// # Errors
    /// `output.unwritable`.
    pub fn folder(path: &Path) -> Result<Self, Refusal> {
        let refuse = |error: io::Error| unwritable(path, &error);
        if !path.is_dir() {
            fs::create_dir_all(path).map_err(refuse)?;
        }
        let mut taken = HashSet::new();
        for entry in fs::read_dir(path).map_err(refuse)? {
            taken.insert(entry.map_err(refuse)?.file_name());
        }
        Ok(Self::Folder(Folder { path: path.to_owned(), taken, unnamed: Vec::new() }))
    }

    /// A file that gets its name when it is whole; until then it stands beside, hidden.
    ///
    /// # Errors
    /// `output.unwritable`.
    pub fn lines(path: &Path) -> Result<Self, Refusal> {
        let partial = hidden(path)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&partial)
            .map_err(|error| unwritable(&partial, &error))?;
        Ok(Self::Lines(Lines { path: path.to_owned(), partial, file }))
    }

    /// Whether something has the name of a license already.
    pub(super) fn has(&self, stamp: Stamp) -> Option<PathBuf> {
        let Self::Folder(folder) = self else { return None };
        let name = file_name(stamp);
        folder.taken.contains(std::ffi::OsStr::new(&name)).then(|| folder.path.join(name))
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
        let refuse = |error: io::Error| unwritable(&lines.partial, &error);
        let file = &mut lines.file;
        file.seek(SeekFrom::Start(0)).map_err(refuse)?;
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
        file.set_len(bytes).map_err(refuse)?;
        file.seek(SeekFrom::Start(bytes)).map_err(refuse)?;
        Ok(kept)
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
                    let path = folder.path.join(format!(".{name}.partial"));
                    File::create(&path)
                        .and_then(|mut file| file.write_all(&lines[begin..end]))
                        .map_err(|error| unwritable(&path, &error))?;
                    folder.unnamed.push(name);
                    begin = end;
                }
                Ok(())
            }
            Self::Lines(file) => {
                file.file.write_all(lines).map_err(|error| unwritable(&file.partial, &error))
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
            Self::Lines(lines) => {
                let synced = lines.file.sync_data();
                return synced.map_err(|error| unwritable(&lines.partial, &error));
            }
        };
        if folder.unnamed.is_empty() {
            return Ok(());
        }
        let refuse = |error: io::Error| unwritable(&folder.path, &error);
        file::sync_all_in(
            &folder.path,
            folder.unnamed.iter().map(|name| format!(".{name}.partial")),
        )
        .map_err(refuse)?;
        for name in folder.unnamed.drain(..) {
            let path = folder.path.join(&name);
            file::rename_new(&folder.path.join(format!(".{name}.partial")), &path)?;
        }
        file::sync_folder(&folder.path).map_err(refuse)
    }

    /// Gives one file of all its name.
    ///
    /// # Errors
    /// `output.exists`, `output.unwritable`.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        self.settle()?;
        let Self::Lines(lines) = self else { return Ok(()) };
        let refuse = |error: io::Error| unwritable(&lines.partial, &error);
        lines.file.sync_all().map_err(refuse)?;
        file::rename_new(&lines.partial, &lines.path)?;
        file::sync_folder_of(&lines.path).map_err(|error| unwritable(&lines.path, &error))
    }
}

/// The name under which a file is written until it is whole.
fn hidden(path: &Path) -> Result<PathBuf, Refusal> {
    let name = path.file_name().ok_or_else(|| {
        Refusal::usage(format!("{} names no file", path.display()), "Give a file for --out-jsonl.")
    })?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".partial");
    Ok(path.with_file_name(hidden))
}

fn unwritable(path: &Path, error: &io::Error) -> Refusal {
    Refusal::new(Code::OutputUnwritable, format!("{} can't be written: {error}", path.display()))
}
