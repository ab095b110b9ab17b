//! Diff: two licenses, bundles or templates side by side, and what the new one takes away.

mod loss;
mod side;
mod trust_change;

use std::collections::BTreeSet;

use farhold_bundle::{LineKey, Positive, payload::Revocations};
use farhold_contract::id::LicenseId;
use farhold_policy::{ContentChange, TermChange};

pub use loss::Loss;
pub use side::{Held, Side};
pub use trust_change::{RoleChange, TrustChange};

/// How the new side differs from the old one.
#[derive(Debug)]
pub struct Difference {
    /// Lines of licenses that differ, by tenant and product.
    pub lines: Vec<LineDifference>,
    /// How the newest roots differ; absent: they don't, or a side has none.
    pub trust: Option<TrustChange>,
    /// How the revocations differ; absent: they don't, or the new side has none.
    pub revocations: Option<RevocationChange>,
    /// What worked by the old side and would not by the new one.
    pub losses: Vec<Loss>,
}

/// One line of licenses: the highest serials of both sides.
#[derive(Debug)]
pub struct LineDifference {
    /// The line.
    pub line: LineKey,
    /// What the old side has; absent: nothing of this line.
    pub before: Option<Shown>,
    /// What the new side has; absent: nothing, and a site goes on with what it has.
    pub after: Option<Shown>,
    /// How they differ.
    pub content: ContentChange,
}

/// A license by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The contract.
    pub license_id: LicenseId,
    /// The serial; a template has none.
    pub serial: Option<Positive>,
}

/// How one list of revocations differs from another.
#[derive(Debug)]
pub struct RevocationChange {
    /// The old generation.
    pub before: Option<Positive>,
    /// The new one.
    pub after: Positive,
    /// Licenses that are revoked now and were not.
    pub licenses: Vec<LicenseId>,
    /// Bounds that are new, each as it is said to people.
    pub serials_below: Vec<String>,
}

/// What a template does not say: the tool fills it in when it is issued.
const UNSAID: [&str; 3] = ["serial", "issuer", "issued_at"];

/// Compares two sides.
pub fn diff(old: &Side, new: &Side) -> Difference {
    let keys: BTreeSet<LineKey> = old.lines().chain(new.lines()).collect();
    let lines = keys.into_iter().filter_map(|line| {
        let (before, after) = (old.newest(&line), new.newest(&line));
        let mut content = ContentChange::between(
            before.map(|held| &held.license),
            after.map(|held| &held.license),
        );
        if before.into_iter().chain(after).any(|held| !held.is_signed()) {
            let is_said = |term: &TermChange| !UNSAID.contains(&term.name.as_str());
            content.terms.retain(is_said);
        }
        let (before, after) = (before.map(Held::shown), after.map(Held::shown));
        let differs = before != after || !content.is_empty();
        differs.then_some(LineDifference { line, before, after, content })
    });
    Difference {
        lines: lines.collect(),
        trust: TrustChange::between(old.newest_root(), new.newest_root()),
        revocations: new
            .revocations
            .as_ref()
            .and_then(|after| revocation_change(old.revocations.as_ref(), after)),
        losses: loss::losses(old, new),
    }
}

impl Difference {
    /// Whether both sides say the same.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
            && self.trust.is_none()
            && self.revocations.is_none()
            && self.losses.is_empty()
    }
}

fn revocation_change(
    before: Option<&Revocations>,
    after: &Revocations,
) -> Option<RevocationChange> {
    let was = |id: &LicenseId| before.is_some_and(|before| before.licenses.contains(id));
    let bounds = after
        .serials_below
        .iter()
        .filter(|bound| before.is_none_or(|before| !before.serials_below.contains(bound)));
    let change = RevocationChange {
        before: before.map(|before| before.generation),
        after: after.generation,
        licenses: after.licenses.iter().filter(|id| !was(id)).copied().collect(),
        serials_below: bounds
            .map(|bound| {
                format!("{} of {} below serial {}", bound.product, bound.tenant_id, bound.serial)
            })
            .collect(),
    };
    (change.before != Some(change.after)).then_some(change)
}
