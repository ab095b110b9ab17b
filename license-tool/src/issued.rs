//! Issued: the licenses that a vendor knows it has given out, from its files or its ledger.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;

use farhold_bundle::{
    Envelope, KeyId, LineKey, PayloadError, Positive, RefusalReason, SignatureError, TrustRoot,
    payload::{Binding, DocumentType, License, Payload, Revocations},
};
use farhold_contract::{
    Timestamp,
    id::{IssuerId, LicenseId, TenantId},
};
use farhold_ledger::{Bound, Entry, Issue};
use farhold_policy::{Phase, Timeline};

use crate::refusal::Refusal;

/// Every license that is known to have been issued.
#[derive(Debug, Default)]
pub struct Issued {
    lines: BTreeMap<LineKey, Vec<IssuedLicense>>,
    revocations: Vec<(Revocations, BTreeSet<KeyId>)>,
}

/// One license as it was issued.
#[derive(Debug, Clone)]
pub struct IssuedLicense {
    /// What it says; for a stand-in, what the ledger says of it and no entitlement of its own.
    pub license: License,
    /// The keys that signed it.
    pub keys: BTreeSet<KeyId>,
    /// Whether the ledger knows it and its file was not given.
    pub is_stand_in: bool,
}

/// Whose license it is, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Customer {
    /// Its name.
    pub issued_to: String,
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// The contract.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: Positive,
}

impl Issued {
    /// Takes a document; other types than licenses and revocations are left out.
    ///
    /// What keys of `root` signed is verified. What older keys signed can't be, and is taken as it
    /// says: it decides whom a change may strand, never what a site takes.
    ///
    /// # Errors
    /// `signature.invalid` and the like, `payload.*`.
    pub fn add_document(&mut self, root: &TrustRoot, envelope: Envelope) -> Result<(), Refusal> {
        let keys: BTreeSet<KeyId> = envelope.key_ids().collect();
        match envelope.kind() {
            DocumentType::License => {
                let license = read(root, envelope)?;
                self.add(IssuedLicense { license, keys, is_stand_in: false });
            }
            DocumentType::Revocations => {
                let revocations = read(root, envelope)?;
                self.revocations.push((revocations, keys));
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
            self.add(IssuedLicense { license, keys, is_stand_in: true });
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
        let stands = |keys: &BTreeSet<KeyId>| !keys.is_subset(revoked);
        self.revocations
            .iter()
            .filter(|(list, keys)| {
                stands(keys) && below.is_none_or(|below| list.generation < below)
            })
            .map(|(list, _)| list)
            .max_by_key(|list| list.generation)
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

/// Of one line, the license that serves at `now` among those that hold: the highest serial that
/// has begun (`bundle.md` §4.3), unless all its rungs are over.
pub fn in_force(
    line: &[IssuedLicense],
    holds: impl Fn(&License) -> bool,
    now: Timestamp,
) -> Option<&IssuedLicense> {
    line.iter()
        .rfind(|issued| issued.license.not_before <= now && holds(&issued.license))
        .filter(|issued| issued.serves(now))
}

impl IssuedLicense {
    /// Whether it serves at a time, taken alone.
    pub fn serves(&self, now: Timestamp) -> bool {
        !matches!(
            Timeline::of_license(&self.license).phase_at(now),
            Phase::NotBegun | Phase::Stopped
        )
    }

    /// Whether it stands at a site that once took it and stands at these roots now, the last one in
    /// force (`bundle.md` §3.4).
    pub fn stands_under(&self, roots: &[TrustRoot]) -> bool {
        let Some(current) = roots.last() else { return false };
        let revoked = &current.root().revoked_keys;
        // Nobody took its signers' word back: rotated or not, what was accepted stays.
        self.keys.is_disjoint(revoked)
            || roots.iter().any(|root| meets(root, self.keys.difference(revoked)))
    }

    /// Whether a site at this root would take it anew.
    pub fn is_current_under(&self, root: &TrustRoot) -> bool {
        let license_keys = &root.root().roles.license.key_ids;
        self.keys.iter().all(|key| license_keys.contains(key)) && meets(root, self.keys.iter())
    }

    /// Whose it is.
    pub fn customer(&self) -> Customer {
        Customer {
            issued_to: self.license.issued_to.clone(),
            tenant_id: self.license.tenant.tenant_id,
            product: self.license.product.clone(),
            license_id: self.license.license_id,
            serial: self.license.serial,
        }
    }
}

/// So many licenses, for people.
pub(crate) fn licenses(count: usize) -> String {
    match count {
        1 => "1 license".to_owned(),
        count => format!("{count} licenses"),
    }
}

fn meets<'a>(root: &TrustRoot, keys: impl Iterator<Item = &'a KeyId>) -> bool {
    let license = &root.root().roles.license;
    let counting = keys.filter(|key| license.key_ids.contains(key)).count();
    counting as u64 >= license.threshold.as_u64()
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

/// What the ledger says of a license, as one: its rungs and entitlements are not known.
fn stand_in(issuer: IssuerId, issue: &Issue) -> Result<License, Refusal> {
    let binding = match &issue.bound {
        None => None,
        Some(Bound::Unbound) => Some(json!("none")),
        Some(Bound::Device(key)) => Some(json!({ "device_key": key })),
        Some(Bound::Fingerprint { binding, .. }) => {
            Some(json!(Binding::Fingerprint(binding.clone())))
        }
    };
    let mut license = json!({
        "license_id": issue.license_id,
        "serial": issue.serial,
        "issuer": issuer,
        "product": issue.product,
        "issued_to": issue.issued_to,
        "tenant": {
            "tenant_id": issue.tenant_id,
            "type": "company",
            "status": "active",
            "policies": { "security_level": "standard" },
        },
        "issued_at": issue.issued_at,
        "not_before": issue.not_before,
        "entitlements": [],
    });
    match issue.expires_on {
        Some(day) => license["expires_on"] = json!(day),
        None => license["released_before"] = json!("9999-01-01"),
    }
    if let Some(binding) = binding {
        license["binding"] = binding;
    }
    let mut license: License = serde_json::from_value(license)
        .map_err(|source| PayloadError::Malformed { document: DocumentType::License, source })?;
    // Its rungs are not known, their end is.
    let rungs = issue.stops_at.zip(license.end()).map(|(stop, end)| stop.saturating_since(end));
    let rungs = rungs.map(|rungs| rungs.as_secs()).filter(|seconds| *seconds > 0);
    license.ladder.grace = rungs.and_then(|seconds| format!("PT{seconds}S").parse().ok());
    Ok(license)
}
