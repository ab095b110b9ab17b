//! Page: how much of a listing one answer carries, and where the next one begins.

use farhold_api::Refusal;
use farhold_contract::Code;

/// Rows an answer carries where the caller does not say.
const USUAL: usize = 100;
/// Most rows one answer carries.
const MOST: usize = 1_000;

/// How many rows are asked for.
///
/// # Errors
/// `usage.invalid` for none, or for more than one answer carries.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    match asked.unwrap_or(USUAL) {
        limit @ 1..=MOST => Ok(limit),
        _ => Err(Refusal::new(Code::UsageInvalid, format!("limit must be 1 to {MOST}"))),
    }
}

/// Where the next page begins: after the last row of a full one.
pub(super) fn next<R, K: ToString>(
    rows: &[R],
    limit: usize,
    key: impl FnOnce(&R) -> K,
) -> Option<String> {
    rows.last().filter(|_| rows.len() >= limit).map(|last| key(last).to_string())
}
