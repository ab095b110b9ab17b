//! `POST /admin/request`: what the site asks of its vendor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use farhold_bundle::PublicKey;
use farhold_contract::{
    Timestamp,
    id::{LicenseId, TenantId},
};

/// What to ask for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RequestQuestion {
    /// A license to give up with it.
    #[serde(
        default,
        deserialize_with = "farhold_api::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub release: Option<LicenseId>,
}

/// A request, signed; the one before it is answered no more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestAnswer {
    /// The organization that asks.
    pub tenant_id: TenantId,
    /// The agent's key.
    pub device_key: PublicKey,
    /// The document's line, without a line feed.
    pub envelope: String,
    /// The same in typed form; absent where it is too large for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed_form: Option<String>,
    /// Names of the components it carries.
    pub components: Vec<String>,
    /// Those of them that can't be read now, each with since when: what was read last stands in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remembered: BTreeMap<String, Timestamp>,
    /// The licenses in force.
    pub licenses: Vec<LicenseId>,
    /// What this site has given up with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<ReleasedAnswer>,
}

/// A license given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleasedAnswer {
    /// The license.
    pub license_id: LicenseId,
    /// The last serial given up; a later one is a new word.
    pub serial: u64,
}
