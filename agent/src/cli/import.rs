//! `farhold import FILE|-`: signed documents come in.

use std::{path::PathBuf, time::Duration};

use farhold_bundle::{LIMITS, decode_typed_form, is_typed_form};
use farhold_contract::Code;
use farhold_terminal::{input, stdout, text};

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
}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let bundle = input::read(&self.file, LIMITS.bundle_bytes, Code::BundleTooLarge)?;
        let bundle = lines_of(bundle)?;
        let ask = Ask::post(format!("/admin/import?dry_run={}", self.dry_run))
            .body("application/jsonl", bundle)
            .patience(IMPORT_TIME);
        let answer: ImportAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(described(&answer).as_bytes())
    }
}

/// A pasted or scanned document becomes the one line it was made from.
fn lines_of(input: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    if !is_typed_form(&input) {
        return Ok(input);
    }
    let mut line = decode_typed_form(&input)?;
    line.push(b'\n');
    Ok(line)
}

fn described(answer: &ImportAnswer) -> String {
    let rows = answer.lines.iter().map(|line| {
        vec![line.line.to_string(), text::plain(&line.name), text::plain(&line.outcome)]
    });
    let mut told = text::table(&["LINE", "DOCUMENT", "OUTCOME"], rows);
    for fallen in &answer.fallen {
        told.push_str(&format!("No longer holds: {}\n", text::plain(fallen)));
    }
    told.push_str(&match answer.applied {
        true => format!("Imported bundle {}.\n", answer.bundle_sha256),
        false => format!("Nothing was changed; bundle {} would be.\n", answer.bundle_sha256),
    });
    told
}

#[cfg(test)]
mod tests {
    use farhold_bundle::{Envelope, Signer, encode_typed_form, payload::ClockReset, seal};
    use farhold_contract::Timestamp;

    use super::*;

    #[test]
    fn a_pasted_document_becomes_the_bundle_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let signer = farhold_keys::create(&folder.path().join("key"), None).unwrap();
        let reset = ClockReset {
            device_key: signer.public_key().clone(),
            nonce: "ab".repeat(16),
            time: Timestamp::from_ms(1_800_000_000_000),
        };
        let mut bundle = seal(&reset, &signer).unwrap();
        let typed = encode_typed_form(&Envelope::open(&bundle).unwrap()).unwrap();
        bundle.push(b'\n');
        let pasted = format!("  {}\r\n{}\n", &typed[..40], &typed[40..]);
        assert_eq!(lines_of(pasted.into_bytes()).unwrap(), bundle);
        assert_eq!(lines_of(bundle.clone()).unwrap(), bundle, "a bundle stays as it is");
    }
}
