//! Standard output: data only, and quiet when its reader leaves.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use farhold_contract::Code;

use crate::failure::Failure;

/// Standard output was closed by whoever read it: nothing to report, and no one to report to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("standard output was closed")]
pub(crate) struct ReaderGone;

/// Writes all of it and flushes.
///
/// # Errors
/// `output.unwritable`; that the reader has left, which ends the program without a word.
pub fn write(bytes: &[u8]) -> anyhow::Result<()> {
    write_to(&mut io::stdout().lock(), bytes)
}

/// Writes one JSON value.
///
/// # Errors
/// As [`write()`].
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    write(text.as_bytes())
}

fn write_to(output: &mut impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    output.write_all(bytes).and_then(|()| output.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => ReaderGone.into(),
        _ => Failure::new(Code::OutputUnwritable, "standard output can't be written")
            .because(error)
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_left_is_no_failure_and_a_full_disk_is_one() {
        let left = write_to(&mut Broken(ErrorKind::BrokenPipe), b"data").unwrap_err();
        assert!(left.is::<ReaderGone>());
        let full = write_to(&mut Broken(ErrorKind::StorageFull), b"data").unwrap_err();
        assert_eq!(full.downcast::<Failure>().unwrap().code(), Code::OutputUnwritable);
    }
}
