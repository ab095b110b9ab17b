//! A vendor's ledger, kept while the vendor signs.

use serde_json::{Value, json};

use farhold_bundle::{Envelope, payload::License};
use farhold_contract::{Sha256Digest, Timestamp, call::heartbeat::ReportedLicense};
use farhold_kernel::storage::{LedgerEntry, no_trail};
use farhold_ledger::{Act, Issue, Ledger};
use sha2::{Digest, Sha256};

use crate::{vendor::ISSUER, world::World};

const AT: Timestamp = Timestamp::from_ms(1_790_000_000_000);

pub(crate) struct LedgerBook {
    ledger: Ledger,
    lines: Vec<(Vec<u8>, Option<ReportedLicense>)>,
}

impl LedgerBook {
    pub(crate) fn begin() -> Self {
        let (ledger, line) = Ledger::begin(ISSUER.parse().unwrap(), AT);
        Self { ledger, lines: vec![(line, None)] }
    }

    /// Enters a license that was signed.
    pub(crate) fn issued(&mut self, line: &[u8]) {
        let (license, sha256) = read(line);
        let act = Act::Issued(Issue::of(&license, sha256, Vec::new()));
        let entry = self.ledger.append(AT, act).unwrap();
        self.lines.push((entry, Some(reported(&license, sha256))));
    }
}

impl World {
    /// Has the Kernel hold what it does not hold of a ledger yet.
    pub(crate) async fn extend_ledger(&self, book: &LedgerBook, to_its_end: bool) {
        let held = self.plane.storage.ledger_head().await.unwrap();
        let entry =
            |(seq, (line, issued)): (u64, &(Vec<u8>, Option<ReportedLicense>))| LedgerEntry {
                seq,
                // Its own chain is the administration's to verify.
                hash: Sha256Digest::new(Sha256::digest(line).into()),
                license_id: issued.as_ref().map(|license| license.license_id),
                issued: *issued,
                line: line.clone(),
            };
        let new = (1..).zip(&book.lines).filter(|(seq, _)| *seq > held.seq).map(entry).collect();
        let (now, by) = (self.plane.now(), "test".to_owned());
        self.plane.storage.extend_ledger(new, to_its_end, now, by, no_trail).await.unwrap();
    }
}

/// A license as a report names it.
pub(crate) fn named(line: &[u8]) -> Value {
    let (license, sha256) = read(line);
    json!(reported(&license, sha256))
}

fn reported(license: &License, sha256: Sha256Digest) -> ReportedLicense {
    ReportedLicense { license_id: license.license_id, serial: license.serial.as_u64(), sha256 }
}

fn read(line: &[u8]) -> (License, Sha256Digest) {
    let envelope = Envelope::open(line).unwrap();
    let payload = envelope.danger_unverified_payload();
    let sha256 = Sha256Digest::new(Sha256::digest(payload).into());
    (serde_json::from_slice(payload).unwrap(), sha256)
}
