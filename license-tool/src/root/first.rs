//! First: an issuer's first root, from its keys.

use std::collections::BTreeMap;

use farhold_bundle::{
    KeyId, LIMITS, Positive, PublicKey, Signer, TrustRoot, add_signature,
    payload::{Issuer, Role, RoleKeys, Roles, Root, RootKey},
    seal,
};
use farhold_contract::{Code, Sha256Digest, Timestamp, id::IssuerId};

use crate::refusal::Refusal;

/// What a first root is made of.
pub struct FirstRoot {
    /// Who issues.
    pub issuer: IssuerId,
    /// Its name, for people.
    pub name: String,
    /// When it is made.
    pub issued_at: Timestamp,
    /// Past which it brings in nothing new.
    pub expires: Timestamp,
    /// Every key, its role, and a name for people.
    pub keys: Vec<FirstKey>,
    /// How many keys of a role must sign; 1 where nothing is said.
    pub thresholds: BTreeMap<Role, Positive>,
    /// SHA-256 of the SPKI of each CA of the issuer's Kernel.
    pub kernel_ca: Vec<Sha256Digest>,
}

/// One key of a first root.
#[derive(Debug, Clone)]
pub struct FirstKey {
    /// Its role.
    pub role: Role,
    /// The key.
    pub public_key: PublicKey,
    /// Where it lies, for people.
    pub name: Option<String>,
}

/// Writes and signs a first root; what is returned has been opened as a site opens it.
///
/// # Errors
/// `usage.invalid` for keys that contradict each other, `signature.threshold` for too few
/// signers, `payload.malformed`.
pub fn first_root(first: FirstRoot, signers: &[&dyn Signer]) -> Result<TrustRoot, Refusal> {
    require_one_role_a_key(&first.keys)?;
    let root = Root {
        roles: Roles {
            root: first.role(Role::Root)?,
            license: first.role(Role::License)?,
            revocation: first.role(Role::Revocation)?,
            kernel: first.role(Role::Kernel)?,
        },
        issuer: Issuer { id: first.issuer, name: first.name },
        version: Positive::MIN,
        issued_at: first.issued_at,
        expires: first.expires,
        keys: first
            .keys
            .into_iter()
            .map(|key| RootKey { public_key: key.public_key, name: key.name })
            .collect(),
        revoked_keys: Default::default(),
        kernel_ca: first.kernel_ca,
        critical: Vec::new(),
    };
    let required = root.roles.root.threshold.as_u64();
    if (signers.len() as u64) < required {
        let what = format!("{} root keys would sign; {required} are required", signers.len());
        return Err(Refusal::new(Code::SignatureThreshold, what)
            .with_next("Give as many private root keys as --root-threshold says."));
    }
    let [head, others @ ..] = signers else {
        return Err(Refusal::usage("no root key can sign", "Give --root-key with a private key."));
    };
    if signers.len() > LIMITS.signatures {
        return Err(Refusal::usage(
            format!("{} root keys would sign; {} can", signers.len(), LIMITS.signatures),
            "Give some of the root keys as public hex: they are listed and do not sign.",
        ));
    }
    let mut line = seal(&root, *head)?;
    for signer in others {
        line = add_signature(&line, *signer)?;
    }
    Ok(TrustRoot::install(&line, None)?)
}

fn require_one_role_a_key(keys: &[FirstKey]) -> Result<(), Refusal> {
    let mut seen: BTreeMap<KeyId, Role> = BTreeMap::new();
    for key in keys {
        let id = key.public_key.id();
        if let Some(before) = seen.insert(id, key.role) {
            let what = if before == key.role {
                format!("key {id} is given twice for the role {before}")
            } else {
                format!("key {id} is given for the roles {before} and {}", key.role)
            };
            return Err(Refusal::usage(what, "Make a key of its own for every place: keygen."));
        }
    }
    Ok(())
}

impl FirstRoot {
    fn role(&self, role: Role) -> Result<RoleKeys, Refusal> {
        let key_ids: Vec<KeyId> = self
            .keys
            .iter()
            .filter(|key| key.role == role)
            .map(|key| key.public_key.id())
            .collect();
        let threshold = self.thresholds.get(&role).copied().unwrap_or(Positive::MIN);
        if threshold.as_u64() > key_ids.len() as u64 {
            let what =
                format!("the role {role} has {} keys and threshold {threshold}", key_ids.len());
            return Err(Refusal::usage(
                what,
                format!("Give more --{role}-key, or a lower --{role}-threshold."),
            ));
        }
        Ok(RoleKeys { key_ids, threshold })
    }
}
