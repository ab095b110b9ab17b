//! `ledger verify`: whether the chain is whole, and what is open.

use std::{fs, path::PathBuf, str::FromStr};

use serde_json::json;

use farhold_bundle::Envelope;
use farhold_contract::{Code, Sha256Digest};
use farhold_ledger::{Head, Ledger};

use super::open;
use crate::{
    cli::page::Page,
    ledger::{self, Slip},
    refusal::Refusal,
};

/// What `ledger verify` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The ledger
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
    /// An entry known from before, as `verify` printed it: SEQ:HASH. Repeat it for several
    #[arg(long, value_name = "SEQ:HASH")]
    head: Vec<KnownHead>,
    /// A folder where break-glass slips lie: those that have not come in are named
    #[arg(long, value_name = "FOLDER")]
    slips: Vec<PathBuf>,
}

/// An entry known from before.
#[derive(Debug, Clone, Copy)]
struct KnownHead(Head);

/// Verifies a ledger.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    let mut found = vec![None; args.head.len()];
    let ledger = ledger::visit(&args.ledger, |entry, _| {
        for (KnownHead(head), found) in args.head.iter().zip(&mut found) {
            if entry.seq == head.seq {
                *found = Some(entry.hash);
            }
        }
        Ok(())
    })?;
    for (KnownHead(head), found) in args.head.iter().zip(found) {
        if found != Some(head.hash) {
            let what = match found {
                Some(_) => format!("entry {} is another one than the one known", head.seq),
                None => format!("entry {} is known and no longer there", head.seq),
            };
            return Err(Refusal::new(Code::LedgerBroken, what).of_file(&args.ledger));
        }
    }
    let mut open_words = open::words(&ledger);
    let slips = slips_out(args, &ledger)?;
    open_words.extend(slips.iter().map(|path| format!("the slip {path} has not come in")));
    let head = ledger.head();
    let issuer = ledger.issuer().map(|issuer| issuer.to_string()).unwrap_or_default();
    let text = format!(
        "the chain holds\nissuer      {issuer}\nentries     {}\nlicenses    {}\nhead        {}:{}\n\
         Keep the head apart from the ledger: with --head it shows later that nothing was rewritten.\n",
        head.seq,
        ledger.contracts().len(),
        head.seq,
        head.hash
    );
    let mut open_object = open::object(&ledger);
    open_object["slips"] = json!(slips);
    let json = json!({
        "verified": true,
        "issuer": issuer,
        "licenses": ledger.contracts().len(),
        "head": head,
        "open": open_object,
    });
    Ok(Page::new(text, json).with_warnings(open_words))
}

/// Slips in the folders whose license the ledger does not have as entered.
fn slips_out(args: &Args, ledger: &Ledger) -> Result<Vec<String>, Refusal> {
    let mut out = Vec::new();
    for folder in &args.slips {
        let unreadable = |error: std::io::Error| {
            let what = format!("{} can't be read: {error}", folder.display());
            Refusal::new(Code::InputUnreadable, what)
        };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let slip = (path.extension().is_some_and(|ending| ending == "slip"))
                .then(|| fs::read(&path).ok())
                .flatten()
                .and_then(|bytes| serde_json::from_slice::<Slip>(&bytes).ok());
            if slip.is_some_and(|slip| !is_entered(&slip, ledger)) {
                out.push(path.display().to_string());
            }
        }
    }
    out.sort();
    Ok(out)
}

/// By the payload's hash; whether the slip's license holds is asked when it is entered.
fn is_entered(slip: &Slip, ledger: &Ledger) -> bool {
    use sha2::{Digest, Sha256};
    let Ok(envelope) = Envelope::open(slip.license.as_bytes()) else { return false };
    let hash = Sha256::digest(envelope.danger_unverified_payload());
    let sha256 = Sha256Digest::new(hash.into());
    let is_open = ledger.open_break_glass().any(|met| met.sha256 == sha256);
    let known = ledger
        .contracts()
        .any(|contract| contract.revisions.iter().any(|revision| revision.sha256 == sha256));
    known && !is_open
}

impl FromStr for KnownHead {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "not an entry like 12:0a1b…, a number and 64 digits".to_owned();
        let (seq, hash) = text.split_once(':').ok_or_else(form)?;
        let seq = seq.parse().map_err(|_| form())?;
        Ok(Self(Head { seq, hash: hash.parse().map_err(|_| form())? }))
    }
}
