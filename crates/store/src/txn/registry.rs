//! Tokens and the runtimes that registered with them.

use farhold_contract::{
    Date, Sha256Digest, Timestamp,
    call::heartbeat::Health,
    id::{RuntimeId, TenantId, TokenId},
    model::{DeploymentMode, RuntimeType},
};
use rusqlite::Row;
use serde::{Serialize, de::DeserializeOwned};

use super::Txn;
use crate::{error::StoreError, store::Store};

/// A runtime token, known only by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// By which it is listed and revoked.
    pub token_id: TokenId,
    /// SHA-256 of the token.
    pub hash: Sha256Digest,
    /// The organization.
    pub tenant_id: TenantId,
    /// The type of runtime it is for.
    pub runtime_type: RuntimeType,
    /// What people call it.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A runtime as it last registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeRow {
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// The organization.
    pub tenant_id: TenantId,
    /// The token it registered with.
    pub token_id: TokenId,
    /// Where it is deployed.
    pub deployment_mode: DeploymentMode,
    /// Its version.
    pub version: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// When its version was released.
    pub released_on: Option<Date>,
    /// When it first registered.
    pub registered_at: Timestamp,
}

impl Store {
    /// Every token, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let sql = "SELECT token_id, hash, tenant_id, runtime_type, name, created_at, revoked_at FROM token ORDER BY created_at, token_id";
        self.rows("token", sql, |row| {
            Some(TokenRow {
                token_id: TokenId::from_bytes(row.get(0).ok()?).ok()?,
                hash: Sha256Digest::new(row.get(1).ok()?),
                tenant_id: TenantId::from_bytes(row.get(2).ok()?).ok()?,
                runtime_type: from_word(&row.get::<_, String>(3).ok()?)?,
                name: row.get(4).ok()?,
                created_at: Timestamp::from_ms(row.get(5).ok()?),
                revoked_at: row.get::<_, Option<i64>>(6).ok()?.map(Timestamp::from_ms),
            })
        })
    }

    /// Every runtime.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn runtimes(&self) -> Result<Vec<RuntimeRow>, StoreError> {
        let sql = "SELECT runtime_id, tenant_id, token_id, deployment_mode, version, capabilities, released_on, registered_at FROM runtime";
        self.rows("runtime", sql, |row| {
            Some(RuntimeRow {
                runtime_id: RuntimeId::from_bytes(row.get(0).ok()?).ok()?,
                tenant_id: TenantId::from_bytes(row.get(1).ok()?).ok()?,
                token_id: TokenId::from_bytes(row.get(2).ok()?).ok()?,
                deployment_mode: from_word(&row.get::<_, String>(3).ok()?)?,
                version: row.get(4).ok()?,
                capabilities: serde_json::from_str(&row.get::<_, String>(5).ok()?).ok()?,
                released_on: row
                    .get::<_, Option<String>>(6)
                    .ok()?
                    .map(|day| day.parse())
                    .transpose()
                    .ok()?,
                registered_at: Timestamp::from_ms(row.get(7).ok()?),
            })
        })
    }

    fn rows<T>(
        &self,
        what: &'static str,
        sql: &str,
        read: impl Fn(&Row<'_>) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let select = || -> rusqlite::Result<Vec<Option<T>>> {
            self.connection().prepare(sql)?.query_map([], |row| Ok(read(row)))?.collect()
        };
        let rows = select().map_err(StoreError::sqlite("read its registry"))?;
        rows.into_iter().collect::<Option<_>>().ok_or(StoreError::Row { what })
    }
}

impl Txn<'_> {
    /// Keeps a new token.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_token(&mut self, token: &TokenRow) -> Result<(), StoreError> {
        self.sql()
            .execute(
                "INSERT INTO token VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                (
                    token.token_id.as_bytes(),
                    token.hash.as_bytes(),
                    token.tenant_id.as_bytes(),
                    to_word(&token.runtime_type),
                    &token.name,
                    token.created_at.as_ms(),
                    token.revoked_at.map(Timestamp::as_ms),
                ),
            )
            .map(drop)
            .map_err(StoreError::sqlite("keep a token"))
    }

    /// Revokes a token; `false` if there is none, or it is revoked already.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn revoke_token(&mut self, token_id: TokenId, now: Timestamp) -> Result<bool, StoreError> {
        self.sql()
            .execute(
                "UPDATE token SET revoked_at = ?2 WHERE token_id = ?1 AND revoked_at IS NULL",
                (token_id.as_bytes(), now.as_ms()),
            )
            .map(|changed| changed == 1)
            .map_err(StoreError::sqlite("revoke a token"))
    }

    /// Keeps a runtime as it registered; a later registration replaces version and capabilities.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_runtime(&mut self, runtime: &RuntimeRow) -> Result<(), StoreError> {
        self.sql()
            .execute(
                "INSERT INTO runtime (runtime_id, tenant_id, token_id, deployment_mode, version, capabilities, released_on, registered_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (runtime_id) DO UPDATE SET deployment_mode = ?4, version = ?5, capabilities = ?6, released_on = ?7",
                (
                    runtime.runtime_id.as_bytes(),
                    runtime.tenant_id.as_bytes(),
                    runtime.token_id.as_bytes(),
                    to_word(&runtime.deployment_mode),
                    &runtime.version,
                    serde_json::to_string(&runtime.capabilities).unwrap_or_default(),
                    runtime.released_on.map(|day| day.to_string()),
                    runtime.registered_at.as_ms(),
                ),
            )
            .map(drop)
            .map_err(StoreError::sqlite("keep a runtime"))
    }

    /// Keeps a runtime's last word on itself.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_heartbeat(
        &mut self,
        runtime_id: RuntimeId,
        health: Health,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached(
                "UPDATE runtime SET heartbeat_at = ?2, health = ?3 WHERE runtime_id = ?1",
            )
            .and_then(|mut update| {
                update.execute((runtime_id.as_bytes(), now.as_ms(), to_word(&health)))
            })
            .map(drop)
            .map_err(StoreError::sqlite("keep a heartbeat"))
    }
}

/// The contract's own word for a value of an enumeration.
fn to_word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn from_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}
