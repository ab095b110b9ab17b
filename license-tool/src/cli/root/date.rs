//! The date of a next root: what nobody drafts, and nobody signs.

use farhold_bundle::{Positive, TrustRoot, payload::Root};
use farhold_contract::Timestamp;

use crate::{cli::clock, refusal::Refusal};

/// Refuses a root that is dated far ahead of this machine's clock, or before the root that it
/// follows.
///
/// Sites take a root's date for a time that has been (`bundle.md` §5): one that is years ahead ends
/// every license that ends before it, at every site, for ever. A root before that is itself dated
/// far ahead is no bound: the next one could have no date at all.
///
/// # Errors
/// `usage.invalid`.
pub(super) fn require_plausible(next: &Root, before: &TrustRoot) -> Result<(), Refusal> {
    let (version, dated) = (next.version, next.issued_at);
    require_not_ahead(version, dated)?;
    let followed = before.root().issued_at;
    if dated < followed && !clock::is_far_ahead(followed) {
        let what = format!(
            "root {version} is dated {dated}, before the root that it follows ({followed})"
        );
        return Err(Refusal::usage(
            what,
            "Correct this machine's clock if it is wrong, and draft the root again.",
        ));
    }
    Ok(())
}

/// Refuses a root that is dated far ahead of this machine's clock.
///
/// # Errors
/// `usage.invalid`.
pub(super) fn require_not_ahead(version: Positive, dated: Timestamp) -> Result<(), Refusal> {
    if !clock::is_far_ahead(dated) {
        return Ok(());
    }
    let what = format!(
        "root {version} is dated {dated}, and the clock of this machine says {}: every license \
         that ends before its date would be over at every site",
        clock::now()
    );
    let next =
        "Correct this machine's clock if it is wrong; else make the root again, without --at.";
    Err(Refusal::usage(what, next))
}
