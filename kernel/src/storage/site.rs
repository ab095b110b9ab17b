//! Site: which device keys have reported a license.

use std::time::Duration;

use rusqlite::{Connection, params};

use farhold_bundle::KeyId;
use farhold_contract::{Timestamp, id::LicenseId};

use super::{
    Storage,
    column::{Col, get, rows},
    error::StorageError,
    txn::Txn,
};

/// How long a report counts: a machine that was replaced is forgotten after it.
const REPORT_COUNTS: Duration = Duration::from_hours(30 * 24);

/// How many machines have reported a license lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenseSites {
    /// The license.
    pub license_id: LicenseId,
    /// Different device keys within 30 days.
    pub devices: u64,
}

impl Storage {
    /// Notes that a device reports a license; answers how many have within 30 days.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn note_license_site(
        &self,
        license_id: LicenseId,
        device_key: KeyId,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        self.write(move |txn| note(txn, license_id, device_key, at)).await
    }

    /// The administration's: the device keys that reported a license within 30 days of `at`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn license_sites(
        &self,
        license_id: LicenseId,
        at: Timestamp,
    ) -> Result<Vec<KeyId>, StorageError> {
        self.read(move |sql| {
            sql.prepare_cached(
                "SELECT device_key_id FROM license_site WHERE license_id = ?1 AND at > ?2",
            )
            .and_then(|mut select| {
                select
                    .query_map(params![Col(license_id), Col(at - REPORT_COUNTS)], |row| {
                        get(row, 0)
                    })?
                    .collect()
            })
            .map_err(rows("license's site"))
        })
        .await
    }
}

/// Notes a report inside an operation.
pub(super) fn note(
    txn: &mut Txn<'_>,
    license_id: LicenseId,
    device_key: KeyId,
    at: Timestamp,
) -> Result<u64, StorageError> {
    txn.sql()
        .prepare_cached(
            "INSERT INTO license_site (license_id, device_key_id, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (license_id, device_key_id) DO UPDATE SET at = max(at, excluded.at)",
        )
        .and_then(|mut insert| insert.execute(params![Col(license_id), Col(device_key), Col(at)]))
        .map_err(rows("license's site"))?;
    count(txn.sql(), license_id, at)
}

fn count(sql: &Connection, license_id: LicenseId, at: Timestamp) -> Result<u64, StorageError> {
    sql.prepare_cached("SELECT count(*) FROM license_site WHERE license_id = ?1 AND at > ?2")
        .and_then(|mut select| {
            select.query_row(params![Col(license_id), Col(at - REPORT_COUNTS)], |row| get(row, 0))
        })
        .map_err(rows("license's site"))
}
