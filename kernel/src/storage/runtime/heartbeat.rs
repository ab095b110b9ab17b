//! A runtime's heartbeat: its own, or what its agent reports of it.

use std::collections::BTreeMap;

use rusqlite::{Row, params};

use farhold_contract::{
    Timestamp,
    call::heartbeat::Health,
    id::{RuntimeId, TenantId},
};

use crate::storage::{
    Storage, Trail,
    column::{Col, Json, Word, get, json, word},
    directory::Change,
    error::StorageError,
    statement,
    txn::Txn,
};

use super::{Origin, WHAT, find};

/// How a runtime said it is.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeHeartbeat {
    /// When.
    pub at: Timestamp,
    /// Whether it works as it should.
    pub health: Health,
    /// Figures of its own; what an agent reports has none.
    pub metrics: BTreeMap<String, f64>,
}

impl Storage {
    /// Notes a runtime's heartbeat.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn note_runtime_heartbeat(
        &self,
        tenant_id: TenantId,
        runtime_id: RuntimeId,
        heartbeat: RuntimeHeartbeat,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        self.write(move |txn| {
            if !note(txn, (tenant_id, runtime_id), heartbeat)? {
                return Err(StorageError::Unknown { what: WHAT });
            }
            txn.leave((), trail)
        })
        .await
    }
}

impl RuntimeHeartbeat {
    /// Reads one from the columns heartbeat_at, health, metrics.
    pub(super) fn of_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Self>> {
        let Some(at) = get(row, first)? else { return Ok(None) };
        Ok(Some(Self { at, health: word(row, first + 1)?, metrics: json(row, first + 2)? }))
    }
}

/// Notes what an agent reports of a runtime; of one that is not registered through it, nothing.
pub(in crate::storage) fn note_reported(
    txn: &mut Txn<'_>,
    agent_id: RuntimeId,
    (tenant_id, runtime_id): (TenantId, RuntimeId),
    version: String,
    heard: Option<(Health, Timestamp)>,
) -> Result<(), StorageError> {
    let through_it = find(txn.sql(), tenant_id, runtime_id)?
        .filter(|runtime| runtime.facts.origin == Origin::Agent(agent_id));
    let Some(runtime) = through_it else { return Ok(()) };
    let last = runtime.heartbeat.map(|heartbeat| heartbeat.at);
    if let Some((health, at)) = heard.filter(|(_, at)| last.is_none_or(|last| last < *at)) {
        let heartbeat = RuntimeHeartbeat { at, health, metrics: BTreeMap::new() };
        note(txn, (tenant_id, runtime_id), heartbeat)?;
    }
    let mut facts = runtime.facts;
    if facts.version != version {
        let update = "UPDATE runtime SET version = ?3 WHERE runtime_id = ?2 AND tenant_id = ?1";
        let row = params![Col(tenant_id), Col(runtime_id), version];
        statement::change(txn.sql(), WHAT, update, row)?;
        facts.version = version;
        txn.change(Change::Runtime(facts));
    }
    Ok(())
}

/// Whether there is such a runtime to note it of.
fn note(
    txn: &Txn<'_>,
    (tenant_id, runtime_id): (TenantId, RuntimeId),
    heartbeat: RuntimeHeartbeat,
) -> Result<bool, StorageError> {
    let RuntimeHeartbeat { at, health, mut metrics } = heartbeat;
    // JSON has no word for the others.
    metrics.retain(|_, figure| figure.is_finite());
    let update = "UPDATE runtime SET heartbeat_at = ?3, health = ?4, metrics = ?5
                  WHERE runtime_id = ?2 AND tenant_id = ?1";
    let row = params![Col(tenant_id), Col(runtime_id), Col(at), Word(health), Json(&metrics)];
    Ok(statement::change(txn.sql(), WHAT, update, row)? > 0)
}
