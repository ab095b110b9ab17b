//! Numbers: tenants and types by small ones, remembered while they are in use.
//!
//! Whoever signs a chain may name tenants and types that nobody knows: they get a number too, and
//! what is remembered of them has a limit.

use rusqlite::{Connection, OptionalExtension};

use farhold_contract::id::TenantId;

use super::super::{
    column::{Col, rows},
    error::StorageError,
    txn::Txn,
};

/// Tenants, and types, kept in memory; beyond it they are looked up.
const REMEMBERED_MAX: usize = 10_000;

/// An organization's number; one that is new gets one.
pub(super) fn tenant(txn: &mut Txn<'_>, tenant_id: TenantId) -> Result<i64, StorageError> {
    if let Some(&number) = txn.numbers().tenants.get(&tenant_id) {
        return Ok(number);
    }
    let number = match tenant_known(txn.sql(), tenant_id)? {
        Some(number) => number,
        None => txn
            .sql()
            .prepare_cached("INSERT INTO record_tenant (tenant_id) VALUES (?1) RETURNING id")
            .and_then(|mut insert| insert.query_row([Col(tenant_id)], |row| row.get(0)))
            .map_err(rows("tenant of a record"))?,
    };
    let tenants = &mut txn.numbers().tenants;
    if tenants.len() >= REMEMBERED_MAX {
        tenants.clear();
    }
    tenants.insert(tenant_id, number);
    Ok(number)
}

/// An organization's number, if it has one: none of its records are held otherwise.
pub(super) fn tenant_known(
    sql: &Connection,
    tenant_id: TenantId,
) -> Result<Option<i64>, StorageError> {
    sql.prepare_cached("SELECT id FROM record_tenant WHERE tenant_id = ?1")
        .and_then(|mut select| select.query_row([Col(tenant_id)], |row| row.get(0)).optional())
        .map_err(rows("tenant of a record"))
}

/// A type's number; one that is new gets one.
pub(super) fn kind(txn: &mut Txn<'_>, kind: &str) -> Result<i64, StorageError> {
    if let Some(&number) = txn.numbers().kinds.get(kind) {
        return Ok(number);
    }
    let known = txn
        .sql()
        .prepare_cached("SELECT id FROM record_kind WHERE kind = ?1")
        .and_then(|mut select| select.query_row([kind], |row| row.get(0)).optional())
        .map_err(rows("type of a record"))?;
    let number = match known {
        Some(number) => number,
        None => txn
            .sql()
            .prepare_cached("INSERT INTO record_kind (kind) VALUES (?1) RETURNING id")
            .and_then(|mut insert| insert.query_row([kind], |row| row.get(0)))
            .map_err(rows("type of a record"))?,
    };
    let kinds = &mut txn.numbers().kinds;
    if kinds.len() >= REMEMBERED_MAX {
        kinds.clear();
    }
    kinds.insert(kind.to_owned(), number);
    Ok(number)
}
