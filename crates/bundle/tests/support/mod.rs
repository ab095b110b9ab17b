//! A vendor with deterministic keys, and small builders of what it says.
//!
//! Lines are written here a second time, apart from the crate's own writer: documents that the
//! crate would never seal must be made to see them refused.
// Each test binary uses its own part of this module; the generator of `specs/vectors` another.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use farhold_bundle::{
    ImportPlan, ImportRefusal, KeyId, PublicKey, Signer, SiteFacts, Standing, TrustRoot, Unsigned,
    payload::{DocumentType, Payload, Role, SiteMode},
    plan_import,
};
use farhold_contract::{Code, Timestamp};

pub const TENANT_A: &str = "01939b6e-0000-7000-8000-00000000000a";
pub const TENANT_B: &str = "01939b6e-0000-7000-8000-00000000000b";
pub const NONCE: &str = "00112233445566778899aabbccddeeff";
pub const LAST_NUMBER: u64 = (1 << 53) - 1;

/// A key made from public bytes: the same in every run.
#[derive(Clone)]
pub struct Key {
    public: PublicKey,
    signing: SigningKey,
}

impl Key {
    pub fn new(seed: &[u8]) -> Self {
        let signing = SigningKey::from_bytes(&Sha256::digest(seed).into());
        let public = PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
        Self { public, signing }
    }

    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A signature over a document, by this file's own reading of the protocol.
    pub fn sign_document(&self, media_type: &str, payload: &[u8]) -> [u8; 64] {
        self.signing.sign(&pae(media_type, payload)).to_bytes()
    }
}

impl Signer for Key {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        Ok(self.signing.sign(message).to_bytes())
    }
}

/// The keys of one role, and how many must sign.
#[derive(Clone)]
pub struct Group {
    pub keys: Vec<Key>,
    pub threshold: u64,
}

impl Group {
    fn json(&self) -> Value {
        let ids: Vec<_> = self.keys.iter().map(Key::id).collect();
        json!({ "key_ids": ids, "threshold": self.threshold })
    }
}

/// One issuer at one version of its root.
#[derive(Clone)]
pub struct Vendor {
    pub seed: u8,
    pub version: u64,
    pub issuer: String,
    pub issued_at: &'static str,
    pub expires: &'static str,
    pub root: Group,
    pub license: Group,
    pub revocation: Group,
    pub kernel: Group,
    pub revoked: BTreeSet<KeyId>,
}

impl Vendor {
    /// A vendor with one key a role, at root 1.
    pub fn new(seed: u8) -> Self {
        let group = |role| Group { keys: vec![key(seed, role, 0)], threshold: 1 };
        Self {
            seed,
            version: 1,
            issuer: format!("01939b6e-0000-7000-8000-0000000001{seed:02x}"),
            issued_at: "2027-01-01T00:00:00Z",
            expires: "9000-01-01T00:00:00Z",
            root: group(Role::Root),
            license: group(Role::License),
            revocation: group(Role::Revocation),
            kernel: group(Role::Kernel),
            revoked: BTreeSet::new(),
        }
    }

    /// A vendor of whose `role` so many keys exist and must all sign.
    pub fn with_signers(seed: u8, role: Role, signers: u8) -> Self {
        let mut vendor = Self::new(seed);
        let keys = (0..signers).map(|n| key(seed, role, n)).collect();
        *vendor.group_mut(role) = Group { keys, threshold: u64::from(signers) };
        vendor
    }

    /// The same vendor one root on.
    pub fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    /// The next root, in which `role` has a fresh key and the old ones are only rotated out.
    pub fn rotate(&self, role: Role) -> Self {
        let mut next = self.next();
        let fresh = key(self.seed, role, 100 + u8::try_from(next.version % 100).unwrap());
        *next.group_mut(role) = Group { keys: vec![fresh], threshold: 1 };
        next
    }

    /// The next root, in which `role` has a fresh key and the old ones are revoked.
    pub fn revoke(&self, role: Role) -> Self {
        let mut next = self.rotate(role);
        next.revoked.extend(self.group(role).keys.iter().map(Key::id));
        next
    }

    pub fn group(&self, role: Role) -> &Group {
        match role {
            Role::Root => &self.root,
            Role::License => &self.license,
            Role::Revocation => &self.revocation,
            Role::Kernel => &self.kernel,
            Role::Device => panic!("a vendor has no device key"),
        }
    }

    pub fn group_mut(&mut self, role: Role) -> &mut Group {
        match role {
            Role::Root => &mut self.root,
            Role::License => &mut self.license,
            Role::Revocation => &mut self.revocation,
            Role::Kernel => &mut self.kernel,
            Role::Device => panic!("a vendor has no device key"),
        }
    }

    /// The content of its root.
    pub fn root_json(&self) -> Value {
        let groups = [&self.root, &self.license, &self.revocation, &self.kernel];
        let keys: Vec<_> = groups
            .into_iter()
            .flat_map(|group| &group.keys)
            .map(|key| json!({ "public_key": key.public() }))
            .collect();
        json!({
            "issuer": { "id": self.issuer, "name": "Example Vendor" },
            "version": self.version,
            "issued_at": self.issued_at,
            "expires": self.expires,
            "keys": keys,
            "roles": {
                "root": self.root.json(),
                "license": self.license.json(),
                "revocation": self.revocation.json(),
                "kernel": self.kernel.json(),
            },
            "revoked_keys": self.revoked,
        })
    }

    /// Its root, signed by its own root keys: a first root.
    pub fn root_line(&self) -> Vec<u8> {
        line(DocumentType::Root, &self.root_json(), &self.root.keys)
    }

    /// Its root, signed by its own root keys and by those of the root before.
    pub fn root_line_after(&self, before: &Self) -> Vec<u8> {
        let mut keys = before.root.keys.clone();
        keys.extend(self.root.keys.iter().filter(|key| !has(&before.root, key)).cloned());
        line(DocumentType::Root, &self.root_json(), &keys)
    }

    /// A site where its root has been installed and nothing else.
    pub fn site(&self) -> Standing {
        Standing::with_trust(TrustRoot::install(&self.root_line(), None).unwrap())
    }

    /// The content of a license of product `courses` for tenant A.
    pub fn license_json(&self, serial: u64) -> Value {
        json!({
            "license_id": license_id(1),
            "serial": serial,
            "issuer": self.issuer,
            "product": "courses",
            "issued_to": "Example School",
            "tenant": {
                "tenant_id": TENANT_A,
                "type": "company",
                "status": "active",
                "policies": { "security_level": "standard" },
            },
            "issued_at": "2027-01-02T00:00:00Z",
            "not_before": "2027-01-02T00:00:00Z",
            "expires_on": "2028-01-31",
            "entitlements": [
                { "feature": "live.rooms", "runtime_type": "courses", "limits": { "quota": 10 } },
                { "feature": "recording", "runtime_type": "courses", "limits": { "quota": 7 } },
            ],
        })
    }

    /// A license of the given serial, signed as its root wants.
    pub fn license_line(&self, serial: u64) -> Vec<u8> {
        self.sign_license(&self.license_json(serial))
    }

    pub fn sign_license(&self, content: &Value) -> Vec<u8> {
        line(DocumentType::License, content, &self.license.keys)
    }

    /// The content of a revocation list that revokes `licenses`.
    pub fn revocations_json(&self, generation: u64, licenses: &[String]) -> Value {
        json!({
            "issuer": self.issuer,
            "generation": generation,
            "issued_at": "2027-01-03T00:00:00Z",
            "licenses": licenses,
        })
    }

    pub fn revocations_line(&self, generation: u64, licenses: &[String]) -> Vec<u8> {
        let content = self.revocations_json(generation, licenses);
        line(DocumentType::Revocations, &content, &self.revocation.keys)
    }

    pub fn receipt_line(&self, device: &Key) -> Vec<u8> {
        let content = json!({
            "device_key": device.public(),
            "epoch": NONCE,
            "seq": 600,
            "head": "11".repeat(32),
            "received_at": "2027-01-04T00:00:00Z",
        });
        line(DocumentType::Receipt, &content, &self.kernel.keys)
    }

    pub fn clock_reset_line(&self, device: &Key, nonce: &str) -> Vec<u8> {
        let content = json!({
            "device_key": device.public(),
            "nonce": nonce,
            "time": "2027-02-01T00:00:00Z",
        });
        line(DocumentType::ClockReset, &content, &self.license.keys)
    }
}

/// The key of one vendor in one role.
pub fn key(seed: u8, role: Role, n: u8) -> Key {
    Key::new(format!("farhold test key {seed} {role} {n}").as_bytes())
}

fn has(group: &Group, key: &Key) -> bool {
    group.keys.iter().any(|other| other.id() == key.id())
}

pub fn license_id(n: u8) -> String {
    format!("01939b6e-0000-7000-8000-0000000002{n:02x}")
}

/// What DSSE signs, written after its protocol.md.
pub fn pae(media_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = b"DSSEv1".to_vec();
    for part in [media_type.as_bytes(), payload] {
        message.push(b' ');
        message.extend_from_slice(part.len().to_string().as_bytes());
        message.push(b' ');
        message.extend_from_slice(part);
    }
    message
}

/// A line by its parts, whatever they are.
pub fn line_of(payload: &[u8], media_type: &str, signatures: &[(KeyId, Vec<u8>)]) -> Vec<u8> {
    let signatures: Vec<_> = signatures
        .iter()
        .map(|(id, sig)| format!(r#"{{"keyid":"{id}","sig":"{}"}}"#, STANDARD.encode(sig)))
        .collect();
    format!(
        r#"{{"payload":"{}","payloadType":"{media_type}","signatures":[{}]}}"#,
        STANDARD.encode(payload),
        signatures.join(",")
    )
    .into_bytes()
}

/// A signed line of any payload bytes.
pub fn raw_line(kind: DocumentType, payload: &[u8], keys: &[Key]) -> Vec<u8> {
    let sign = |key: &Key| (key.id(), key.sign_document(kind.media_type(), payload).to_vec());
    line_of(payload, kind.media_type(), &keys.iter().map(sign).collect::<Vec<_>>())
}

/// A signed line of any content.
pub fn line(kind: DocumentType, content: &Value, keys: &[Key]) -> Vec<u8> {
    raw_line(kind, content.to_string().as_bytes(), keys)
}

/// Content with members replaced or added.
pub fn with(mut content: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut content, changes) else {
        panic!("both are objects");
    };
    members.extend(changes);
    content
}

/// The payload bytes of a line.
pub fn payload_of(line: &[u8]) -> Vec<u8> {
    farhold_bundle::Envelope::open(line).unwrap().danger_unverified_payload().to_vec()
}

/// Lines as a bundle.
pub fn bundle<L: AsRef<[u8]>>(lines: &[L]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_ref(), b"\n"].concat()).collect()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn now() -> Timestamp {
    at("2027-06-01T12:00:00Z")
}

pub fn device() -> Key {
    Key::new(b"farhold test device")
}

/// A managed site of tenant A that waits for no answer.
pub fn site_facts() -> SiteFacts {
    SiteFacts {
        mode: SiteMode::Managed,
        tenants: BTreeSet::from([TENANT_A.parse().unwrap()]),
        device_key: device().public().clone(),
        fingerprint: BTreeMap::new(),
        open_nonce: None,
        released: BTreeMap::new(),
    }
}

/// Imports lines without the checks that concern one site.
pub fn import<L: AsRef<[u8]>>(
    standing: &Standing,
    lines: &[L],
) -> Result<ImportPlan, ImportRefusal> {
    plan_import(standing, &bundle(lines), None, now())
}

/// Imports lines at the managed site of tenant A.
pub fn import_at_site<L: AsRef<[u8]>>(
    standing: &Standing,
    lines: &[L],
) -> Result<ImportPlan, ImportRefusal> {
    plan_import(standing, &bundle(lines), Some(&site_facts()), now())
}

/// What stands after lines that must be taken.
pub fn after<L: AsRef<[u8]>>(standing: &Standing, lines: &[L]) -> Standing {
    import(standing, lines).unwrap().standing
}

/// The code with which lines are refused.
pub fn refusal<L: AsRef<[u8]>>(standing: &Standing, lines: &[L]) -> Code {
    refused(import(standing, lines)).0
}

/// The code and line of a refusal.
pub fn refused(result: Result<ImportPlan, ImportRefusal>) -> (Code, Option<usize>) {
    match result {
        Ok(plan) => panic!("taken: {:?}", plan.lines),
        Err(refusal) => (refusal.code(), refusal.line),
    }
}

/// The serials that stand, over all lines.
pub fn serials(standing: &Standing) -> Vec<u64> {
    standing.licenses().iter().map(|license| license.serial.as_u64()).collect()
}

/// Content by type, as the crate's own sealing takes it.
pub fn typed<T: Payload>(content: &Value) -> T {
    serde_json::from_value(content.clone()).unwrap()
}
