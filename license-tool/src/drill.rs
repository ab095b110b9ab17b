//! Drill: the recovery from a stolen or lost key, rehearsed on everything that was issued.
//!
//! Nobody signs anything real for a rehearsal. A twin of the root is made, in which a
//! throwaway key stands for each of the vendor's, and every license is signed again by the twins
//! of its signers. Then sites in memory live through it with the planner that real sites use: the
//! thief's document comes, the recovery comes, and at the end it is looked at who is served.
//! Nothing is written anywhere.

mod license_key;
mod paper;
mod reissue;
mod report;
mod revocation_key;
mod root_key;
mod site;
mod twin;

use farhold_bundle::{KeyId, TrustRoot, payload::Role};
use farhold_contract::{Code, Timestamp};

use crate::{issued::Issued, refusal::Refusal, root::find_key};

pub use license_key::stolen_license_key;
pub use paper::Files;
pub use report::{Proof, Rehearsal, Reissue, Step};
pub use revocation_key::stolen_revocation_key;
pub use root_key::{lost_root_key, stolen_root_key};

/// What is rehearsed with.
pub struct Stage<'a> {
    /// The root in force.
    pub root: &'a TrustRoot,
    /// Everything that was issued, as far as it is known.
    pub issued: &'a Issued,
    /// The files that it is known from: the lines to be typed name them.
    pub files: Files<'a>,
    /// When it happens.
    pub now: Timestamp,
}

impl Stage<'_> {
    /// The key that is meant, of this role; or one that is in no role of the root any more.
    fn key(&self, text: &str, role: Role) -> Result<KeyId, Refusal> {
        let root = self.root.root();
        let key = find_key(root, text)
            .or_else(|refusal| text.to_ascii_lowercase().parse().map_err(|_| refusal))?;
        if root.revoked_keys.contains(&key) {
            return Err(Refusal::new(
                Code::SignatureKeyRevoked,
                format!("key {key} is revoked in root {} already", root.version),
            )
            .with_next("Rehearse with another key: root show lists them."));
        }
        match self.root.role_of(key) {
            Some(has) if has != role => Err(Refusal::new(
                Code::SignatureWrongRole,
                format!("key {key} has the role {has}, not {role}"),
            )
            .with_next(format!("Give a {role} key: root show lists them."))),
            None if role == Role::Root || !self.has_signed(key) => Err(Refusal::new(
                Code::SignatureKeyUnknown,
                format!(
                    "key {key} is not in root {}, and signed nothing that is known",
                    root.version
                ),
            )
            .with_next(format!("Give a {role} key: root show lists them."))),
            _ => Ok(key),
        }
    }

    /// A rotated key can be stolen, too: what it signed still stands.
    fn has_signed(&self, key: KeyId) -> bool {
        self.issued.licenses().any(|issued| issued.keys.contains(&key))
    }
}
