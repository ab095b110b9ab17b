//! Tally: who has signed a draft, and who is missing.

use std::collections::BTreeSet;

use serde::Serialize;

use farhold_bundle::{
    KeyId, Positive,
    payload::{Role, Root},
};

use crate::threshold;

/// The quorums of a draft: for a next root two (`bundle.md` §3.2), else one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The keys of the root before, where the draft is a root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Quorum>,
    /// The keys of the root that it comes under: its own, where it is a root.
    pub own: Quorum,
}

/// The keys of one role in one root: how many must sign, who has and who has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quorum {
    /// The root's version.
    pub version: Positive,
    /// The role.
    pub role: Role,
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
    /// Whether nobody is missing.
    pub fn is_complete(&self) -> bool {
        self.before.as_ref().is_none_or(Quorum::is_met) && self.own.is_met()
    }
}

impl Quorum {
    pub(super) fn of(root: &Root, role: Role, signers: &BTreeSet<KeyId>) -> Self {
        let person = |&key_id: &KeyId| Person { key_id, name: name_of(root, key_id) };
        let listed = root.role(role);
        let (signed, missing) = listed
            .into_iter()
            .flat_map(|keys| &keys.key_ids)
            .map(person)
            .partition(|person| signers.contains(&person.key_id));
        let required = listed.map_or(Positive::MAX, |keys| keys.threshold);
        Self { version: root.version, role, required, signed, missing }
    }

    /// Whether enough have signed.
    pub fn is_met(&self) -> bool {
        let signers = self.signed.iter().map(|person| person.key_id).collect();
        threshold::is_reached(self.required, &signers)
    }
}

/// The name of a key in a root, for people.
pub(crate) fn name_of(root: &Root, id: KeyId) -> Option<String> {
    root.keys.iter().find(|key| key.public_key.id() == id)?.name.clone()
}
