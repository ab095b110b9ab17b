//! Numbers on the command line.

use farhold_bundle::Positive;

/// Reads a number from 1 to 2^53 − 1.
pub(crate) fn positive(text: &str) -> Result<Positive, String> {
    text.parse()
        .ok()
        .and_then(Positive::new)
        .ok_or_else(|| "not a whole number from 1 to 9007199254740991".to_owned())
}
