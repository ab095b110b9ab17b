//! A bundle as bytes: JSON Lines, one envelope a line.

use farhold_contract::Code;

use crate::{error::RefusalReason, limits::LIMITS};

/// The lines of a bundle, each without its line feed (`bundle.md` §1.9).
///
/// # Errors
/// `bundle.too_large` before anything is read; `bundle.malformed` for an empty file, an empty
/// line, or a last line without its line feed: a truncated file is seen.
pub(crate) fn split(bundle: &[u8]) -> Result<Vec<&[u8]>, RefusalReason> {
    let too_large = |detail: String| RefusalReason::rule(Code::BundleTooLarge, detail);
    if bundle.len() > LIMITS.bundle_bytes {
        return Err(too_large(format!(
            "{} bytes; at most {} are read",
            bundle.len(),
            LIMITS.bundle_bytes
        )));
    }
    let malformed = |detail: &str| RefusalReason::rule(Code::BundleMalformed, detail);
    if bundle.is_empty() {
        return Err(malformed("the file is empty"));
    }
    let body = bundle
        .strip_suffix(b"\n")
        .ok_or_else(|| malformed("the last line has no line feed: the file may be truncated"))?;
    let lines: Vec<&[u8]> =
        body.split(|&byte| byte == b'\n').take(LIMITS.bundle_lines + 1).collect();
    if lines.len() > LIMITS.bundle_lines {
        return Err(too_large(format!("more than {} lines", LIMITS.bundle_lines)));
    }
    if lines.iter().any(|line| line.is_empty()) {
        return Err(malformed("a line is empty"));
    }
    Ok(lines)
}
