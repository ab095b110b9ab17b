//! Flag: a switch of the product, set by its vendor for an organization.

use semver::VersionReq;
use serde::{Deserialize, Serialize};

use crate::{error::PayloadError, payload::check_name};

/// One switch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Its name.
    pub key: String,
    /// What it is set to.
    pub value: FlagValue,
    /// Only for these versions of the product; absent: for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<VersionReq>,
}

/// What a switch is set to. Numbers may be negative or fractions here: the product reads them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FlagValue {
    /// On or off.
    Bool(bool),
    /// A word.
    String(String),
    /// A number.
    Number(serde_json::Number),
    /// Anything with members.
    Object(serde_json::Map<String, serde_json::Value>),
}

impl Flag {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        check_name("flags.key", &self.key)
    }
}
