//! Insert: one record into its branch, found by its event from then on.

use rusqlite::{OptionalExtension, params};

use farhold_audit::{Head, Link};
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{EventId, TenantId},
};

use super::{
    super::{
        column::{Col, Word, rows},
        error::StorageError,
        txn::Txn,
    },
    branch::BranchId,
    number,
    record::{EventIdentity, Refused, TakenBody},
};

/// One record on its way in.
pub(super) struct Row<'r> {
    pub(super) branch: BranchId,
    pub(super) link: &'r Link,
    pub(super) head: Head,
    pub(super) received_at: Timestamp,
    pub(super) body: &'r TakenBody,
    pub(super) event: Option<&'r EventIdentity>,
    pub(super) refused: Option<&'r Refused>,
}

/// What is known of an event before its record comes in.
pub(super) enum Known {
    /// Nothing.
    No,
    /// Another record brought the same bytes.
    Same(i64),
    /// Another record brought other bytes under this id.
    Other,
}

const SELECT_EVENT: &str = "SELECT id, event FROM record
     WHERE event_id = ?1 AND tenant = ?2 AND repeats IS NULL AND refused_code IS NULL";

/// Whether an event has come before.
pub(super) fn known(
    txn: &mut Txn<'_>,
    event_id: EventId,
    tenant_id: TenantId,
    bytes: &[u8],
) -> Result<Known, StorageError> {
    let tenant = number::tenant(txn, tenant_id)?;
    let found: Option<(i64, Option<Vec<u8>>)> = txn
        .sql()
        .prepare_cached(SELECT_EVENT)
        .and_then(|mut select| {
            select
                .query_row(params![Col(event_id), tenant], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(rows("record"))?;
    Ok(match found {
        None => Known::No,
        Some((id, Some(event))) if event == bytes => Known::Same(id),
        Some(_) => Known::Other,
    })
}

/// Puts a record in; what its content comes to is returned where the storage itself refuses it.
pub(super) fn insert(txn: &mut Txn<'_>, row: &Row<'_>) -> Result<Option<Refused>, StorageError> {
    let mut repeats = None;
    let mut conflict = None;
    if let (Some(event), TakenBody::Kept { event: bytes, .. }, None) =
        (row.event, row.body, row.refused)
    {
        match known(txn, event.event_id, row.link.tenant_id, bytes)? {
            Known::No => {}
            Known::Same(id) => repeats = Some(id),
            Known::Other => {
                conflict = Some(Refused {
                    code: Code::EventConflict,
                    detail: format!("another event has the id {}", event.event_id),
                    listed_under: row.link.tenant_id,
                });
            }
        }
    }
    write(txn, row, row.refused.or(conflict.as_ref()), repeats)?;
    Ok(conflict)
}

/// Puts a record in as it is: what is known of its event has been found out.
pub(super) fn write(
    txn: &mut Txn<'_>,
    row: &Row<'_>,
    refused: Option<&Refused>,
    repeats: Option<i64>,
) -> Result<(), StorageError> {
    let Row { branch, link, head, received_at, body, event, .. } = row;
    let tenant = number::tenant(txn, link.tenant_id)?;
    let kind = event.map(|event| number::kind(txn, &event.kind)).transpose()?;
    let under = refused.map(|refused| number::tenant(txn, refused.listed_under)).transpose()?;
    let (salt, bytes, hash, withheld): (_, _, Option<Sha256Digest>, _) = match body {
        TakenBody::Kept { salt, event } => (Some(salt), Some(event), None, None),
        TakenBody::Withheld(why) => (None, None, Some(link.event_hash), Some(Word(why))),
    };
    txn.sql()
        .prepare_cached(
            "INSERT INTO record (branch, seq, tenant, class, kind, event_id, runtime_id,
                 recorded_at, received_at, salt, event, event_hash, withheld, head, repeats,
                 refused_code, refused_why, refused_under)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                branch.0,
                link.seq as i64,
                tenant,
                link.class.as_u8(),
                kind,
                event.map(|event| event.event_id.as_bytes()),
                event.and_then(|event| event.runtime_id.as_ref().map(|id| id.as_bytes())),
                link.recorded_at.as_ms(),
                received_at.as_ms(),
                salt,
                bytes,
                Col(hash),
                withheld,
                head.as_bytes(),
                repeats,
                refused.map(|refused| refused.code.as_str()),
                refused.map(|refused| refused.detail.as_str()),
                under
            ])
        })
        .map(drop)
        .map_err(rows("record"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_found_by_its_index() {
        crate::storage::plan::assert_indexed(SELECT_EVENT, "record_event");
    }
}
