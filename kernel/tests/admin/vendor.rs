//! Vendor: keys, a trust root, and what it signs.

use std::path::Path;

use serde_json::{Value, json};

use farhold_bundle::{
    Signer,
    payload::{License, Payload, Revocations, Root},
    seal,
};
use farhold_contract::{Sha256Digest, id::TenantId};
use farhold_keys::FileSigner;

use crate::stage::Stage;

pub(crate) const ISSUER: &str = "01939b6e-0000-7a31-8b53-0f6f1c2d0001";
pub(crate) const LICENSE: &str = "01939b6e-0000-7a31-8b53-0f6f1c2d0002";

/// One key for each role; the Kernel's own key is not among them.
pub(crate) struct Vendor {
    root: FileSigner,
    license: FileSigner,
    /// Signs licenses once the first key is rotated or revoked.
    next_license: FileSigner,
    revocation: FileSigner,
    next_revocation: FileSigner,
    kernel: FileSigner,
}

impl Vendor {
    pub(crate) fn new(folder: &Path) -> Self {
        let key = |name: &str| farhold_keys::create(&folder.join(name), None).unwrap();
        Self {
            root: key("vendor-root"),
            license: key("vendor-license"),
            next_license: key("vendor-license-2"),
            revocation: key("vendor-revocation"),
            next_revocation: key("vendor-revocation-2"),
            kernel: key("vendor-kernel"),
        }
    }

    /// A stage that trusts a vendor.
    pub(crate) async fn trusted() -> (Stage, Self) {
        let stage = Stage::new().await;
        let vendor = Self::new(stage.folder.path());
        let path = format!("/kernel/admin/trust?sha256={}", vendor.root_sha256(1));
        let install = stage.ask(http::Method::POST, path);
        install.body("application/json", vendor.root(1)).answer().await.ok();
        (stage, vendor)
    }

    /// The key that signs receipts.
    pub(crate) const fn kernel_key(&self) -> &FileSigner {
        &self.kernel
    }

    pub(crate) fn root(&self, version: u64) -> Vec<u8> {
        self.root_with(version, [&self.license, &self.revocation], &[])
    }

    /// A root in which the next license key has taken the place of the first, which is revoked or
    /// merely gone.
    pub(crate) fn rotated(&self, version: u64, revoked: bool) -> Vec<u8> {
        let revoked: &[_] = if revoked { &[&self.license] } else { &[] };
        self.root_with(version, [&self.next_license, &self.revocation], revoked)
    }

    /// A root in which another revocation key has taken the place of the first.
    pub(crate) fn with_another_revocation_key(&self, version: u64, revoked: bool) -> Vec<u8> {
        let revoked: &[_] = if revoked { &[&self.revocation] } else { &[] };
        self.root_with(version, [&self.license, &self.next_revocation], revoked)
    }

    fn root_with(
        &self,
        version: u64,
        [license, revocation]: [&FileSigner; 2],
        revoked: &[&FileSigner],
    ) -> Vec<u8> {
        let signers = [&self.root, license, revocation, &self.kernel];
        let role = |signer: &FileSigner| json!({"key_ids": [signer.public_key().id().to_string()], "threshold": 1});
        let keys = signers.map(|signer| json!({"public_key": signer.public_key()}));
        let root = json!({
            "issuer": {"id": ISSUER, "name": "Vendor"},
            "version": version,
            "issued_at": "2026-01-01T00:00:00Z",
            "expires": "2036-01-01T00:00:00Z",
            "keys": keys,
            "roles": {
                "root": role(&self.root),
                "license": role(license),
                "revocation": role(revocation),
                "kernel": role(&self.kernel),
            },
            "revoked_keys": revoked.iter().map(|key| key.public_key().id()).collect::<Vec<_>>(),
        });
        self.sealed::<Root>(&self.root, root)
    }

    pub(crate) fn root_sha256(&self, version: u64) -> Sha256Digest {
        let root = self.root(version);
        let line = root.strip_suffix(b"\n").unwrap();
        farhold_bundle::TrustRoot::install(line, None).unwrap().root().sha256()
    }

    pub(crate) fn license(&self, tenant_id: TenantId, serial: u64) -> Vec<u8> {
        self.license_with(tenant_id, serial, json!({}))
    }

    /// The same with these members as well, or instead of those it has.
    pub(crate) fn license_with(&self, tenant_id: TenantId, serial: u64, more: Value) -> Vec<u8> {
        self.license_by(&self.license, tenant_id, serial, more)
    }

    /// The same by the key that [`Vendor::rotated`] lists.
    pub(crate) fn license_by_the_next_key(&self, tenant_id: TenantId, serial: u64) -> Vec<u8> {
        self.license_by(&self.next_license, tenant_id, serial, json!({}))
    }

    fn license_by(
        &self,
        signer: &FileSigner,
        tenant_id: TenantId,
        serial: u64,
        more: Value,
    ) -> Vec<u8> {
        let license = json!({
            "license_id": LICENSE,
            "serial": serial,
            "issuer": ISSUER,
            "product": "campus",
            "issued_to": "Acme Sur",
            "tenant": {
                "tenant_id": tenant_id, "type": "company", "status": "active",
                "policies": {"security_level": "standard"},
            },
            "issued_at": "2026-12-01T00:00:00Z",
            "not_before": "2026-12-01T00:00:00Z",
            "expires_on": "2028-12-31",
            "entitlements": [{"feature": "exams", "limits": {"quota": 5}}],
        });
        self.sealed::<License>(signer, with(license, more))
    }

    pub(crate) fn revocations(&self, generation: u64) -> Vec<u8> {
        let revocations = json!({
            "issuer": ISSUER,
            "generation": generation,
            "issued_at": "2026-12-15T00:00:00Z",
            "licenses": [LICENSE],
        });
        self.sealed::<Revocations>(&self.revocation, revocations)
    }

    fn sealed<P: Payload>(&self, signer: &FileSigner, payload: Value) -> Vec<u8> {
        let payload: P = serde_json::from_value(payload).unwrap();
        let mut line = seal(&payload, signer).unwrap();
        line.push(b'\n');
        line
    }
}

fn with(mut document: Value, more: Value) -> Value {
    for (member, value) in more.as_object().unwrap() {
        document[member] = value.clone();
    }
    document
}
