//! `farhold import FILE|-`: signed documents come in.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use farhold_bundle::{LIMITS, decode_typed_form, is_typed_form};
use farhold_contract::Code;

use super::{session::Session, stdout, text};
use crate::{
    admin::{answer::ImportAnswer, client::Ask},
    exit::Failure,
};

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
        let bundle = read_input(&self.file, LIMITS.bundle_bytes + 1, Code::BundleTooLarge)?;
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
    let mut rows = vec![["LINE", "DOCUMENT", "OUTCOME"].map(str::to_owned).to_vec()];
    rows.extend(answer.lines.iter().map(|line| {
        vec![line.line.to_string(), text::plain(&line.name), text::plain(&line.outcome)]
    }));
    let mut told = text::columns(&rows);
    for fallen in &answer.fallen {
        told.push_str(&format!("No longer holds: {}\n", text::plain(fallen)));
    }
    told.push_str(&match answer.applied {
        true => format!("Imported bundle {}.\n", answer.bundle_sha256),
        false => format!("Nothing was changed; bundle {} would be.\n", answer.bundle_sha256),
    });
    told
}

/// Reads a file, or standard input for `-`, of less than `limit_bytes`.
///
/// # Errors
/// `input.unreadable`, or `too_large`.
pub(super) fn read_input(
    path: &Path,
    limit_bytes: usize,
    too_large: Code,
) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        take(io::stdin().lock(), limit_bytes, &mut bytes)
    } else {
        File::open(path).and_then(|file| take(file, limit_bytes, &mut bytes))
    };
    read.map_err(|error| {
        let what = format!("{} can't be read", path.display());
        Failure::new(Code::InputUnreadable, what).because(error)
    })?;
    if bytes.len() >= limit_bytes {
        let what =
            format!("{} has more than {} bytes", path.display(), limit_bytes.saturating_sub(1));
        return Err(Failure::new(too_large, what));
    }
    Ok(bytes)
}

fn take(reader: impl Read, limit_bytes: usize, into: &mut Vec<u8>) -> io::Result<usize> {
    reader.take(limit_bytes as u64).read_to_end(into)
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
