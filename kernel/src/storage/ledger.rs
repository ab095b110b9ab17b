//! Ledger: what the vendor says it has issued, as its ledger was uploaded.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use farhold_contract::{Sha256Digest, Timestamp, call::heartbeat::ReportedLicense, id::LicenseId};

use super::{
    Storage, Trail,
    alert::{self, Alert},
    column::{Col, get},
    error::StorageError,
    own_value, statement,
    txn::Txn,
};

const WHAT: &str = "ledger entry";

/// Under which name the Kernel keeps when a ledger was uploaded to its end.
const WHOLE: &str = "ledger";

/// Licenses of one report that are looked up: as many as a report is made for.
const LOOKED_UP: usize = 1024;

/// How far a ledger is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerHead {
    /// Its last entry; 0 for none.
    pub seq: u64,
    /// What the entries come to.
    pub hash: Sha256Digest,
    /// When one was last uploaded to its end; none before the first: what is held until then says
    /// nothing about what it lacks.
    pub whole_at: Option<Timestamp>,
}

/// An entry to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its number.
    pub seq: u64,
    /// What the ledger comes to with it.
    pub hash: Sha256Digest,
    /// The license it speaks of, if one.
    pub license_id: Option<LicenseId>,
    /// The license that it enters as issued, if it does.
    pub issued: Option<ReportedLicense>,
    /// Its line, with its line feed.
    pub line: Vec<u8>,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldEntry {
    /// Its number.
    pub seq: u64,
    /// What the ledger comes to with it.
    pub hash: Sha256Digest,
    /// Its line, with its line feed.
    pub line: Vec<u8>,
}

/// That a ledger was uploaded to its end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Whole {
    at: Timestamp,
}

impl Storage {
    /// How far the ledger is held.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn ledger_head(&self) -> Result<LedgerHead, StorageError> {
        self.read(head).await
    }

    /// What the ledger comes to with an entry that is held.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn ledger_hash(&self, seq: u64) -> Result<Option<Sha256Digest>, StorageError> {
        self.read(move |sql| {
            let select = "SELECT hash FROM ledger_entry WHERE seq = ?1";
            statement::one(sql, WHAT, select, [Col(seq)], |row| get(row, 0))
        })
        .await
    }

    /// The administration's: entries, newest first, from before `before` on; of one license, or all.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn ledger_entries(
        &self,
        license_id: Option<LicenseId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<HeldEntry>, StorageError> {
        let select = select(license_id.is_some());
        let before = before.unwrap_or(i64::MAX.unsigned_abs());
        self.read(move |sql| {
            let page = params![Col(before), statement::limit(limit), Col(license_id)];
            statement::all(sql, WHAT, &select, page, held)
        })
        .await
    }

    /// Which of these the ledger does not have; none before one was uploaded to its end.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn not_in_ledger(
        &self,
        licenses: Vec<ReportedLicense>,
    ) -> Result<Vec<ReportedLicense>, StorageError> {
        self.read(move |sql| absent(sql, licenses.iter())).await
    }

    /// Adds entries after those held, verified before; `to_its_end` if no more are on their way.
    /// Alerts about licenses that it now has are acknowledged for `by`, and returned.
    ///
    /// # Errors
    /// `Exists` for an entry that is held already; what every write may meet.
    pub async fn extend_ledger(
        &self,
        entries: Vec<LedgerEntry>,
        to_its_end: bool,
        at: Timestamp,
        by: String,
        trail: impl FnOnce(&Vec<Alert>) -> Trail + Send + 'static,
    ) -> Result<Vec<Alert>, StorageError> {
        let bytes = entries.iter().map(|entry| entry.line.len()).sum();
        self.write_weighing(bytes, move |txn| {
            for entry in &entries {
                insert(txn.sql(), entry)?;
            }
            if to_its_end {
                own_value::put(txn.sql(), WHOLE, &Whole { at })?;
            }
            let settled = settle(txn, at, &by)?;
            txn.leave(settled, trail)
        })
        .await
    }
}

/// As [`Storage::not_in_ledger`], of what an agent claims.
pub(super) fn missing(
    sql: &Connection,
    claimed: &[ReportedLicense],
) -> Result<Vec<ReportedLicense>, StorageError> {
    absent(sql, claimed.iter().take(LOOKED_UP))
}

fn absent<'l>(
    sql: &Connection,
    licenses: impl Iterator<Item = &'l ReportedLicense>,
) -> Result<Vec<ReportedLicense>, StorageError> {
    if own_value::find::<Whole>(sql, WHOLE)?.is_none() {
        return Ok(Vec::new());
    }
    let mut seen = BTreeSet::new();
    let mut absent = Vec::new();
    for license in licenses.filter(|license| seen.insert(license.sha256)) {
        if !has(sql, license)? {
            absent.push(*license);
        }
    }
    Ok(absent)
}

fn has(sql: &Connection, license: &ReportedLicense) -> Result<bool, StorageError> {
    let select = "SELECT 1 FROM issued WHERE license_id = ?1 AND serial = ?2 AND sha256 = ?3";
    let ReportedLicense { license_id, serial, sha256 } = *license;
    statement::any(sql, WHAT, select, params![Col(license_id), Col(serial), Col(sha256)])
}

fn head(sql: &Connection) -> Result<LedgerHead, StorageError> {
    let select = "SELECT seq, hash FROM ledger_entry ORDER BY seq DESC LIMIT 1";
    let last = statement::one(sql, WHAT, select, [], |row| Ok((get(row, 0)?, get(row, 1)?)))?;
    let (seq, hash) = last.unwrap_or((0, Sha256Digest::new([0; 32])));
    let whole = own_value::find::<Whole>(sql, WHOLE)?;
    Ok(LedgerHead { seq, hash, whole_at: whole.map(|Whole { at }| at) })
}

fn insert(sql: &Connection, entry: &LedgerEntry) -> Result<(), StorageError> {
    let insert = "INSERT INTO ledger_entry (seq, hash, license_id, line) VALUES (?1, ?2, ?3, ?4)";
    let row = params![Col(entry.seq), Col(entry.hash), Col(entry.license_id), entry.line];
    statement::change(sql, WHAT, insert, row)?;
    if let Some(ReportedLicense { license_id, serial, sha256 }) = entry.issued {
        // Met and entered later, or issued again with the same bytes: one license either way.
        let insert =
            "INSERT OR IGNORE INTO issued (license_id, serial, sha256) VALUES (?1, ?2, ?3)";
        let row = params![Col(license_id), Col(serial), Col(sha256)];
        statement::change(sql, WHAT, insert, row)?;
    }
    Ok(())
}

/// Acknowledges the alerts whose licenses the ledger has by now.
fn settle(txn: &mut Txn<'_>, at: Timestamp, by: &str) -> Result<Vec<Alert>, StorageError> {
    /// What such an alert names.
    #[derive(Deserialize)]
    struct Named {
        licenses: Vec<ReportedLicense>,
    }
    let mut settled = Vec::new();
    for open in alert::open_not_in_ledger(txn.sql())? {
        let Ok(Named { licenses }) = Named::deserialize(&open.detail) else { continue };
        let mut all_there = !licenses.is_empty();
        for license in &licenses {
            all_there = all_there && has(txn.sql(), license)?;
        }
        if all_there {
            settled.push(alert::acknowledge(txn.sql(), open.alert_id, at, by)?);
        }
    }
    Ok(settled)
}

/// Each listing has an index of its own, in its order.
fn select(of_license: bool) -> String {
    let license = if of_license { "license_id = ?3" } else { "?3 IS NULL" };
    format!(
        "SELECT seq, hash, line FROM ledger_entry WHERE seq < ?1 AND {license} \
         ORDER BY seq DESC LIMIT ?2"
    )
}

fn held(row: &Row<'_>) -> rusqlite::Result<HeldEntry> {
    Ok(HeldEntry { seq: get(row, 0)?, hash: get(row, 1)?, line: row.get(2)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plan::{assert_indexed, steps};

    #[test]
    fn each_listing_goes_along_an_index_in_its_order() {
        assert_indexed(&select(true), "ledger_license");
        let all = steps(&select(false));
        assert_eq!(all, ["SEARCH ledger_entry USING INTEGER PRIMARY KEY (rowid<?)"]);
    }
}
