//! Draft: a document while people pass it between them, unsigned or signed by some.
//!
//! One mechanism for whatever several people sign, each on their own machine: roots, revocations,
//! clock resets. What differs between them is [`Drafted`].

mod paper;
mod tally;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use farhold_bundle::{
    Envelope, KeyId, LIMITS, PayloadError, PublicKey, SignatureError, Signer, TrustRoot,
    add_signature,
    payload::{Payload, Root},
    seal, verify_device_document,
};
use farhold_contract::{Code, Sha256Digest, Timestamp};

use crate::{refusal::Refusal, root::role_of};
use paper::{Sig, take_apart, write};

pub(crate) use tally::name_of;

pub use paper::kind_of;
pub use tally::{Person, Quorum, Tally};

/// A document that several people sign.
pub trait Drafted: Payload {
    /// What it is once enough have signed.
    type Signed;

    /// The roots whose keys of its role must sign: the one before it, where it is a root itself,
    /// and the one that it comes under.
    fn asked<'a>(&'a self, root: &'a TrustRoot) -> (Option<&'a Root>, &'a Root);

    /// Refuses what can't come under the root.
    ///
    /// # Errors
    /// `trust.*`, `root.invalid`, `payload.malformed`.
    fn require_fits(&self, root: &TrustRoot) -> Result<(), Refusal>;

    /// Verifies it as a site does.
    ///
    /// # Errors
    /// `signature.threshold` while signatures are missing; what a site refuses.
    fn verify(envelope: Envelope, root: &TrustRoot) -> Result<Self::Signed, Refusal>;
}

/// A document that is not signed by everyone yet.
///
/// As a file it is an envelope, and while nobody has signed it, one with an empty list of
/// signatures: no site and no other verb takes that for a document.
#[derive(Debug, Clone)]
pub struct Draft<T> {
    content: T,
    payload: Vec<u8>,
    signatures: Vec<Sig>,
}

impl<T: Drafted> Draft<T> {
    /// A draft that nobody has signed.
    ///
    /// # Errors
    /// What [`Drafted::require_fits`] refuses; `payload.malformed`.
    pub fn new(content: T, root: &TrustRoot) -> Result<Self, Refusal> {
        content.require_fits(root)?;
        let payload = written(&content)?;
        Ok(Self { content, payload, signatures: Vec::new() })
    }

    /// Opens the file of a draft, without its line feed.
    ///
    /// Each signature on it is by a key that may sign it, and holds.
    ///
    /// # Errors
    /// As [`Draft::claimed`]; what [`Drafted::require_fits`] refuses; `signature.*`.
    pub fn open(line: &[u8], root: &TrustRoot) -> Result<Self, Refusal> {
        let draft = Self::claimed(line)?;
        draft.content.require_fits(root)?;
        draft.signatures.iter().try_for_each(|signature| draft.require_holds(signature, root))?;
        Ok(draft)
    }

    /// What a file claims to be a draft of; nothing of it is verified.
    ///
    /// # Errors
    /// `envelope.*`, `payload.*`.
    pub fn claimed(line: &[u8]) -> Result<Self, Refusal> {
        let (kind, payload, signatures) = take_apart(line)?;
        if kind != T::TYPE {
            let what = format!("this is of the type {kind}, not {}", T::TYPE);
            return Err(Refusal::new(Code::PayloadType, what));
        }
        let content: T = serde_json::from_slice(&payload)
            .map_err(|source| PayloadError::Malformed { document: T::TYPE, source })?;
        content.check()?;
        Ok(Self { content, payload, signatures })
    }

    /// Refuses a draft that says what this version does not read: nobody should sign what was not
    /// shown, nor drop it by changing the rest.
    ///
    /// # Errors
    /// `payload.malformed`.
    pub fn require_all_shown(&self) -> Result<(), Refusal> {
        if written(&self.content)? == self.payload {
            return Ok(());
        }
        let what = "the draft says more than this version of the tool shows";
        Err(Refusal::new(Code::PayloadMalformed, what)
            .with_next("Make the draft with this version, or sign it with the one it is from."))
    }

    /// The same with one person's signature more.
    ///
    /// # Errors
    /// As [`Draft::require_all_shown`]; `signature.*` for a key that may not sign it or has;
    /// `usage.invalid` beyond 16 signatures.
    pub fn sign(&self, signer: &dyn Signer, root: &TrustRoot) -> Result<Self, Refusal> {
        self.require_all_shown()?;
        let key = signer.public_key().id();
        self.key(key, root)?;
        if self.signers().any(|signed| signed == key) {
            let what = format!("key {key} has signed this draft already");
            return Err(Refusal::new(Code::SignatureInvalid, what)
                .with_next("Pass it on to someone who has not signed."));
        }
        if self.signatures.len() == LIMITS.signatures {
            return Err(too_many_signatures());
        }
        let line = match self.signatures.is_empty() {
            true => seal(&self.content, signer)?,
            false => add_signature(&self.line(), signer)?,
        };
        Self::open(&line, root)
    }

    /// The same with the signatures of another copy: two may have signed at the same time.
    ///
    /// # Errors
    /// `usage.invalid` for a copy of another draft, or beyond 16 signatures.
    pub fn merge(mut self, other: &Self) -> Result<Self, Refusal> {
        if self.payload != other.payload {
            return Err(Refusal::usage(
                format!("two drafts differ: {} and {}", self.sha256(), other.sha256()),
                "Sign copies of one draft: sign --dry-run shows each, and its hash.",
            ));
        }
        for signature in &other.signatures {
            if !self.signatures.iter().any(|signed| signed.keyid == signature.keyid) {
                self.signatures.push(signature.clone());
            }
        }
        if self.signatures.len() > LIMITS.signatures {
            return Err(too_many_signatures());
        }
        Ok(self)
    }

    /// The document that it is once enough have signed: verified as a site does.
    ///
    /// # Errors
    /// `signature.threshold` while signatures are missing; what a site refuses.
    pub fn complete(&self, root: &TrustRoot) -> Result<T::Signed, Refusal> {
        if self.signatures.is_empty() {
            return Err(Refusal::new(Code::SignatureThreshold, "nobody has signed the draft"));
        }
        T::verify(Envelope::open(&self.line())?, root)
    }

    /// Who has signed, and who is missing.
    pub fn tally(&self, root: &TrustRoot) -> Tally {
        let (before, own) = self.content.asked(root);
        let signers: BTreeSet<KeyId> = self.signers().collect();
        let role = T::TYPE.signed_by();
        Tally {
            before: before.map(|before| Quorum::of(before, role, &signers)),
            own: Quorum::of(own, role, &signers),
        }
    }

    /// What it says.
    pub const fn content(&self) -> &T {
        &self.content
    }

    /// SHA-256 of its payload: the same for every copy, whoever has signed it.
    pub fn sha256(&self) -> Sha256Digest {
        Sha256Digest::new(Sha256::digest(&self.payload).into())
    }

    /// The keys whose signatures are on it.
    pub fn signers(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.signatures.iter().map(|signature| signature.keyid)
    }

    /// Its file, without a line feed.
    pub fn line(&self) -> Vec<u8> {
        write(T::TYPE, &self.payload, &self.signatures)
    }

    /// A signature counts alone, before there are enough of them.
    fn require_holds(&self, signature: &Sig, root: &TrustRoot) -> Result<(), Refusal> {
        let key = self.key(signature.keyid, root)?;
        let alone = write(T::TYPE, &self.payload, std::slice::from_ref(signature));
        verify_device_document::<T>(Envelope::open(&alone)?, key)?;
        Ok(())
    }

    /// The key with this id that may sign it.
    fn key<'a>(&'a self, id: KeyId, root: &'a TrustRoot) -> Result<&'a PublicKey, Refusal> {
        let (before, own) = self.content.asked(root);
        let role = T::TYPE.signed_by();
        let roots = || before.into_iter().chain([own]);
        let has_role =
            |root: &&Root| root.role(role).is_some_and(|keys| keys.key_ids.contains(&id));
        if let Some(key) = roots().filter(has_role).find_map(|root| root.key(id)) {
            return Ok(key);
        }
        let error = match roots().find_map(|root| role_of(root, id)) {
            Some(actual) => {
                SignatureError::WrongRole { key: id, actual, required: role, document: T::TYPE }
            }
            None if roots().any(|root| root.revoked_keys.contains(&id)) => {
                SignatureError::RevokedKey { key: id }
            }
            None => SignatureError::UnknownKey { key: id },
        };
        let listed: Vec<String> = roots().map(|root| format!("root {}", root.version)).collect();
        let listed = listed.join(" or of ");
        Err(Refusal::from(error)
            .with_next(format!("Give a {role} key of {listed}: root show lists them.")))
    }
}

fn written<T: Payload>(content: &T) -> Result<Vec<u8>, Refusal> {
    Ok(serde_json::to_vec(content)
        .map_err(|source| PayloadError::Malformed { document: T::TYPE, source })?)
}

fn too_many_signatures() -> Refusal {
    Refusal::usage(
        format!("a document carries at most {} signatures", LIMITS.signatures),
        "Pass on a copy that fewer have signed.",
    )
}

/// Refuses a root that has ended: no site takes what is signed under it.
///
/// # Errors
/// `trust.root_expired`.
pub(crate) fn require_unended(root: &TrustRoot, at: Timestamp) -> Result<(), Refusal> {
    let ends = root.root().expires;
    if ends > at {
        return Ok(());
    }
    let what = format!("root {} ended at {ends}; no site would take it", root.version());
    Err(Refusal::new(Code::TrustRootExpired, what)
        .with_next("Make the next root first, then sign under it."))
}
