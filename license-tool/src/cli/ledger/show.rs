//! `ledger show`: everything the ledger knows of one license.

use std::path::PathBuf;

use serde_json::{Value, json};

use farhold_contract::{Code, id::LicenseId};
use farhold_ledger::{Act, Bound, Entry};

use crate::{
    cli::page::{Page, one_line},
    ledger,
    refusal::Refusal,
};

/// What `ledger show` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The ledger
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
    /// The license
    #[arg(value_name = "LICENSE_ID")]
    license_id: LicenseId,
}

/// Shows the entries of one license.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    let mut text = String::new();
    let mut entries = Vec::new();
    ledger::visit(&args.ledger, |entry, line| {
        if entry.act.license_id() == Some(args.license_id) {
            text.push_str(&words(entry));
            entries.push(serde_json::from_slice::<Value>(line).unwrap_or_default());
        }
        Ok(())
    })?;
    if entries.is_empty() {
        let what = format!("the ledger has no license {}", args.license_id);
        return Err(Refusal::new(Code::UsageInvalid, what)
            .with_next("license-tool ledger list shows those that it has."));
    }
    let json = json!({ "license_id": args.license_id, "entries": entries });
    Ok(Page::new(text, json))
}

fn words(entry: &Entry) -> String {
    let head = format!("entry {}  {}  {}", entry.seq, entry.at, entry.act.kind().as_str());
    let Some(issue) = entry.act.issue() else {
        return match &entry.act {
            Act::Released(release) => format!("{head} by device {}\n", release.device_key),
            _ => format!("{head}\n"),
        };
    };
    let bound = match (&issue.bound, issue.bound.as_ref().and_then(Bound::device_key)) {
        (None, _) => "nothing".to_owned(),
        (Some(bound), None) => bound.as_str().to_owned(),
        (Some(bound), Some(key)) => format!("{} {key}", bound.as_str()),
    };
    let mut lines = vec![
        format!("{head} serial {} to {}", issue.serial, one_line(&issue.issued_to)),
        format!("  SHA-256   {}", issue.sha256),
        format!("  issued    {}, begins {}", issue.issued_at, issue.not_before),
        format!("  bound to  {bound}"),
    ];
    if let Some(day) = issue.expires_on {
        lines.push(format!("  last day  {day}"));
    }
    lines.extend(issue.keys.iter().map(|key| format!("  signed by {key}")));
    lines.extend(issue.reason.iter().map(|reason| format!("  because   {}", one_line(reason))));
    lines.iter().map(|line| format!("{line}\n")).collect()
}
