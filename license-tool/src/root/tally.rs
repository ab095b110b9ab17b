//! Tally: who has signed the next root, and who is missing.

use serde::Serialize;

use farhold_bundle::{
    KeyId, Positive,
    payload::{RoleKeys, Root},
};

/// The two quorums of a next root (`bundle.md` §3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The root keys of the root before.
    pub before: Quorum,
    /// Its own root keys.
    pub own: Quorum,
}

/// The root keys of one root: how many must sign, who has and who has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quorum {
    /// The root's version.
    pub version: Positive,
    /// How many must sign.
    pub required: Positive,
    /// Those who have.
    pub signed: Vec<Person>,
    /// Those who have not, and may.
    pub missing: Vec<Person>,
}

/// Whoever holds a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The key.
    pub key_id: KeyId,
    /// Its name in the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Tally {
    pub(super) fn of(next: &Root, before: &Root, signers: &[KeyId]) -> Self {
        Self { before: Quorum::of(before, signers), own: Quorum::of(next, signers) }
    }

    /// Whether nobody is missing.
    pub const fn is_complete(&self) -> bool {
        self.before.is_met() && self.own.is_met()
    }
}

impl Quorum {
    fn of(root: &Root, signers: &[KeyId]) -> Self {
        let RoleKeys { key_ids, threshold } = &root.roles.root;
        let person = |&key_id: &KeyId| Person { key_id, name: name_of(root, key_id) };
        let (signed, missing) =
            key_ids.iter().map(person).partition(|person| signers.contains(&person.key_id));
        Self { version: root.version, required: *threshold, signed, missing }
    }

    /// Whether enough have signed.
    pub const fn is_met(&self) -> bool {
        self.signed.len() as u64 >= self.required.as_u64()
    }
}

/// The name of a key in a root, for people.
pub(super) fn name_of(root: &Root, id: KeyId) -> Option<String> {
    root.keys.iter().find(|key| key.public_key.id() == id)?.name.clone()
}
