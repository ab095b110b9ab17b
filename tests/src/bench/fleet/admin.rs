//! Admin: enrollment tokens by the thousand, over the Kernel's own admin door.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::wire::{Door, Identity, Secure, request};
use crate::kernel_process::Kernel;

/// The administrator.
pub(super) struct Admin {
    door: Door,
    identity: Identity,
    tenant: String,
    bearer: String,
}

impl Admin {
    /// Of a Kernel on this machine: by the credential that `init` made.
    pub(super) fn of(kernel: &Kernel) -> Result<Self> {
        let read = |name: &str| {
            let path = kernel.data().join(name);
            fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))
        };
        let settings = read("kernel.toml")?;
        let address = settings
            .lines()
            .find_map(|line| line.strip_prefix("admin_listen = "))
            .context("the Kernel's settings name no admin door")?;
        let door = Door::new(address.trim_matches('"').parse()?, &kernel.ca())?;
        let identity = door.nobody()?;
        let bearer = format!("Bearer {}", read("admin.token")?.trim());
        Ok(Self { door, identity, tenant: read("admin.tenant")?.trim().to_owned(), bearer })
    }

    /// A connection to the admin door.
    pub(super) async fn open(&self) -> Result<Secure> {
        self.door.open(&self.identity).await
    }

    /// A new token for one agent of an organization.
    pub(super) async fn enrollment_token(&self, wire: &mut Secure, tenant: &str) -> Result<String> {
        let headers = [
            ("content-type", "application/json"),
            ("x-tenant-id", &self.tenant),
            ("x-contract-version", "v0.2"),
            ("x-correlation-id", "bench-0123456789abcdef"),
            ("authorization", &self.bearer),
        ];
        let body = json!({ "tenants": [tenant] }).to_string();
        let asked = request("POST", "/kernel/admin/enroll-tokens", &headers, body.as_bytes());
        let created: Value = serde_json::from_slice(wire.exchange(&asked).await?.taken()?)?;
        Ok(created["token"].as_str().context("no token was created")?.to_owned())
    }
}
