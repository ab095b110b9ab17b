//! Binding: which machine a license is for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    error::PayloadError,
    key::PublicKey,
    number::Positive,
    payload::{check_hex, check_name},
};

/// Which machine a license is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// Any: the vendor said so on purpose.
    None,
    /// The agent with this key.
    DeviceKey(PublicKey),
    /// A machine that still has enough of these components.
    Fingerprint(FingerprintBinding),
}

/// Components of a machine, of which enough must still be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FingerprintBinding {
    /// Each component's name and the first 8 bytes of its salted hash, as lower-case hex.
    pub components: BTreeMap<String, String>,
    /// How many of them must be the same.
    pub require: Positive,
}

impl FingerprintBinding {
    /// How many components a machine still has. One it can't read is unknown, and not counted.
    pub fn matches(&self, machine: &BTreeMap<String, String>) -> u64 {
        let same = |(name, hash): &(&String, &String)| machine.get(*name) == Some(*hash);
        self.components.iter().filter(same).count() as u64
    }

    /// Whether a machine still has enough of them.
    pub fn holds(&self, machine: &BTreeMap<String, String>) -> bool {
        self.matches(machine) >= self.require.as_u64()
    }
}

impl Binding {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        let Self::Fingerprint(fingerprint) = self else { return Ok(()) };
        for (name, hash) in &fingerprint.components {
            check_name("binding.fingerprint.components", name)?;
            check_hex("binding.fingerprint.components", hash, 8)?;
        }
        if fingerprint.require.as_u64() > fingerprint.components.len() as u64 {
            return Err(PayloadError::invalid(
                "binding.fingerprint.require",
                "is more than the components there are",
            ));
        }
        Ok(())
    }
}
