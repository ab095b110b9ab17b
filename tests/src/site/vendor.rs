//! Vendor: keys, a trust root, and the real `license-tool`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tempfile::TempDir;

use farhold_bundle::{
    add_signature,
    payload::{Payload, Role},
    seal,
};
use farhold_contract::Date;
use farhold_keys::FileSigner;

use super::{Document, LicenseDraft, Ran};
use crate::binaries;

/// The organization that sites serve unless told otherwise.
pub const TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
/// Another one.
pub const TENANT_B: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3eee";

/// A vendor: a key a role, root 1, and everything it has signed since.
pub struct Vendor {
    folder: TempDir,
    made: AtomicU64,
    root: Mutex<Document>,
    /// The files of the keys that sign roots, each one person's.
    pub(super) root_keys: &'static [&'static str],
}

impl Vendor {
    /// A vendor with a new root.
    pub fn new() -> Self {
        Self::with_root_keys(&["root.key"], "--expires 9000-01-01")
    }

    /// A vendor whose roots are signed by two people, both of them.
    pub fn of_two_people() -> Self {
        let both = &["root.key", "root-b.key"];
        Self::with_root_keys(both, "--root-threshold 2 --expires 9000-01-01")
    }

    /// A vendor whose first root ends on this day.
    pub fn ending(day: &Date) -> Self {
        Self::with_root_keys(&["root.key"], &format!("--expires {day}"))
    }

    fn with_root_keys(root_keys: &'static [&'static str], words: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Mutex::new(Document::at(folder.path().join("root.json")));
        let vendor = Self { folder, made: AtomicU64::new(0), root, root_keys };
        for key in ["license.key", "revocation.key", "kernel.key"].iter().chain(root_keys) {
            vendor.makes_key(key);
        }
        let root_keys: String = root_keys.iter().map(|key| format!("--root-key {key} ")).collect();
        vendor.says(&format!(
            "root init --issuer ACME {root_keys} --license-key license.key --revocation-key \
             revocation.key --kernel-key kernel.key --at 2020-01-01T00:00:00Z {words} --out root.json"
        ));
        vendor
    }

    /// Makes a key, its file not encrypted.
    pub fn makes_key(&self, file: &str) {
        self.says(&format!("keygen {file} --unencrypted"));
    }

    /// Runs a line of `license-tool` as it is typed, which does what it is asked; what it answers.
    #[track_caller]
    pub fn says(&self, line: &str) -> Value {
        self.tool(line.split_ascii_whitespace()).done()
    }

    /// Runs `license-tool` for a program to read.
    pub fn tool<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Ran {
        Ran::command(self.command(words).arg("--json"))
    }

    /// The command of a verb of `license-tool`.
    pub fn command<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Command {
        let mut command = Command::new(binaries::path("license-tool"));
        command.env_clear().current_dir(self.folder.path()).args(words);
        command
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The first root.
    pub fn root(&self) -> Document {
        Document::at(self.folder.path().join("root.json"))
    }

    /// The hash of the first root's payload, as it is told over another channel.
    pub fn root_sha256(&self) -> String {
        let shown = self.tool(["root", "show", "root.json"]).done();
        shown["sha256"].as_str().expect("it is shown").to_owned()
    }

    /// The root under which it signs now.
    pub fn root_now(&self) -> Document {
        self.root.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It signs under this root from now on.
    pub(super) fn signs_under(&self, root: &Document) {
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = root.clone();
    }

    /// Writes a template.
    pub fn template(&self, words: impl FnOnce(LicenseDraft) -> LicenseDraft) -> Document {
        let draft = words(LicenseDraft::new());
        Document::written(self.next("toml"), draft.template().as_bytes())
    }

    /// Writes a template and signs a license by it.
    pub fn license(&self, words: impl FnOnce(LicenseDraft) -> LicenseDraft) -> Document {
        let draft = words(LicenseDraft::new());
        let template = Document::written(self.next("toml"), draft.template().as_bytes());
        let out = self.next("license");
        let serial = draft.serial_number().to_string();
        let root = self.root_now();
        let mut words = vec!["issue", text(template.path()), "--key", "license.key"];
        words.extend(["--root", text(root.path()), "--serial", &serial, "--out", text(&out)]);
        if draft.is_new() {
            words.push("--new-id");
        }
        if let Some(at) = draft.issued_at() {
            words.extend(["--at", at]);
        }
        self.tool(words).done();
        Document::at(out)
    }

    /// Puts documents into one bundle.
    pub fn bundle(&self, documents: &[&Document]) -> Document {
        let out = self.next("bundle");
        let mut words = vec!["bundle", "--root", "root.json", "--out", text(&out)];
        words.extend(documents.iter().map(|document| text(document.path())));
        self.tool(words).done();
        Document::at(out)
    }

    /// Verifies an audit export; what it amounts to.
    #[track_caller]
    pub fn verifies_export(&self, export: &Document, device_key: &str) -> Value {
        let words = ["audit", "verify", text(export.path()), "--device-key", device_key];
        self.tool(words).done()
    }

    /// Verifies a file under the root; what it holds.
    #[track_caller]
    pub fn verifies(&self, document: &Document) -> Value {
        self.tool(["verify", text(document.path()), "--root", "root.json"]).done()
    }

    /// Confirms an export.
    pub fn receipt(&self, export: &Document) -> Document {
        self.receipt_after(export, None)
    }

    /// Confirms an export that goes on where another ended.
    pub fn receipt_after(&self, export: &Document, before: Option<&Document>) -> Document {
        let out = self.next("receipt");
        let mut words = vec!["receipt", text(export.path()), "--key", "kernel.key"];
        words.extend(["--root", "root.json", "--out", text(&out)]);
        if let Some(before) = before {
            words.extend(["--after", text(before.path())]);
        }
        self.tool(words).done();
        Document::at(out)
    }

    /// Signs any content by the key of a role.
    pub fn sealed<T: Payload>(&self, content: &T, role: Role) -> Document {
        let mut line = seal(content, &self.signer(role)).expect("it is what its type says");
        line.push(b'\n');
        Document::written(self.next("json"), &line)
    }

    /// Adds a signature to a document's line.
    pub fn also_signed(&self, document: &Document, role: Role) -> Document {
        let line = document.bytes();
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut line = add_signature(line, &self.signer(role)).expect("it can be signed");
        line.push(b'\n');
        Document::written(self.next("json"), &line)
    }

    /// The issuer's id.
    pub fn issuer(&self) -> String {
        self.root().payload()["issuer"]["id"].as_str().expect("an issuer").to_owned()
    }

    fn signer(&self, role: Role) -> FileSigner {
        let path = self.folder.path().join(format!("{role}.key"));
        farhold_keys::load(&path, None).expect("the key is not encrypted")
    }

    /// The path of a file that is not there yet.
    pub fn next(&self, extension: &str) -> PathBuf {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("{number}.{extension}"))
    }
}

impl Default for Vendor {
    fn default() -> Self {
        Self::new()
    }
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
