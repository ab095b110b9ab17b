//! A vendor with a root of one key a role, and what it signs.

use std::path::Path;

use serde_json::{Value, json};

use farhold_bundle::{
    Positive, Signer, TrustRoot,
    payload::{ClockReset, FingerprintBinding, License, Payload, Request, Root},
    seal,
};
use farhold_contract::{Timestamp, id::LicenseId};
use farhold_keys::FileSigner;

use crate::stage::TENANT;

const ISSUER: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e01";

/// Who signs.
pub(super) struct Vendor {
    root: FileSigner,
    license: FileSigner,
    revocation: FileSigner,
    kernel: FileSigner,
}

impl Vendor {
    pub(super) fn new(folder: &Path) -> Self {
        let key = |name: &str| farhold_keys::create(&folder.join(name), None).unwrap();
        Self {
            root: key("root.key"),
            license: key("license.key"),
            revocation: key("revocation.key"),
            kernel: key("kernel.key"),
        }
    }

    /// The first root.
    pub(super) fn trust(&self) -> TrustRoot {
        let group =
            |signer: &FileSigner| json!({"key_ids": [signer.public_key().id()], "threshold": 1});
        let keys = [&self.root, &self.license, &self.revocation, &self.kernel]
            .map(|signer| json!({"public_key": signer.public_key()}));
        let root = json!({
            "issuer": {"id": ISSUER, "name": "Example Vendor"},
            "version": 1,
            "issued_at": "2027-01-01T00:00:00Z",
            "expires": "2032-01-01T00:00:00Z",
            "keys": keys,
            "roles": {
                "root": group(&self.root),
                "license": group(&self.license),
                "revocation": group(&self.revocation),
                "kernel": group(&self.kernel),
            },
            "revoked_keys": [],
        });
        TrustRoot::install(&line::<Root>(root, &self.root), None).unwrap()
    }

    /// A license for a product, as a bundle of one line.
    pub(super) fn license(&self, product: u8, serial: u64, binding: &Value) -> Vec<u8> {
        let content = json!({
            "license_id": license_id(product),
            "serial": serial,
            "issuer": ISSUER,
            "product": format!("product-{product}"),
            "issued_to": "Example School",
            "tenant": {
                "tenant_id": TENANT,
                "type": "company",
                "status": "active",
                "policies": {"security_level": "standard"},
            },
            "issued_at": "2027-01-02T00:00:00Z",
            "not_before": "2027-01-02T00:00:00Z",
            "expires_on": "2028-01-31",
            "modes": ["detached"],
            "binding": binding,
            "entitlements": [
                {"feature": format!("feature-{product}"), "limits": {"quota": 10}},
            ],
        });
        bundle(line::<License>(content, &self.license))
    }

    /// What repairs a clock, as a bundle.
    pub(super) fn clock_reset(&self, request: &Request, time: Timestamp) -> Vec<u8> {
        let content =
            json!({"device_key": request.device_key, "nonce": request.nonce, "time": time});
        bundle(line::<ClockReset>(content, &self.license))
    }
}

pub(super) fn license_id(product: u8) -> LicenseId {
    format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d3f{product:02x}").parse().unwrap()
}

/// A binding to what a request names.
pub(super) fn bound_to(request: &Request, require: u64) -> Value {
    let components = request.fingerprint.clone();
    let require = Positive::new(require).unwrap();
    json!({"fingerprint": FingerprintBinding { components, require }})
}

fn line<T: Payload>(content: Value, signer: &FileSigner) -> Vec<u8> {
    seal(&serde_json::from_value::<T>(content).unwrap(), signer).unwrap()
}

fn bundle(mut line: Vec<u8>) -> Vec<u8> {
    line.push(b'\n');
    line
}
