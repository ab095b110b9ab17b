//! `revoke`: the next generation of revocations.

use std::{fmt, path::PathBuf, str::FromStr};

use serde_json::json;

use farhold_bundle::{
    Envelope, LineKey, Positive, Signer, TrustRoot, Verified,
    payload::{Revocations, Role},
};
use farhold_contract::{Code, Timestamp, id::LicenseId};

use super::{
    clock,
    issued::KnownArgs,
    page::{Page, one_line},
    passphrase::{PassphraseArgs, Passphrases},
    trust::{self, TrustArgs},
};
use crate::{
    file,
    issued::Customer,
    refusal::Refusal,
    revoke::{Loss, Revoking, next_generation, sign},
};

/// What `revoke` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A license that no longer holds, in any serial; repeat it for several
    #[arg(long, value_name = "LICENSE_ID")]
    license: Vec<LicenseId>,
    /// A line of which the serials below N no longer hold; repeat it for several
    #[arg(long, value_name = "TENANT/PRODUCT=N")]
    serials_below: Vec<Bound>,
    /// The generation before: the next one says all that it says, and more
    #[arg(long, value_name = "FILE", required_unless_present = "first", conflicts_with = "first")]
    from: Option<PathBuf>,
    /// The root under which --from was signed, where its key is no longer in --root
    #[arg(long, value_name = "FILE", requires = "from")]
    from_root: Option<PathBuf>,
    /// Makes generation 1: there was none before
    #[arg(long)]
    first: bool,
    /// A license that --from revokes and that is to hold again: a loss
    #[arg(long, value_name = "LICENSE_ID")]
    restore: Vec<LicenseId>,
    /// Lets the next generation take back what the one before revoked
    #[arg(long)]
    allow_loss: bool,
    /// A revocation key of the root; several where the root asks for several
    #[arg(long, required = true, value_name = "FILE|URI")]
    key: Vec<PathBuf>,
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

/// Signs and writes the next generation.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let inputs = args.key.iter().chain([&args.trust.root]).chain(&args.from).chain(&args.from_root);
    let inputs = inputs.chain(args.known.files());
    let inputs = inputs.map(PathBuf::as_path).chain(args.passphrase.files());
    file::require_free(&args.out, inputs)?;
    if args.first && args.license.is_empty() && args.serials_below.is_empty() {
        return Err(Refusal::usage(
            "generation 1 would revoke nothing",
            "Give --license or --serials-below.",
        ));
    }
    let root = args.trust.open()?;
    let before = args.before(&root)?;
    let before = before.as_ref().map(Verified::content);
    let issued_at = args.at.unwrap_or_else(clock::now);
    let revoking = Revoking {
        licenses: args.license.clone(),
        serials_below: args.serials_below.iter().map(|Bound(line, n)| (line.clone(), *n)).collect(),
        restored: args.restore.clone(),
    };
    let (revocations, losses) = next_generation(&root, before, &revoking, issued_at)?;
    if !losses.is_empty() && !args.allow_loss {
        let what = format!(
            "it would take back what generation {} revoked: {}",
            args.number(before),
            list(&losses)
        );
        return Err(Refusal::usage(what, "Leave that out, or give --allow-loss."));
    }
    let issued = args.known.read(&root)?;
    let keys = Passphrases::load_all(&args.passphrase, &args.key, &root, Role::Revocation)?;
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let signed = sign(&root, &revocations, &signers)?;
    let mut line = signed.line().to_vec();
    line.push(b'\n');
    file::write_new(&args.out, &line)?;

    let fall = issued.fall_by(&revocations, before, issued_at);
    let mut text = format!(
        "generation   {}\nlicenses     {}\nlines        {}\nSHA-256      {}\n",
        revocations.generation,
        revocations.licenses.len(),
        revocations.serials_below.len(),
        signed.sha256(),
    );
    for customer in &fall {
        text.push_str(&format!("loses        {}\n", one_line(&customer.to_string())));
    }
    let json = json!({
        "file": args.out.display().to_string(),
        "sha256": signed.sha256(),
        "revocations": revocations,
        "losing": fall,
    });
    let mut warnings = args.warnings(&issued, &revoking, &losses);
    warnings.extend(clock::ahead(issued_at));
    Ok(Page::new(text, json).with_warnings(warnings))
}

impl Args {
    /// The generation before: under the root that listed its key, which may be an older one.
    fn before(&self, root: &TrustRoot) -> Result<Option<Verified<Revocations>>, Refusal> {
        let Some(path) = &self.from else { return Ok(None) };
        let older = self.from_root.as_deref().map(|path| trust::open(path, None)).transpose()?;
        let by = older.as_ref().unwrap_or(root);
        let line = file::read_line(path)?;
        let opened = Envelope::open(&line)
            .map_err(Refusal::from)
            .and_then(|envelope| Ok(by.verify::<Revocations>(envelope)?));
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

    fn number(&self, before: Option<&Revocations>) -> u64 {
        before.map_or(0, |before| before.generation.as_u64())
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
