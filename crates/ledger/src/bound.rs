//! Bound: which machine a license was issued for, and whether another one asks for it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use farhold_bundle::{
    PublicKey,
    payload::{Binding, FingerprintBinding},
};
use farhold_contract::{Sha256Digest, digest::decode_lower_hex};

/// Which machine a license was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// Any: the license says so.
    Unbound,
    /// The agent with this key.
    Device(DeviceKey),
    /// A machine with these components.
    Fingerprint {
        /// Which, and how many must hold.
        binding: FingerprintBinding,
        /// The agent whose request was answered, where one was.
        device_key: Option<DeviceKey>,
    },
}

/// An agent's public key as text in a ledger: compared, never verified by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceKey([u8; 32]);

/// The text is not the hexadecimal form of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 lower-case hexadecimal digits")]
pub struct DeviceKeyError;

/// What it would be to issue a license for a machine (`specs/ledger.md` §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// It was never bound to a machine: an activation.
    First,
    /// It is bound to that machine already.
    Same,
    /// It is bound to another machine.
    Rehost,
}

impl Bound {
    /// As the license says it.
    pub fn of(binding: &Binding) -> Self {
        match binding {
            Binding::None => Self::Unbound,
            Binding::DeviceKey(key) => Self::Device(DeviceKey::from(key)),
            Binding::Fingerprint(binding) => {
                Self::Fingerprint { binding: binding.clone(), device_key: None }
            }
        }
    }

    /// The kind in one word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unbound => "none",
            Self::Device(_) => "device",
            Self::Fingerprint { .. } => "fingerprint",
        }
    }

    /// The agent that it is for, where that is known.
    pub const fn device_key(&self) -> Option<DeviceKey> {
        match self {
            Self::Unbound => None,
            Self::Device(key) => Some(*key),
            Self::Fingerprint { device_key, .. } => *device_key,
        }
    }

    /// Whether it names a machine at all.
    pub const fn is_to_a_machine(&self) -> bool {
        !matches!(self, Self::Unbound)
    }

    /// Whether another binding is to the same machine, as far as the two can tell.
    pub fn is_the_machine_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unbound, _) | (_, Self::Unbound) => false,
            (Self::Fingerprint { binding, .. }, Self::Fingerprint { binding: other, .. }) => {
                binding.holds(&other.components)
            }
            (one, other) => one.device_key().is_some() && one.device_key() == other.device_key(),
        }
    }

    /// Whether it is for this machine: the agent with this key and these components.
    pub fn is_for(&self, device_key: &PublicKey, components: &BTreeMap<String, String>) -> bool {
        match self {
            Self::Unbound => false,
            Self::Device(key) => key.is(device_key),
            // The components decide: an agent's state copied to other hardware is another machine.
            Self::Fingerprint { binding, .. } => binding.holds(components),
        }
    }
}

impl DeviceKey {
    /// Whether it is this key.
    pub fn is(&self, key: &PublicKey) -> bool {
        self.0 == *key.as_bytes()
    }
}

impl From<&PublicKey> for DeviceKey {
    fn from(key: &PublicKey) -> Self {
        Self(*key.as_bytes())
    }
}

impl FromStr for DeviceKey {
    type Err = DeviceKeyError;

    fn from_str(text: &str) -> Result<Self, DeviceKeyError> {
        let mut raw = [0; 32];
        decode_lower_hex(text, &mut raw).ok_or(DeviceKeyError)?;
        Ok(Self(raw))
    }
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sha256Digest::new(self.0).fmt(f)
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device:{self}")
    }
}

impl Serialize for DeviceKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
