//! `revoke`: the next generation of revocations.

mod sign;

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde_json::json;

use farhold_bundle::{
    Envelope, LIMITS, LineKey, Positive, TrustRoot, Verified,
    payload::{DocumentType, Revocations, Role},
};
use farhold_contract::{Code, Timestamp, id::LicenseId};

use super::{
    clock,
    issued::KnownArgs,
    page::{Page, one_line},
    passphrase::{PassphraseArgs, Passphrases},
    sign::{put_state, signed_by, write},
    tally,
    trust::{self, TrustArgs},
};
use crate::{
    assemble::open_lines,
    file,
    issued::Customer,
    refusal::Refusal,
    revoke::{Loss, Revoking, next_generation, require_newest},
};

pub(super) use sign::run as sign;

/// What `revoke` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A license that no longer holds, in any serial; repeat it for several
    #[arg(long, value_name = "LICENSE_ID")]
    license: Vec<LicenseId>,
    /// A line of which the serials below N no longer hold; repeat it for several
    #[arg(long, value_name = "TENANT/PRODUCT=N")]
    serials_below: Vec<Bound>,
    #[command(flatten)]
    from: FromArgs,
    /// Makes generation 1: there was none before
    #[arg(long, conflicts_with = "from")]
    first: bool,
    /// A license that --from revokes and that is to hold again: a loss
    #[arg(long, value_name = "LICENSE_ID")]
    restore: Vec<LicenseId>,
    /// Lets the next generation take back what the one before revoked
    #[arg(long)]
    allow_loss: bool,
    /// A revocation key of the root; several where the root asks for several
    #[arg(long, required_unless_present = "draft", value_name = "FILE|URI")]
    key: Vec<PathBuf>,
    /// Writes a draft, signed by the keys given, if any: the others sign it on their own machines,
    /// with license-tool sign
    #[arg(long)]
    draft: bool,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    known: KnownArgs,
    /// When they are made; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Where the revocations are written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// The generation before.
#[derive(clap::Args)]
pub(crate) struct FromArgs {
    /// The generation before: the next one says all that it says, and more
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// The root under which --from was signed, where its key is no longer in --root
    #[arg(long, value_name = "FILE", requires = "from")]
    from_root: Option<PathBuf>,
}

/// Signs and writes the next generation, or a draft of it.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let inputs = args.key.iter().chain([&args.trust.root]).chain(args.from.files());
    let inputs = inputs.chain(args.known.files());
    let inputs = inputs.map(PathBuf::as_path).chain(args.passphrase.files());
    file::require_free(&args.out, inputs)?;
    if !args.first && args.from.from.is_none() {
        return Err(Refusal::usage(
            "the generation before is not given",
            "Give it as --from; or --first, where there is none.",
        ));
    }
    if args.first && args.license.is_empty() && args.serials_below.is_empty() {
        return Err(Refusal::usage(
            "generation 1 would revoke nothing",
            "Give --license or --serials-below.",
        ));
    }
    let root = args.trust.open()?;
    let before = args.from.open(&root)?;
    let before = before.as_ref().map(Verified::content);
    let issued_at = args.at.unwrap_or_else(clock::now);
    let revoking = Revoking {
        licenses: args.license.clone(),
        serials_below: args.serials_below.iter().map(|Bound(line, n)| (line.clone(), *n)).collect(),
        restored: args.restore.clone(),
    };
    let (revocations, losses) = next_generation(&root, before, &revoking, issued_at)?;
    require_loss_meant(before, &losses, args.allow_loss)?;
    let issued = args.known.read(&root)?;
    require_newest(&revocations, issued.revocations(None, &root.root().revoked_keys))?;
    let fall = issued.fall_by(&revocations, before, issued_at);
    let keys = Passphrases::load_all(&args.passphrase, &args.key, &root, Role::Revocation)?;
    let (draft, tally) = signed_by(revocations, &keys, &root, args.draft)?;
    write(&args.out, &draft)?;

    let revocations = draft.content();
    let mut text = String::new();
    if !tally.is_complete() {
        text.push_str("a draft: pass it on to those who are missing\n");
    }
    text.push_str(&format!(
        "generation   {}\nlicenses     {}\nlines        {}\nSHA-256      {}\n",
        revocations.generation,
        revocations.licenses.len(),
        revocations.serials_below.len(),
        draft.sha256(),
    ));
    for customer in &fall {
        text.push_str(&format!("loses        {}\n", one_line(&customer.to_string())));
    }
    if !tally.is_complete() {
        text.push_str(&tally::text(&tally));
        text.push_str(&args.whoever_signs());
    }
    let mut json = json!({
        "file": args.out.display().to_string(),
        "revocations": revocations,
        "losing": fall,
    });
    put_state(&mut json, &draft, &tally);
    let mut warnings = args.warnings(&issued, &revoking, &losses);
    warnings.extend(clock::ahead(issued_at));
    warnings.extend(tally::whole_already(args.draft, &tally));
    Ok(Page::new(text, json).with_warnings(warnings))
}

impl FromArgs {
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.from.iter().chain(&self.from_root)
    }

    /// Opens it: under the root that listed its key, which may be an older one.
    pub(super) fn open(&self, root: &TrustRoot) -> Result<Option<Verified<Revocations>>, Refusal> {
        let Some(path) = &self.from else { return Ok(None) };
        let older = self.from_root.as_deref().map(|path| trust::open(path, None)).transpose()?;
        let by = older.as_ref().unwrap_or(root);
        let opened =
            only_revocations(path).and_then(|envelope| Ok(by.verify::<Revocations>(envelope)?));
        let before = opened.map_err(|refusal| {
            let is_unknown =
                matches!(refusal.code(), Code::SignatureKeyUnknown | Code::SignatureKeyRevoked);
            let refusal = refusal.of_file(path);
            match is_unknown && older.is_none() {
                true => refusal.with_next("Give the root that listed its key as --from-root."),
                false => refusal,
            }
        })?;
        if before.issuer != root.root().issuer.id {
            let what = format!("{} is of another issuer than the root", path.display());
            return Err(Refusal::new(Code::TrustIssuer, what));
        }
        Ok(Some(before))
    }
}

/// The revocations of a file, which may be a bundle.
fn only_revocations(path: &Path) -> Result<Envelope, Refusal> {
    let mut lines = open_lines(&file::read(path, LIMITS.bundle_bytes)?)?;
    if lines.len() > 1 {
        lines.retain(|line| line.kind() == DocumentType::Revocations);
    }
    match (lines.pop(), lines.len()) {
        (Some(envelope), 0) => Ok(envelope),
        // Which of two is true is not told by their numbers: a thief's is the higher one.
        _ => Err(Refusal::new(Code::BundleMalformed, "one generation of revocations is needed")),
    }
}

/// Refuses what takes something back, unless that is meant.
fn require_loss_meant(
    before: Option<&Revocations>,
    losses: &[Loss],
    is_meant: bool,
) -> Result<(), Refusal> {
    if losses.is_empty() || is_meant {
        return Ok(());
    }
    let generation = before.map_or(0, |before| before.generation.as_u64());
    let what = format!("it would take back what generation {generation} revoked: {}", list(losses));
    Err(Refusal::usage(what, "Leave that out, or give --allow-loss."))
}

impl Args {
    /// What those who sign a draft type.
    fn whoever_signs(&self) -> String {
        let from = self.from.from.as_ref().map(|path| format!(" --from {}", path.display()));
        let older = self.from.from_root.as_ref();
        let older = older.map(|path| format!(" --from-root {}", path.display()));
        format!(
            "\nEveryone who signs: compare the hash, then\nlicense-tool sign {} --root {}{}{} \
             --expect HASH --key KEY --out SIGNED\n",
            self.out.display(),
            self.trust.root.display(),
            from.unwrap_or_default(),
            older.unwrap_or_default()
        )
    }

    fn warnings(
        &self,
        issued: &crate::issued::Issued,
        revoking: &Revoking,
        losses: &[Loss],
    ) -> Vec<String> {
        let mut warnings = Vec::new();
        if !losses.is_empty() {
            warnings.push(format!("takes back: {}", list(losses)));
        }
        if !issued.is_empty() {
            for id in revoking.licenses.iter().filter(|id| !issued.knows(**id)) {
                warnings.push(format!("license {id} is not among those issued: is the id right?"));
            }
        }
        warnings
    }
}

/// `TENANT/PRODUCT=N` as it is typed.
#[derive(Debug, Clone)]
struct Bound(LineKey, Positive);

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is not TENANT/PRODUCT=N");
        // Products may have slashes and no equals sign: the first one, and the last.
        let (line, serial) = text.rsplit_once('=').ok_or_else(wrong)?;
        let (tenant, product) = line.split_once('/').ok_or_else(wrong)?;
        let tenant_id = tenant.parse().map_err(|error| format!("{tenant}: {error}"))?;
        let serial = super::number::positive(serial)?;
        if product.is_empty() {
            return Err(wrong());
        }
        Ok(Self(LineKey { tenant_id, product: product.to_owned() }, serial))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::License(id) => write!(f, "license {id} holds again"),
            Self::Line(line) => {
                write!(f, "lower serials of {}/{} hold again", line.tenant_id, line.product)
            }
        }
    }
}

fn list(losses: &[Loss]) -> String {
    losses.iter().map(Loss::to_string).collect::<Vec<_>>().join(", ")
}

/// A customer, in one line for people.
impl fmt::Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): license {} serial {} of {}",
            self.issued_to, self.tenant_id, self.license_id, self.serial, self.product
        )
    }
}
