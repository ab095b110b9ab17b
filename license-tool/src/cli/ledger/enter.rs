//! `ledger enter`: licenses that were issued without the ledger.

use std::path::PathBuf;

use serde_json::json;

use farhold_bundle::LIMITS;
use farhold_contract::{Timestamp, id::LicenseId};
use farhold_ledger::{Act, Ledger};

use super::{mended, open, open_file};
use crate::{
    cli::{clock, page::Page, trust::TrustArgs},
    file,
    issue::a_year_before,
    ledger::{Found, open_entered},
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
}

/// Enters what is not there yet; every file is read before the first is entered.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    let root = args.trust.open()?;
    let mut found = Vec::new();
    for path in &args.files {
        let bytes = file::read(path, LIMITS.bundle_bytes)?;
        found.extend(open_entered(&root, &bytes).map_err(|refusal| refusal.of_file(path))?);
    }
    let now = clock::now();
    let mut file = open_file(&args.ledger, &root)?;
    let mut text = String::new();
    let mut entered = Vec::new();
    let mut warned = Vec::new();
    for found in found {
        let issue = found.issue();
        let license_id = issue.license_id;
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
        let moved = moves(file.ledger(), license_id, now);
        file.stage(now, act)?;
        if moves(file.ledger(), license_id, now) > moved {
            warned.extend(over_budget(file.ledger(), license_id, now));
            text.push_str("  a move to another machine: it is counted\n");
        }
    }
    file.commit()?;
    warned.extend(open::words(file.ledger()));
    let json = json!({ "entered": entered, "head": file.ledger().head() });
    Ok(Page::new(text, json).with_warnings(warned).with_said(mended(&file)))
}

fn moves(ledger: &Ledger, license_id: LicenseId, now: Timestamp) -> usize {
    ledger.rehosts_since(license_id, a_year_before(now))
}

/// What was issued without the ledger is a fact, and uses the year's budget up all the same.
fn over_budget(ledger: &Ledger, license_id: LicenseId, now: Timestamp) -> Option<String> {
    let budget = ledger.contract(license_id)?.rehosts_per_year()?;
    let moved = moves(ledger, license_id, now);
    (moved as u64 > budget.as_u64()).then(|| {
        format!(
            "license {license_id} was moved to another machine {moved} times within a year; {budget} \
             a year are allowed"
        )
    })
}
