//! Files: read within a limit, written once.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

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

/// Writes a new file and makes it durable; what exists is never overwritten.
///
/// # Errors
/// `output.exists`, `output.unwritable`.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let refuse = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Refusal::new(
            Code::OutputUnwritable,
            format!("{} can't be written: {error}", path.display()),
        ),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(refuse)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // A torn document helps nobody, and its name would refuse the next try.
        let _ = fs::remove_file(path);
    }
    written.and_then(|()| sync_folder_of(path)).map_err(refuse)
}

/// Refuses an output that exists, or is one of the inputs: before anyone types a passphrase.
///
/// # Errors
/// `usage.invalid`, `output.exists`.
pub fn require_free<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Refusal> {
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

#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(()) // folders can't be opened for it there
}
