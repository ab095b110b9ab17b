//! Changes: what is otherwise after an import, or at another instant, than before.

mod content;
mod working;

use std::{collections::BTreeSet, sync::Arc};

use farhold_bundle::Positive;
use farhold_contract::{
    Code, Timestamp,
    id::{LicenseId, RuntimeId, TenantId},
    mode::Mode,
};

use crate::{
    clock::Now,
    ladder::Phase,
    line::Line,
    question::{Link, RuntimeFacts},
    standing_license::StandingLicense,
    state::PolicyState,
};

pub use content::{ContentChange, EntitlementChange, EntitlementTerms, FlagChange, TermChange};

/// Documents at an instant: one of the two sides that are compared.
#[derive(Debug, Clone, Copy)]
pub struct PolicyAt<'a> {
    /// The documents.
    pub policy: &'a PolicyState,
    /// The instant. After an import: with the floor that the import leaves.
    pub now: &'a Now,
    /// How fresh the Kernel's word is.
    pub link: Link,
}

/// What is otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Lines in which something is otherwise, by tenant and product.
    pub lines: Vec<LineChange>,
    /// What a registered runtime may use before and may not after.
    pub stops: Vec<FeatureChange>,
    /// What a registered runtime may not use before and may after.
    pub begins: Vec<FeatureChange>,
}

/// One line in which something is otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChange {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: Arc<str>,
    /// What is in force before.
    pub before: LineStanding,
    /// What is in force after.
    pub after: LineStanding,
    /// How the license in force after differs from the one before; absent: the same document.
    pub content: Option<ContentChange>,
    /// Serials that take over later and did not before, in order of time.
    pub later: Vec<LaterChange>,
    /// Licenses that could be in force before and never can after.
    pub lost: Vec<LostLicense>,
}

/// What is in force in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStanding {
    /// A license, in whatever phase.
    InForce {
        /// The contract.
        license_id: LicenseId,
        /// Its serial.
        serial: Positive,
        /// Its phase as a whole.
        phase: Phase,
    },
    /// None, for this reason.
    Nothing(Code),
    /// There is no license of this line at all.
    NoLine,
}

/// A serial that takes over later.
#[derive(Debug, Clone, PartialEq)]
pub struct LaterChange {
    /// The contract.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: Positive,
    /// When it takes over.
    pub at: Timestamp,
    /// The serial in force until then.
    pub instead_of: Option<Positive>,
    /// How it differs from that.
    pub content: ContentChange,
}

/// A license that can no longer be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostLicense {
    /// The contract.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: Positive,
    /// Why.
    pub why: Loss,
}

/// Why a license can no longer be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The revocations name it.
    Revoked,
    /// The site does not admit it any more.
    Barred(Code),
    /// It no longer stands: it fell with its key, or too many newer serials are kept.
    Gone,
}

/// A feature that works for some runtimes on one side only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureChange {
    /// The organization.
    pub tenant_id: TenantId,
    /// The feature.
    pub feature: Arc<str>,
    /// For which runtimes; they may share the list with other features.
    pub runtimes: Arc<[RuntimeId]>,
    /// The answer before, as far as documents give it.
    pub before: Result<Mode, Code>,
    /// The answer after.
    pub after: Result<Mode, Code>,
}

impl Changes {
    /// Compares two sides: the same site before and after an import, or the same documents at two
    /// instants. `runtimes` are the registered ones, for whom it is said what stops and begins.
    ///
    /// What the Kernel took away and what has been used play no part.
    pub fn between(
        before: &PolicyAt<'_>,
        after: &PolicyAt<'_>,
        runtimes: &[(TenantId, RuntimeFacts)],
    ) -> Self {
        let (stops, begins) = working::changes(before, after, runtimes);
        Self { lines: line_changes(before, after), stops, begins }
    }

    /// Whether nothing is otherwise.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.stops.is_empty() && self.begins.is_empty()
    }
}

impl PolicyAt<'_> {
    fn line(&self, tenant_id: TenantId, product: &str) -> Option<&Line> {
        self.policy.lines_of(tenant_id).iter().find(|line| &*line.product == product)
    }

    fn standing(&self, line: Option<&Line>) -> LineStanding {
        let Some(line) = line else { return LineStanding::NoLine };
        match line.in_force(self.now.instant) {
            None => LineStanding::Nothing(line.why_none(self.now.instant)),
            Some(license) => LineStanding::InForce {
                license_id: license.license_id,
                serial: license.serial,
                phase: license.timeline.phase_at(self.now.instant),
            },
        }
    }
}

fn line_changes(before: &PolicyAt<'_>, after: &PolicyAt<'_>) -> Vec<LineChange> {
    let mut keys = BTreeSet::new();
    for (tenant_id, lines) in before.policy.tenants.iter().chain(&after.policy.tenants) {
        keys.extend(lines.iter().map(|line| (*tenant_id, &line.product)));
    }
    keys.into_iter().filter_map(|(id, product)| line_change(before, after, id, product)).collect()
}

fn line_change(
    before: &PolicyAt<'_>,
    after: &PolicyAt<'_>,
    tenant_id: TenantId,
    product: &Arc<str>,
) -> Option<LineChange> {
    let (old_line, new_line) = (before.line(tenant_id, product), after.line(tenant_id, product));
    let old = old_line.and_then(|line| line.in_force(before.now.instant));
    let new = new_line.and_then(|line| line.in_force(after.now.instant));
    let same_document = old.map(|license| license.sha256) == new.map(|license| license.sha256);
    let change = LineChange {
        tenant_id,
        product: product.clone(),
        before: before.standing(old_line),
        after: after.standing(new_line),
        content: (!same_document).then(|| ContentChange::of(old, new)),
        later: later_changes(old_line, before, new_line, after),
        lost: lost(old_line, new_line),
    };
    let differs = change.before != change.after
        || !same_document
        || !change.later.is_empty()
        || !change.lost.is_empty();
    differs.then_some(change)
}

/// The serials that will take over by the new documents, and would not have by the old ones.
fn later_changes(
    old_line: Option<&Line>,
    before: &PolicyAt<'_>,
    new_line: Option<&Line>,
    after: &PolicyAt<'_>,
) -> Vec<LaterChange> {
    let known: BTreeSet<_> = old_line
        .into_iter()
        .flat_map(Line::reigns)
        .filter(|reign| reign.until.is_none_or(|until| until > before.now.instant))
        .map(|reign| reign.license.sha256)
        .collect();
    let mut found = Vec::new();
    let mut instead_of: Option<&StandingLicense> = None;
    for reign in new_line.into_iter().flat_map(Line::reigns) {
        if reign.from > after.now.instant && !known.contains(&reign.license.sha256) {
            found.push(LaterChange {
                license_id: reign.license.license_id,
                serial: reign.license.serial,
                at: reign.from,
                instead_of: instead_of.map(|license| license.serial),
                content: ContentChange::of(instead_of, Some(reign.license)),
            });
        }
        instead_of = Some(reign.license);
    }
    found
}

fn lost(old_line: Option<&Line>, new_line: Option<&Line>) -> Vec<LostLicense> {
    let could_be = old_line.into_iter().flat_map(|line| &line.licenses).filter(|l| l.counts());
    let now_is = |old: &StandingLicense| {
        let licenses = new_line.into_iter().flat_map(|line| &line.licenses);
        licenses.into_iter().find(|new| new.sha256 == old.sha256)
    };
    let loss = |old: &StandingLicense| match now_is(old) {
        None => Some(Loss::Gone),
        Some(new) if new.revoked => Some(Loss::Revoked),
        Some(new) => new.barred.map(Loss::Barred),
    };
    could_be
        .filter_map(|old| {
            let (license_id, serial) = (old.license_id, old.serial);
            loss(old).map(|why| LostLicense { license_id, serial, why })
        })
        .collect()
}
