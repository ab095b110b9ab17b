//! Files: read within a limit, written once.

mod input;
mod left;
mod partial;

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use farhold_contract::Code;

use crate::refusal::Refusal;

use input::{has_key, open_regular};

pub(crate) use input::{holds, read_regular};
pub use input::{read, read_line};
pub(crate) use left::open_left;
pub use partial::Partial;
pub(crate) use partial::{create, hidden, lock_folder};

/// Writes a new file and makes it durable; what exists is never overwritten, and the name only
/// ever stands for the whole.
///
/// # Errors
/// `output.exists`, `output.unwritable`.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let refuse = |error: io::Error| unwritable(path, &error);
    let (partial, mut file) = begin(path).map_err(refuse)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(refuse)
        .and_then(|()| rename_new(&partial, path));
    if written.is_err() {
        let _ = fs::remove_file(&partial); // a torn document helps nobody
    }
    written.and_then(|()| sync_folder_of(path).map_err(refuse))
}

/// Begins a file under a hidden name that nothing has.
fn begin(path: &Path) -> io::Result<(PathBuf, File)> {
    /// More than one of the same process number were killed.
    const TRIES: u32 = 64;
    for number in 0..TRIES {
        let hidden = unfinished(path, number)?;
        match create(&hidden) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (hidden, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Gives a file its name; what has it already keeps it.
///
/// # Errors
/// `output.exists`, `output.unwritable`.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<(), Refusal> {
    #[cfg(target_os = "linux")]
    {
        use rustix::{
            fs::{CWD, RenameFlags, renameat_with},
            io::Errno,
        };
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(Errno::EXIST) => return Err(exists(to)),
            // Some file systems don't know how to keep what is there.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(unwritable(to, &error.into())),
        }
    }
    // A link never replaces.
    match fs::hard_link(from, to) {
        Ok(()) => return fs::remove_file(from).map_err(|error| unwritable(from, &error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(to)),
        Err(_) => {} // and some know no links
    }
    if to.symlink_metadata().is_ok() {
        return Err(exists(to));
    }
    fs::rename(from, to).map_err(|error| unwritable(to, &error))
}

/// Makes files of a folder durable, all at once where the system can.
pub(crate) fn sync_all_in<'a>(
    folder: &Path,
    files: impl Iterator<Item = &'a Path>,
) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        drop(files);
        Ok(rustix::fs::syncfs(File::open(folder)?)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        let mut files = files;
        files.try_for_each(|file| File::open(file)?.sync_all())
    }
}

/// Refuses an output that is a private key, is one of the inputs, or exists: before anyone types
/// a passphrase.
///
/// # Errors
/// `output.is_key`, `usage.invalid`, `output.exists`.
pub fn require_free<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Refusal> {
    require_harmless(output, inputs)?;
    if output.symlink_metadata().is_ok() {
        return Err(exists(output));
    }
    require_place(output).map_err(|error| unwritable(output, &error))
}

/// Whether two paths lead to one place, also if nothing is there yet.
pub(crate) fn is_same_place(one: &Path, other: &Path) -> bool {
    place_of(one) == place_of(other)
}

/// Finds out what would keep a file from being written there, as far as that can be told before:
/// its folder is missing or not to be written to, or its name is too long.
fn require_place(output: &Path) -> io::Result<()> {
    let folder = folder_of(output);
    if !fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    #[cfg(unix)]
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    match unfinished(output, 0)?.symlink_metadata() {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What a new file is called until it is whole: two processes that write the same one don't write
/// into each other's.
fn unfinished(path: &Path, number: u32) -> io::Result<PathBuf> {
    let mut hidden = OsString::from(".");
    hidden.push(path.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
    hidden.push(format!(".{}-{number}.partial", std::process::id()));
    Ok(path.with_file_name(hidden))
}

/// Refuses an output that is a private key, or one of the inputs.
fn require_harmless<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Refusal> {
    if open_regular(output).is_ok_and(|file| has_key(&file)) {
        return Err(refuse_key(output));
    }
    let place = place_of(output);
    match inputs.into_iter().find(|input| place_of(input) == place) {
        Some(input) => Err(Refusal::usage(
            format!("the output {} is the input {}", output.display(), input.display()),
            "Choose another path for the output.",
        )),
        None => Ok(()),
    }
}

fn refuse_key(output: &Path) -> Refusal {
    let what = format!("the output {} is a private key", output.display());
    Refusal::new(Code::OutputIsKey, what)
}

fn exists(path: &Path) -> Refusal {
    let what = format!("{} exists already and is never overwritten", path.display());
    Refusal::new(Code::OutputExists, what)
}

/// Where a path leads, also if nothing is there yet.
fn place_of(path: &Path) -> PathBuf {
    if let Ok(place) = path.canonicalize() {
        return place;
    }
    match (folder_of(path).canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes the name of a file durable.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    sync_folder(folder_of(path))
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes the names in a folder durable.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(()) // folders can't be opened for it there
}

/// The system doesn't let it be written.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Refusal {
    Refusal::new(Code::OutputUnwritable, format!("{} can't be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_names_that_are_taken_are_neither_written_into_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let taken =
            |number| folder.path().join(format!(".out.{}-{number}.partial", std::process::id()));
        fs::write(taken(0), "precious").unwrap();
        write_new(&path, b"one").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        fs::remove_file(&path).unwrap();
        for number in 1..64 {
            fs::hard_link(taken(0), taken(number)).unwrap();
        }
        assert_eq!(write_new(&path, b"two").unwrap_err().code(), Code::OutputUnwritable);
        assert!((0..64).all(|number| fs::read(taken(number)).unwrap() == b"precious"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 64);
    }
}
