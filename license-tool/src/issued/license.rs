//! One license that was issued: whose it is, when it serves, under which roots it stands.

use std::collections::BTreeSet;

use serde::Serialize;

use farhold_bundle::{KeyId, Positive, TrustRoot, payload::License};
use farhold_contract::{
    Timestamp,
    id::{LicenseId, TenantId},
};
use farhold_policy::{Phase, Timeline};

use super::Source;
use crate::issue;

/// One license as it was issued.
#[derive(Debug, Clone)]
pub struct IssuedLicense {
    /// What it says; for a stand-in, what the ledger says of it and no entitlement of its own.
    pub license: License,
    /// The keys that signed it.
    pub keys: BTreeSet<KeyId>,
    /// Whether the ledger knows it and its file was not given.
    pub is_stand_in: bool,
    /// Where it was read from, if it was.
    pub source: Option<Source>,
}

/// Whose license it is, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Customer {
    /// Its name.
    pub issued_to: String,
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// The contract.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: Positive,
}

/// Of one line, the license that serves at `now` among those that hold: the highest serial that
/// has begun (`bundle.md` §4.3), unless all its rungs are over.
pub fn in_force(
    line: &[IssuedLicense],
    holds: impl Fn(&License) -> bool,
    now: Timestamp,
) -> Option<&IssuedLicense> {
    line.iter()
        .rfind(|issued| issued.license.not_before <= now && holds(&issued.license))
        .filter(|issued| issued.serves(now))
}

impl IssuedLicense {
    /// Whether it serves at a time, taken alone.
    pub fn serves(&self, now: Timestamp) -> bool {
        !matches!(
            Timeline::of_license(&self.license).phase_at(now),
            Phase::NotBegun | Phase::Stopped
        )
    }

    /// Whether it stands at a site that once took it and stands at these roots now, the last one in
    /// force (`bundle.md` §3.4).
    pub fn stands_under(&self, roots: &[TrustRoot]) -> bool {
        issue::stands(&self.keys, roots)
    }

    /// Whether a site at this root would take it anew.
    pub fn is_current_under(&self, root: &TrustRoot) -> bool {
        issue::is_current(&self.keys, root)
    }

    /// Whose it is.
    pub fn customer(&self) -> Customer {
        Customer {
            issued_to: self.license.issued_to.clone(),
            tenant_id: self.license.tenant.tenant_id,
            product: self.license.product.clone(),
            license_id: self.license.license_id,
            serial: self.license.serial,
        }
    }
}
