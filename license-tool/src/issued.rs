//! Issued: the licenses that a vendor knows it has given out, from its files or its ledger.

mod license;
mod stand_in;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use farhold_bundle::{
    Envelope, KeyId, LineKey, PayloadError, Positive, RefusalReason, SignatureError, TrustRoot,
    payload::{DocumentType, Payload, Revocations},
};
use farhold_contract::{
    Timestamp,
    id::{IssuerId, LicenseId},
};
use farhold_ledger::Entry;

use crate::refusal::Refusal;
use stand_in::stand_in;

pub use license::{Customer, IssuedLicense, in_force};

/// Every license that is known to have been issued.
#[derive(Debug, Default)]
pub struct Issued {
    lines: BTreeMap<LineKey, Vec<IssuedLicense>>,
    revocations: Vec<KnownRevocations>,
}

/// Revocations that were signed.
#[derive(Debug)]
pub struct KnownRevocations {
    /// What they say.
    pub list: Revocations,
    /// The keys that signed them.
    pub keys: BTreeSet<KeyId>,
    /// The file that they were read from.
    pub file: Option<PathBuf>,
}

/// Where a document was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub file: PathBuf,
    /// Whether the file has no other license.
    pub is_alone: bool,
}

impl Issued {
    /// Takes a document; other types than licenses and revocations are left out.
    ///
    /// What keys of `root` signed is verified. What older keys signed can't be, and is taken as it
    /// says: it decides whom a change may strand, never what a site takes.
    ///
    /// # Errors
    /// `signature.invalid` and the like, `payload.*`.
    pub fn add_document(
        &mut self,
        root: &TrustRoot,
        envelope: Envelope,
        source: Option<Source>,
    ) -> Result<(), Refusal> {
        let keys: BTreeSet<KeyId> = envelope.key_ids().collect();
        match envelope.kind() {
            DocumentType::License => {
                let license = read(root, envelope)?;
                self.add(IssuedLicense { license, keys, is_stand_in: false, source });
            }
            DocumentType::Revocations => {
                let list = read(root, envelope)?;
                let file = source.map(|source| source.file);
                self.revocations.push(KnownRevocations { list, keys, file });
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes what a ledger says, for the licenses whose files are not known.
    ///
    /// # Errors
    /// `payload.malformed` for an entry that can be no license.
    pub fn add_ledger(&mut self, issuer: IssuerId, entries: &[Entry]) -> Result<(), Refusal> {
        for issue in entries.iter().filter_map(|entry| entry.act.issue()) {
            let license = stand_in(issuer, issue)?;
            let keys = issue.keys.iter().copied().collect();
            self.add(IssuedLicense { license, keys, is_stand_in: true, source: None });
        }
        Ok(())
    }

    fn add(&mut self, license: IssuedLicense) {
        let line = self.lines.entry(LineKey::of(&license.license)).or_default();
        let same = |other: &&mut IssuedLicense| {
            other.license.serial == license.license.serial && other.keys == license.keys
        };
        match line.iter_mut().find(same) {
            Some(known) if known.is_stand_in => *known = license,
            Some(_) => {}
            None => line.push(license),
        }
        line.sort_by_key(|license| license.license.serial);
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether a license of this contract is known.
    pub fn knows(&self, id: LicenseId) -> bool {
        self.licenses().any(|issued| issued.license.license_id == id)
    }

    /// Every license, by line and rising serial.
    pub fn licenses(&self) -> impl Iterator<Item = &IssuedLicense> {
        self.lines.values().flatten()
    }

    /// The licenses of each line, by rising serial.
    pub fn lines(&self) -> impl Iterator<Item = (&LineKey, &[IssuedLicense])> {
        self.lines.iter().map(|(line, licenses)| (line, licenses.as_slice()))
    }

    /// The revocations of the highest generation that these keys alone have not made, below `bound`
    /// if there is one.
    pub fn revocations(
        &self,
        below: Option<Positive>,
        revoked: &BTreeSet<KeyId>,
    ) -> Option<&Revocations> {
        self.known_revocations(below, revoked).map(|known| &known.list)
    }

    /// The same, with who signed them and where they are.
    pub fn known_revocations(
        &self,
        below: Option<Positive>,
        revoked: &BTreeSet<KeyId>,
    ) -> Option<&KnownRevocations> {
        self.revocations
            .iter()
            .filter(|known| {
                !known.keys.is_subset(revoked)
                    && below.is_none_or(|below| known.list.generation < below)
            })
            .max_by_key(|known| known.list.generation)
    }

    /// Whose license in force a list takes away that the one before left alone.
    pub fn fall_by(
        &self,
        list: &Revocations,
        before: Option<&Revocations>,
        now: Timestamp,
    ) -> Vec<Customer> {
        let in_force = self.lines.values().filter_map(|line| {
            in_force(line, |license| !before.is_some_and(|before| before.revokes(license)), now)
        });
        in_force
            .filter(|issued| list.revokes(&issued.license))
            .map(IssuedLicense::customer)
            .collect()
    }
}

/// So many licenses, for people.
pub(crate) fn licenses(count: usize) -> String {
    match count {
        1 => "1 license".to_owned(),
        count => format!("{count} licenses"),
    }
}

/// Verified where the root knows the keys; read as it is where it does not.
fn read<T: Payload + Clone>(root: &TrustRoot, envelope: Envelope) -> Result<T, Refusal> {
    let claimed = envelope.clone();
    match root.verify::<T>(envelope) {
        Ok(verified) => Ok(verified.content().clone()),
        Err(RefusalReason::Signature(
            SignatureError::UnknownKey { .. }
            | SignatureError::RevokedKey { .. }
            | SignatureError::Threshold { .. },
        )) => {
            let content: T = serde_json::from_slice(claimed.danger_unverified_payload())
                .map_err(|source| PayloadError::Malformed { document: T::TYPE, source })?;
            content.check()?;
            Ok(content)
        }
        Err(reason) => Err(reason.into()),
    }
}
