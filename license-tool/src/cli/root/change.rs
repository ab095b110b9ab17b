//! `root add-key`, `remove-key`, `revoke-key`, `set-threshold`, `rotate`, `renew`: each drafts the
//! next root, or changes a draft of it further.

use std::path::{Path, PathBuf};

use farhold_bundle::{
    KeyId, Positive, TrustRoot,
    payload::{Role, Root},
};
use farhold_contract::{Sha256Digest, Timestamp};

use super::{
    date::require_plausible,
    key::{KeySource, RoleName},
    life::LifeArgs,
    print,
};
use crate::{
    cli::{
        clock,
        number::positive,
        page::{Page, one_line},
        passphrase::{PassphraseArgs, Passphrases},
        tally,
        trust::TrustArgs,
    },
    file,
    refusal::Refusal,
    root::{Change, Difference, Draft, differences, find_key, next_root},
};

/// What `root add-key` takes.
#[derive(clap::Args)]
pub(crate) struct AddKey {
    /// The role that it gets, for ever
    #[arg(value_name = "ROLE")]
    role: RoleName,
    /// The key: a file, a PKCS#11 URI, or its public half as hex
    #[arg(value_name = "FILE|URI|HEX")]
    key: String,
    /// Its name in the root, for people; a file's own name if not said
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[command(flatten)]
    draft: DraftArgs,
}

/// What `root remove-key` takes.
#[derive(clap::Args)]
pub(crate) struct RemoveKey {
    /// The key: its id or the beginning of it, its public half, or its name in the root
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    draft: DraftArgs,
}

/// What `root revoke-key` takes.
#[derive(clap::Args)]
pub(crate) struct RevokeKey {
    /// The key: its id or the beginning of it, its public half, or its name in the root. One that
    /// was rotated before: its whole id
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    draft: DraftArgs,
}

/// What `root set-threshold` takes.
#[derive(clap::Args)]
pub(crate) struct SetThreshold {
    /// The role
    #[arg(value_name = "ROLE")]
    role: RoleName,
    /// How many of its keys must sign
    #[arg(value_name = "N", value_parser = positive)]
    threshold: Positive,
    #[command(flatten)]
    draft: DraftArgs,
}

/// What `root rotate` takes.
#[derive(clap::Args)]
pub(crate) struct Rotate {
    /// The role of both keys
    #[arg(value_name = "ROLE")]
    role: RoleName,
    /// The key that goes: its id or the beginning of it, its public half, or its name in the root
    #[arg(long, value_name = "KEY")]
    old: String,
    /// The key that comes: a file, a PKCS#11 URI, or its public half as hex
    #[arg(long, value_name = "FILE|URI|HEX")]
    new: String,
    /// The new key's name in the root, for people; a file's own name if not said
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Revokes the old key: it was stolen, and what it signed falls
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    draft: DraftArgs,
}

/// What `root renew` takes.
#[derive(clap::Args)]
pub(crate) struct Renew {
    #[command(flatten)]
    draft: DraftArgs,
}

/// What every verb that drafts takes.
#[derive(clap::Args)]
struct DraftArgs {
    #[command(flatten)]
    trust: TrustArgs,
    /// The draft to change further; without it, the draft begins as the root in force
    #[arg(long, value_name = "FILE")]
    draft: Option<PathBuf>,
    #[command(flatten)]
    life: LifeArgs,
    /// Adds a key that signs receipts: a Kernel's, as farhold-kernel init prints it
    #[arg(long, value_name = "FILE|URI|HEX")]
    kernel_key: Vec<String>,
    /// Adds a CA of the Kernel: SHA-256 of its public key (SPKI)
    #[arg(long, value_name = "HEX")]
    kernel_ca: Vec<Sha256Digest>,
    /// Takes a CA of the Kernel out
    #[arg(long, value_name = "HEX")]
    remove_kernel_ca: Vec<Sha256Digest>,
    /// When the change is made; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Where the draft is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl AddKey {
    pub(super) fn run(self) -> Result<Page, Refusal> {
        let source = KeySource::parse(&self.key)?;
        let (role, name) = (self.role.role(), self.name);
        self.draft.run(vec![source], |_, keys| keys.additions(role, name))
    }
}

impl RemoveKey {
    pub(super) fn run(self) -> Result<Page, Refusal> {
        self.draft
            .run(Vec::new(), |root, _| Ok(vec![Change::RemoveKey(find_key(root, &self.key)?)]))
    }
}

impl RevokeKey {
    pub(super) fn run(self) -> Result<Page, Refusal> {
        self.draft
            .run(Vec::new(), |root, _| Ok(vec![Change::RevokeKey(revocable(root, &self.key)?)]))
    }
}

impl SetThreshold {
    pub(super) fn run(self) -> Result<Page, Refusal> {
        let (role, threshold) = (self.role.role(), self.threshold);
        self.draft.run(Vec::new(), |_, _| Ok(vec![Change::SetThreshold { role, threshold }]))
    }
}

impl Rotate {
    pub(super) fn run(self) -> Result<Page, Refusal> {
        let source = KeySource::parse(&self.new)?;
        let role = self.role.role();
        self.draft.run(vec![source], |root, keys| {
            let old = find_key(root, &self.old)?;
            require_role(root, old, role)?;
            let mut changes = keys.additions(role, self.name)?;
            changes.push(if self.revoke { Change::RevokeKey(old) } else { Change::RemoveKey(old) });
            Ok(changes)
        })
    }
}

impl Renew {
    pub(super) fn run(self) -> Result<Page, Refusal> {
        self.draft.run(Vec::new(), |_, _| Ok(Vec::new()))
    }
}

/// The keys that a verb adds, not yet loaded.
struct NewKeys<'a> {
    sources: Vec<KeySource>,
    passphrases: &'a Passphrases,
}

impl NewKeys<'_> {
    fn additions(self, role: Role, name: Option<String>) -> Result<Vec<Change>, Refusal> {
        let add = |source: KeySource| source.addition(role, name.clone(), self.passphrases);
        self.sources.into_iter().map(add).collect()
    }
}

impl DraftArgs {
    /// Drafts the next root with what the verb changes, and with what every verb may.
    fn run(
        self,
        keys: Vec<KeySource>,
        verb: impl FnOnce(&Root, NewKeys<'_>) -> Result<Vec<Change>, Refusal>,
    ) -> Result<Page, Refusal> {
        let kernel_keys: Vec<KeySource> =
            self.kernel_key.iter().map(|text| KeySource::parse(text)).collect::<Result<_, _>>()?;
        let inputs = [Some(&self.trust.root), self.draft.as_ref()].into_iter().flatten();
        let inputs = inputs.map(PathBuf::as_path).chain(self.passphrase.files());
        let inputs = inputs.chain(keys.iter().chain(&kernel_keys).filter_map(KeySource::path));
        file::require_free(&self.out, inputs)?;
        let before = self.trust.open()?;
        let draft = self.draft.as_deref().map(|path| open(path, &before)).transpose()?;
        let made_at = self.at.unwrap_or_else(clock::now);

        let base = draft.as_ref().map_or(before.root().content(), Draft::content);
        let passphrases = Passphrases::read(&self.passphrase)?;
        let keys = NewKeys { sources: keys, passphrases: &passphrases };
        let mut changes = verb(base, keys)?;
        changes.extend(self.life.given(made_at)?.map(Change::SetExpires));
        let kernel_keys = NewKeys { sources: kernel_keys, passphrases: &passphrases };
        changes.extend(kernel_keys.additions(Role::Kernel, None)?);
        changes.extend(self.remove_kernel_ca.iter().copied().map(Change::RemoveKernelCa));
        changes.extend(self.kernel_ca.iter().copied().map(Change::AddKernelCa));

        let end = self.life.end(made_at)?;
        let next = next_root(&before, draft.as_ref().map(Draft::content), &changes, made_at, end)?;
        require_plausible(&next, &before)?;
        let next = Draft::new(next, &before)?;
        let mut line = next.line();
        line.push(b'\n');
        file::write_new(&self.out, &line)?;
        Ok(self.page(&before, draft.as_ref(), &next))
    }

    fn page(&self, before: &TrustRoot, earlier: Option<&Draft>, next: &Draft) -> Page {
        let (tally, differences) = (next.tally(before), differences(before.root(), next.content()));
        let text = format!(
            "draft of root {} of {}\npayload SHA-256  {}\n{}{}\nEveryone who signs: compare the hash, then \
             license-tool root sign {} --root {} --expect HASH --key KEY --out SIGNED\n",
            next.content().version,
            one_line(&next.content().issuer.name),
            next.sha256(),
            print::changes(&differences),
            tally::text(&tally),
            self.out.display(),
            self.trust.root.display(),
        );
        let mut json = print::draft_json(next, &tally, &differences);
        json["file"] = self.out.display().to_string().into();
        Page::new(text, json).with_warnings(warnings(before, earlier, next, &differences))
    }
}

fn warnings(
    before: &TrustRoot,
    earlier: Option<&Draft>,
    next: &Draft,
    differences: &[Difference],
) -> Vec<String> {
    let mut warnings = Vec::new();
    let dropped = earlier.map_or(0, |draft| draft.signers().count());
    if dropped > 0 {
        warnings.push(format!(
            "{dropped} signatures were on the draft and are not on this one: whoever signed signs again"
        ));
    }
    if next.content().issued_at < before.root().issued_at {
        warnings.push(format!(
            "it is dated {}, before the root that it follows ({})",
            next.content().issued_at,
            before.root().issued_at
        ));
    }
    for difference in differences {
        if let Difference::KeyRevoked(key) = difference
            && key.role.is_none()
        {
            warnings.push(format!(
                "key {} is in neither root: make sure that this is its id, and not the key itself",
                key.key_id
            ));
        }
    }
    warnings
}

fn open(path: &Path, before: &TrustRoot) -> Result<Draft, Refusal> {
    let opened = Draft::open(&file::read_line(path)?, before);
    opened
        .and_then(|draft| draft.require_all_shown().map(|()| draft))
        .map_err(|refusal| refusal.of_file(path))
}

/// A key of the root, or the whole id of one that was rotated out of it before.
fn revocable(root: &Root, text: &str) -> Result<KeyId, Refusal> {
    find_key(root, text).or_else(|refusal| text.to_ascii_lowercase().parse().map_err(|_| refusal))
}

fn require_role(root: &Root, key: KeyId, role: Role) -> Result<(), Refusal> {
    match root.roles().into_iter().find(|(_, keys)| keys.key_ids.contains(&key)) {
        Some((has, _)) if has != role => Err(Refusal::usage(
            format!("key {key} has the role {has}, not {role}"),
            format!("Give an old key of the role {role}."),
        )),
        _ => Ok(()),
    }
}
