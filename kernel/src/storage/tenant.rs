//! Tenant: an organization, and what the Kernel took away from it.

use rusqlite::{Connection, Row, params};

use farhold_contract::{
    Timestamp,
    call::heartbeat::KernelStanding,
    id::TenantId,
    model::{Policies, TenantType},
};

use super::{
    Storage, Trail,
    column::{Col, Json, Word, get, json, word},
    directory::Change,
    error::StorageError,
    statement::{self, After},
    txn::Txn,
};

const WHAT: &str = "tenant";

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The organization.
    pub tenant_id: TenantId,
    /// What kind of organization it is.
    pub kind: TenantType,
    /// Its name for people, if it was given one.
    pub name: Option<String>,
    /// What the Kernel took away from it.
    pub standing: KernelStanding,
    /// What holds for all it does.
    pub policies: Policies,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Storage {
    /// Enters an organization.
    ///
    /// # Errors
    /// `Exists`; what every write may meet.
    pub async fn create_tenant(
        &self,
        tenant: Tenant,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        self.write(move |txn| {
            create(txn, tenant)?;
            txn.leave((), trail)
        })
        .await
    }

    /// An organization.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn tenant(&self, tenant_id: TenantId) -> Result<Option<Tenant>, StorageError> {
        self.read(move |sql| find(sql, tenant_id)).await
    }

    /// Organizations by their ids; the administration's.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn tenants(
        &self,
        after: Option<TenantId>,
        limit: usize,
    ) -> Result<Vec<Tenant>, StorageError> {
        self.read(move |sql| page(sql, after, statement::limit(limit))).await
    }

    /// Takes something away from an organization, or gives it back.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn set_tenant_standing(
        &self,
        tenant_id: TenantId,
        standing: KernelStanding,
        trail: impl FnOnce(&Tenant) -> Trail + Send + 'static,
    ) -> Result<Tenant, StorageError> {
        self.write(move |txn| {
            let tenant = hold(txn, tenant_id, standing)?;
            txn.leave(tenant, trail)
        })
        .await
    }
}

/// Holds an organization to exist.
///
/// # Errors
/// `Unknown`.
pub(super) fn require(sql: &Connection, tenant_id: TenantId) -> Result<(), StorageError> {
    let known = "SELECT 1 FROM tenant WHERE tenant_id = ?1";
    if statement::any(sql, WHAT, known, [Col(tenant_id)])? {
        Ok(())
    } else {
        Err(StorageError::Unknown { what: WHAT })
    }
}

pub(super) fn every(sql: &Connection) -> Result<Vec<Tenant>, StorageError> {
    page(sql, None, -1)
}

fn create(txn: &mut Txn<'_>, tenant: Tenant) -> Result<(), StorageError> {
    let insert = "INSERT INTO tenant (tenant_id, kind, name, standing, policies, created_at)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let row = params![
        Col(tenant.tenant_id),
        Word(tenant.kind),
        tenant.name,
        Json(&tenant.standing),
        Json(&tenant.policies),
        Col(tenant.created_at),
    ];
    statement::change(txn.sql(), WHAT, insert, row)?;
    txn.change(Change::Tenant(tenant));
    Ok(())
}

fn hold(
    txn: &mut Txn<'_>,
    tenant_id: TenantId,
    standing: KernelStanding,
) -> Result<Tenant, StorageError> {
    let found = find(txn.sql(), tenant_id)?.ok_or(StorageError::Unknown { what: WHAT })?;
    let tenant = Tenant { standing, ..found };
    let update = "UPDATE tenant SET standing = ?2 WHERE tenant_id = ?1";
    statement::change(txn.sql(), WHAT, update, params![Col(tenant_id), Json(&tenant.standing)])?;
    txn.change(Change::Tenant(tenant.clone()));
    Ok(tenant)
}

fn find(sql: &Connection, tenant_id: TenantId) -> Result<Option<Tenant>, StorageError> {
    let select = "SELECT tenant_id, kind, name, standing, policies, created_at
                  FROM tenant WHERE tenant_id = ?1";
    statement::one(sql, WHAT, select, [Col(tenant_id)], of_row)
}

fn page(
    sql: &Connection,
    after: Option<TenantId>,
    limit: i64,
) -> Result<Vec<Tenant>, StorageError> {
    let select = "SELECT tenant_id, kind, name, standing, policies, created_at
                  FROM tenant WHERE tenant_id > ?1 ORDER BY tenant_id LIMIT ?2";
    statement::all(sql, WHAT, select, params![After(after), limit], of_row)
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Tenant> {
    Ok(Tenant {
        tenant_id: get(row, 0)?,
        kind: word(row, 1)?,
        name: row.get(2)?,
        standing: json(row, 3)?,
        policies: json(row, 4)?,
        created_at: get(row, 5)?,
    })
}
