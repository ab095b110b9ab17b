//! Receipts: what the vendor has.

use rusqlite::OptionalExtension;

use farhold_audit::Head;
use farhold_bundle::{Verified, payload::Receipt};
use farhold_contract::Timestamp;

use super::Txn;
use crate::error::StoreError;

impl Txn<'_> {
    /// The head after a record; `None` if the record is not kept here (any more).
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn head_at(&self, seq: u64) -> Result<Option<Head>, StoreError> {
        self.sql()
            .query_row("SELECT head FROM record WHERE seq = ?1", [seq as i64], |row| {
                row.get::<_, [u8; 32]>(0)
            })
            .optional()
            .map(|head| head.map(Head::new))
            .map_err(StoreError::sqlite("look a head up"))
    }

    /// Keeps a receipt whose head has been compared; `false` if one as high is kept already.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_receipt(
        &mut self,
        receipt: &Verified<Receipt>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let seq = receipt.seq.as_u64();
        if seq <= self.acknowledged_seq {
            return Ok(false);
        }
        self.sql()
            .execute(
                "INSERT INTO receipt (seq, line, applied_at) VALUES (?1, ?2, ?3)",
                (seq as i64, receipt.line(), now.as_ms()),
            )
            .map_err(StoreError::sqlite("keep a receipt"))?;
        self.acknowledged_seq = seq;
        Ok(true)
    }

    /// The last record covered by a receipt that was applied at or before `at`; 0 for none.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn receipted_by(&self, at: Timestamp) -> Result<u64, StoreError> {
        self.sql()
            .query_row(
                "SELECT coalesce(max(seq), 0) FROM receipt WHERE applied_at <= ?1",
                [at.as_ms()],
                |row| row.get::<_, i64>(0),
            )
            .map(i64::unsigned_abs)
            .map_err(StoreError::sqlite("look receipts up"))
    }
}
