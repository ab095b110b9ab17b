//! Revocations: which licenses no longer hold.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Timestamp,
    id::{IssuerId, LicenseId, TenantId},
};

use super::{DocumentType, License, Payload, check_name};
use crate::{critical::Critical, error::PayloadError, number::Positive};

/// The whole list in one generation; a higher generation replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocations {
    /// Whose licenses.
    pub issuer: IssuerId,
    /// Counts up by any step.
    pub generation: Positive,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Licenses that no longer hold, in any serial.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<LicenseId>,
    /// Lines of which the lower serials no longer hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serials_below: Vec<SerialsBelow>,
    /// What a reader must know to take the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<Critical>,
}

/// One line of which the serials below a bound no longer hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SerialsBelow {
    /// The line's organization.
    pub tenant_id: TenantId,
    /// The line's product.
    pub product: String,
    /// The first serial that holds.
    pub serial: Positive,
}

impl Revocations {
    /// Whether the list takes `license` out of force.
    pub fn revokes(&self, license: &License) -> bool {
        self.licenses.contains(&license.license_id)
            || self.serials_below.iter().any(|below| {
                below.tenant_id == license.tenant.tenant_id
                    && below.product == license.product
                    && license.serial < below.serial
            })
    }
}

impl Payload for Revocations {
    const TYPE: DocumentType = DocumentType::Revocations;

    fn check(&self) -> Result<(), PayloadError> {
        let mut licenses = BTreeSet::new();
        if !self.licenses.iter().all(|id| licenses.insert(id)) {
            return Err(PayloadError::invalid("licenses", "lists a license twice"));
        }
        let mut lines = BTreeSet::new();
        for below in &self.serials_below {
            check_name("serials_below.product", &below.product)?;
            if !lines.insert((below.tenant_id, below.product.as_str())) {
                return Err(PayloadError::invalid("serials_below", "lists a line twice"));
            }
        }
        Ok(())
    }
}
