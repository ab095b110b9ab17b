//! `bundle`: verified documents in one file for a site.

use std::path::PathBuf;

use serde_json::json;

use farhold_bundle::{ImportPlan, LIMITS, TrustRoot, Whole};
use farhold_contract::Code;

use super::{
    clock,
    issued::KnownArgs,
    page::{Page, one_line},
    trust::TrustArgs,
    verify::{plan_object, plan_text},
};
use crate::{
    assemble::{Cause, Stranded, assemble, may_strand, open_lines, require_needs, stranded},
    file,
    issued::licenses,
    refusal::Refusal,
    verify::{Finding, verify},
};

/// What `bundle` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Documents, bundles or typed forms, in any order
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    known: KnownArgs,
    /// Also where it takes a license out of force that nothing replaces
    #[arg(long)]
    allow_loss: bool,
    /// The generation of revocations that the site stands at already
    #[arg(long, value_name = "N", value_parser = whole, default_value = "0")]
    site_revocations: Whole,
    /// Where the bundle is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes a bundle that a site at the root given would verify.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let inputs = args.files.iter().chain([&args.trust.root]).chain(args.known.files());
    file::require_free(&args.out, inputs.map(PathBuf::as_path))?;
    let root = args.trust.open()?;
    let mut documents = Vec::new();
    for path in &args.files {
        let bytes = file::read(path, LIMITS.bundle_bytes)?;
        documents.extend(open_lines(&bytes).map_err(|refusal| refusal.of_file(path))?);
    }
    let may_strand = may_strand(&documents);
    let bundle = assemble(documents)?;
    let Finding::Documents(plan) = verify(&root, &bundle, clock::now())? else {
        return Err(Refusal::usage(
            "the bundle would hold only the root that the site has",
            "Give a document for the site beside it.",
        ));
    };
    require_needs(&plan.standing, args.site_revocations)?;
    let lost = if may_strand { args.stranded(&root, &plan)? } else { Vec::new() };
    file::write_new(&args.out, &bundle)?;
    let json = json!({
        "file": args.out.display().to_string(),
        "bytes": bundle.len(),
        "bundle": plan_object(&plan),
        "stranded": lost,
    });
    let fallen = plan.fallen.iter().map(|name| {
        format!("{name} falls in the same import: it was signed by a key that is revoked in it")
    });
    let lost = lost.iter().map(|lost| format!("taken out of force: {}", words(lost)));
    let unchecked = (may_strand && args.known.files().next().is_none()).then(|| {
        "whom its roots and revocations take a license from was not checked: give --ledger or \
         --licenses"
            .to_owned()
    });
    let ahead = clock::ahead_in(&plan.standing);
    let warnings = fallen.chain(lost).chain(unchecked).chain(ahead).collect();
    Ok(Page::new(plan_text(&plan), json).with_warnings(warnings))
}

impl Args {
    /// Whom the bundle strands; nobody, unless a loss is allowed.
    fn stranded(&self, root: &TrustRoot, plan: &ImportPlan) -> Result<Vec<Stranded>, Refusal> {
        let stranded = stranded(root, plan, &self.known.read(root)?, clock::now());
        if stranded.is_empty() || self.allow_loss {
            return Ok(stranded);
        }
        let names: Vec<String> = stranded.iter().map(words).collect();
        let what = format!("{} would be out of force: {}", licenses(names.len()), names.join("; "));
        let next = advice(&stranded);
        Err(Refusal::new(Code::BundleStrands, what).with_next(next))
    }
}

/// What to do, by what takes the licenses away.
fn advice(stranded: &[Stranded]) -> String {
    let has = |cause: Cause| stranded.iter().any(|lost| lost.by == cause);
    let mut advice = Vec::new();
    if has(Cause::KeyRevoked) {
        advice.push("Issue those whose key is revoked again under a current key.");
    }
    if has(Cause::ReplacementLeftOut) {
        advice.push("Put the newer serials into the bundle.");
    }
    if has(Cause::Revoked) {
        advice.push(
            "Who is revoked and is to keep the product needs in the bundle what the revocations \
             don't name: a newer serial, or a new contract (issue --new-id) where they name the \
             license_id.",
        );
    }
    advice.push("Is the loss meant, repeat with --allow-loss.");
    advice.join(" ")
}

fn words(lost: &Stranded) -> String {
    let why = match lost.by {
        Cause::KeyRevoked => "its key is revoked and nothing replaces it",
        Cause::ReplacementLeftOut => "its key is revoked and its replacement is not in the bundle",
        Cause::Revoked => "revoked",
    };
    one_line(&format!("{}: {why}", lost.customer))
}

fn whole(text: &str) -> Result<Whole, String> {
    text.parse()
        .ok()
        .and_then(Whole::new)
        .ok_or_else(|| "not a whole number from 0 to 9007199254740991".to_owned())
}
