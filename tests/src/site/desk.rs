//! Desk: what a vendor does by the real `license-tool` after the first license is out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use farhold_bundle::payload::Role;

use super::{Document, Ran, Vendor, ids, vendor::text};

/// What becomes of a key that a new root no longer lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKey {
    /// It signs nothing new; what it signed stays.
    RotatedOut,
    /// What it signed falls.
    Revoked,
}

/// What came of an answer to a request.
pub struct Answering {
    /// How the verb ended.
    pub ran: Ran,
    /// The bundle for the site, where it was written.
    pub bundle: Document,
    /// The license in typed form, where it was written.
    pub typed: Document,
}

impl Vendor {
    /// The next root, in which the license key is a new one, kept as `license.key`.
    pub fn next_root(&self, old_key: OldKey) -> Document {
        self.replaces_key(Role::License, old_key)
    }

    /// The next root, in which the key of a role is a new one. It is kept under the old one's
    /// name, and the old one under its root's: `license.1.key`.
    pub fn replaces_key(&self, role: Role, old_key: OldKey) -> Document {
        let root = self.root_now().payload();
        let old = root["roles"][role.to_string()]["key_ids"][0].as_str().expect("a key").to_owned();
        let key = |name: String| self.folder().join(name);
        let kept = format!("{role}.{}.key", root["version"]);
        fs::rename(key(format!("{role}.key")), key(kept)).expect("it can be renamed");
        self.makes_key(&format!("{role}.key"));
        let revoke = if old_key == OldKey::Revoked { "--revoke" } else { "" };
        self.changes_root(&format!("rotate {role} --old {old} --new {role}.key {revoke}"))
    }

    /// The next root by a verb of `license-tool root`, signed by everyone who has to.
    pub fn changes_root(&self, words: &str) -> Document {
        let next = self.signed_root(self.drafts_root(words));
        self.signs_under(&next);
        next
    }

    /// A draft of the next root, which nobody has signed.
    pub fn drafts_root(&self, words: &str) -> Document {
        let (root, out) = (self.root_now(), self.next("draft"));
        let life = if words.contains("--expires") { "" } else { "--expires 9000-01-01" };
        self.says(&format!(
            "root {words} --root {} --at 2020-01-01T00:00:00Z {life} --out {}",
            text(root.path()),
            text(&out)
        ));
        Document::at(out)
    }

    /// The draft with the signature of one person, who has this key.
    pub fn signs_root(&self, draft: &Document, key: &str) -> Document {
        let (root, out) = (self.root_now(), self.next("root"));
        let (draft, root) = (text(draft.path()), text(root.path()));
        self.says(&format!("root sign {draft} --root {root} --key {key} --out {}", text(&out)));
        Document::at(out)
    }

    fn signed_root(&self, draft: Document) -> Document {
        self.root_keys.iter().fold(draft, |draft, key| self.signs_root(&draft, key))
    }

    /// Generation 1 of the revocations, of these licenses and of one that nobody has.
    pub fn revokes(&self, licenses: &[&Document]) -> Document {
        let nobodys = ids::v7();
        self.revoking(&format!("--first --license {nobodys}"), licenses)
    }

    /// The next generation: these licenses too.
    pub fn revokes_after(&self, before: &Document, licenses: &[&Document]) -> Document {
        self.revoking(&format!("--from {}", text(before.path())), licenses)
    }

    fn revoking(&self, words: &str, licenses: &[&Document]) -> Document {
        let (root, out) = (self.root_now(), self.next("revocations"));
        let id = |license: &&Document| license.payload()["license_id"].as_str().map(str::to_owned);
        let licenses: String =
            licenses.iter().filter_map(id).map(|id| format!("--license {id} ")).collect();
        self.says(&format!(
            "revoke {words} {licenses} --key revocation.key --root {} --at 2020-01-02T00:00:00Z \
             --out {}",
            text(root.path()),
            text(&out)
        ));
        Document::at(out)
    }

    /// The ledger, begun when it is first asked for.
    pub fn ledger(&self) -> PathBuf {
        let ledger = self.folder().join("ledger.jsonl");
        if !ledger.exists() {
            self.says("ledger begin ledger.jsonl --root root.json");
        }
        ledger
    }

    /// Signs a license that the ledger gives its serial, and enters it there.
    pub fn enters(&self, template: &Document, words: &str) -> Document {
        let (root, out) = (self.root_now(), self.next("license"));
        self.says(&format!(
            "issue {} {words} --key license.key --root {} --ledger {} --out {}",
            text(template.path()),
            text(root.path()),
            text(&self.ledger()),
            text(&out)
        ));
        Document::at(out)
    }

    /// Answers a site's request, entered in the ledger.
    pub fn answers(&self, request: &Path, words: &str) -> Answering {
        let (root, ledger) = (self.root_now(), self.ledger());
        let (bundle, typed) = (self.next("bundle"), self.next("txt"));
        let line = format!(
            "answer {} {words} --key license.key --root {} --ledger {} --out {} --typed-out {}",
            text(request),
            text(root.path()),
            text(&ledger),
            text(&bundle),
            text(&typed)
        );
        let ran = self.tool(line.split_ascii_whitespace());
        Answering { ran, bundle: Document::at(bundle), typed: Document::at(typed) }
    }

    /// Answers a request for the clock: a reset to this time.
    pub fn resets_clock(&self, request: &Path, at: &str) -> Document {
        let (root, out) = (self.root_now(), self.next("reset"));
        self.says(&format!(
            "clock-reset --request {} --at {at} --yes --key license.key --root {} --out {}",
            text(request),
            text(root.path()),
            text(&out)
        ));
        Document::at(out)
    }
}

impl Answering {
    /// It was answered: the bundle for the site.
    #[track_caller]
    pub fn done(self) -> Document {
        self.ran.done();
        self.bundle
    }
}
