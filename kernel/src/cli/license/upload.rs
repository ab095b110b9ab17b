//! `farhold-kernel license upload FILE|-`.

use std::{path::PathBuf, time::Duration};

use farhold_bundle::LIMITS;
use farhold_contract::Code;
use farhold_terminal::{input, stdout, text};

use crate::{
    admin::answer::UploadAnswer,
    cli::{client::Ask, session::Session},
};

/// A full bundle has 256 lines of 16 signatures each; a slow machine and a busy disk take a while.
const UPLOAD_TIME: Duration = Duration::from_secs(120);

/// What to do about a license that the ledger lacks.
const ENTER_IT: &str = "  try: farhold-kernel ledger upload FILE with the ledger's newest export; a \
    license that is not in that one either was issued past it.\n";

/// How many documents that are held back are named.
const HELD_BACK_SHOWN: usize = 20;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// A bundle, or a document in typed form (FH1:…); - for standard input
    file: PathBuf,
    /// Verify and show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let bundle = input::read(&self.file, LIMITS.bundle_bytes, Code::BundleTooLarge)?;
        let ask = Ask::post("/kernel/admin/bundles")
            .with("dry_run", Some(self.dry_run))
            .body("application/jsonl", bundle)
            .patience(UPLOAD_TIME);
        let answer: UploadAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(described(&answer).as_bytes())
    }
}

fn described(answer: &UploadAnswer) -> String {
    let rows = answer.lines.iter().map(|line| {
        vec![line.line.to_string(), text::plain(&line.name), text::plain(&line.outcome)]
    });
    let mut told = text::table(&["LINE", "DOCUMENT", "OUTCOME"], rows);
    for fallen in &answer.fallen {
        told.push_str(&format!("No longer holds: {}\n", text::plain(fallen)));
    }
    for missing in &answer.not_in_ledger {
        told.push_str(&format!("Not in the ledger: {}\n", text::plain(missing)));
    }
    if !answer.not_in_ledger.is_empty() {
        told.push_str(ENTER_IT);
    }
    for stuck in answer.held_back.iter().take(HELD_BACK_SHOWN) {
        told.push_str(&format!("No site can be sent {}\n", text::plain(stuck)));
    }
    if let Some(others @ 1..) = answer.held_back.len().checked_sub(HELD_BACK_SHOWN) {
        told.push_str(&format!("And {others} more: farhold-kernel license list.\n"));
    }
    told.push_str(&match answer.applied {
        true => format!("Took bundle {} in.\n", answer.bundle_sha256),
        false => format!("Nothing was changed; bundle {} would be taken.\n", answer.bundle_sha256),
    });
    told
}
