//! Length: of a license as a line, before anyone signs it.

use std::io::{self, Write};

use farhold_bundle::{LIMITS, payload::License};

/// What a line has beside its payload, at most: braces, names and the payload type, and the digits
/// of a serial that is not known yet.
const AROUND_BYTES: usize = 256;

/// What each signature adds, at most.
const SIGNATURE_BYTES: usize = 192;

/// By how many bytes of payload a license is too long to be read once so many keys have signed it.
pub(super) fn excess(license: &License, keys: usize) -> Option<usize> {
    let room = LIMITS.envelope_bytes.saturating_sub(AROUND_BYTES + keys * SIGNATURE_BYTES);
    // Base64: four bytes of a line for three of the payload.
    let most = room / 4 * 3;
    let mut counted = Counted(0);
    // What can't be written at all is refused where it is drafted.
    serde_json::to_writer(&mut counted, license).ok()?;
    counted.0.checked_sub(most).filter(|excess| *excess > 0)
}

/// Counts what is written.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
