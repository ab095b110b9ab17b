//! Export: reading an audit export line by line, whatever its size.

use std::io::{self, BufRead, Read};

use farhold_audit::{ExportError, ExportSummary, ExportVerifier};
use farhold_bundle::PublicKey;
use farhold_contract::Code;

use crate::refusal::Refusal;

/// Verifies a whole export: by the device key expected, or by the one that it names itself.
///
/// # Errors
/// `input.unreadable`, `signature.*`, `chain.broken`, `audit.gap`, `envelope.malformed`.
pub fn verify_export(
    mut export: impl BufRead,
    device_key: Option<&PublicKey>,
) -> Result<ExportSummary, Refusal> {
    let mut line = Vec::new();
    next_line(&mut export, farhold_bundle::LIMITS.envelope_bytes + 1, &mut line)?;
    if line.is_empty() {
        return Err(Refusal::new(Code::EnvelopeMalformed, "the export is empty"));
    }
    let mut verifier = ExportVerifier::open(&line, device_key).map_err(of_another)?;
    while next_line(&mut export, farhold_audit::LIMITS.line_bytes, &mut line)? {
        verifier.record(&line).map_err(refuse)?;
    }
    verifier.finish().map_err(refuse)
}

/// Reads the next line with its line feed, or what there is of it within `limit` and one byte.
///
/// # Errors
/// `input.unreadable`.
pub fn next_line(
    from: &mut impl BufRead,
    limit: usize,
    line: &mut Vec<u8>,
) -> Result<bool, Refusal> {
    line.clear();
    let read = from.by_ref().take(limit as u64 + 1).read_until(b'\n', line);
    read.map(|bytes| bytes > 0).map_err(|error: io::Error| {
        Refusal::new(Code::InputUnreadable, format!("the file can't be read: {error}"))
    })
}

/// The only key that an export is held against is its agent's.
fn of_another(error: ExportError) -> Refusal {
    let refusal = refuse(error);
    match refusal.code() {
        Code::SignatureKeyUnknown => refusal.with_next(
            "The export is of another machine than --device-key says: compare its device key with \
             the site.",
        ),
        _ => refusal,
    }
}

fn refuse(error: ExportError) -> Refusal {
    Refusal::from_error(error.code(), &error)
}
