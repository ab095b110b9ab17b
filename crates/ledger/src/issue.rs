//! Issue: a license as the ledger keeps it.

use farhold_bundle::{KeyId, LineKey, Positive, Whole, payload::License};
use farhold_contract::{
    Date, Sha256Digest, Timestamp,
    id::{LicenseId, TenantId},
};

use crate::bound::Bound;

/// One signing of a license in one serial.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// The contract.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: Positive,
    /// The serial of the same contract that it follows; absent for the first.
    pub replaces: Option<Positive>,
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// Whom it was issued to, for people.
    pub issued_to: String,
    /// When it was issued, as the license says.
    pub issued_at: Timestamp,
    /// When it begins.
    pub not_before: Timestamp,
    /// Its last day, where it has one.
    pub expires_on: Option<Date>,
    /// When the last rung after its end is over; absent where it never stops.
    pub stops_at: Option<Timestamp>,
    /// Which machine it is for; absent where the license says nothing.
    pub bound: Option<Bound>,
    /// SHA-256 of its payload.
    pub sha256: Sha256Digest,
    /// The keys that signed it.
    pub keys: Vec<KeyId>,
    /// How often in a year its template lets it be moved, where it says so.
    pub rehosts_per_year: Option<Whole>,
    /// Why, where someone had to say why.
    pub reason: Option<String>,
}

impl Issue {
    /// What the ledger keeps of a license; the payload's hash and the signers are the caller's
    /// to know.
    pub fn of(license: &License, sha256: Sha256Digest, keys: Vec<KeyId>) -> Self {
        Self {
            license_id: license.license_id,
            serial: license.serial,
            replaces: None,
            tenant_id: license.tenant.tenant_id,
            product: license.product.clone(),
            issued_to: license.issued_to.clone(),
            issued_at: license.issued_at,
            not_before: license.not_before,
            expires_on: license.expires_on,
            stops_at: license.stop(),
            bound: license.binding.as_ref().map(Bound::of),
            sha256,
            keys,
            rehosts_per_year: None,
            reason: None,
        }
    }

    /// The line of licenses that its serial counts in.
    pub fn line(&self) -> LineKey {
        LineKey { tenant_id: self.tenant_id, product: self.product.clone() }
    }
}
