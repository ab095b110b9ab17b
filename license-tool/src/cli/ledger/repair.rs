//! `ledger repair`: a last line that was torn while it was written, or that is too long to be read.

use std::path::PathBuf;

use serde_json::json;

use crate::{
    cli::page::Page,
    ledger::{Repair, repair},
    refusal::Refusal,
};

/// What `ledger repair` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The ledger
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
}

/// Repairs a last line; nothing is deleted.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    let (text, word, to, head) = match repair(&args.ledger)? {
        Repair::Whole(head) => ("nothing was torn".to_owned(), "whole", None, head),
        Repair::Completed(head) => {
            ("the last entry was whole and stays".to_owned(), "completed", None, head)
        }
        Repair::MovedOut { to, bytes, head } => (
            format!(
                "{bytes} bytes of an entry that was never finished are now in {}; its license was \
                 not written: issue it again",
                to.display()
            ),
            "moved_out",
            Some(to.display().to_string()),
            head,
        ),
        Repair::CutOff { to, bytes, head } => (
            format!(
                "a last line of {bytes} bytes, which nobody can read, is now in {}; it says which \
                 license it was for: issue a serial above that one (issue --serial)",
                to.display()
            ),
            "cut_off",
            Some(to.display().to_string()),
            head,
        ),
    };
    let text = format!("{text}\nhead        {}:{}\n", head.seq, head.hash);
    let mut json = json!({ "repair": word, "head": head });
    if let Some(to) = to {
        json["torn"] = json!(to);
    }
    Ok(Page::new(text, json))
}
