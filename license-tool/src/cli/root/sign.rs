//! `root sign`: one person's signature on a draft, and the next root once enough have signed.

use std::path::{Path, PathBuf};

use farhold_bundle::TrustRoot;
use farhold_contract::{Code, Sha256Digest};

use super::{date::require_plausible, print};
use crate::{
    cli::{
        clock,
        page::{Page, talk},
        passphrase::{PassphraseArgs, Passphrases},
        trust::TrustArgs,
    },
    file,
    refusal::Refusal,
    root::{Draft, Tally, differences},
};

/// What `root sign` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The draft; several copies of it if two people signed at the same time
    #[arg(value_name = "DRAFT", required = true)]
    drafts: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// A root key of either root; without one, the copies given are put together
    #[arg(long, value_name = "FILE|URI")]
    key: Vec<PathBuf>,
    /// SHA-256 of the draft's payload, told by whoever made it: refuses any other draft
    #[arg(long, value_name = "HEX")]
    expect: Option<Sha256Digest>,
    /// Where the signed draft is written, or the next root if it is complete; never over another
    /// file. If not said: root.N.signed-M.json, or root.N.json, in this folder
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Adds the signatures of the keys given; says who is missing.
pub(super) fn run(args: Args) -> Result<Page, Refusal> {
    if args.key.is_empty() && args.drafts.len() < 2 {
        return Err(Refusal::usage(
            "there is no key to sign with, and nothing to put together",
            "Give --key with a root key, or several copies of one draft.",
        ));
    }
    if let Some(out) = &args.out {
        file::require_free(out, args.inputs())?;
    }
    let before = args.trust.open()?;
    let draft = args.draft(&before)?;
    refuse_ended(&draft)?;
    require_plausible(draft.root(), &before)?;
    // Shown before a passphrase is asked for: nobody signs what was not shown.
    let differences = differences(before.root(), draft.root());
    if !args.key.is_empty() {
        let (version, sha256) = (draft.root().version, draft.sha256());
        talk(&format!("Signing root {version}, payload SHA-256 {sha256}"));
        if args.trust.sha256.is_none() {
            let (version, sha256) = (before.version(), before.root().sha256());
            talk(&format!(
                "It follows root {version}, payload SHA-256 {sha256}: compare it, or give it as --sha256"
            ));
        }
        print::changes(&differences).lines().for_each(talk);
    }
    let draft = args.sign(draft, &before)?;
    let tally = draft.tally(&before);
    let next = tally.is_complete().then(|| draft.complete(&before)).transpose()?;

    let out = args.out.clone().unwrap_or_else(|| default_out(&draft, &tally));
    file::require_free(&out, args.inputs())?;
    let mut line = next.as_ref().map_or_else(|| draft.line(), |next| next.root().line().to_vec());
    line.push(b'\n');
    file::write_new(&out, &line)?;

    let end = match &next {
        Some(next) => format!(
            "complete: {} is root {}, as a site at root {} takes it\npayload SHA-256  {}\n",
            out.display(),
            next.version(),
            before.version(),
            next.root().sha256()
        ),
        None => format!("not complete: pass {} on to someone who is missing\n", out.display()),
    };
    let text = format!("{}{end}", print::tally(&tally));
    let mut json = print::draft_json(&draft, &tally, &differences);
    json["file"] = out.display().to_string().into();
    Ok(Page::new(text, json))
}

impl Args {
    fn inputs(&self) -> impl Iterator<Item = &Path> {
        let paths = self.drafts.iter().chain(&self.key).chain([&self.trust.root]);
        paths.map(PathBuf::as_path).chain(self.passphrase.files())
    }

    /// The one draft that all the files are copies of, with every signature on them.
    fn draft(&self, before: &TrustRoot) -> Result<Draft, Refusal> {
        let mut whole: Option<Draft> = None;
        for path in &self.drafts {
            let of_file = |refusal: Refusal| refusal.of_file(path);
            let copy = Draft::open(&file::read_line(path)?, before).map_err(of_file)?;
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

    fn sign(&self, mut draft: Draft, before: &TrustRoot) -> Result<Draft, Refusal> {
        let passphrases = Passphrases::read(&self.passphrase)?;
        for path in &self.key {
            let key = passphrases.load(path)?;
            draft = draft.sign(&key, before).map_err(|refusal| refusal.of_file(path))?;
        }
        Ok(draft)
    }
}

/// A root that has ended would be taken as a link of the chain, and would bring in nothing.
fn refuse_ended(draft: &Draft) -> Result<(), Refusal> {
    let ends = draft.root().expires;
    if ends > clock::now() {
        return Ok(());
    }
    let what = format!("root {} would have ended at {ends} already", draft.root().version);
    Err(Refusal::new(Code::TrustRootExpired, what)
        .with_next("Draft it again with a later --expires."))
}

fn default_out(draft: &Draft, tally: &Tally) -> PathBuf {
    let version = draft.root().version;
    PathBuf::from(match tally.is_complete() {
        true => format!("root.{version}.json"),
        false => format!("root.{version}.signed-{}.json", draft.signers().count()),
    })
}
