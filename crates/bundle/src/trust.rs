//! Trust root: installed once, then walked step by step, and what it proves.

use farhold_contract::{Code, Sha256Digest};

use crate::{
    envelope::Envelope,
    error::{RefusalReason, SignatureError},
    key::KeyId,
    payload::{DocumentType, Payload, Role, Root},
    threshold::{Quorum, prove},
    verified::{Proven, Verified, read_payload},
};

/// A root whose authority has been established: by a hash carried apart, or by the root before it.
#[derive(Debug, Clone)]
pub struct TrustRoot(Verified<Root>);

impl TrustRoot {
    /// Establishes a first root (`bundle.md` §3.1): never from a bundle.
    ///
    /// `sha256` is the hash of the payload, carried apart from the file; `None` only where the
    /// file itself is trusted as the vendor's package is.
    ///
    /// # Errors
    /// `trust.hash_mismatch`; `signature.*` unless a threshold of its own root keys signed it.
    pub fn install(line: &[u8], sha256: Option<Sha256Digest>) -> Result<Self, RefusalReason> {
        let envelope = Envelope::open(line)?;
        require_root(&envelope)?;
        // The content names the keys that prove it, so it is read first. What makes it trusted is
        // the hash; the signatures show that its keys exist and that the file is whole.
        let claimed: Root = read_payload(envelope.danger_unverified_payload())?;
        let own = quorum(&claimed, Role::Root);
        // A root made by rotation also carries the signatures of the one before it, whose keys
        // nobody can know here.
        let envelope =
            envelope.with_signatures_of(|id| own.keys.iter().any(|key| key.id() == id))?;
        let root: Verified<Root> = prove(envelope, &[own])?.parse()?;
        if let Some(expected) = sha256
            && expected != root.sha256()
        {
            let detail =
                format!("the root's payload has SHA-256 {}, not {expected}", root.sha256());
            return Err(RefusalReason::rule(Code::TrustHash, detail));
        }
        Ok(Self(root))
    }

    /// Takes the next root (`bundle.md` §3.2): exactly one version on, signed by a threshold of
    /// this root's root keys and of its own.
    ///
    /// Its end is not looked at: an expired root in the middle of a chain still chains.
    ///
    /// # Errors
    /// `trust.root_skipped`, `trust.issuer_mismatch`, `root.invalid`, `signature.*`.
    pub fn step(&self, envelope: Envelope) -> Result<Self, RefusalReason> {
        require_root(&envelope)?;
        let claimed: Root = read_payload(envelope.danger_unverified_payload())?;
        let expected = self.version() + 1;
        if claimed.version.as_u64() != expected {
            let detail =
                format!("root {} is offered where root {expected} must follow", claimed.version);
            return Err(RefusalReason::rule(Code::TrustSkipped, detail));
        }
        let quorums = [quorum(&self.0, Role::Root), quorum(&claimed, Role::Root)];
        let next: Verified<Root> = prove(envelope, &quorums)
            .map_err(|error| self.explain(error, DocumentType::Root))?
            .parse()?;
        if next.issuer.id != self.0.issuer.id {
            return Err(RefusalReason::rule(
                Code::TrustIssuer,
                "the next root is of another issuer",
            ));
        }
        if !next.revoked_keys.is_superset(&self.0.revoked_keys) {
            return Err(RefusalReason::rule(
                Code::RootInvalid,
                "the next root forgets a revoked key",
            ));
        }
        if let Some(moved) = self.moved_key(&next) {
            let detail = format!("the next root gives key {moved} another role");
            return Err(RefusalReason::rule(Code::RootInvalid, detail));
        }
        Ok(Self(next))
    }

    /// Verifies a document by the keys of its type's role.
    ///
    /// # Errors
    /// `signature.*`, with what this root knows about the key; `payload.*`.
    pub fn verify<T: Payload>(&self, envelope: Envelope) -> Result<Verified<T>, RefusalReason> {
        Ok(self.prove(envelope)?.parse()?)
    }

    /// Proves a line by the keys of its type's role; what it says has not been read.
    ///
    /// # Errors
    /// [`SignatureError`], with what this root knows about the key.
    pub fn prove(&self, envelope: Envelope) -> Result<Proven, SignatureError> {
        let kind = envelope.kind();
        prove(envelope, &[quorum(&self.0, kind.signed_by())])
            .map_err(|error| self.explain(error, kind))
    }

    /// The root.
    pub const fn root(&self) -> &Verified<Root> {
        &self.0
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.0.version.as_u64()
    }

    /// The role of a key of this root.
    pub fn role_of(&self, id: KeyId) -> Option<Role> {
        let has = |(_, keys): &(Role, &crate::payload::RoleKeys)| keys.key_ids.contains(&id);
        self.0.roles().into_iter().find(has).map(|(role, _)| role)
    }

    /// Says of a key that may not sign what is known about it.
    pub(crate) fn explain(&self, error: SignatureError, document: DocumentType) -> SignatureError {
        let SignatureError::UnknownKey { key } = error else { return error };
        if self.0.revoked_keys.contains(&key) {
            return SignatureError::RevokedKey { key };
        }
        match self.role_of(key) {
            Some(actual) => {
                SignatureError::WrongRole { key, actual, required: document.signed_by(), document }
            }
            None => error,
        }
    }

    /// A key that had one role and would get another: documents it signed would change meaning.
    fn moved_key(&self, next: &Root) -> Option<KeyId> {
        let mut listed = listed(next);
        listed.find_map(|(role, id)| self.role_of(id).is_some_and(|it| it != role).then_some(id))
    }
}

/// Holds a root that follows a chain to the roles that its keys had there, when they were last
/// listed (`bundle.md` §3.2): a key that was away comes back as what it was.
///
/// A chain that stands already is not held to it again.
///
/// # Errors
/// `root.invalid`.
pub(crate) fn require_roles_kept(chain: &[TrustRoot], next: &Root) -> Result<(), RefusalReason> {
    for (role, id) in listed(next) {
        let had = |root: &TrustRoot| Some((root.version(), root.role_of(id)?));
        if let Some((version, before)) = chain.iter().rev().find_map(had)
            && before != role
        {
            let detail = format!(
                "the next root gives key {id} role {role}; it had {before} in root {version}"
            );
            return Err(RefusalReason::rule(Code::RootInvalid, detail));
        }
    }
    Ok(())
}

fn listed(root: &Root) -> impl Iterator<Item = (Role, KeyId)> {
    let roles = root.roles().into_iter();
    roles.flat_map(|(role, keys)| keys.key_ids.iter().map(move |&id| (role, id)))
}

pub(crate) fn quorum(root: &Root, role: Role) -> Quorum<'_> {
    let keys = root.role(role);
    Quorum {
        role,
        keys: keys
            .map_or(&[][..], |keys| &keys.key_ids)
            .iter()
            .filter_map(|&id| root.key(id))
            .collect(),
        // A role without keys has a threshold no one can reach.
        threshold: keys.map_or(u64::MAX, |keys| keys.threshold.as_u64()),
    }
}

fn require_root(envelope: &Envelope) -> Result<(), RefusalReason> {
    match envelope.kind() {
        DocumentType::Root => Ok(()),
        other => Err(RefusalReason::rule(
            Code::PayloadType,
            format!("a root is needed, this is a {other}"),
        )),
    }
}
