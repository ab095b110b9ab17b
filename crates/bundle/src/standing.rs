//! What stands at a site: its roots, revocations and licenses, all verified.

use std::collections::BTreeMap;

use farhold_contract::{Code, Timestamp, id::TenantId};

use crate::{
    envelope::Envelope,
    error::{RefusalReason, SignatureError},
    limits::LIMITS,
    payload::{DocumentType, License, Payload, Revocations},
    threshold::prove,
    trust::{TrustRoot, quorum},
    verified::Verified,
};

/// Every document in force, waiting, or superseded but still able to come back.
///
/// Marks (the highest version, generation, serial) are computed from it, never stored: what a
/// stolen key raised falls with the key (`bundle.md` §3.3).
#[derive(Debug, Clone, Default)]
pub struct Standing {
    roots: Vec<TrustRoot>,
    revocations: Option<Verified<Revocations>>,
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

/// Most serials kept of one line: enough to fall back on when a stolen key's licenses fall.
const SERIALS_KEPT: usize = 16;

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
            DocumentType::Revocations => self.revocations = Some(self.stands(envelope)?),
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
    pub const fn revocations(&self) -> Option<&Verified<Revocations>> {
        self.revocations.as_ref()
    }

    /// Every license, by line and rising serial; revoked ones too, so that it can be said.
    pub fn licenses(&self) -> &[Verified<License>] {
        &self.licenses
    }

    /// Whether the revocations in force take this license out of force.
    pub fn revokes(&self, license: &License) -> bool {
        self.revocations.as_ref().is_some_and(|revocations| revocations.revokes(license))
    }

    /// The greatest `issued_at` of the root, the revocations, and each line's newest license that
    /// holds (`bundle.md` §5): proof that that time has come. Documents dated after `not_after`
    /// don't count: a clock reset has shown them to be wrong.
    pub fn floor(&self, not_after: Option<Timestamp>) -> Timestamp {
        let root = self.root().map(|root| root.root().issued_at);
        let revocations = self.revocations().map(|revocations| revocations.issued_at);
        let mut newest: BTreeMap<LineKey, Timestamp> = BTreeMap::new();
        for license in self.licenses.iter().filter(|license| !self.revokes(license)) {
            newest.insert(LineKey::of(license), license.issued_at);
        }
        root.into_iter()
            .chain(revocations)
            .chain(newest.into_values())
            .filter(|&issued_at| not_after.is_none_or(|bound| issued_at <= bound))
            .max()
            .unwrap_or(Timestamp::MIN)
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
            self.revocations.as_ref().map_or(0, |revocations| revocations.generation.as_u64());
        (self.root().map_or(0, TrustRoot::version), generation, serials)
    }

    pub(crate) fn push_root(&mut self, root: TrustRoot) {
        self.roots.push(root);
        // Two imports' worth of steps: enough to verify any document that can still stand.
        if self.roots.len() > 2 * LIMITS.root_steps {
            self.roots.remove(0);
        }
    }

    pub(crate) fn set_revocations(&mut self, revocations: Verified<Revocations>) {
        self.revocations = Some(revocations);
    }

    pub(crate) fn add_license(&mut self, license: Verified<License>) {
        let line = LineKey::of(&license);
        self.licenses.push(license);
        self.sort_licenses();
        let of_line = self.licenses.iter().filter(|license| LineKey::of(license) == line).count();
        if of_line > SERIALS_KEPT
            && let Some(oldest) =
                self.licenses.iter().position(|license| LineKey::of(license) == line)
        {
            self.licenses.remove(oldest);
        }
    }

    /// Lets fall what stood only by a key that is revoked now; returns the fallen lines' names.
    pub(crate) fn drop_fallen(&mut self) -> Vec<String> {
        let mut fallen = Vec::new();
        if let Some(revocations) = self.revocations.take() {
            match self.stands_again(&revocations) {
                Some(still) => self.revocations = Some(still),
                None => fallen.push(format!("revocations generation {}", revocations.generation)),
            }
        }
        let mut standing = Vec::new();
        for license in std::mem::take(&mut self.licenses) {
            match self.stands_again(&license) {
                Some(still) => standing.push(still),
                None => {
                    fallen.push(format!("license {} serial {}", license.license_id, license.serial))
                }
            }
        }
        self.licenses = standing;
        fallen
    }

    fn stands_again<T: Payload>(&self, document: &Verified<T>) -> Option<Verified<T>> {
        self.stands(Envelope::open(document.line()).ok()?).ok()
    }

    /// Verifies a document that was accepted earlier (`bundle.md` §3.4): under any root of the
    /// chain, because a rotated key's documents stay, but never by a key revoked since.
    pub(crate) fn stands<T: Payload>(
        &self,
        envelope: Envelope,
    ) -> Result<Verified<T>, RefusalReason> {
        let current = self
            .root()
            .ok_or_else(|| RefusalReason::rule(Code::TrustMissing, "no trust root is installed"))?;
        let revoked = &current.root().revoked_keys;
        let first = envelope.key_ids().next();
        let envelope = envelope.with_signatures_of(|id| !revoked.contains(&id))?;
        let mut refusal = first.map_or_else(
            || RefusalReason::rule(Code::SignatureThreshold, "the document is not signed"),
            |key| SignatureError::UnknownKey { key }.into(),
        );
        for (at, root) in self.roots.iter().rev().enumerate() {
            let mut keys = quorum(root.root(), T::TYPE.signed_by());
            keys.keys.retain(|key| !revoked.contains(&key.id()));
            match prove(envelope.clone(), &[keys]) {
                Ok(proven) => return Ok(proven.parse()?),
                Err(error) if at == 0 => refusal = current.explain(error, T::TYPE).into(),
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn sort_licenses(&mut self) {
        self.licenses.sort_by(|a, b| (LineKey::of(a), a.serial).cmp(&(LineKey::of(b), b.serial)));
    }
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
