//! What stands at a site: its roots, revocations and licenses, all verified.

mod floor;

use std::{cmp::Reverse, collections::BTreeSet};

use farhold_contract::{Code, id::TenantId};

use crate::{
    envelope::Envelope,
    error::RefusalReason,
    key::KeyId,
    limits::LIMITS,
    payload::{DocumentType, License, Needs, Payload, Revocations},
    threshold::{Quorum, prove},
    trust::{TrustRoot, quorum},
    verified::Verified,
};

pub use floor::SetAside;

/// Every document in force, waiting, or superseded but still able to come back.
///
/// Marks (the highest version, generation, serial) are computed from it, never stored: what a
/// stolen key raised falls with the key (`bundle.md` §3.3).
#[derive(Debug, Clone, Default)]
pub struct Standing {
    roots: Vec<TrustRoot>,
    revocations: Vec<Verified<Revocations>>,
    licenses: Vec<Verified<License>>,
}

/// A line of licenses: one product of one organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
}

/// Most serials kept of one line that are bound alike and signed by the same keys: enough to fall
/// back on. What is bound to another machine is not in their place: a Kernel has them all. Nor is
/// what other keys signed, or a stolen key could push out what is to stand again once it falls.
const SERIALS_KEPT: usize = 16;

/// Most lists of revocations kept, each by other signers, for the same reason.
const REVOCATIONS_KEPT: usize = 4;

/// Roots kept whether or not something standing needs them: two imports' worth of steps.
const ROOTS_KEPT: usize = 2 * LIMITS.root_steps;

impl Standing {
    /// A site that has just been given its first root.
    pub fn with_trust(root: TrustRoot) -> Self {
        Self { roots: vec![root], ..Self::default() }
    }

    /// Verifies again what a store or `current.bundle` held.
    ///
    /// The file is the agent's own, so its first root is taken as installed. A line that no longer
    /// verifies is left out and returned with its reason: the others still serve.
    pub fn reload<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> (Self, Vec<RefusalReason>) {
        let mut standing = Self::default();
        let mut refused = Vec::new();
        for line in lines {
            if let Err(reason) = standing.reload_line(line) {
                refused.push(reason);
            }
        }
        standing.sort_licenses();
        (standing, refused)
    }

    fn reload_line(&mut self, line: &[u8]) -> Result<(), RefusalReason> {
        let envelope = Envelope::open(line)?;
        match envelope.kind() {
            DocumentType::Root => {
                let next = match self.roots.last() {
                    Some(current) => current.step(envelope)?,
                    None => TrustRoot::install(line, None)?,
                };
                self.push_root(next);
            }
            DocumentType::Revocations => {
                let revocations = self.stands(envelope)?;
                self.add_revocations(revocations);
            }
            DocumentType::License => self.licenses.push(self.stands(envelope)?),
            other => {
                return Err(RefusalReason::rule(
                    Code::PayloadType,
                    format!("a {other} does not stand"),
                ));
            }
        }
        Ok(())
    }

    /// The root in force.
    pub fn root(&self) -> Option<&TrustRoot> {
        self.roots.last()
    }

    /// Every root from the one installed to the one in force.
    pub fn roots(&self) -> &[TrustRoot] {
        &self.roots
    }

    /// The revocations in force.
    pub fn revocations(&self) -> Option<&Verified<Revocations>> {
        self.revocations.last()
    }

    /// Every license, by line and rising serial; revoked ones too, so that it can be said.
    pub fn licenses(&self) -> &[Verified<License>] {
        &self.licenses
    }

    /// Whether the revocations in force take this license out of force.
    pub fn revokes(&self, license: &License) -> bool {
        self.revocations().is_some_and(|revocations| revocations.revokes(license))
    }

    /// Whether what stands is as new as a license asks for (`bundle.md` §3.5).
    ///
    /// # Errors
    /// `bundle.incomplete`, with what is missing.
    pub fn meets(&self, needs: &Needs) -> Result<(), RefusalReason> {
        let root = self.root().map_or(0, TrustRoot::version);
        let generation = self.revocations().map_or(0, |list| list.generation.as_u64());
        for (what, has, needs) in [
            ("root", root, needs.root.as_u64()),
            ("revocations generation", generation, needs.revocations.as_u64()),
        ] {
            if has < needs {
                let detail =
                    format!("the license needs {what} {needs}; this site would stand at {has}");
                return Err(RefusalReason::rule(Code::BundleIncomplete, detail));
            }
        }
        Ok(())
    }

    /// Every document as a bundle: `current.bundle`, the second copy (`bundle.md` §3.6).
    pub fn to_bundle(&self) -> Vec<u8> {
        let mut bundle = Vec::new();
        for line in self.lines() {
            bundle.extend_from_slice(line);
            bundle.push(b'\n');
        }
        bundle
    }

    /// The line of every document, in the order in which they reload.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let roots = self.roots.iter().map(|root| root.root().line());
        let revocations = self.revocations.iter().map(Verified::line);
        roots.chain(revocations).chain(self.licenses.iter().map(Verified::line))
    }

    /// How far it stands: of two copies, the greater serves.
    pub fn height(&self) -> (u64, u64, u64) {
        let serials = self
            .licenses
            .iter()
            .map(|license| license.serial.as_u64())
            .fold(0, u64::saturating_add);
        let generation =
            self.revocations().map_or(0, |revocations| revocations.generation.as_u64());
        (self.root().map_or(0, TrustRoot::version), generation, serials)
    }

    /// The list of one generation, in force or superseded but still able to come back.
    pub(crate) fn revocations_of(&self, generation: u64) -> Option<&Verified<Revocations>> {
        self.revocations.iter().find(|list| list.generation.as_u64() == generation)
    }

    pub(crate) fn push_root(&mut self, root: TrustRoot) {
        self.roots.push(root);
    }

    /// Lets the oldest roots go that nothing standing needs any more, down to a number that is
    /// kept in any case.
    pub(crate) fn forget_roots(&mut self) {
        let spare = self.roots.len().saturating_sub(ROOTS_KEPT);
        if spare == 0 {
            return;
        }
        let lists = self.revocations.iter().map(|list| self.proving_root(list));
        let licenses = self.licenses.iter().map(|license| self.proving_root(license));
        let needed = lists.chain(licenses).min().unwrap_or(spare);
        self.roots.drain(..spare.min(needed));
    }

    /// Where in the chain the newest root is that proves a document that stands.
    fn proving_root<T: Payload>(&self, document: &Verified<T>) -> usize {
        let proves = |root: &TrustRoot| {
            let quorum = quorum(root.root(), T::TYPE.signed_by());
            quorum.is_met_by(document.signers().iter().copied())
        };
        self.roots.iter().rposition(proves).unwrap_or(0)
    }

    /// Takes in a list. Those it supersedes by its own signers could fall only with it; one by
    /// others would stand again if it fell.
    pub(crate) fn add_revocations(&mut self, revocations: Verified<Revocations>) {
        self.revocations.push(revocations);
        // The newest first, so that of each set of signers it is the one that is met first.
        self.revocations.sort_by_key(|list| Reverse(list.generation));
        let mut met = BTreeSet::new();
        self.revocations.retain(|list| met.insert(list.signers().clone()));
        self.revocations.reverse();
        let surplus = self.revocations.len().saturating_sub(REVOCATIONS_KEPT);
        self.revocations.drain(..surplus);
    }

    pub(crate) fn add_license(&mut self, license: Verified<License>) {
        let line = |other: &License| {
            (other.tenant.tenant_id, other.product.as_str())
                .cmp(&(license.tenant.tenant_id, license.product.as_str()))
        };
        let begins = self.licenses.partition_point(|other| line(other).is_lt());
        let ends = self.licenses.partition_point(|other| line(other).is_le());
        let of_line = &self.licenses[begins..ends];
        let place = begins + of_line.partition_point(|other| other.serial <= license.serial);
        let alike = |other: &Verified<License>| {
            other.binding == license.binding && other.signers() == license.signers()
        };
        let oldest = of_line.iter().position(alike);
        let full = of_line.iter().filter(|other| alike(other)).count() >= SERIALS_KEPT;
        self.licenses.insert(place, license);
        if let Some(oldest) = oldest.filter(|_| full) {
            // One that is older than all that are kept of its kind is itself the oldest.
            self.licenses.remove((begins + oldest).min(place));
        }
    }

    /// Lets fall what stood only by a key that is revoked now; returns the fallen lines' names.
    pub(crate) fn drop_fallen(&mut self) -> Vec<String> {
        let mut fallen = Vec::new();
        for list in std::mem::take(&mut self.revocations) {
            match self.stands_again(&list) {
                Some(still) => self.add_revocations(still),
                None => fallen.push(format!("revocations generation {}", list.generation)),
            }
        }
        for license in std::mem::take(&mut self.licenses) {
            match self.stands_again(&license) {
                Some(still) => self.licenses.push(still),
                None => {
                    fallen.push(format!("license {} serial {}", license.license_id, license.serial))
                }
            }
        }
        fallen
    }

    fn stands_again<T: Payload>(&self, document: &Verified<T>) -> Option<Verified<T>> {
        let revoked = &self.root()?.root().revoked_keys;
        // What no revoked key signed stands as it stood: its proof has not changed.
        if document.signers().is_disjoint(revoked) {
            return Some(document.clone());
        }
        self.stands(Envelope::open(document.line()).ok()?).ok()
    }

    /// Verifies a document that was accepted earlier (`bundle.md` §3.4): under any root of the
    /// chain, because a rotated key's documents stay, but never by a key revoked since.
    ///
    /// # Errors
    /// `trust.missing`; `signature.*`, with what the root in force knows about the key;
    /// `payload.*`.
    pub fn stands<T: Payload>(&self, envelope: Envelope) -> Result<Verified<T>, RefusalReason> {
        let current = self
            .root()
            .ok_or_else(|| RefusalReason::rule(Code::TrustMissing, "no trust root is installed"))?;
        let revoked = &current.root().revoked_keys;
        let envelope = envelope.with_signatures_of(|id| !revoked.contains(&id))?;
        // The ids say which root proves it, before any arithmetic (bundle.md §1.5).
        let mut proving = self.roots.iter().rev().map(|root| still_good::<T>(root, revoked));
        let quorum = proving
            .find(|quorum| quorum.is_met_by(envelope.key_ids()))
            .unwrap_or_else(|| still_good::<T>(current, revoked));
        let proven = prove(envelope, &[quorum]).map_err(|error| current.explain(error, T::TYPE))?;
        Ok(proven.parse()?)
    }

    fn sort_licenses(&mut self) {
        self.licenses.sort_by(|a, b| {
            (a.tenant.tenant_id, &a.product, a.serial).cmp(&(
                b.tenant.tenant_id,
                &b.product,
                b.serial,
            ))
        });
    }
}

/// The keys by which a root proves a type of document, without those revoked since.
fn still_good<'a, T: Payload>(root: &'a TrustRoot, revoked: &BTreeSet<KeyId>) -> Quorum<'a> {
    let mut quorum = quorum(root.root(), T::TYPE.signed_by());
    quorum.keys.retain(|key| !revoked.contains(&key.id()));
    quorum
}

impl License {
    /// Whether it belongs to this line.
    pub fn is_of(&self, line: &LineKey) -> bool {
        self.tenant.tenant_id == line.tenant_id && self.product == line.product
    }
}

impl LineKey {
    /// The line that a license belongs to.
    pub fn of(license: &License) -> Self {
        Self { tenant_id: license.tenant.tenant_id, product: license.product.clone() }
    }
}
