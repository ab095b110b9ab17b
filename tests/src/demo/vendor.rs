//! The vendor: holds the keys, signs, and receives what comes back.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::stage::Stage;

/// The vendor's desk.
pub(super) struct Vendor<'s> {
    stage: &'s Stage,
    tool: &'s Path,
    folder: PathBuf,
}

const PASSPHRASE_FILE: &str = "passphrase";

impl<'s> Vendor<'s> {
    pub(super) fn new(stage: &'s Stage, tool: &'s Path, folder: &Path) -> Result<Self> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.join(PASSPHRASE_FILE))?;
        file.write_all(b"correct horse battery staple\n")?;
        Ok(Self { stage, tool, folder: folder.to_owned() })
    }

    /// Makes the keys and the root, with the Kernel's receipt key beside the one for receipts by
    /// hand; returns the hash of the root's payload.
    pub(super) fn make_root(&self, receipt_key: &str) -> Result<String> {
        for key in ["root.key", "license.key", "revocation.key", "kernel.key"] {
            self.tool(&["keygen", key, "--passphrase-file", PASSPHRASE_FILE], 0)?;
        }
        let shown = self.json(&[
            "root",
            "init",
            "--issuer",
            "Acme Software",
            "--root-key",
            "root.key",
            "--license-key",
            "license.key",
            "--revocation-key",
            "revocation.key",
            "--kernel-key",
            "kernel.key",
            "--kernel-key",
            receipt_key,
            "--passphrase-file",
            PASSPHRASE_FILE,
            "--out",
            "root.1.json",
            "--json",
        ])?;
        let sha256 = shown["sha256"].as_str().context("root init names no hash")?.to_owned();
        self.stage.answer(&format!("root 1 of Acme Software, SHA-256 {sha256}"));
        Ok(sha256)
    }

    /// Signs a license for a customer's sites of this mode.
    pub(super) fn issue(&self, customer: &str, tenant: &str, mode: &str) -> Result<()> {
        let template = format!("{customer}.toml");
        fs::write(self.folder.join(&template), template_for(customer, tenant, mode))?;
        let out = format!("{customer}.json");
        self.tool(
            &[
                "issue",
                &template,
                "--new-id",
                "--serial",
                "1",
                "--key",
                "license.key",
                "--root",
                "root.1.json",
                "--passphrase-file",
                PASSPHRASE_FILE,
                "--out",
                &out,
            ],
            0,
        )?;
        self.stage.answer(&format!("{out}: export without limit, three reports a month"));
        Ok(())
    }

    /// Puts a customer's license into a bundle, verified.
    pub(super) fn bundle(&self, customer: &str) -> Result<()> {
        let (license, bundle) = (format!("{customer}.json"), format!("{customer}.bundle"));
        self.tool(&["bundle", &license, "--root", "root.1.json", "--out", &bundle], 0).map(drop)
    }

    /// Changes one letter of a bundle's payload, as someone clever would.
    pub(super) fn tamper(&self, from: &str, to: &str) -> Result<()> {
        let text = fs::read_to_string(self.folder.join(from))?;
        let at = text.find("ey").context("the bundle has no payload")? + 401;
        let letter = if &text[at..=at] == "A" { "B" } else { "A" };
        fs::write(self.folder.join(to), format!("{}{letter}{}", &text[..at], &text[at + 1..]))?;
        self.stage.show("sed", &["s/one letter/another/", from, ">", to]);
        Ok(())
    }

    /// Verifies an export by the agent's own key.
    pub(super) fn verify_audit(&self, export: &str, device_key: &str) -> Result<Value> {
        let summary =
            self.json(&["audit", "verify", export, "--device-key", device_key, "--json"])?;
        self.stage.answer(&format!(
            "the chain holds, head {}",
            summary["head"].as_str().unwrap_or_default()
        ));
        Ok(summary)
    }

    /// Confirms an export.
    pub(super) fn receipt(&self, export: &str, out: &str) -> Result<()> {
        self.tool(
            &[
                "receipt",
                export,
                "--key",
                "kernel.key",
                "--root",
                "root.1.json",
                "--passphrase-file",
                PASSPHRASE_FILE,
                "--out",
                out,
            ],
            0,
        )
        .map(drop)
    }

    fn tool(&self, arguments: &[&str], lines: usize) -> Result<String> {
        self.stage.run_well(&self.folder, self.tool, arguments, lines)
    }

    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.tool(arguments, 0)?;
        ensure!(!text.is_empty(), "license-tool {} printed nothing", arguments[0]);
        serde_json::from_str(&text)
            .with_context(|| format!("license-tool {} printed no JSON", arguments[0]))
    }
}

fn template_for(customer: &str, tenant: &str, mode: &str) -> String {
    // A year from now, so that the demonstration never goes stale.
    let year = jiff::Zoned::now().year() + 1;
    format!(
        r#"product = "atlas"
issued_to = "{customer}"
expires_on = {year}-12-31
modes = ["{mode}"]
binding = "none"

[tenant]
tenant_id = "{tenant}"
type = "company"

[ladder]
warn = "P60D"
grace = "P14D"
restrict = "P30D"

[[entitlements]]
feature = "export"

[[entitlements]]
feature = "report"
limits = {{ quota = 3, time_window = "P1M" }}
"#
    )
}
