//! Paper: the lines that a recovery is typed by, with the names of the files that it is made of.

use std::path::{Path, PathBuf};

use farhold_bundle::{
    KeyId,
    payload::{Role, Root},
};

use super::{Stage, report::Step};
use crate::draft::name_of;

/// The files of a vendor, as a rehearsal was told of them.
pub struct Files<'a> {
    /// The root in force.
    pub root: &'a Path,
    /// Licenses, and folders of them.
    pub licenses: &'a [PathBuf],
    /// The ledger.
    pub ledger: Option<&'a Path>,
    /// Whether a name is taken: nothing is ever written over.
    pub is_taken: &'a dyn Fn(&Path) -> bool,
}

/// What every step of one recovery calls its files.
pub(super) struct Paper<'a> {
    stage: &'a Stage<'a>,
    /// The root in force.
    pub(super) old_root: String,
    /// The root that recovers.
    pub(super) new_root: String,
    /// The file of the key that comes.
    pub(super) new_key: String,
    role: Role,
    gone: KeyId,
}

impl<'a> Paper<'a> {
    /// For a recovery from a key of a role that is gone.
    pub(super) fn of(stage: &'a Stage<'a>, role: Role, gone: KeyId) -> Self {
        let next = stage.root.version() + 1;
        let paper = Self {
            stage,
            old_root: word(stage.files.root),
            new_root: String::new(),
            new_key: String::new(),
            role,
            gone,
        };
        Self {
            new_root: paper.free(&format!("root.{next}.json")),
            new_key: paper.free(&format!("{role}-new.key")),
            ..paper
        }
    }

    /// A name that nothing has.
    pub(super) fn free(&self, name: &str) -> String {
        let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
        let is_free = |name: &String| !(self.stage.files.is_taken)(Path::new(name));
        let others = (2..=u32::MAX).map(|number| match ending {
            "" => format!("{stem}-{number}"),
            ending => format!("{stem}-{number}.{ending}"),
        });
        std::iter::once(name.to_owned()).chain(others).find(is_free).unwrap_or_default()
    }

    /// What everything that was issued is known by: for verbs that look for whom they hit.
    pub(super) fn known(&self) -> String {
        let files = &self.stage.files;
        let licenses = files.licenses.iter().map(|path| format!(" --licenses {}", word(path)));
        let ledger = files.ledger.map(|path| format!(" --ledger {}", word(path)));
        licenses.chain(ledger).collect()
    }

    /// A key in the place of the one that is gone.
    pub(super) fn make_key(&self, whose: &str) -> Step {
        Step::new(
            format!("Make a new {} key {whose}", self.role),
            [format!("license-tool keygen {}", self.new_key)],
        )
    }

    /// Drafts the next root by `root VERB`, and has it signed by as many as must, one after the
    /// other.
    pub(super) fn next_root(&self, what: &str, verb: &str) -> [Step; 2] {
        let next = self.stage.root.version() + 1;
        let draft = self.free(&format!("root.{next}.draft.json"));
        let (old, new) = (&self.old_root, &self.new_root);
        let make = format!("license-tool root {verb} --root {old} --out {draft}");
        let holders = self.keys(Role::Root);
        let sign = |from: &str, key: &str, to: &str| {
            format!("license-tool root sign {from} --root {old} --key {key} --out {to}")
        };
        let lines = self.pass_on(sign, &draft, &format!("root.{next}"), new, &holders);
        let mut signing = format!(
            "Sign it: {} of root keys, one after the other, each on their own machine",
            match holders.len() {
                1 => "1 holder".to_owned(),
                several => format!("{several} holders"),
            }
        );
        if holders.iter().any(|key| is_blank(key)) {
            signing.push_str("; a key that has no name in the root stands in capitals");
        }
        [Step::new(what, [make]), Step::new(signing, lines)]
    }

    /// One line a signer: from which file, by which key, into which file.
    pub(super) fn pass_on(
        &self,
        line: impl Fn(&str, &str, &str) -> String,
        draft: &str,
        stem: &str,
        last: &str,
        keys: &[String],
    ) -> Vec<String> {
        let mut from = draft.to_owned();
        let mut lines = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let to = match at + 1 == keys.len() {
                true => last.to_owned(),
                false => self.free(&format!("{stem}.signed-{}.json", at + 1)),
            };
            lines.push(line(&from, key, &to));
            from = to;
        }
        lines
    }

    /// The files of as many keys as sign for a role once the recovery is under way: the new one
    /// first, never the one that is gone.
    pub(super) fn keys(&self, role: Role) -> Vec<String> {
        let root = self.stage.root.root().content();
        let Some(listed) = root.role(role) else { return Vec::new() };
        let fresh = (role == self.role && role != Role::Root && self.is_listed())
            .then(|| self.new_key.clone());
        let others = listed.key_ids.iter().filter(|id| **id != self.gone);
        let others = others.enumerate().map(|(at, id)| key_file(root, role, *id, at));
        let enough = usize::try_from(listed.threshold.as_u64()).unwrap_or(usize::MAX);
        fresh.into_iter().chain(others).take(enough).collect()
    }

    /// Whether the key that is gone has its role in the root in force.
    pub(super) fn is_listed(&self) -> bool {
        self.stage.root.role_of(self.gone).is_some()
    }

    /// What linked sites need.
    pub(super) fn kernel_step(&self, bundles: &[String]) -> Step {
        let upload = |bundle: &String| format!("farhold-kernel license upload {bundle}");
        Step::new(
            "Give the Kernel the same, for the sites that are linked",
            bundles.iter().map(upload),
        )
    }
}

/// Where a key lies, as far as the root tells: it names a key as its file was called.
fn key_file(root: &Root, role: Role, id: KeyId, at: usize) -> String {
    match name_of(root, id).filter(|name| is_plain(name)) {
        Some(name) => format!("{name}.key"),
        None if at == 0 => format!("{}_KEY", role.to_string().to_uppercase()),
        None => format!("{}_KEY_{}", role.to_string().to_uppercase(), at + 1),
    }
}

/// Whether a key's file has to be filled in.
fn is_blank(key: &str) -> bool {
    !key.ends_with(".key")
}

/// A path as one word of a shell.
pub(super) fn word(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// A text as one word of a shell, on one line.
pub(super) fn quoted(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let plain: String = text.chars().filter(|character| !character.is_control()).collect();
    format!("'{}'", plain.replace('\'', r"'\''"))
}

fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@=,".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_word_of_a_shell() {
        assert_eq!(quoted("issued/a.1.json"), "issued/a.1.json");
        assert_eq!(quoted("it's; rm\n-rf *"), r"'it'\''s; rm-rf *'");
        assert_eq!(quoted("-x"), "'-x'");
        assert_eq!(quoted(""), "''");
    }
}
