//! The vendor of the tests: a trust root, and licenses under it.

use std::path::Path;

use serde_json::{Value, json};

use farhold_bundle::{
    Signer, Standing,
    payload::{License, Revocations, Root},
    seal,
};
use farhold_contract::id::TenantId;
use farhold_keys::FileSigner;

const ISSUER_ID: &str = "01939b6e-0000-7000-8000-000000000100";

/// Signs what it is told; remembers every line.
pub(crate) struct Vendor {
    license: FileSigner,
    revocation: FileSigner,
    lines: Vec<Vec<u8>>,
    serials: u64,
}

impl Vendor {
    pub(crate) fn new(dir: &Path) -> Self {
        let [root, license, revocation, kernel] =
            ["root", "license", "revocation", "kernel"].map(|name| {
                farhold_keys::create(&dir.join(format!("vendor-{name}.key")), None).unwrap()
            });
        let role = |key: &FileSigner| json!({"key_ids": [key.public_key().id()], "threshold": 1});
        let keys = [&root, &license, &revocation, &kernel];
        let content: Root = serde_json::from_value(json!({
            "issuer": {"id": ISSUER_ID, "name": "Vendor"},
            "version": 1, "issued_at": "2026-01-01T00:00:00Z", "expires": "2036-01-01T00:00:00Z",
            "keys": keys.map(|key| json!({"public_key": key.public_key()})),
            "roles": {
                "root": role(&root), "license": role(&license),
                "revocation": role(&revocation), "kernel": role(&kernel),
            },
            "revoked_keys": [],
        }))
        .unwrap();
        let lines = vec![seal(&content, &root).unwrap()];
        Self { license, revocation, lines, serials: 0 }
    }

    /// Issues a license for a product of the organization's own, with these members as well.
    pub(crate) fn issue(&mut self, tenant_id: TenantId, members: Value) -> Value {
        self.serials += 1;
        let mut content = json!({
            "license_id": format!("01939b6e-0000-7000-8000-0000000002{:02x}", self.serials),
            "serial": 1,
            "issuer": ISSUER_ID,
            "product": "courses",
            "issued_to": "Example School",
            "tenant": {
                "tenant_id": tenant_id, "type": "company", "status": "active",
                "policies": {"security_level": "standard"},
            },
            "issued_at": "2026-12-01T00:00:00Z",
            "not_before": "2026-12-01T00:00:00Z",
            "expires_on": "2027-12-31",
            "entitlements": [
                {"feature": "courses.play", "runtime_type": "courses"},
                {"feature": "live.rooms", "runtime_type": "courses", "limits": {"quota": 10}},
            ],
        });
        for (name, value) in members.as_object().unwrap() {
            content[name] = value.clone();
        }
        let license: License = serde_json::from_value(content.clone()).unwrap();
        self.lines.push(seal(&license, &self.license).unwrap());
        content
    }

    /// Revokes licenses by a signed list.
    pub(crate) fn revoke(&mut self, licenses: &[&Value]) {
        let content: Revocations = serde_json::from_value(json!({
            "issuer": ISSUER_ID, "generation": 1, "issued_at": "2026-12-15T00:00:00Z",
            "licenses": licenses.iter().map(|license| &license["license_id"]).collect::<Vec<_>>(),
        }))
        .unwrap();
        self.lines.push(seal(&content, &self.revocation).unwrap());
    }

    /// Everything said so far, verified.
    pub(crate) fn standing(&self) -> Standing {
        let (standing, refused) = Standing::reload(self.lines.iter().map(Vec::as_slice));
        assert!(refused.is_empty(), "{refused:?}");
        standing
    }
}
