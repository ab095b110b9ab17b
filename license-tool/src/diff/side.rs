//! Side: what one of the two files holds.

use farhold_bundle::{
    KeyId, LineKey,
    payload::{License, Revocations, Root},
};
use farhold_contract::Code;

use super::Shown;
use crate::{
    contents::{Content, key_ids},
    refusal::Refusal,
};

/// What one of the two files holds.
#[derive(Debug, Default)]
pub struct Side {
    /// Licenses and templates.
    pub licenses: Vec<Held>,
    /// Roots.
    pub roots: Vec<Root>,
    /// The revocations of the highest generation.
    pub revocations: Option<Revocations>,
}

/// One license of a side.
#[derive(Debug)]
pub struct Held {
    /// What it says.
    pub license: License,
    /// The keys that it says signed it; of a template none.
    pub key_ids: Vec<KeyId>,
}

impl Side {
    /// Of what a file holds.
    ///
    /// # Errors
    /// `payload.type_unknown` if there is nothing in it that can be compared.
    pub fn of(contents: Vec<Content>) -> Result<Self, Refusal> {
        let mut side = Self::default();
        let mut other = None;
        for content in contents {
            match content {
                Content::Template(license) => {
                    side.licenses.push(Held { license: *license, key_ids: Vec::new() });
                }
                Content::License(license, document) => {
                    let key_ids = key_ids(&document);
                    side.licenses.push(Held { license: *license, key_ids });
                }
                Content::Root(root, _) => side.roots.push(root),
                Content::Revocations(list, _) => {
                    if side.revocations.as_ref().is_none_or(|it| it.generation < list.generation) {
                        side.revocations = Some(list);
                    }
                }
                Content::Request(_) => other = Some("a request".to_owned()),
                Content::Other(kind) => other = Some(format!("a {kind}")),
            }
        }
        let is_empty =
            side.licenses.is_empty() && side.roots.is_empty() && side.revocations.is_none();
        match other.filter(|_| is_empty) {
            Some(other) => Err(Refusal::new(
                Code::PayloadType,
                format!("this is {other}; templates, licenses, roots and revocations are compared"),
            )
            .with_next("license-tool inspect shows what the file holds.")),
            None => Ok(side),
        }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = LineKey> {
        self.licenses.iter().map(|held| LineKey::of(&held.license))
    }

    /// The highest serial of a line; a template comes after all that is signed.
    pub(super) fn newest(&self, line: &LineKey) -> Option<&Held> {
        let of_line = self.licenses.iter().filter(|held| held.license.is_of(line));
        of_line.max_by_key(|held| (!held.is_signed(), held.license.serial))
    }

    pub(super) fn newest_root(&self) -> Option<&Root> {
        self.roots.iter().max_by_key(|root| root.version)
    }
}

impl Held {
    pub(super) fn is_signed(&self) -> bool {
        !self.key_ids.is_empty()
    }

    pub(super) fn shown(&self) -> Shown {
        Shown {
            license_id: self.license.license_id,
            serial: self.is_signed().then_some(self.license.serial),
        }
    }

    /// By its name for people.
    pub(super) fn name(&self) -> String {
        match self.shown().serial {
            Some(serial) => format!("license {} serial {serial}", self.license.license_id),
            None => format!("the template of license {}", self.license.license_id),
        }
    }
}
