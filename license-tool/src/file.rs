//! Files: read within a limit, written once.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use farhold_bundle::LIMITS;
use farhold_contract::Code;

use crate::refusal::Refusal;

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// `input.unreadable`, also for a file beyond the limit.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Refusal> {
    let unreadable = |why: String| {
        Refusal::new(Code::InputUnreadable, format!("{} can't be read: {why}", path.display()))
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() > limit {
        return Err(unreadable(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Reads a file that holds one envelope and its line feed.
///
/// # Errors
/// `input.unreadable`; `bundle.malformed` for several lines.
pub fn read_line(path: &Path) -> Result<Vec<u8>, Refusal> {
    let mut line = read(path, LIMITS.envelope_bytes + 1)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if line.contains(&b'\n') {
        let what = format!("{} has several lines; one document is needed", path.display());
        return Err(Refusal::new(Code::BundleMalformed, what)
            .with_next("Give the file of one document; inspect shows what this one holds."));
    }
    Ok(line)
}

/// Writes a new file and makes it durable; what exists is never overwritten, and the name only
/// ever stands for the whole.
///
/// # Errors
/// `output.exists`, `output.unwritable`.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let refuse = |error: io::Error| unwritable(path, &error);
    let name = path.file_name().ok_or_else(|| refuse(io::ErrorKind::InvalidFilename.into()))?;
    // Two processes that write the same file don't write into each other's.
    let partial = format!(".{}.{}.partial", name.to_string_lossy(), std::process::id());
    let partial = path.with_file_name(partial);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&partial)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(refuse)
        .and_then(|()| rename_new(&partial, path));
    if written.is_err() {
        let _ = fs::remove_file(&partial); // a torn document helps nobody
    }
    written.and_then(|()| sync_folder_of(path).map_err(refuse))
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
    if to.symlink_metadata().is_ok() {
        return Err(exists(to));
    }
    fs::rename(from, to).map_err(|error| unwritable(to, &error))
}

/// Makes files of a folder durable, all at once where the system can.
pub(crate) fn sync_all_in(folder: &Path, names: impl Iterator<Item = String>) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        drop(names);
        Ok(rustix::fs::syncfs(File::open(folder)?)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let mut names = names;
        names.try_for_each(|name| File::open(folder.join(name))?.sync_all())
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
    if is_key(output) {
        let what = format!("the output {} is a private key", output.display());
        return Err(Refusal::new(Code::OutputIsKey, what));
    }
    let place = place_of(output);
    if let Some(input) = inputs.into_iter().find(|input| place_of(input) == place) {
        return Err(Refusal::usage(
            format!("the output {} is the input {}", output.display(), input.display()),
            "Choose another path for the output.",
        ));
    }
    if output.symlink_metadata().is_ok() {
        return Err(exists(output));
    }
    Ok(())
}

/// Whether a private key lies there: told by what the file holds, whoever's key it is.
fn is_key(path: &Path) -> bool {
    /// Keys in PEM are some hundred bytes; one may stand behind other text.
    const LOOKED_AT_BYTES: u64 = 64 * 1024;
    // Only a file is opened: a pipe would wait for its writer.
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut head = Zeroizing::new(Vec::with_capacity(LOOKED_AT_BYTES as usize));
    let read = is_file.then(|| {
        File::open(path).and_then(|file| file.take(LOOKED_AT_BYTES).read_to_end(&mut head))
    });
    const MARK: &[u8] = b"PRIVATE KEY-----";
    matches!(read, Some(Ok(_))) && head.windows(MARK.len()).any(|window| window == MARK)
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

fn unwritable(path: &Path, error: &io::Error) -> Refusal {
    Refusal::new(Code::OutputUnwritable, format!("{} can't be written: {error}", path.display()))
}
