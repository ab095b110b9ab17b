//! Draft: the next root while people pass it between them, unsigned or signed by some.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use farhold_bundle::{
    Envelope, KeyId, LIMITS, PayloadError, PublicKey, SignatureError, Signer, TrustRoot,
    add_signature,
    payload::{DocumentType, Payload, Role, Root},
    seal, verify_device_document,
};
use farhold_contract::{Code, Sha256Digest};

use super::{change::require_follows, tally::Tally};
use crate::refusal::Refusal;

/// A next root that is not signed by everyone yet.
///
/// As a file it is an envelope, and while nobody has signed it, one with an empty list of
/// signatures: no site and no other verb takes that for a document.
#[derive(Debug, Clone)]
pub struct Draft {
    root: Root,
    payload: Vec<u8>,
    signatures: Vec<Sig>,
}

/// One signature, as the envelope writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Sig {
    keyid: KeyId,
    sig: String,
}

impl Draft {
    /// A draft that nobody has signed.
    ///
    /// # Errors
    /// `trust.*` and `root.invalid` for what can't follow `before`; `payload.malformed`.
    pub fn new(root: Root, before: &TrustRoot) -> Result<Self, Refusal> {
        require_follows(&root, before)?;
        let payload = written(&root)?;
        Ok(Self { root, payload, signatures: Vec::new() })
    }

    /// Opens the file of a draft, without its line feed, that is to follow `before`.
    ///
    /// Each signature on it is by a root key of either root and holds.
    ///
    /// # Errors
    /// As [`Draft::claimed`]; `trust.*` and `root.invalid` for what can't follow `before`;
    /// `signature.*`.
    pub fn open(line: &[u8], before: &TrustRoot) -> Result<Self, Refusal> {
        let draft = Self::claimed(line)?;
        require_follows(&draft.root, before)?;
        draft.signatures.iter().try_for_each(|signature| draft.require_holds(signature, before))?;
        Ok(draft)
    }

    /// What a file claims to be a draft of; nothing of it is verified.
    ///
    /// # Errors
    /// `envelope.*`, `payload.*`.
    pub fn claimed(line: &[u8]) -> Result<Self, Refusal> {
        let (payload, signatures) = take_apart(line)?;
        let root: Root = serde_json::from_slice(&payload)
            .map_err(|source| PayloadError::Malformed { document: DocumentType::Root, source })?;
        root.check()?;
        Ok(Self { root, payload, signatures })
    }

    /// Refuses a draft that says what this version does not read: nobody should sign what was not
    /// shown, nor drop it by changing the rest.
    ///
    /// # Errors
    /// `payload.malformed`.
    pub fn require_all_shown(&self) -> Result<(), Refusal> {
        if written(&self.root)? == self.payload {
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
    pub fn sign(&self, signer: &dyn Signer, before: &TrustRoot) -> Result<Self, Refusal> {
        self.require_all_shown()?;
        let key = signer.public_key().id();
        self.root_key(key, before)?;
        if self.signers().any(|signed| signed == key) {
            let what = format!("key {key} has signed this draft already");
            return Err(Refusal::new(Code::SignatureInvalid, what)
                .with_next("Pass it on to someone who has not signed."));
        }
        if self.signatures.len() == LIMITS.signatures {
            return Err(too_many_signatures());
        }
        let line = match self.signatures.is_empty() {
            true => seal(&self.root, signer)?,
            false => add_signature(&self.line(), signer)?,
        };
        Self::open(&line, before)
    }

    /// The same with the signatures of another copy: two may have signed at the same time.
    ///
    /// # Errors
    /// `usage.invalid` for a copy of another draft, or beyond 16 signatures.
    pub fn merge(mut self, other: &Self) -> Result<Self, Refusal> {
        if self.payload != other.payload {
            return Err(Refusal::usage(
                format!("two drafts differ: {} and {}", self.sha256(), other.sha256()),
                "Sign copies of one draft: root show prints its hash.",
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

    /// The root that it is once enough have signed: verified as a site does.
    ///
    /// # Errors
    /// `signature.threshold` while signatures are missing; what [`TrustRoot::step`] refuses.
    pub fn complete(&self, before: &TrustRoot) -> Result<TrustRoot, Refusal> {
        if self.signatures.is_empty() {
            return Err(Refusal::new(Code::SignatureThreshold, "nobody has signed the draft"));
        }
        let next = before.step(Envelope::open(&self.line())?)?;
        // A new site installs it as its first.
        TrustRoot::install(next.root().line(), Some(next.root().sha256()))?;
        Ok(next)
    }

    /// Who has signed, and who is missing.
    pub fn tally(&self, before: &TrustRoot) -> Tally {
        Tally::of(&self.root, before.root(), &self.signers().collect::<Vec<_>>())
    }

    /// What it says.
    pub const fn root(&self) -> &Root {
        &self.root
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
        write(&self.payload, &self.signatures)
    }

    /// A signature counts alone, before there are enough of them.
    fn require_holds(&self, signature: &Sig, before: &TrustRoot) -> Result<(), Refusal> {
        let key = self.root_key(signature.keyid, before)?;
        let alone = write(&self.payload, std::slice::from_ref(signature));
        verify_device_document::<Root>(Envelope::open(&alone)?, key)?;
        Ok(())
    }

    /// The root key of either root with this id.
    fn root_key<'a>(&'a self, id: KeyId, before: &'a TrustRoot) -> Result<&'a PublicKey, Refusal> {
        let old = before.root().content();
        let of = |root: &'a Root| root.roles.root.key_ids.contains(&id).then(|| root.key(id));
        if let Some(key) = of(old).flatten().or_else(|| of(&self.root).flatten()) {
            return Ok(key);
        }
        let role_in = |root: &Root| {
            root.roles()
                .into_iter()
                .find(|(_, keys)| keys.key_ids.contains(&id))
                .map(|(role, _)| role)
        };
        let error = match role_in(old).or_else(|| role_in(&self.root)) {
            Some(actual) => SignatureError::WrongRole {
                key: id,
                actual,
                required: Role::Root,
                document: DocumentType::Root,
            },
            None if old.revoked_keys.contains(&id) => SignatureError::RevokedKey { key: id },
            None => SignatureError::UnknownKey { key: id },
        };
        let versions = (old.version, self.root.version);
        Err(Refusal::from(error).with_next(format!(
            "Give a root key of root {} or of root {}: root show lists them.",
            versions.0, versions.1
        )))
    }
}

/// The parts of an envelope in the one shape, or in that shape with nobody's signature.
fn take_apart(line: &[u8]) -> Result<(Vec<u8>, Vec<Sig>), Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        payload: String,
        payload_type: String,
        signatures: Vec<Sig>,
    }
    if line.len() > LIMITS.envelope_bytes {
        Envelope::open(line)?;
    }
    let unsigned = line.ends_with(br#""signatures":[]}"#);
    if !unsigned {
        Envelope::open(line)?;
    }
    let malformed =
        || Refusal::new(Code::EnvelopeMalformed, "this is neither a root nor a draft of one");
    let shape: Shape = serde_json::from_slice(line).map_err(|_| malformed())?;
    match DocumentType::from_media_type(&shape.payload_type) {
        Some(DocumentType::Root) => {}
        Some(other) => {
            return Err(Refusal::new(Code::PayloadType, format!("this is a {other}, not a root")));
        }
        None => return Err(malformed()),
    }
    let payload = STANDARD.decode(&shape.payload).map_err(|_| malformed())?;
    // No second spelling of an unsigned one either: two copies of one draft are the same bytes.
    if write(&payload, &shape.signatures) != line {
        return Err(malformed());
    }
    Ok((payload, shape.signatures))
}

/// The one shape of `bundle.md` §1.2; with an empty list, a draft that nobody has signed.
fn write(payload: &[u8], signatures: &[Sig]) -> Vec<u8> {
    let signatures: Vec<String> = signatures
        .iter()
        .map(|one| format!(r#"{{"keyid":"{}","sig":"{}"}}"#, one.keyid, one.sig))
        .collect();
    format!(
        r#"{{"payload":"{}","payloadType":"{}","signatures":[{}]}}"#,
        STANDARD.encode(payload),
        DocumentType::Root.media_type(),
        signatures.join(",")
    )
    .into_bytes()
}

fn written(root: &Root) -> Result<Vec<u8>, Refusal> {
    Ok(serde_json::to_vec(root)
        .map_err(|source| PayloadError::Malformed { document: DocumentType::Root, source })?)
}

fn too_many_signatures() -> Refusal {
    Refusal::usage(
        format!("a root carries at most {} signatures", LIMITS.signatures),
        "Pass on a copy that fewer have signed.",
    )
}
