//! `farhold-kernel ledger upload FILE|-`.

use std::{ops::Range, path::PathBuf, time::Duration};

use serde::Deserialize;

use farhold_contract::{Code, Sha256Digest};
use farhold_ledger::Head;
use farhold_terminal::{Failure, input, stdout, text};

use crate::{
    admin::{
        answer::{LedgerAnswer, LedgerUploadAnswer},
        ledger::PIECE_BYTES,
    },
    cli::{client::Ask, session::Session},
};

/// Largest ledger that is read: some two million entries.
const LEDGER_BYTES: usize = 1 << 30;

/// A piece is verified and written in one transaction, on a slow machine and a busy disk.
const UPLOAD_TIME: Duration = Duration::from_secs(120);

const PATH: &str = "/kernel/admin/ledger";

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// What license-tool ledger export wrote; - for standard input
    file: PathBuf,
}

/// Where a ledger's file begins, as its first line says.
#[derive(Deserialize)]
struct First {
    seq: u64,
    prev: Sha256Digest,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let bytes = input::read(&self.file, LEDGER_BYTES, Code::RequestTooLarge)?;
        let seqs = verified(&bytes)?;
        let door = session.door()?;
        let held: LedgerAnswer = door.json(Ask::get(PATH).with("limit", Some(1)))?;
        let mut whole: Option<LedgerUploadAnswer> = None;
        let pieces = pieces(&bytes, &seqs, held.seq);
        let skipped = pieces.skipped as u64;
        for (at, piece) in pieces.ranges.iter().enumerate() {
            let more = at + 1 < pieces.ranges.len();
            let ask = Ask::post(PATH).with("more", Some(more));
            let body = bytes[piece.clone()].to_vec();
            let ask = ask.body("application/jsonl", body).patience(UPLOAD_TIME);
            let next: LedgerUploadAnswer = door.json(ask)?;
            whole = Some(match whole {
                Some(before) => together(before, next),
                None => LedgerUploadAnswer { known: next.known + skipped, ..next },
            });
        }
        // A ledger that verifies has an entry, so there was a piece.
        let answer = whole.ok_or_else(empty)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(described(&answer).as_bytes())
    }
}

/// The numbers of the entries, once all of them hold: nothing is sent before.
fn verified(bytes: &[u8]) -> Result<Vec<u64>, Failure> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let before = match serde_json::from_slice(first) {
        Ok(First { seq: seq @ 2.., prev }) => Head { seq: seq - 1, hash: prev },
        _ => Head::START,
    };
    let (entries, _) = farhold_ledger::verify(before, bytes).map_err(|broken| {
        Failure::new(broken.code(), "the ledger does not hold").because(broken)
    })?;
    if entries.is_empty() {
        return Err(empty());
    }
    Ok(entries.iter().map(|entry| entry.seq).collect())
}

fn empty() -> Failure {
    Failure::new(Code::LedgerBroken, "there is no entry in it")
        .action("Export it again: license-tool ledger export.")
}

/// What is sent: from the last entry that the Kernel holds, by which it sees that this is its own
/// ledger, to the end.
struct Pieces {
    ranges: Vec<Range<usize>>,
    skipped: usize,
}

fn pieces(bytes: &[u8], seqs: &[u64], held: u64) -> Pieces {
    let known = seqs.partition_point(|&seq| seq <= held);
    let skipped = known.saturating_sub(1);
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let start: usize = lines.by_ref().take(skipped).map(<[u8]>::len).sum();
    let (mut ranges, mut piece) = (Vec::new(), start..start);
    for line in lines {
        if piece.len() + line.len() > PIECE_BYTES {
            ranges.push(piece.clone());
            piece = piece.end..piece.end;
        }
        piece.end += line.len();
    }
    ranges.push(piece);
    Pieces { ranges, skipped }
}

fn together(before: LedgerUploadAnswer, next: LedgerUploadAnswer) -> LedgerUploadAnswer {
    LedgerUploadAnswer {
        taken: before.taken + next.taken,
        known: before.known + next.known,
        acknowledged: [before.acknowledged, next.acknowledged].concat(),
        ..next
    }
}

fn described(answer: &LedgerUploadAnswer) -> String {
    let mut told = match answer.taken {
        0 => "Nothing is new in it.\n".to_owned(),
        1 => "Took 1 entry in.\n".to_owned(),
        taken => format!("Took {taken} entries in.\n"),
    };
    let head = format!("entry {}, {}", answer.seq, answer.hash);
    told.push_str(&text::facts(&[("held to", head)]));
    if !answer.acknowledged.is_empty() {
        let alerts = answer.acknowledged.join(", ");
        told.push_str(&format!("Their licenses are entered now; acknowledged: alerts {alerts}.\n"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_ledger_goes_in_pieces_that_begin_with_what_the_kernel_holds() {
        let line = [&b"x".repeat(PIECE_BYTES / 4)[..], b"\n"].concat();
        let bytes = line.repeat(6);
        let seqs = [1, 2, 3, 4, 5, 6];
        let sizes = |held| {
            let Pieces { ranges, skipped } = pieces(&bytes, &seqs, held);
            assert_eq!(ranges.last().unwrap().end, bytes.len());
            assert!(ranges.windows(2).all(|two| two[0].end == two[1].start));
            (skipped, ranges.iter().map(|range| range.len() / line.len()).collect::<Vec<_>>())
        };
        assert_eq!(sizes(0), (0, vec![3, 3]));
        assert_eq!(sizes(1), (0, vec![3, 3]));
        assert_eq!(sizes(2), (1, vec![3, 2]));
        assert_eq!(sizes(6), (5, vec![1]));
        assert_eq!(
            sizes(9),
            (5, vec![1]),
            "the Kernel is further: it says whether this is its own"
        );
    }
}
