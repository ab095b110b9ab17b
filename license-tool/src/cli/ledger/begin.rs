//! `ledger begin`: the first entry of a new ledger.

use std::path::PathBuf;

use serde_json::json;

use farhold_contract::Timestamp;

use crate::{
    cli::{clock, page::Page, trust::TrustArgs},
    file, ledger,
    refusal::Refusal,
};

/// What `ledger begin` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the ledger is written; never over another file
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// When it begins; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Begins a ledger.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    file::require_free(&args.ledger, [args.trust.root.as_path()])?;
    let root = args.trust.open()?;
    let issuer = &root.root().issuer;
    let begun = ledger::begin(&args.ledger, issuer.id, args.at.unwrap_or_else(clock::now))?;
    let text = format!(
        "ledger      {}\nissuer      {}\n\
         Every license is entered here before it leaves: keep one ledger, and copies of it.\n",
        args.ledger.display(),
        issuer.id
    );
    let json = json!({
        "file": args.ledger.display().to_string(),
        "issuer": issuer.id,
        "head": begun.head(),
    });
    Ok(Page::new(text, json))
}
