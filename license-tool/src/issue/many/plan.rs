//! Plan: which serial every row gets, before the first is signed.

use std::collections::{BTreeMap, HashMap};

use farhold_bundle::{LineKey, Positive};
use farhold_contract::{Timestamp, id::LicenseId};
use farhold_ledger::Ledger;

use super::{
    batch::{Batch, Checked},
    facts::{RowContract, RowFacts},
    mistake::{Mistakes, RowMistake},
};
use crate::{
    issue::{Next, Signing},
    template::Stamp,
};

/// What every row is stamped with.
#[derive(Debug)]
pub struct Plan {
    pub(super) rows: Vec<Place>,
}

/// What one row is stamped with, and how what stands of it is signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) next: Next,
    /// Of what the ledger has of the very same license; absent where it has none.
    pub(super) signed: Option<Signing>,
}

/// Gives every row its contract and its serial, in the order of the table.
///
/// # Errors
/// Rows that name one contract twice, or none where there are several.
pub fn plan(
    batch: &Batch,
    checked: &Checked,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<Plan, Mistakes> {
    let mut mistakes = Mistakes::default();
    let mut seen: HashMap<LicenseId, u64> = HashMap::with_capacity(checked.rows.len());
    let mut lines: BTreeMap<LineKey, LineOfRows> = BTreeMap::new();
    let mut rows = Vec::with_capacity(checked.rows.len());
    for facts in &checked.rows {
        let license_id = match facts.contract {
            RowContract::Known(stamp, _) => stamp.license_id,
            RowContract::Again(id, _)
            | RowContract::Named(id)
            | RowContract::Only(id)
            | RowContract::New(id) => id,
            RowContract::Unclear => {
                let why = "the ledger has several licenses of this organization and product: \
                           say which one as license_id";
                mistakes.add(RowMistake::of_row(facts.line, why));
                continue;
            }
        };
        if let Some(other) = seen.insert(license_id, facts.line) {
            let why = format!("is the same license as line {other}: {license_id}");
            mistakes.add(RowMistake::of_row(facts.line, why));
            continue;
        }
        let signed = match facts.contract {
            RowContract::Known(stamp, signed) => {
                rows.push(Place { next: Next::Known(stamp), signed: Some(signed) });
                continue;
            }
            RowContract::Again(_, signed) => Some(signed),
            _ => None,
        };
        let key = LineKey {
            tenant_id: facts.tenant_id,
            product: facts.product.as_deref().unwrap_or(batch.product()).to_owned(),
        };
        let line = lines.entry(key).or_insert_with_key(|key| LineOfRows {
            serial: ledger.highest_serial(key).map_or(0, Positive::as_u64),
            rows: 0,
            first: facts.line,
            has_nameless: false,
        });
        match line.next(facts) {
            Ok(serial) => {
                let next = Next::New(Stamp { license_id, serial, issued_at: now });
                rows.push(Place { next, signed });
            }
            Err(mistake) => mistakes.add(mistake),
        }
    }
    if mistakes.is_empty() { Ok(Plan { rows }) } else { Err(mistakes) }
}

/// What the rows so far have taken of one line of licenses.
struct LineOfRows {
    serial: u64,
    rows: u32,
    first: u64,
    has_nameless: bool,
}

impl LineOfRows {
    fn next(&mut self, facts: &RowFacts) -> Result<Positive, RowMistake> {
        self.rows += 1;
        self.has_nameless |= !facts.is_named;
        // Which of two nameless rows is which could not be told when the run is repeated.
        if self.rows > 1 && self.has_nameless {
            let why = format!(
                "is of the same organization and product as line {}: give both a license_id",
                self.first
            );
            return Err(RowMistake::of_row(facts.line, why));
        }
        self.serial += 1;
        Positive::new(self.serial)
            .ok_or_else(|| RowMistake::of_row(facts.line, "its line has no serial left"))
    }
}

impl Plan {
    /// How many licenses get a new serial.
    pub fn to_issue(&self) -> usize {
        self.count(|place| matches!(place.next, Next::New(_)))
    }

    /// How many of these say what the ledger has already, by keys that no longer hold.
    pub fn anew(&self) -> usize {
        self.count(|place| matches!(place.next, Next::New(_)) && place.signed.is_some())
    }

    /// How many say what the ledger has already.
    pub fn known(&self) -> usize {
        self.rows.len() - self.to_issue()
    }

    /// How many of these were signed by keys that were rotated since.
    pub fn former(&self) -> usize {
        self.count(Place::is_former)
    }

    fn count(&self, is: impl Fn(&Place) -> bool) -> usize {
        self.rows.iter().filter(|place| is(place)).count()
    }
}

impl Place {
    /// Whether it keeps its serial, signed by a key that was rotated since.
    pub(super) const fn is_former(&self) -> bool {
        matches!((self.next, self.signed), (Next::Known(_), Some(Signing::Former)))
    }
}
