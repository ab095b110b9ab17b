//! Dead letters: records whose content the Kernel refused.

use farhold_contract::{Timestamp, call::batch::RefusedRecord};

use super::Txn;
use crate::error::StoreError;

impl Txn<'_> {
    /// Keeps a copy of a record that was refused, under its tenant; one known already, or no
    /// longer kept, changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_dead_letter(
        &mut self,
        refused: &RefusedRecord,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.sql()
            .execute(
                "INSERT INTO dead_letter (seq, tenant, event_id, code, detail, event, refused_at)
                 SELECT seq, tenant, event_id, ?2, ?3, event, ?4 FROM record WHERE seq = ?1
                 ON CONFLICT (seq) DO NOTHING",
                (refused.seq as i64, refused.code.as_str(), &refused.detail, now.as_ms()),
            )
            .map(drop)
            .map_err(StoreError::sqlite("keep a dead letter"))
    }
}
