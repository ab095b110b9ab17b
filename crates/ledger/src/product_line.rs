//! Line of licenses: the serials of one product of one organization.

use std::collections::BTreeSet;

use farhold_bundle::{LineKey, Positive};
use farhold_contract::{Sha256Digest, id::LicenseId};

use crate::{conflict::Conflict, issue::Issue};

/// One serial of a line that two different licenses carry: a site keeps the one it met first and
/// refuses the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The line.
    pub line: LineKey,
    /// The serial.
    pub serial: Positive,
    /// The entries that gave it, in their order.
    pub entries: Vec<u64>,
}

/// Serials of a line that no entry has, between two that entries have: perhaps a break-glass
/// issue whose slip is still out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The line.
    pub line: LineKey,
    /// The first one missing.
    pub from: Positive,
    /// The last one missing.
    pub to: Positive,
}

/// What is known of one line: every signing of it, by serial, and of one serial in the order of the
/// ledger.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProductLine(Vec<Given>);

#[derive(Debug, Clone)]
struct Given {
    serial: Positive,
    seq: u64,
    license_id: LicenseId,
    sha256: Sha256Digest,
}

impl ProductLine {
    pub(crate) fn take(&mut self, seq: u64, issue: &Issue) {
        let (serial, license_id, sha256) = (issue.serial, issue.license_id, issue.sha256);
        // Nearly always the last: what comes out of order was issued without the ledger.
        let at = self.0.partition_point(|given| given.serial <= serial);
        if self.0.is_empty() {
            self.0.reserve_exact(1); // most lines have one license for a year
        }
        self.0.insert(at, Given { serial, seq, license_id, sha256 });
    }

    /// Whether an issue may follow (`specs/ledger.md` §4). The same payload may be signed again,
    /// by another key.
    pub(crate) fn admits(&self, issue: &Issue) -> Result<(), Conflict> {
        let serial = issue.serial;
        let same =
            |given: &&Given| (given.license_id, given.sha256) == (issue.license_id, issue.sha256);
        let given = self.of_serial(serial);
        if let Some(other) = given.iter().find(|given| !same(given)) {
            return Err(Conflict::Taken { serial, seq: other.seq });
        }
        match self.highest() {
            Some(highest) if serial < highest && given.is_empty() => {
                Err(Conflict::Lower { serial, highest })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn highest(&self) -> Option<Positive> {
        self.0.last().map(|given| given.serial)
    }

    pub(crate) fn contracts(&self) -> BTreeSet<LicenseId> {
        self.0.iter().map(|given| given.license_id).collect()
    }

    pub(crate) fn clashes<'a>(&'a self, line: &'a LineKey) -> impl Iterator<Item = Clash> + 'a {
        let of_one_serial = self.0.chunk_by(|one, next| one.serial == next.serial);
        let differ = |given: &&[Given]| given.iter().any(|other| other.sha256 != given[0].sha256);
        of_one_serial.filter(differ).map(|given| Clash {
            line: line.clone(),
            serial: given[0].serial,
            entries: given.iter().map(|given| given.seq).collect(),
        })
    }

    pub(crate) fn gaps<'a>(&'a self, line: &'a LineKey) -> impl Iterator<Item = Gap> + 'a {
        self.0.windows(2).filter_map(|two| {
            let (from, to) = (two[0].serial.as_u64() + 1, two[1].serial.as_u64() - 1);
            (from <= to).then_some(())?;
            Some(Gap { line: line.clone(), from: Positive::new(from)?, to: Positive::new(to)? })
        })
    }

    fn of_serial(&self, serial: Positive) -> &[Given] {
        let from = self.0.partition_point(|given| given.serial < serial);
        let to = self.0.partition_point(|given| given.serial <= serial);
        &self.0[from..to]
    }
}
