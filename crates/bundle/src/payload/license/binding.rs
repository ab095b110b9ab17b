//! Binding: which machine a license is for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    error::PayloadError,
    fingerprint::{self, Comparison},
    key::PublicKey,
    number::Positive,
    payload::check_components,
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
    /// How many components a machine still has (`bundle.md` §7.2): of the same family with the same
    /// hash, under whatever name, each of the machine's once. One that can't be read is not
    /// changed: the caller gives the hash it read last.
    pub fn matches(&self, machine: &BTreeMap<String, String>) -> u64 {
        fingerprint::pairs(&self.components, machine, |_| false).len() as u64
    }

    /// Whether a machine still has enough of them.
    pub fn holds(&self, machine: &BTreeMap<String, String>) -> bool {
        self.matches(machine) >= self.require.as_u64()
    }

    /// What has become of each component, for people. `machine` is as for
    /// [`matches`](Self::matches); `unread` names what of it can't be read now, or a whole family.
    pub fn compare(
        &self,
        machine: &BTreeMap<String, String>,
        unread: &BTreeSet<String>,
    ) -> Comparison {
        Comparison::new(&self.components, self.require.as_u64(), machine, unread)
    }
}

impl Binding {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        let Self::Fingerprint(fingerprint) = self else { return Ok(()) };
        check_components("binding.fingerprint.components", &fingerprint.components)?;
        if fingerprint.require.as_u64() > fingerprint.components.len() as u64 {
            return Err(PayloadError::invalid(
                "binding.fingerprint.require",
                "is more than the components there are",
            ));
        }
        Ok(())
    }
}
