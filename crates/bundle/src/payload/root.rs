//! Root: which keys an issuer has, and what each may sign.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use farhold_contract::{Sha256Digest, Timestamp, id::IssuerId};

use super::{DocumentType, Payload, Role, check_text};
use crate::{
    critical::Critical,
    error::PayloadError,
    key::{KeyId, PublicKey},
    number::Positive,
};

/// The trust root of one issuer, in one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Whose root it is; the id never changes along the chain.
    pub issuer: Issuer,
    /// 1 for the first; each next one is exactly one more.
    pub version: Positive,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Past this, no *new* word is taken under it; what is in force stays.
    pub expires: Timestamp,
    /// Every key that has a role.
    pub keys: Vec<RootKey>,
    /// Which keys have which role.
    pub roles: Roles,
    /// Keys whose documents fall. Only grows along the chain.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub revoked_keys: BTreeSet<KeyId>,
    /// SHA-256 of the SPKI of each CA of the issuer's Kernel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernel_ca: Vec<Sha256Digest>,
    /// What a reader must know to take the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<Critical>,
}

/// Whose root it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// The issuer, in every document it issues.
    pub id: IssuerId,
    /// Its name, for people.
    pub name: String,
}

/// One key of a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    /// The key: its 32 raw bytes as lower-case hex.
    pub public_key: PublicKey,
    /// Whose it is or where it lies, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Which keys have which role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Signs roots.
    pub root: RoleKeys,
    /// Signs licenses and clock resets.
    pub license: RoleKeys,
    /// Signs revocations.
    pub revocation: RoleKeys,
    /// Signs receipts.
    pub kernel: RoleKeys,
}

/// The keys of one role, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleKeys {
    /// The ids of its keys.
    pub key_ids: Vec<KeyId>,
    /// How many different ones must sign.
    pub threshold: Positive,
}

impl Root {
    /// The keys of `role`; none for the device role, which no root knows.
    pub fn role(&self, role: Role) -> Option<&RoleKeys> {
        match role {
            Role::Root => Some(&self.roles.root),
            Role::License => Some(&self.roles.license),
            Role::Revocation => Some(&self.roles.revocation),
            Role::Kernel => Some(&self.roles.kernel),
            Role::Device => None,
        }
    }

    /// The key with this id, if the root lists it.
    pub fn key(&self, id: KeyId) -> Option<&PublicKey> {
        self.keys.iter().map(|key| &key.public_key).find(|key| key.id() == id)
    }

    /// Every role with its keys.
    pub fn roles(&self) -> [(Role, &RoleKeys); 4] {
        [
            (Role::Root, &self.roles.root),
            (Role::License, &self.roles.license),
            (Role::Revocation, &self.roles.revocation),
            (Role::Kernel, &self.roles.kernel),
        ]
    }
}

impl Payload for Root {
    const TYPE: DocumentType = DocumentType::Root;

    fn check(&self) -> Result<(), PayloadError> {
        check_text("issuer.name", &self.issuer.name)?;
        if self.expires <= self.issued_at {
            return Err(PayloadError::invalid("expires", "must be after issued_at"));
        }
        let mut role_of: BTreeMap<KeyId, Option<Role>> = BTreeMap::new();
        for key in &self.keys {
            if role_of.insert(key.public_key.id(), None).is_some() {
                return Err(PayloadError::invalid("keys", "lists a key twice"));
            }
            if self.revoked_keys.contains(&key.public_key.id()) {
                return Err(PayloadError::invalid("keys", "lists a revoked key"));
            }
            key.name.as_deref().map_or(Ok(()), |name| check_text("keys.name", name))?;
        }
        for (role, keys) in self.roles() {
            for id in &keys.key_ids {
                match role_of.get_mut(id) {
                    None => {
                        return Err(PayloadError::invalid(
                            "roles",
                            "names a key that is not in keys",
                        ));
                    }
                    Some(Some(_)) => {
                        return Err(PayloadError::invalid("roles", "gives one key two places"));
                    }
                    Some(free) => *free = Some(role),
                }
            }
            if keys.threshold.as_u64() > keys.key_ids.len() as u64 {
                return Err(PayloadError::invalid(
                    "roles",
                    "has a threshold above the number of its keys",
                ));
            }
        }
        if role_of.values().any(Option::is_none) {
            return Err(PayloadError::invalid("keys", "lists a key without a role"));
        }
        Ok(())
    }
}
