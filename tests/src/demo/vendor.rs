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
    /// The license key and the root under which it signs now.
    key: &'static str,
    root: &'static str,
}

const PASSPHRASE_FILE: &str = "passphrase";
const LEDGER: &str = "ledger.jsonl";

impl<'s> Vendor<'s> {
    pub(super) fn new(stage: &'s Stage, tool: &'s Path, folder: &Path) -> Result<Self> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.join(PASSPHRASE_FILE))?;
        file.write_all(b"correct horse battery staple\n")?;
        Ok(Self { stage, tool, folder: folder.to_owned(), key: "license.key", root: "root.1.json" })
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

    /// Begins the ledger of everything that will be issued.
    pub(super) fn begin_ledger(&self) -> Result<()> {
        self.tool(&["ledger", "begin", LEDGER, "--root", "root.1.json"], 0).map(drop)
    }

    /// Writes down what a customer is to have.
    pub(super) fn agree(&self, customer: &Customer<'_>) -> Result<()> {
        fs::write(self.folder.join(format!("{}.toml", customer.name)), customer.template())?;
        self.stage.answer(&format!(
            "{}.toml: export without limit, three reports a month",
            customer.name
        ));
        Ok(())
    }

    /// Signs a license by what was agreed; the ledger gives its serial.
    pub(super) fn issue(&self, customer: &Customer<'_>) -> Result<()> {
        self.agree(customer)?;
        let (template, out) =
            (format!("{}.toml", customer.name), format!("{}.json", customer.name));
        self.signs(&["issue", &template, "--out", &out])
    }

    /// Answers a site's request with a license for its machine alone; with the root, where that is
    /// new to the site.
    pub(super) fn answer(
        &self,
        request: &str,
        customer: &Customer<'_>,
        with: &[&str],
        out: &str,
    ) -> Result<()> {
        let template = format!("{}.toml", customer.name);
        let words = ["answer", request, "--template", &template, "--bind", "device", "--out", out];
        self.signs(&[&words, with].concat())
    }

    /// What somebody signs who has stolen the license key: everything, and the last serial.
    pub(super) fn forge(&self, customer: &Customer<'_>, out: &str) -> Result<()> {
        let more = "\n[[entitlements]]\nfeature = \"telepathy\"\n";
        let forged = Customer { more, ..*customer };
        fs::write(self.folder.join("forged.toml"), forged.template())?;
        let last = ((1_u64 << 53) - 1).to_string();
        let words = ["issue", "forged.toml", "--serial", &last, "--out", out];
        let by = ["--key", self.key, "--root", self.root, "--passphrase-file", PASSPHRASE_FILE];
        self.tool(&[&words[..], &by].concat(), 0).map(drop)
    }

    /// Makes the next root, in which another license key stands and the stolen one is revoked, and
    /// signs under it from now on; returns the hash of its payload.
    pub(super) fn replace_license_key(&mut self) -> Result<String> {
        let pass = ["--passphrase-file", PASSPHRASE_FILE];
        self.tool(&[&["keygen", "license.2.key"], &pass[..]].concat(), 0)?;
        let rotate = ["root", "rotate", "license", "--revoke", "--old", "license"];
        let draft = ["--new", "license.2.key", "--root", self.root, "--out", "root.2.draft.json"];
        self.tool(&[&rotate[..], &draft, &pass].concat(), 0)?;
        let sign = ["root", "sign", "root.2.draft.json", "--key", "root.key"];
        let out = ["--root", self.root, "--out", "root.2.json"];
        self.tool(&[&sign[..], &out, &pass].concat(), 0)?;
        (self.key, self.root) = ("license.2.key", "root.2.json");
        let shown = self.json(&["root", "show", self.root, "--json"])?;
        Ok(shown["sha256"].as_str().context("root show names no hash")?.to_owned())
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
                self.root,
                "--passphrase-file",
                PASSPHRASE_FILE,
                "--out",
                out,
            ],
            0,
        )
        .map(drop)
    }

    /// Runs a verb that signs licenses, each of which is in the ledger before it is anywhere else.
    fn signs(&self, words: &[&str]) -> Result<()> {
        let by = ["--key", self.key, "--root", self.root, "--ledger", LEDGER];
        self.tool(&[words, &by, &["--passphrase-file", PASSPHRASE_FILE]].concat(), 0).map(drop)
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

/// One of the vendor's customers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Customer<'c> {
    pub(super) name: &'c str,
    pub(super) tenant: &'c str,
    /// The contract, whose license this is.
    pub(super) license_id: &'c str,
    pub(super) mode: &'c str,
    /// What else its template grants.
    pub(super) more: &'c str,
}

impl Customer<'_> {
    fn template(&self) -> String {
        let Self { name, tenant, license_id, mode, more } = self;
        // A year from now, so that the demonstration never goes stale.
        let year = jiff::Zoned::now().year() + 1;
        format!(
            r#"license_id = "{license_id}"
product = "atlas"
issued_to = "{name}"
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
{more}"#
        )
    }
}
