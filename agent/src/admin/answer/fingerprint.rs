//! `GET /admin/fingerprint`: the machine as licenses are held to it, and how they hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Timestamp,
    id::{LicenseId, TenantId},
};

/// The machine as licenses are held to it, and how they hold. Hashes only, never a raw value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FingerprintAnswer {
    /// When the machine was looked at, by the agent's own time.
    pub looked_at: Timestamp,
    /// Every component, by name.
    pub components: Vec<ComponentAnswer>,
    /// The processor's model: shown, never counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// What kind of machine it seems to be.
    pub environment: EnvironmentAnswer,
    /// Which binding suits it.
    pub recommended: RecommendedAnswer,
    /// The licenses bound to components: those in force, and those kept from it by their binding.
    pub licenses: Vec<BoundAnswer>,
}

/// One component, or a family of which none can be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ComponentAnswer {
    /// Its name: `nic.eth0`.
    pub name: String,
    /// `read`, `unreadable`, `ignored`, `absent`, or `gone`.
    pub state: String,
    /// Why it was not read, where there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The salted hash that counts; of one that can't be read, the last one read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// When it was seen first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    /// When it was last found to be another than before; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// Since when it counts without having been read: what it was when it was read last stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_since: Option<Timestamp>,
}

/// What kind of machine it seems to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnvironmentAnswer {
    /// `kubernetes`, `container`, `virtual_machine` or `bare_metal`.
    pub kind: String,
    /// By which signs, for people.
    pub signs: Vec<String>,
}

/// Which binding suits the machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecommendedAnswer {
    /// `device_key` or `fingerprint`.
    pub binding: String,
    /// Why, for people.
    pub why: String,
    /// Lines for the vendor's template.
    pub template: String,
}

/// A license beside the machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BoundAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// The license.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: u64,
    /// How many of the components must hold.
    pub require: u64,
    /// How many do.
    pub holding: u64,
    /// How many of those were read and are the same; the others are remembered.
    #[serde(default)]
    pub read: u64,
    /// Whether that is enough.
    pub holds: bool,
    /// How many more may change.
    pub bears: u64,
    /// Each component of the binding: `same`, `changed` or `unknown`.
    pub components: BTreeMap<String, String>,
    /// Those that hold without having been read, each with since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remembered: BTreeMap<String, Timestamp>,
    /// Components that the machine has under another name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed: BTreeMap<String, String>,
    /// What the next change of the machine would do, for people.
    pub next_change: String,
}
