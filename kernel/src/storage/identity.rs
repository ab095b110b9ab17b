//! Identity: someone an organization's provider vouched for.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use farhold_contract::{
    Timestamp,
    id::{IdentityId, TenantId},
    model::{Identity, Provider},
};

use super::{
    Storage, Trail,
    column::{Col, Json, Word, get, json, word},
    error::StorageError,
    statement::{self, After},
    tenant,
};

const WHAT: &str = "identity";

const COLUMNS: &str = "identity_id, tenant_id, external_id, provider, roles, attributes";

/// Someone, as a provider vouches for them now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityClaim {
    /// The id for someone who is new.
    pub identity_id: IdentityId,
    /// The organization.
    pub tenant_id: TenantId,
    /// The provider's issuer.
    pub issuer: String,
    /// What kind of provider it is.
    pub provider: Provider,
    /// The name at the provider.
    pub external_id: String,
    /// The organization's roles.
    pub roles: Vec<String>,
    /// What else the provider said.
    pub attributes: BTreeMap<String, String>,
    /// The time.
    pub at: Timestamp,
}

impl Storage {
    /// Keeps someone as they are now. Known by organization, issuer and name at the provider; if
    /// nothing changed, nothing is written and no trail is left.
    ///
    /// # Errors
    /// `Unknown` for the tenant; `Exists` if the id for someone new is taken; what every write may
    /// meet.
    pub async fn resolve_identity(
        &self,
        claim: IdentityClaim,
        trail: impl FnOnce(&Identity) -> Trail + Send + 'static,
    ) -> Result<Identity, StorageError> {
        // Most are known as they are: those need not wait for the writer.
        let (claim, known) = self
            .read(move |sql| {
                let known = find_claimed(sql, &claim)?;
                Ok((claim, known))
            })
            .await?;
        if let Some(known) = known.filter(|known| claim.is_as(known)) {
            return Ok(known);
        }
        self.write(move |txn| {
            let known = find_claimed(txn.sql(), &claim)?;
            if let Some(known) = &known
                && claim.is_as(known)
            {
                return Ok(known.clone());
            }
            let identity = keep(txn.sql(), claim, known.map(|known| known.identity_id))?;
            txn.leave(identity, trail)
        })
        .await
    }

    /// Someone of an organization.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn identity(
        &self,
        tenant_id: TenantId,
        identity_id: IdentityId,
    ) -> Result<Option<Identity>, StorageError> {
        self.read(move |sql| {
            let select =
                format!("SELECT {COLUMNS} FROM identity WHERE identity_id = ?2 AND tenant_id = ?1");
            statement::one(sql, WHAT, &select, params![Col(tenant_id), Col(identity_id)], of_row)
        })
        .await
    }

    /// An organization's identities by their ids.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn identities(
        &self,
        tenant_id: TenantId,
        after: Option<IdentityId>,
        limit: usize,
    ) -> Result<Vec<Identity>, StorageError> {
        self.read(move |sql| {
            let select = format!(
                "SELECT {COLUMNS} FROM identity WHERE tenant_id = ?1 AND identity_id > ?2
                 ORDER BY identity_id LIMIT ?3"
            );
            let page = params![Col(tenant_id), After(after), statement::limit(limit)];
            statement::all(sql, WHAT, &select, page, of_row)
        })
        .await
    }
}

impl IdentityClaim {
    fn is_as(&self, known: &Identity) -> bool {
        self.provider == known.provider
            && self.roles == known.roles
            && self.attributes == known.attributes
    }
}

fn find_claimed(sql: &Connection, claim: &IdentityClaim) -> Result<Option<Identity>, StorageError> {
    let select = format!(
        "SELECT {COLUMNS} FROM identity WHERE tenant_id = ?1 AND issuer = ?2 AND external_id = ?3"
    );
    let key = params![Col(claim.tenant_id), claim.issuer, claim.external_id];
    statement::one(sql, WHAT, &select, key, of_row)
}

fn keep(
    sql: &Connection,
    claim: IdentityClaim,
    known: Option<IdentityId>,
) -> Result<Identity, StorageError> {
    tenant::require(sql, claim.tenant_id)?;
    let identity_id = known.unwrap_or(claim.identity_id);
    let keep = match known {
        Some(_) => {
            "UPDATE identity SET provider = ?5, roles = ?6, attributes = ?7, changed_at = ?8
             WHERE identity_id = ?1 AND tenant_id = ?2 AND issuer = ?3 AND external_id = ?4"
        }
        None => {
            "INSERT INTO identity (identity_id, tenant_id, issuer, external_id, provider, roles,
                                   attributes, first_at, changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)"
        }
    };
    let row = params![
        Col(identity_id),
        Col(claim.tenant_id),
        claim.issuer,
        claim.external_id,
        Word(claim.provider),
        Json(&claim.roles),
        Json(&claim.attributes),
        Col(claim.at),
    ];
    statement::change(sql, WHAT, keep, row)?;
    Ok(Identity {
        identity_id,
        tenant_id: claim.tenant_id,
        external_id: claim.external_id,
        provider: claim.provider,
        roles: claim.roles,
        attributes: claim.attributes,
    })
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Identity> {
    Ok(Identity {
        identity_id: get(row, 0)?,
        tenant_id: get(row, 1)?,
        external_id: row.get(2)?,
        provider: word(row, 3)?,
        roles: json(row, 4)?,
        attributes: json(row, 5)?,
    })
}
