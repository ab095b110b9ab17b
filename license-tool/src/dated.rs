//! Dated: documents from the future, by the clock of whoever looks.

use std::time::Duration;

use farhold_bundle::Standing;
use farhold_contract::Timestamp;

/// The tolerance of every rule about clocks (`bundle.md` §5).
pub const FAR: Duration = farhold_ledger::LIMITS.clocks_apart;

/// Whether a time lies farther ahead of `now` than the rules about clocks allow.
pub fn is_far_ahead(time: Timestamp, now: Timestamp) -> bool {
    time.saturating_since(now) > FAR
}

/// What should be known of a document, `what`, that is dated far ahead of this machine's clock.
pub fn ahead(what: &str, dated: Timestamp, now: Timestamp) -> Option<String> {
    is_far_ahead(dated, now).then(|| {
        format!(
            "{what} is dated {dated}, and the clock of this machine says {now}: a site that takes \
             it goes back behind that date no more, and what ends before is over there"
        )
    })
}

/// The same of every document that stands, by its type and number.
pub fn ahead_in(standing: &Standing, now: Timestamp) -> Vec<String> {
    let roots = standing.roots().iter().map(|root| root.root().content());
    let roots = roots.map(|root| (format!("root {}", root.version), root.issued_at));
    let revocations = standing
        .revocations()
        .map(|list| (format!("revocations generation {}", list.generation), list.issued_at));
    let licenses = standing.licenses().iter().map(|license| {
        (format!("license {} serial {}", license.license_id, license.serial), license.issued_at)
    });
    let documents = roots.chain(revocations).chain(licenses);
    documents.filter_map(|(what, dated)| ahead(&what, dated, now)).collect()
}
