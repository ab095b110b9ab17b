//! Runtime token: what a runtime, or the administrator, calls with. Only its hash is kept.

use rusqlite::{Connection, Row, params};

use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{RuntimeId, TenantId, TokenId},
    model::RuntimeType,
};

use super::{
    Storage, Trail,
    column::{Col, Word, get, word},
    directory::Change,
    error::StorageError,
    statement, tenant,
    txn::Txn,
};

const WHAT: &str = "runtime token";

/// A runtime token, without the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeToken {
    /// By which it is listed and revoked.
    pub token_id: TokenId,
    /// SHA-256 of its text.
    pub hash: Sha256Digest,
    /// The organization it calls for.
    pub tenant_id: TenantId,
    /// The type of the runtime that registers with it.
    pub runtime_type: RuntimeType,
    /// Its name for people, if it was given one.
    pub name: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Storage {
    /// Enters a token.
    ///
    /// # Errors
    /// `Unknown` for the tenant; `Exists`; what every write may meet.
    pub async fn create_runtime_token(
        &self,
        token: RuntimeToken,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        self.write(move |txn| {
            create(txn, token)?;
            txn.leave((), trail)
        })
        .await
    }

    /// Revokes a token; one that is revoked stays so since then.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn revoke_runtime_token(
        &self,
        tenant_id: TenantId,
        token_id: TokenId,
        at: Timestamp,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        self.write(move |txn| {
            revoke(txn, tenant_id, token_id, at)?;
            txn.leave((), trail)
        })
        .await
    }

    /// An organization's tokens by their ids, each with the runtime that registered with it.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn runtime_tokens(
        &self,
        tenant_id: TenantId,
    ) -> Result<Vec<(RuntimeToken, Option<RuntimeId>)>, StorageError> {
        self.read(move |sql| {
            let select = "SELECT t.token_id, t.hash, t.tenant_id, t.runtime_type, t.name,
                                 t.created_at, t.revoked_at, r.runtime_id
                          FROM runtime_token t
                          LEFT JOIN runtime r
                              ON r.token_id = t.token_id AND r.tenant_id = t.tenant_id
                          WHERE t.tenant_id = ?1 ORDER BY t.token_id";
            statement::all(sql, WHAT, select, [Col(tenant_id)], |row| {
                Ok((of_row(row)?, get(row, 7)?))
            })
        })
        .await
    }
}

/// Every token that is not revoked.
pub(super) fn every(sql: &Connection) -> Result<Vec<RuntimeToken>, StorageError> {
    let select = "SELECT token_id, hash, tenant_id, runtime_type, name, created_at, revoked_at
                  FROM runtime_token WHERE revoked_at IS NULL";
    statement::all(sql, WHAT, select, [], of_row)
}

/// Whether an organization has this token, and it is not revoked.
pub(super) fn is_live(
    sql: &Connection,
    tenant_id: TenantId,
    token_id: TokenId,
) -> Result<bool, StorageError> {
    let token = find(sql, tenant_id, token_id)?;
    Ok(token.is_some_and(|token| token.revoked_at.is_none()))
}

fn create(txn: &mut Txn<'_>, token: RuntimeToken) -> Result<(), StorageError> {
    tenant::require(txn.sql(), token.tenant_id)?;
    let insert = "INSERT INTO runtime_token
                      (token_id, hash, tenant_id, runtime_type, name, created_at, revoked_at)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let row = params![
        Col(token.token_id),
        Col(token.hash),
        Col(token.tenant_id),
        Word(token.runtime_type),
        token.name,
        Col(token.created_at),
        Col(token.revoked_at),
    ];
    statement::change(txn.sql(), WHAT, insert, row)?;
    txn.change(Change::Token(token));
    Ok(())
}

fn revoke(
    txn: &mut Txn<'_>,
    tenant_id: TenantId,
    token_id: TokenId,
    at: Timestamp,
) -> Result<(), StorageError> {
    let found = find(txn.sql(), tenant_id, token_id)?;
    let found = found.ok_or(StorageError::Unknown { what: WHAT })?;
    if found.revoked_at.is_some() {
        return Ok(());
    }
    let update = "UPDATE runtime_token SET revoked_at = ?3 WHERE token_id = ?2 AND tenant_id = ?1";
    statement::change(txn.sql(), WHAT, update, params![Col(tenant_id), Col(token_id), Col(at)])?;
    txn.change(Change::Token(RuntimeToken { revoked_at: Some(at), ..found }));
    Ok(())
}

fn find(
    sql: &Connection,
    tenant_id: TenantId,
    token_id: TokenId,
) -> Result<Option<RuntimeToken>, StorageError> {
    let select = "SELECT token_id, hash, tenant_id, runtime_type, name, created_at, revoked_at
                  FROM runtime_token WHERE token_id = ?2 AND tenant_id = ?1";
    statement::one(sql, WHAT, select, params![Col(tenant_id), Col(token_id)], of_row)
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<RuntimeToken> {
    Ok(RuntimeToken {
        token_id: get(row, 0)?,
        hash: get(row, 1)?,
        tenant_id: get(row, 2)?,
        runtime_type: word(row, 3)?,
        name: row.get(4)?,
        created_at: get(row, 5)?,
        revoked_at: get(row, 6)?,
    })
}
