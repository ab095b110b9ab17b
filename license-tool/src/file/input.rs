//! Input: files are read within a limit.

use std::{
    fs::{self, File},
    io::{self, Read, Seek},
    path::Path,
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

/// Whether a regular file lies there that holds `bytes` and no more.
pub(crate) fn holds(path: &Path, bytes: &[u8]) -> bool {
    read_regular(path, bytes.len()).is_ok_and(|held| held == bytes)
}

/// Reads at most `limit` bytes and one more of a regular file; anything else is refused unread.
///
/// # Errors
/// What the system says; [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub(crate) fn read_regular(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a regular file to read; a pipe would wait for its writer.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let require = |metadata: fs::Metadata| match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::from(io::ErrorKind::InvalidInput)),
    };
    require(fs::metadata(path)?)?;
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits() as i32,
    );
    let file = options.open(path)?;
    // The name may have changed hands in between.
    require(file.metadata()?)?;
    Ok(file)
}

/// Whether a private key is in a file: told by what it holds, whoever's key it is.
pub(super) fn has_key(mut file: &File) -> bool {
    /// Keys in PEM are some hundred bytes; one may stand behind other text.
    const LOOKED_AT_BYTES: u64 = 64 * 1024;
    const MARK: &[u8] = b"PRIVATE KEY-----";
    let mut head = Zeroizing::new(Vec::with_capacity(LOOKED_AT_BYTES as usize));
    let read = file.take(LOOKED_AT_BYTES).read_to_end(&mut head).and_then(|_| file.rewind());
    read.is_ok() && head.windows(MARK.len()).any(|window| window == MARK)
}
