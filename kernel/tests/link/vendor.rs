//! A vendor: its keys, its root, its licenses.

use std::path::Path;

use serde_json::{Value, json};

use farhold_bundle::{
    PublicKey, Signer, TrustRoot,
    payload::{License, Revocations, Root},
    seal,
};
use farhold_contract::{Sha256Digest, id::TenantId};
use farhold_keys::FileSigner;

pub(crate) const TENANT_A: &str = "01939b6e-0000-7000-8000-00000000000a";
pub(crate) const TENANT_B: &str = "01939b6e-0000-7000-8000-00000000000b";
pub(crate) const ISSUER: &str = "01939b6e-0000-7000-8000-000000000100";

pub(crate) fn tenant_a() -> TenantId {
    TENANT_A.parse().unwrap()
}

pub(crate) fn tenant_b() -> TenantId {
    TENANT_B.parse().unwrap()
}

pub(crate) struct Vendor {
    root: FileSigner,
    license: FileSigner,
    revocation: FileSigner,
    pub(crate) kernel_key: PublicKey,
}

impl Vendor {
    pub(crate) fn new(folder: &Path, kernel_key: &PublicKey) -> Self {
        let key = |name: &str| farhold_keys::create(&folder.join(name), None).unwrap();
        Self {
            root: key("root.key"),
            license: key("license.key"),
            revocation: key("revocation.key"),
            kernel_key: kernel_key.clone(),
        }
    }

    /// Its first root.
    pub(crate) fn root_line(&self) -> Vec<u8> {
        self.root_at(1, self.license.public_key(), &json!({}))
    }

    /// A root of this version with this license key; `more` replaces or adds members.
    pub(crate) fn root_at(&self, version: u64, license: &PublicKey, more: &Value) -> Vec<u8> {
        let role = |key: &PublicKey| json!({"key_ids": [key.id()], "threshold": 1});
        let keys =
            [self.root.public_key(), license, self.revocation.public_key(), &self.kernel_key];
        let mut root = json!({
            "issuer": {"id": ISSUER, "name": "Example Vendor"},
            "version": version,
            "issued_at": "2026-01-01T00:00:00Z",
            "expires": "9000-01-01T00:00:00Z",
            "keys": keys.map(|key| json!({"public_key": key})),
            "roles": {
                "root": role(self.root.public_key()),
                "license": role(license),
                "revocation": role(self.revocation.public_key()),
                "kernel": role(&self.kernel_key),
            },
        });
        add(&mut root, more);
        let root: Root = serde_json::from_value(root).unwrap();
        seal(&root, &self.root).unwrap()
    }

    /// A root of this version whose role kernel has these keys.
    pub(crate) fn root_of_kernel_keys(
        &self,
        version: u64,
        kernel: &[&PublicKey],
        more: &Value,
    ) -> Vec<u8> {
        let others =
            [self.root.public_key(), self.license.public_key(), self.revocation.public_key()];
        let keys = others.into_iter().chain(kernel.iter().copied());
        let keys: Vec<Value> = keys.map(|key| json!({"public_key": key})).collect();
        let role = |key: &PublicKey| json!({"key_ids": [key.id()], "threshold": 1});
        let ids: Vec<_> = kernel.iter().map(|key| key.id()).collect();
        let mut members = json!({
            "keys": keys,
            "roles": {
                "root": role(self.root.public_key()),
                "license": role(self.license.public_key()),
                "revocation": role(self.revocation.public_key()),
                "kernel": {"key_ids": ids, "threshold": 1},
            },
        });
        add(&mut members, more);
        self.root_at(version, self.license.public_key(), &members)
    }

    pub(crate) fn trust(&self) -> TrustRoot {
        TrustRoot::install(&self.root_line(), None).unwrap()
    }

    pub(crate) fn root_sha256(&self) -> Sha256Digest {
        self.trust().root().sha256()
    }

    /// A license of `tenant` for a product; `more` replaces or adds members.
    pub(crate) fn license_line(&self, tenant: TenantId, product: &str, more: &Value) -> Vec<u8> {
        self.license_by(&self.license, tenant, product, more)
    }

    /// The same, signed by this key.
    pub(crate) fn license_by(
        &self,
        signer: &FileSigner,
        tenant: TenantId,
        product: &str,
        more: &Value,
    ) -> Vec<u8> {
        let mut license = json!({
            "license_id": license_id(tenant, product),
            "serial": 1,
            "issuer": ISSUER,
            "product": product,
            "issued_to": "Example Customer",
            "tenant": {
                "tenant_id": tenant,
                "type": "company",
                "status": "active",
                "policies": {"security_level": "standard"},
            },
            "issued_at": "2026-01-01T00:00:00Z",
            "not_before": "2026-01-01T00:00:00Z",
            "expires_on": "2090-01-01",
            "entitlements": [{"feature": format!("{product}.use")}],
        });
        add(&mut license, more);
        let license: License = serde_json::from_value(license).unwrap();
        seal(&license, signer).unwrap()
    }

    /// The key that signs licenses under the first root.
    pub(crate) fn license_key(&self) -> &PublicKey {
        self.license.public_key()
    }

    pub(crate) fn revocations_line(&self, generation: u64, licenses: &[&str]) -> Vec<u8> {
        let revocations: Revocations = serde_json::from_value(json!({
            "issuer": ISSUER,
            "generation": generation,
            "issued_at": "2026-02-01T00:00:00Z",
            "licenses": licenses,
            "serials_below": [],
        }))
        .unwrap();
        seal(&revocations, &self.revocation).unwrap()
    }
}

fn add(document: &mut Value, more: &Value) {
    for (member, value) in more.as_object().into_iter().flatten() {
        document[member] = value.clone();
    }
}

/// One license a tenant and product, by an id that both give.
pub(crate) fn license_id(tenant: TenantId, product: &str) -> String {
    let tail = tenant.to_string().chars().last().unwrap();
    let sum: u32 = product.bytes().map(u32::from).sum();
    format!("01939b6e-1111-7000-8000-0000{sum:07x}{tail}")
}
