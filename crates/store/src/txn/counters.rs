//! Usage: read from what is staged or real, written once a commit however often it changed.

use farhold_contract::{Timestamp, id::TenantId};
use farhold_policy::Counter;

use super::Txn;
use crate::error::StoreError;

impl Txn<'_> {
    /// What has been used, counting what this transaction already consumed.
    pub fn counter(&self, key: &str) -> Option<Counter> {
        let staged = self.counters.get(key).map(|(_, counter)| counter);
        staged.or_else(|| self.live.counters.get(key)).copied()
    }

    /// Stages what has been used.
    pub fn set_counter(&mut self, tenant_id: TenantId, key: String, counter: Counter) {
        self.counters.insert(key, (tenant_id, counter));
    }

    /// The counters this transaction changed.
    pub fn staged_counters(&self) -> impl Iterator<Item = (&str, Counter)> {
        self.counters.iter().map(|(key, (_, counter))| (key.as_str(), *counter))
    }

    #[allow(clippy::iter_over_hash_type)] // each key is its own row: their order changes nothing
    pub(super) fn write_counters(&self) -> Result<(), StoreError> {
        let write = || -> rusqlite::Result<()> {
            for (key, (tenant_id, counter)) in &self.counters {
                let mut upsert = self.sql().prepare_cached(
                    "INSERT INTO counter (key, tenant_id, window_start, used) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (key) DO UPDATE SET window_start = ?3, used = ?4",
                )?;
                let used = i64::try_from(counter.used).unwrap_or(i64::MAX);
                upsert.execute((
                    key,
                    tenant_id.as_bytes(),
                    counter.window_start.map(Timestamp::as_ms),
                    used,
                ))?;
            }
            Ok(())
        };
        write().map_err(StoreError::sqlite("write usage"))
    }
}
