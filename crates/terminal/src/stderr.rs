//! Standard error: what people are told beside the data.

use std::io::{self, Write};

/// Writes all of it, if it can be written: closed or on a full disk, it must end no verb that has
/// done its work, and nobody is left to be told.
pub fn write(text: impl AsRef<str>) {
    write_to(&mut io::stderr().lock(), text.as_ref());
}

fn write_to(output: &mut impl Write, text: &str) {
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_cannot_be_written_is_lost_and_ends_nothing() {
        write_to(&mut Full, "Wrote 3 bytes.\n");
        let mut whole = Vec::new();
        write_to(&mut whole, "Wrote 3 bytes.\n");
        assert_eq!(whole, b"Wrote 3 bytes.\n");
    }
}
