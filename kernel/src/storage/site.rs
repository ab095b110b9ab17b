//! Site: which device keys have reported a license.

use std::time::Duration;

use rusqlite::{Connection, params};

use farhold_bundle::KeyId;
use farhold_contract::{Timestamp, id::LicenseId};

use super::{
    Storage,
    column::{Col, get},
    error::StorageError,
    statement,
    txn::Txn,
};

const WHAT: &str = "license's site";

/// How long a report counts: a machine that was replaced is forgotten after it.
const REPORT_COUNTS: Duration = Duration::from_hours(30 * 24);

/// How many machines have reported a license lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenseSites {
    /// The license.
    pub license_id: LicenseId,
    /// Different device keys within 30 days.
    pub devices: u64,
    /// Those of them that reported it since a later serial came up at another: where a license is
    /// bound to a machine, the others are the machines that it was moved away from.
    pub at_once: u64,
}

impl Storage {
    /// Notes that a device reports a license in this serial; answers how many have within 30 days.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn note_license_site(
        &self,
        license_id: LicenseId,
        serial: u64,
        device_key: KeyId,
        at: Timestamp,
    ) -> Result<LicenseSites, StorageError> {
        self.write(move |txn| note(txn, license_id, serial, device_key, at)).await
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
            let select = "SELECT device_key_id FROM license_site WHERE license_id = ?1 AND at > ?2";
            let since = params![Col(license_id), Col(at - REPORT_COUNTS)];
            statement::all(sql, WHAT, select, since, |row| get(row, 0))
        })
        .await
    }
}

/// Notes a report inside an operation.
pub(super) fn note(
    txn: &mut Txn<'_>,
    license_id: LicenseId,
    serial: u64,
    device_key: KeyId,
    at: Timestamp,
) -> Result<LicenseSites, StorageError> {
    let insert = "INSERT INTO license_site (license_id, device_key_id, at, serial, first_at)
                  VALUES (?1, ?2, ?3, ?4, ?3)
                  ON CONFLICT (license_id, device_key_id) DO UPDATE SET
                      at = max(at, excluded.at),
                      first_at = iif(serial = excluded.serial, first_at, excluded.first_at),
                      serial = excluded.serial";
    let row = params![Col(license_id), Col(device_key), Col(at), Col(serial)];
    statement::change(txn.sql(), WHAT, insert, row)?;
    count(txn.sql(), license_id, at)
}

fn count(
    sql: &Connection,
    license_id: LicenseId,
    at: Timestamp,
) -> Result<LicenseSites, StorageError> {
    let select = "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
                      SELECT 1 FROM license_site AS moved
                      WHERE moved.license_id = site.license_id
                        AND moved.serial > site.serial AND moved.first_at > site.at))
                  FROM license_site AS site WHERE license_id = ?1 AND at > ?2";
    let since = params![Col(license_id), Col(at - REPORT_COUNTS)];
    let counted = statement::one(sql, WHAT, select, since, |row| {
        Ok(LicenseSites { license_id, devices: get(row, 0)?, at_once: get(row, 1)? })
    });
    counted?.ok_or(StorageError::Row { what: WHAT })
}
