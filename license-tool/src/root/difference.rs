//! Difference: what a next root changes, and what that means for what stands.

use serde::Serialize;

use farhold_bundle::{
    KeyId, Positive,
    payload::{Role, Root},
};
use farhold_contract::{Sha256Digest, Timestamp};

use super::change::role_of;
use crate::draft::name_of;

/// One thing in which two roots of a chain differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Difference {
    /// A key more.
    KeyAdded(ChangedKey),
    /// A key that is no longer listed: rotated.
    KeyRotated(ChangedKey),
    /// A key that is revoked from here on; its role is not known if it was rotated before.
    KeyRevoked(ChangedKey),
    /// Another name of a key that stays.
    KeyRenamed {
        /// The key, by its name now.
        #[serde(flatten)]
        key: ChangedKey,
        /// Its name before.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// Another number of signers.
    Threshold {
        /// The role.
        role: Role,
        /// How many had to sign.
        from: Positive,
        /// How many have to.
        to: Positive,
    },
    /// Another end.
    Expires {
        /// The root's end before.
        from: Timestamp,
        /// Its end now.
        to: Timestamp,
    },
    /// One CA of the Kernel more.
    KernelCaAdded {
        /// SHA-256 of its SPKI.
        sha256: Sha256Digest,
    },
    /// One CA of the Kernel less.
    KernelCaRemoved {
        /// SHA-256 of its SPKI.
        sha256: Sha256Digest,
    },
    /// Another name of the issuer.
    Renamed {
        /// Its name before.
        from: String,
        /// Its name now.
        to: String,
    },
    /// When each is dated, and when the next one ends: always told, since sites take a root's date
    /// for a time that has been (`bundle.md` §5).
    Dated {
        /// When the root before was made.
        from: Timestamp,
        /// When this one says that it was made.
        to: Timestamp,
        /// Its end.
        expires: Timestamp,
    },
}

/// A key that two roots have otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedKey {
    /// The key.
    pub key_id: KeyId,
    /// Its role, where one of the two roots knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Its name, where one of the two roots has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Everything in which `next` differs from `before` but its version, and always the dates.
pub fn differences(before: &Root, next: &Root) -> Vec<Difference> {
    let mut found = Vec::new();
    let listed = |root: &Root, id: KeyId| root.key(id).is_some();
    let changed = |key_id: KeyId| ChangedKey {
        key_id,
        role: role_of(next, key_id).or_else(|| role_of(before, key_id)),
        name: name_of(next, key_id).or_else(|| name_of(before, key_id)),
    };
    for &id in next.revoked_keys.difference(&before.revoked_keys) {
        found.push(Difference::KeyRevoked(changed(id)));
    }
    for id in before.keys.iter().map(|key| key.public_key.id()) {
        if !listed(next, id) && !next.revoked_keys.contains(&id) {
            found.push(Difference::KeyRotated(changed(id)));
        }
    }
    for id in next.keys.iter().map(|key| key.public_key.id()) {
        if !listed(before, id) {
            found.push(Difference::KeyAdded(changed(id)));
        }
    }
    for key in &next.keys {
        let id = key.public_key.id();
        let from = name_of(before, id);
        if listed(before, id) && from != key.name {
            let key = ChangedKey { name: key.name.clone(), ..changed(id) };
            found.push(Difference::KeyRenamed { key, from });
        }
    }
    for ((role, old), (_, new)) in before.roles().into_iter().zip(next.roles()) {
        let (from, to) = (old.threshold, new.threshold);
        if from != to {
            found.push(Difference::Threshold { role, from, to });
        }
    }
    if before.expires != next.expires {
        found.push(Difference::Expires { from: before.expires, to: next.expires });
    }
    let only_in = |one: &Root, other: &Root| -> Vec<Sha256Digest> {
        one.kernel_ca.iter().filter(|ca| !other.kernel_ca.contains(ca)).copied().collect()
    };
    let removed = only_in(before, next).into_iter();
    found.extend(removed.map(|sha256| Difference::KernelCaRemoved { sha256 }));
    let added = only_in(next, before).into_iter();
    found.extend(added.map(|sha256| Difference::KernelCaAdded { sha256 }));
    if before.issuer.name != next.issuer.name {
        let (from, to) = (before.issuer.name.clone(), next.issuer.name.clone());
        found.push(Difference::Renamed { from, to });
    }
    let (from, to) = (before.issued_at, next.issued_at);
    found.push(Difference::Dated { from, to, expires: next.expires });
    found
}

impl Difference {
    /// What changes, in a few words.
    pub fn what(&self) -> String {
        let named = |verb: &str, key: &ChangedKey| {
            let role = key.role.map_or_else(String::new, |role| format!("{role} "));
            let name = key.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
            format!("{role}key {}{name} {verb}", key.key_id)
        };
        match self {
            Self::KeyAdded(key) => named("added", key),
            Self::KeyRotated(key) => named("rotated out", key),
            Self::KeyRevoked(key) => named("REVOKED", key),
            Self::KeyRenamed { key, from } => {
                let before = from.as_deref().unwrap_or("nothing");
                named(&format!("was named {before}"), key)
            }
            Self::Threshold { role, from, to } => format!("{role} threshold {from} -> {to}"),
            Self::Expires { from, to } => format!("expires {from} -> {to}"),
            Self::KernelCaAdded { sha256 } => format!("kernel CA {sha256} added"),
            Self::KernelCaRemoved { sha256 } => format!("kernel CA {sha256} removed"),
            Self::Renamed { from, to } => format!("name {from} -> {to}"),
            Self::Dated { from, to, expires } => {
                format!("dated {from} -> {to}, expires {expires}")
            }
        }
    }

    /// What that means for what stands at sites, in one sentence (`bundle.md` §3.3, §3.4, §3.7).
    pub const fn meaning(&self) -> &'static str {
        match self {
            Self::KeyAdded(ChangedKey { role: Some(Role::Kernel), .. }) => {
                "sites take its receipts from this root on"
            }
            Self::KeyAdded(_) => "sites take its word from this root on",
            Self::KeyRotated(key) => match key.role {
                Some(Role::Root) => "it signs this root once more, and none after it",
                Some(Role::License) => {
                    "licenses at sites stay; those it signed that a site has not imported before \
                     this root are refused there"
                }
                Some(Role::Revocation) => {
                    "the generation at sites stays; the next one is by another key"
                }
                Some(Role::Kernel) => {
                    "what it receipted stays so; receipts not yet imported are refused"
                }
                Some(Role::Device) | None => "what it signed stays; it signs nothing new",
            },
            Self::KeyRevoked(key) => match key.role {
                Some(Role::Root) => "it signs no root after this one",
                Some(Role::License) => {
                    "every license it signed falls: issue them anew by another key and send them \
                     in one bundle with this root; drill stolen-license-key says whose"
                }
                Some(Role::Revocation) => {
                    "the revocations it signed fall: make the next generation by another key \
                     (revoke --from) and send it in one bundle with this root, else what was \
                     revoked comes back"
                }
                Some(Role::Kernel) => {
                    "its receipts are refused from this root on; what it receipted stays so"
                }
                Some(Role::Device) | None => "every document it signed falls",
            },
            Self::Threshold { from, to, .. } if to.as_u64() < from.as_u64() => {
                "fewer people sign from this root on"
            }
            Self::Threshold { .. } => {
                "more people sign from this root on; what stands stays, what is not yet imported \
                 needs as many"
            }
            Self::Expires { .. } => {
                "past it sites take nothing new without a newer root; what is in force stays"
            }
            Self::KernelCaAdded { .. } => {
                "sites trust a Kernel whose CA has this key, also those that slept through its \
                 change"
            }
            Self::KernelCaRemoved { .. } => {
                "sites trust this CA no longer by the root, only where they learned it enrolling \
                 or renewing"
            }
            Self::KeyRenamed { .. } | Self::Renamed { .. } => "only people read it",
            Self::Dated { .. } => {
                "no site that takes it goes back behind its date: what ends before that is over there"
            }
        }
    }
}
