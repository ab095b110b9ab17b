//! Versions of the contract. Both are kept for ever; a caller states which one it speaks.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A version of the Kernel Contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContractVersion {
    /// The customer's frozen contract.
    #[serde(rename = "v0.1")]
    V0_1,
    /// The additions an edge site needs.
    #[serde(rename = "v0.2")]
    V0_2,
}

/// The version asked for is not one this build speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("contract versions spoken here: v0.1, v0.2")]
pub struct UnsupportedVersion;

impl ContractVersion {
    /// Every version spoken, oldest first.
    pub const ALL: [Self; 2] = [Self::V0_1, Self::V0_2];

    /// The version as headers and bodies carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_1 => "v0.1",
            Self::V0_2 => "v0.2",
        }
    }
}

impl FromStr for ContractVersion {
    type Err = UnsupportedVersion;

    fn from_str(text: &str) -> Result<Self, UnsupportedVersion> {
        Self::ALL.into_iter().find(|version| version.as_str() == text).ok_or(UnsupportedVersion)
    }
}

impl fmt::Display for ContractVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
