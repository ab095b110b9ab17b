//! Identity provider: what an administrator entered about one of an organization.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use farhold_contract::{id::TenantId, model};

use super::{
    Storage, Trail,
    column::{Col, Json, Word, get, json, word},
    error::StorageError,
    statement, tenant,
};

const WHAT: &str = "identity provider";

const COLUMNS: &str = "tenant_id, issuer, name, kind, audience, jwks, role_map, attributes";

/// An organization's identity provider.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityProvider {
    /// The organization.
    pub tenant_id: TenantId,
    /// Its name for people.
    pub name: String,
    /// What kind of provider it is.
    pub kind: model::Provider,
    /// What its tokens say in `iss`.
    pub issuer: String,
    /// Whom its tokens are for.
    pub audience: String,
    /// Its public keys.
    pub jwks: Value,
    /// From its groups to the organization's roles.
    pub role_map: RoleMap,
    /// What else to take from its tokens, by name.
    pub attributes: Vec<String>,
}

/// From a provider's groups to an organization's roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleMap {
    /// Where tokens name groups: member names from the outside in.
    pub claim: Vec<String>,
    /// The role of each group.
    pub roles: BTreeMap<String, String>,
}

impl Storage {
    /// Enters a provider, in place of the organization's one of the same issuer.
    ///
    /// # Errors
    /// `Unknown` for the tenant; what every write may meet.
    pub async fn put_provider(
        &self,
        provider: IdentityProvider,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        self.write(move |txn| {
            tenant::require(txn.sql(), provider.tenant_id)?;
            let replace = format!(
                "INSERT OR REPLACE INTO provider ({COLUMNS})
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            );
            let row = params![
                Col(provider.tenant_id),
                provider.issuer,
                provider.name,
                Word(provider.kind),
                provider.audience,
                Json(&provider.jwks),
                Json(&provider.role_map),
                Json(&provider.attributes),
            ];
            statement::change(txn.sql(), WHAT, &replace, row)?;
            txn.leave((), trail)
        })
        .await
    }

    /// An organization's provider with this issuer.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn provider(
        &self,
        tenant_id: TenantId,
        issuer: impl Into<String>,
    ) -> Result<Option<IdentityProvider>, StorageError> {
        let issuer = issuer.into();
        self.read(move |sql| {
            let select =
                format!("SELECT {COLUMNS} FROM provider WHERE tenant_id = ?1 AND issuer = ?2");
            statement::one(sql, WHAT, &select, params![Col(tenant_id), issuer], of_row)
        })
        .await
    }

    /// An organization's providers, by their issuers.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn providers(
        &self,
        tenant_id: TenantId,
    ) -> Result<Vec<IdentityProvider>, StorageError> {
        self.read(move |sql| {
            let select =
                format!("SELECT {COLUMNS} FROM provider WHERE tenant_id = ?1 ORDER BY issuer");
            statement::all(sql, WHAT, &select, [Col(tenant_id)], of_row)
        })
        .await
    }

    /// Removes a provider; whom it vouched for stay known.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn remove_provider(
        &self,
        tenant_id: TenantId,
        issuer: impl Into<String>,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        let issuer = issuer.into();
        self.write(move |txn| {
            let remove = "DELETE FROM provider WHERE tenant_id = ?1 AND issuer = ?2";
            if statement::change(txn.sql(), WHAT, remove, params![Col(tenant_id), issuer])? == 0 {
                return Err(StorageError::Unknown { what: WHAT });
            }
            txn.leave((), trail)
        })
        .await
    }
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<IdentityProvider> {
    Ok(IdentityProvider {
        tenant_id: get(row, 0)?,
        issuer: row.get(1)?,
        name: row.get(2)?,
        kind: word(row, 3)?,
        audience: row.get(4)?,
        jwks: json(row, 5)?,
        role_map: json(row, 6)?,
        attributes: json(row, 7)?,
    })
}
