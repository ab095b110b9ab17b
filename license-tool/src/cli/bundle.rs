//! `bundle`: verified documents in one file for a site.

use std::path::PathBuf;

use serde_json::json;

use farhold_bundle::LIMITS;

use super::{
    clock,
    page::Page,
    trust::TrustArgs,
    verify::{plan_object, plan_text},
};
use crate::{
    assemble::{assemble, open_lines},
    file,
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
    /// Where the bundle is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes a bundle that a site at the root given would verify.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let inputs = args.files.iter().chain([&args.trust.root]).map(PathBuf::as_path);
    file::require_free(&args.out, inputs)?;
    let root = args.trust.open()?;
    let mut documents = Vec::new();
    for path in &args.files {
        let bytes = file::read(path, LIMITS.bundle_bytes)?;
        documents.extend(open_lines(&bytes).map_err(|refusal| refusal.of_file(path))?);
    }
    let bundle = assemble(documents)?;
    let Finding::Documents(plan) = verify(&root, &bundle, clock::now())? else {
        return Err(Refusal::usage(
            "the bundle would hold only the root that the site has",
            "Give a document for the site beside it.",
        ));
    };
    file::write_new(&args.out, &bundle)?;
    let json = json!({
        "file": args.out.display().to_string(),
        "bytes": bundle.len(),
        "bundle": plan_object(&plan),
    });
    let fallen = plan.fallen.iter().map(|name| {
        format!("{name} falls in the same import: it was signed by a key that is revoked in it")
    });
    Ok(Page::new(plan_text(&plan), json).with_warnings(fallen.collect()))
}
