//! `farhold import FILE|-`: signed documents come in.

mod changes;
mod trust_change;

use std::{path::PathBuf, time::Duration};

use farhold_bundle::LIMITS;
use farhold_contract::{Code, Sha256Digest};
use farhold_terminal::{Failure, input, stdout, text};

use super::session::Session;
use crate::admin::{answer::ImportAnswer, client::Ask};

/// A full bundle has 256 lines of 16 signatures each; a slow machine and a busy disk take a while.
const IMPORT_TIME: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub(super) struct Args {
    /// The bundle, or a document in typed form (FH1:…); - for standard input
    file: PathBuf,
    /// Verify and show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Import only the bundle with this SHA-256, as --dry-run prints it
    #[arg(long, value_name = "HEX")]
    expect: Option<String>,
}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let expected = self.expect.as_deref().map(digest).transpose()?;
        let bundle = input::read(&self.file, LIMITS.bundle_bytes, Code::BundleTooLarge)?;
        let mut path = format!("/admin/import?dry_run={}", self.dry_run);
        if let Some(expected) = expected {
            path.push_str(&format!("&expect={expected}"));
        }
        let ask = Ask::post(path).body("application/jsonl", bundle).patience(IMPORT_TIME);
        let door = if self.dry_run { session.door()? } else { session.door_making_state()? };
        let answer: ImportAnswer = door.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(described(&answer).as_bytes())
    }
}

fn digest(given: &str) -> Result<Sha256Digest, Failure> {
    // Tools print it in either case; it is compared as bytes.
    given.trim().to_ascii_lowercase().parse().map_err(|error| {
        Failure::new(Code::UsageInvalid, format!("--expect {}", text::plain(given)))
            .because(error)
            .action("Give the SHA-256 that farhold import --dry-run prints.")
    })
}

fn described(answer: &ImportAnswer) -> String {
    let rows = answer.lines.iter().map(|line| {
        vec![line.line.to_string(), text::plain(&line.name), text::plain(&line.outcome)]
    });
    let mut told = text::table(&["LINE", "DOCUMENT", "OUTCOME"], rows);
    for fallen in &answer.fallen {
        told.push_str(&format!("No longer holds: {}\n", text::plain(fallen)));
    }
    told.push_str(&changes::described(&answer.changes, answer.applied));
    told.push_str(&match answer.applied {
        true => format!("\nImported bundle {}.\n", answer.bundle_sha256),
        false => format!(
            "\nNothing was changed. To import this bundle and no other:\n  farhold import FILE --expect {}\n",
            answer.bundle_sha256
        ),
    });
    told
}
