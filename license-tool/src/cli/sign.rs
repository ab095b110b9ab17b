//! `sign`: one person's signature on a draft, and the document once enough have signed.

mod args;
mod look;

use std::path::{Path, PathBuf};

use farhold_bundle::{TrustRoot, payload::DocumentType};
use farhold_contract::Code;

use super::{
    clock_reset,
    page::{Page, talk},
    passphrase::Passphrases,
    revoke, root, tally,
};
use crate::{
    draft::{Draft, Drafted, Tally, kind_of},
    file,
    key::Key,
    refusal::Refusal,
};

pub(crate) use args::{Args, ClockResetArgs, RevocationArgs, SignArgs};
pub(super) use look::{Look, ask};

/// Signs a draft, of whatever it is.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let kind = args.sign.kind()?;
    args.require_meant_for(kind)?;
    match kind {
        DocumentType::Root => root::sign(&args.sign),
        DocumentType::Revocations => revoke::sign(&args.sign, &args.revocations),
        DocumentType::ClockReset => clock_reset::sign(&args.sign, &args.clock_reset),
        other => {
            let what = format!("this is of the type {other}, of which there are no drafts");
            Err(Refusal::new(Code::PayloadType, what)
                .with_next("Give the draft of a root, of revocations, or of a clock reset."))
        }
    }
}

impl SignArgs {
    /// Shows the draft as `look` sees it, adds the signatures of the keys given, and says who is
    /// missing.
    pub(super) fn run<T: Drafted>(
        &self,
        look: impl FnOnce(&Draft<T>, &TrustRoot) -> Result<Look, Refusal>,
    ) -> Result<Page, Refusal> {
        if self.key.is_empty() && self.drafts.len() < 2 && !self.dry_run {
            return Err(Refusal::usage(
                "there is no key to sign with, and nothing to put together",
                "Give --key with a key of the role, or several copies of one draft.",
            ));
        }
        if let Some(out) = &self.out {
            file::require_free(out, self.inputs())?;
        }
        let root = self.trust.open()?;
        let draft = self.draft(&root)?;
        draft.require_all_shown()?;
        let look = look(&draft, &root)?;
        if self.dry_run {
            return Ok(self.shown(&draft, look, &root));
        }
        // Shown before a passphrase is asked for: nobody signs what was not shown.
        if !self.key.is_empty() {
            self.shows(&draft, &look, &root).lines().for_each(talk);
            look.ask()?;
        }
        let draft = self.sign(draft, &root)?;
        let tally = draft.tally(&root);
        if tally.is_complete() {
            draft.complete(&root)?;
        }
        let out = self.out.clone().unwrap_or_else(|| look.default_out(&draft, &tally));
        file::require_free(&out, self.inputs())?;
        write(&out, &draft)?;
        let end = match tally.is_complete() {
            true => format!(
                "complete: {} is {}, as a site at root {} takes it\npayload SHA-256  {}\n",
                out.display(),
                look.name,
                root.version(),
                draft.sha256()
            ),
            false => format!("not complete: pass {} on to someone who is missing\n", out.display()),
        };
        let mut json = look.json;
        put_state(&mut json, &draft, &tally);
        json["file"] = out.display().to_string().into();
        let warnings = if self.key.is_empty() { look.warnings } else { Vec::new() };
        Ok(Page::new(format!("{}{end}", tally::text(&tally)), json).with_warnings(warnings))
    }

    /// Of what the first draft is one.
    fn kind(&self) -> Result<DocumentType, Refusal> {
        let path = self.drafts.first().expect("clap asks for at least one draft");
        kind_of(&file::read_line(path)?).map_err(|refusal| refusal.of_file(path))
    }

    fn inputs(&self) -> impl Iterator<Item = &Path> {
        let paths = self.drafts.iter().chain(&self.key).chain([&self.trust.root]);
        paths.map(PathBuf::as_path).chain(self.passphrase.files())
    }

    /// The one draft that all the files are copies of, with every signature on them.
    fn draft<T: Drafted>(&self, root: &TrustRoot) -> Result<Draft<T>, Refusal> {
        let mut whole: Option<Draft<T>> = None;
        for path in &self.drafts {
            let of_file = |refusal: Refusal| refusal.of_file(path);
            let copy = Draft::open(&file::read_line(path)?, root).map_err(of_file)?;
            whole = Some(match whole {
                Some(draft) => draft.merge(&copy).map_err(of_file)?,
                None => copy,
            });
        }
        let draft = whole.expect("clap asks for at least one draft");
        match self.expect {
            Some(expected) if expected != draft.sha256() => {
                let what =
                    format!("the draft's payload has SHA-256 {}, not {expected}", draft.sha256());
                Err(Refusal::new(Code::TrustHash, what)
                    .with_next("Ask whoever made the draft for it again; sign nothing else."))
            }
            _ => Ok(draft),
        }
    }

    fn sign<T: Drafted>(&self, mut draft: Draft<T>, root: &TrustRoot) -> Result<Draft<T>, Refusal> {
        let passphrases = Passphrases::read(&self.passphrase)?;
        for path in &self.key {
            let key = passphrases.load(path)?;
            draft = draft.sign(&key, root).map_err(|refusal| refusal.of_file(path))?;
        }
        Ok(draft)
    }

    /// What is about to be signed.
    fn shows<T: Drafted>(&self, draft: &Draft<T>, look: &Look, root: &TrustRoot) -> String {
        let mut text = format!("Signing {}, payload SHA-256 {}\n", look.name, draft.sha256());
        if self.trust.sha256.is_none() {
            text.push_str(&format!(
                "It {} root {}, payload SHA-256 {}: compare it, or give it as --sha256\n",
                look.stands,
                root.version(),
                root.root().sha256()
            ));
        }
        text.push_str(&look.shown);
        for warning in &look.warnings {
            text.push_str(&format!("warning: {warning}\n"));
        }
        text
    }

    fn shown<T: Drafted>(&self, draft: &Draft<T>, look: Look, root: &TrustRoot) -> Page {
        let tally = draft.tally(root);
        let text = format!(
            "draft of {}\npayload SHA-256  {}\n{}{}",
            look.name,
            draft.sha256(),
            look.shown,
            tally::text(&tally)
        );
        let mut json = look.json;
        put_state(&mut json, draft, &tally);
        json["dry_run"] = true.into();
        Page::new(text, json).with_warnings(look.warnings)
    }
}

/// What a verb has made and signed by the keys given: whole, or a draft where one is meant.
///
/// # Errors
/// `signature.threshold` where signatures are missing and no draft is meant; as [`Draft::sign`].
pub(super) fn signed_by<T: Drafted>(
    content: T,
    keys: &[Key],
    root: &TrustRoot,
    is_draft_meant: bool,
) -> Result<(Draft<T>, Tally), Refusal> {
    let mut draft = Draft::new(content, root)?;
    for key in keys {
        draft = draft.sign(key, root)?;
    }
    let tally = draft.tally(root);
    if tally.is_complete() || !is_draft_meant {
        draft.complete(root).map_err(|refusal| match refusal.code() {
            Code::SignatureThreshold => refusal.with_next(
                "Give --key as often as keys must sign; or --draft, and pass the draft on to \
                 those who sign it elsewhere.",
            ),
            _ => refusal,
        })?;
    }
    Ok((draft, tally))
}

/// Writes a draft, or the document that it has become.
pub(super) fn write<T: Drafted>(out: &Path, draft: &Draft<T>) -> Result<(), Refusal> {
    let mut line = draft.line();
    line.push(b'\n');
    file::write_new(out, &line)
}

/// How far a draft is, for programs.
pub(super) fn put_state<T: Drafted>(json: &mut serde_json::Value, draft: &Draft<T>, tally: &Tally) {
    json["complete"] = tally.is_complete().into();
    json["sha256"] = serde_json::json!(draft.sha256());
    json["signatures"] = serde_json::json!(tally);
}
