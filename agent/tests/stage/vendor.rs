//! A vendor: throwaway keys, roots, and whatever they sign.

use std::collections::BTreeSet;

use farhold_bundle::{
    Draft, Positive, Signer,
    payload::{Issuer, License, Payload, Revocations, RoleKeys, Roles, Root, RootKey},
};
use farhold_contract::{Sha256Digest, Timestamp};
use farhold_keys::Throwaway;
use serde_json::{Value, json};

use super::at;

pub(crate) const TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
const ISSUER: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e01";
const LICENSE: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e02";

/// A vendor with a key for each role.
pub(crate) struct Vendor {
    root_key: Throwaway,
    pub(crate) license_key: Throwaway,
    revocation_key: Throwaway,
    kernel_key: Throwaway,
    roots_expire: Timestamp,
}

impl Vendor {
    pub(crate) fn new() -> Self {
        Self::with_roots_until("2031-01-01T00:00:00Z")
    }

    /// For agents with a real clock, whatever it says.
    pub(crate) fn with_roots_until(expires: &str) -> Self {
        let key = || Throwaway::make().unwrap();
        Self {
            root_key: key(),
            license_key: key(),
            revocation_key: key(),
            kernel_key: key(),
            roots_expire: at(expires),
        }
    }

    /// Root 1, as a line.
    pub(crate) fn first_root(&self) -> Vec<u8> {
        self.sealed(&self.root(1), &self.root_key)
    }

    /// The content of a root of this vendor's keys.
    pub(crate) fn root(&self, version: u64) -> Root {
        let role = |key: &Throwaway| RoleKeys {
            key_ids: vec![key.public_key().id()],
            threshold: Positive::MIN,
        };
        let named = |key: &Throwaway, name: &str| RootKey {
            public_key: key.public_key().clone(),
            name: Some(name.to_owned()),
        };
        Root {
            issuer: Issuer { id: ISSUER.parse().unwrap(), name: "ACME".to_owned() },
            version: Positive::new(version).unwrap(),
            issued_at: at("2026-01-01T00:00:00Z"),
            expires: self.roots_expire,
            keys: vec![
                named(&self.root_key, "root"),
                named(&self.license_key, "licenses 2026"),
                named(&self.revocation_key, "revocations"),
                named(&self.kernel_key, "receipts"),
            ],
            roles: Roles {
                root: role(&self.root_key),
                license: role(&self.license_key),
                revocation: role(&self.revocation_key),
                kernel: role(&self.kernel_key),
            },
            revoked_keys: BTreeSet::new(),
            kernel_ca: Vec::new(),
            critical: Vec::new(),
        }
    }

    /// A later root, signed by the root key that stays.
    pub(crate) fn signed_root(&self, root: &Root) -> Vec<u8> {
        self.sealed(root, &self.root_key)
    }

    /// A later root that names the Kernel's CAs.
    pub(crate) fn root_with_ca(&self, version: u64, pins: Vec<Sha256Digest>) -> Vec<u8> {
        self.signed_root(&Root { kernel_ca: pins, ..self.root(version) })
    }

    /// The license key is replaced by a new one; returns the content of the next root.
    pub(crate) fn replace_license_key(&mut self, version: u64, revoked: bool) -> Root {
        let old = std::mem::replace(&mut self.license_key, Throwaway::make().unwrap());
        let mut root = self.root(version);
        root.keys[1].name = Some("licenses 2027".to_owned());
        if revoked {
            root.revoked_keys.insert(old.public_key().id());
        }
        root
    }

    /// Serial 1 for `campus`, for 2026 and 2027 in UTC, granting `exams` ten times a day to
    /// everyone and `lab` to labs; `changed` replaces members.
    pub(crate) fn license(&self, changed: Value) -> Vec<u8> {
        let mut content = json!({
            "license_id": LICENSE,
            "serial": 1,
            "issuer": ISSUER,
            "product": "campus",
            "issued_to": "Example School",
            "tenant": {
                "tenant_id": TENANT, "type": "company", "status": "active",
                "policies": {"security_level": "standard"},
            },
            "issued_at": "2026-10-01T00:00:00Z",
            "not_before": "2026-10-01T00:00:00Z",
            "expires_on": "2027-12-31",
            "time_zone": "UTC",
            "modes": ["managed", "detached"],
            "binding": "none",
            "ladder": {"grace": "P14D", "restrict": "P30D"},
            "entitlements": [
                {"feature": "exams", "limits": {"quota": 10, "time_window": "P1D"}},
                {"feature": "lab", "runtime_type": "labs", "limits": {}},
            ],
        });
        for (name, value) in changed.as_object().unwrap() {
            content[name] = value.clone();
        }
        content.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let license: License = serde_json::from_value(content).unwrap();
        self.sealed(&license, &self.license_key)
    }

    pub(crate) fn revocations(&self, generation: u64) -> Vec<u8> {
        let list = Revocations {
            issuer: ISSUER.parse().unwrap(),
            generation: Positive::new(generation).unwrap(),
            issued_at: at("2026-10-02T00:00:00Z"),
            licenses: vec![LICENSE.parse().unwrap()],
            serials_below: Vec::new(),
            critical: Vec::new(),
        };
        self.sealed(&list, &self.revocation_key)
    }

    fn sealed<T: Payload>(&self, content: &T, key: &Throwaway) -> Vec<u8> {
        let mut line = Draft::of(content).unwrap().seal(&[key as &dyn Signer]).unwrap();
        line.push(b'\n');
        line
    }
}
