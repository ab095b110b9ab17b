//! Input files: read whole, within a limit.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use farhold_contract::Code;

use crate::failure::Failure;

/// Reads a file, or standard input for `-`, of at most `most_bytes`.
///
/// # Errors
/// `input.unreadable`, or `too_large`.
pub fn read(path: &Path, most_bytes: usize, too_large: Code) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        take(io::stdin().lock(), most_bytes, &mut bytes)
    } else {
        File::open(path).and_then(|file| take(file, most_bytes, &mut bytes))
    };
    read.map_err(|error| {
        let what = format!("{} can't be read", path.display());
        Failure::new(Code::InputUnreadable, what).because(error)
    })?;
    if bytes.len() > most_bytes {
        let what = format!("{} has more than {most_bytes} bytes", path.display());
        return Err(Failure::new(too_large, what));
    }
    Ok(bytes)
}

/// One byte more than there may be tells a file at the limit from one beyond it.
fn take(reader: impl Read, most_bytes: usize, into: &mut Vec<u8>) -> io::Result<usize> {
    reader.take(most_bytes as u64 + 1).read_to_end(into)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_at_the_limit_is_read_and_one_beyond_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle");
        fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4, Code::BundleTooLarge).unwrap(), b"four");
        let beyond = read(&path, 3, Code::BundleTooLarge).unwrap_err();
        assert_eq!(beyond.code(), Code::BundleTooLarge);
        assert!(beyond.to_string().ends_with("bundle has more than 3 bytes"));
        let missing = read(&folder.path().join("none"), 3, Code::BundleTooLarge).unwrap_err();
        assert_eq!(missing.code(), Code::InputUnreadable);
    }
}
