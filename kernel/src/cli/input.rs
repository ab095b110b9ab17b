//! Input files: read whole, within a limit.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use farhold_contract::Code;

use super::failure::Failure;

/// Reads a file, or standard input for `-`, of at most `most` bytes.
///
/// # Errors
/// `input.unreadable`, or `too_large`.
pub(super) fn read_input(path: &Path, most: usize, too_large: Code) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        take(io::stdin().lock(), most, &mut bytes)
    } else {
        File::open(path).and_then(|file| take(file, most, &mut bytes))
    };
    read.map_err(|error| {
        let what = format!("{} can't be read", path.display());
        Failure::new(Code::InputUnreadable, what).because(error)
    })?;
    if bytes.len() > most {
        let what = format!("{} has more than {most} bytes", path.display());
        return Err(Failure::new(too_large, what));
    }
    Ok(bytes)
}

fn take(reader: impl Read, most: usize, into: &mut Vec<u8>) -> io::Result<usize> {
    reader.take(most as u64 + 1).read_to_end(into)
}
