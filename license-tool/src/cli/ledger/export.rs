//! `ledger export`: the ledger, or what follows an entry, for the Kernel or for people.

use std::path::PathBuf;

use serde_json::json;

use farhold_ledger::{csv_head, csv_row};

use crate::{cli::page::Page, file, ledger, refusal::Refusal};

/// What `ledger export` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The ledger
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
    /// Only the entries after this one, for whoever has those before
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    since: u64,
    /// As a table for people; nothing reads it back
    #[arg(long)]
    csv: bool,
    /// Where it is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes entries as they stand in the ledger, or as a table.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    file::require_free(&args.out, [args.ledger.as_path()])?;
    let mut export = Vec::new();
    let mut entries = 0_u64;
    if args.csv {
        export.extend_from_slice(csv_head().as_bytes());
    }
    let ledger = ledger::visit(&args.ledger, |entry, line| {
        if entry.seq > args.since {
            entries += 1;
            if args.csv {
                export.extend_from_slice(csv_row(entry).as_bytes());
            } else {
                export.extend_from_slice(line);
            }
        }
        Ok(())
    })?;
    let head = ledger.head();
    if args.since > head.seq {
        return Err(Refusal::usage(
            format!("the ledger ends with entry {}", head.seq),
            "Give a lower --since.",
        ));
    }
    file::write_new(&args.out, &export)?;
    let text = format!(
        "entries     {entries}\nwritten to  {}\nhead        {}:{}\n",
        args.out.display(),
        head.seq,
        head.hash
    );
    let json = json!({
        "file": args.out.display().to_string(),
        "entries": entries,
        "since": args.since,
        "head": head,
    });
    Ok(Page::new(text, json))
}
