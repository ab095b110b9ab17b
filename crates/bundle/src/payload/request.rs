//! Request: what an agent asks for, carried by hand.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{LicenseId, TenantId},
};

use super::{DocumentType, Payload, check_hex, check_name};
use crate::{
    error::PayloadError,
    key::PublicKey,
    number::{Positive, Whole},
};

/// What an agent is, has and has used (`bundle.md` §7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The agent's key.
    pub device_key: PublicKey,
    /// Each component's name and the first 8 bytes of its salted hash, as lower-case hex.
    pub fingerprint: BTreeMap<String, String>,
    /// The salt: 16 bytes as lower-case hex.
    pub salt: String,
    /// The organization of the site.
    pub tenant_id: TenantId,
    /// 16 bytes as lower-case hex; an answer that repairs the clock must repeat it.
    pub nonce: String,
    /// The trust root in force, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<RootRef>,
    /// The licenses in force.
    pub licenses: Vec<LicenseRef>,
    /// What has been used of what is counted.
    pub usage: Vec<UsageReport>,
    /// The system clock.
    pub wall: Timestamp,
    /// The agent's own time.
    pub mark: Timestamp,
    /// A license this host gives up with this request, so that it can be bound to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<LicenseId>,
}

/// Which root a site stands at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRef {
    /// Its version.
    pub version: Positive,
    /// SHA-256 of its payload: sites on other roots are seen.
    pub sha256: Sha256Digest,
}

/// Which license a site holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseRef {
    /// The license.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: Positive,
    /// SHA-256 of its payload.
    pub sha256: Sha256Digest,
}

/// What has been used of one feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    /// The license.
    pub license_id: LicenseId,
    /// The feature.
    pub feature: String,
    /// Units used, in the open window or in the license's life.
    pub used: Whole,
}

impl Payload for Request {
    const TYPE: DocumentType = DocumentType::Request;

    fn check(&self) -> Result<(), PayloadError> {
        check_hex("salt", &self.salt, 16)?;
        check_hex("nonce", &self.nonce, 16)?;
        for (name, hash) in &self.fingerprint {
            check_name("fingerprint", name)?;
            check_hex("fingerprint", hash, 8)?;
        }
        let mut licenses = BTreeSet::new();
        if !self.licenses.iter().all(|license| licenses.insert(license.license_id)) {
            return Err(PayloadError::invalid("licenses", "lists a license twice"));
        }
        self.usage.iter().try_for_each(|usage| check_name("usage.feature", &usage.feature))
    }
}
