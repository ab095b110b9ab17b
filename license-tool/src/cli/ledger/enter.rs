//! `ledger enter`: licenses that were issued without the ledger.

use std::path::PathBuf;

use serde_json::json;

use farhold_bundle::LIMITS;
use farhold_contract::Timestamp;
use farhold_ledger::Act;

use super::open;
use crate::{
    cli::{clock, page::Page, trust::TrustArgs},
    file,
    ledger::{Found, LedgerFile, open_entered},
    refusal::Refusal,
};

/// What `ledger enter` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The ledger
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
    /// Break-glass slips; or licenses whose slip is lost, which stay open until it comes
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// When it is entered; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Enters what is not there yet; every file is read before the first is entered.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    let root = args.trust.open()?;
    let mut found = Vec::new();
    for path in &args.files {
        let bytes = file::read(path, LIMITS.bundle_bytes)?;
        found.extend(open_entered(&root, &bytes).map_err(|refusal| refusal.of_file(path))?);
    }
    let now = args.at.unwrap_or_else(clock::now);
    let mut file = LedgerFile::open(&args.ledger, &root)?;
    let mut text = String::new();
    let mut entered = Vec::new();
    for found in found {
        let issue = found.issue();
        let what = format!("license {} serial {}", issue.license_id, issue.serial);
        let ledger = file.ledger();
        let is_known = ledger.has(issue.license_id, issue.serial, issue.sha256);
        let is_open = ledger.open_break_glass().any(|met| {
            (met.license_id, met.serial, met.sha256)
                == (issue.license_id, issue.serial, issue.sha256)
        });
        let act = match found {
            Found::Slip(..) if is_open || !is_known => Act::Entered(issue),
            Found::License(_) if !is_known => Act::BreakGlass(issue),
            _ => {
                text.push_str(&format!("{what} was in the ledger already\n"));
                continue;
            }
        };
        text.push_str(&format!("{what}: {}\n", act.kind().as_str()));
        entered.push(json!({
            "license_id": act.license_id(),
            "serial": act.issue().map(|issue| issue.serial),
            "kind": act.kind().as_str(),
        }));
        file.stage(now, act)?;
    }
    file.commit()?;
    let json = json!({ "entered": entered, "head": file.ledger().head() });
    Ok(Page::new(text, json).with_warnings(open::words(file.ledger())))
}
