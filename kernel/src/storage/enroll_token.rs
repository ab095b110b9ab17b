//! Enrollment token: what opens the Kernel to one new agent (contract v0.2 §8.1).

use rusqlite::{Connection, Row, params};

use farhold_bundle::{KeyId, PublicKey};
use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{RuntimeId, TenantId, TokenId},
};

use super::{
    Storage, Trail,
    agent::{self, Agent},
    column::{Col, Json, get, json},
    error::StorageError,
    statement::{self, After},
    tenant,
    txn::Txn,
};

const WHAT: &str = "enrollment token";

const COLUMNS: &str = "token_id, secret_hash, root_sha256, tenants, created_at, expires_at, \
                       revoked_at, used_by_key, used_by, used_at";

/// An enrollment token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollToken {
    /// By which it is listed and revoked.
    pub token_id: TokenId,
    /// SHA-256 of its secret's bytes.
    pub secret_hash: Sha256Digest,
    /// The trust root that it names, and that the answer carries whatever follows it.
    pub root_sha256: Sha256Digest,
    /// The organizations of the site, at least one; the first is the agent's own.
    pub tenants: Vec<TenantId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Who used it, if somebody did.
    pub used: Option<EnrollUse>,
}

/// Who used an enrollment token first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnrollUse {
    /// The device key.
    pub device_key_id: KeyId,
    /// The agent it became.
    pub runtime_id: RuntimeId,
    /// When.
    pub at: Timestamp,
}

/// An agent that shows a token.
#[derive(Debug, Clone)]
pub struct Enrollment {
    /// SHA-256 of the secret's bytes.
    pub secret_hash: Sha256Digest,
    /// The key that signed.
    pub device_key: PublicKey,
    /// The id for an agent that is new.
    pub runtime_id: RuntimeId,
    /// The agent's version.
    pub agent_version: String,
    /// The time.
    pub at: Timestamp,
}

/// What comes of an enrollment.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and most are agents")]
pub enum Enrolled {
    /// The device key is this agent's.
    Agent {
        /// The agent.
        agent: Agent,
        /// Whether it was not known before.
        fresh: bool,
        /// The trust root that the token names.
        root_sha256: Sha256Digest,
    },
    /// No such token, or it no longer opens anything.
    Invalid,
    /// Another device key used the token before.
    UsedByAnother {
        /// The token.
        token_id: TokenId,
        /// The organizations it names.
        tenants: Vec<TenantId>,
        /// Who used it.
        used: EnrollUse,
    },
}

impl Storage {
    /// Enters a token.
    ///
    /// # Errors
    /// `Unknown` for a tenant, or if it names none; `Exists`; what every write may meet.
    pub async fn create_enroll_token(
        &self,
        token: EnrollToken,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        self.write(move |txn| {
            create(txn.sql(), &token)?;
            txn.leave((), trail)
        })
        .await
    }

    /// Revokes a token; one that is revoked stays so since then. The agent that used it remains.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn revoke_enroll_token(
        &self,
        token_id: TokenId,
        at: Timestamp,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        self.write(move |txn| {
            let update = "UPDATE enroll_token SET revoked_at = coalesce(revoked_at, ?2)
                          WHERE token_id = ?1";
            let row = params![Col(token_id), Col(at)];
            if statement::change(txn.sql(), WHAT, update, row)? == 0 {
                return Err(StorageError::Unknown { what: WHAT });
            }
            txn.leave((), trail)
        })
        .await
    }

    /// Tokens by their ids; the administration's.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn enroll_tokens(
        &self,
        after: Option<TokenId>,
        limit: usize,
    ) -> Result<Vec<EnrollToken>, StorageError> {
        self.read(move |sql| {
            let select = format!(
                "SELECT {COLUMNS} FROM enroll_token WHERE token_id > ?1 ORDER BY token_id LIMIT ?2"
            );
            let page = params![After(after), statement::limit(limit)];
            statement::all(sql, WHAT, &select, page, of_row)
        })
        .await
    }

    /// Admits whoever shows a token's secret: the first device key, and the same one again.
    ///
    /// A device key that is an agent's already stays that agent, of the organizations that its new
    /// token names and with the standing it had.
    ///
    /// # Errors
    /// `Exists` if the id for a new agent is taken; what every write may meet.
    pub async fn enroll(
        &self,
        enrollment: Enrollment,
        trail: impl FnOnce(&Enrolled) -> Trail + Send + 'static,
    ) -> Result<Enrolled, StorageError> {
        self.write(move |txn| {
            let enrolled = admit(txn, enrollment)?;
            txn.leave(enrolled, trail)
        })
        .await
    }
}

fn create(sql: &Connection, token: &EnrollToken) -> Result<(), StorageError> {
    if token.tenants.is_empty() {
        return Err(StorageError::Unknown { what: "tenant" });
    }
    token.tenants.iter().try_for_each(|&tenant_id| tenant::require(sql, tenant_id))?;
    let insert = format!(
        "INSERT INTO enroll_token ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    );
    let row = params![
        Col(token.token_id),
        Col(token.secret_hash),
        Col(token.root_sha256),
        Json(&token.tenants),
        Col(token.created_at),
        Col(token.expires_at),
        Col(token.revoked_at),
        Col(token.used.map(|used| used.device_key_id)),
        Col(token.used.map(|used| used.runtime_id)),
        Col(token.used.map(|used| used.at)),
    ];
    statement::change(sql, WHAT, &insert, row).map(drop)
}

fn admit(txn: &mut Txn<'_>, enrollment: Enrollment) -> Result<Enrolled, StorageError> {
    let select = format!("SELECT {COLUMNS} FROM enroll_token WHERE secret_hash = ?1");
    let token = statement::one(txn.sql(), WHAT, &select, [Col(enrollment.secret_hash)], of_row)?;
    let opens =
        |token: &EnrollToken| token.revoked_at.is_none() && enrollment.at < token.expires_at;
    let Some(token) = token.filter(opens) else { return Ok(Enrolled::Invalid) };
    let EnrollToken { token_id, tenants, root_sha256, .. } = token;
    let (device_key_id, at) = (enrollment.device_key.id(), enrollment.at);
    if let Some(used) = token.used {
        if used.device_key_id != device_key_id {
            return Ok(Enrolled::UsedByAnother { token_id, tenants, used });
        }
        // A later token may have named other organizations: this one has had its say.
        let found = agent::find(txn.sql(), used.runtime_id)?;
        let found = found.ok_or(StorageError::Row { what: WHAT })?;
        let agent = agent::upgrade(txn, found, enrollment.agent_version)?;
        return Ok(Enrolled::Agent { agent, fresh: false, root_sha256 });
    }
    let (agent, fresh) = match agent::find_by_device_key(txn.sql(), device_key_id)? {
        Some(known) => {
            let known = agent::upgrade(txn, known, enrollment.agent_version)?;
            (agent::move_to(txn, known, tenants)?, false)
        }
        None => (agent::create(txn, enrollment, tenants)?, true),
    };
    let update = "UPDATE enroll_token SET used_by_key = ?2, used_by = ?3, used_at = ?4
                  WHERE token_id = ?1";
    let used = params![Col(token_id), Col(device_key_id), Col(agent.facts.runtime_id), Col(at)];
    statement::change(txn.sql(), WHAT, update, used)?;
    Ok(Enrolled::Agent { agent, fresh, root_sha256 })
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<EnrollToken> {
    let used = match (get(row, 7)?, get(row, 8)?, get(row, 9)?) {
        (Some(device_key_id), Some(runtime_id), Some(at)) => {
            Some(EnrollUse { device_key_id, runtime_id, at })
        }
        _ => None,
    };
    Ok(EnrollToken {
        token_id: get(row, 0)?,
        secret_hash: get(row, 1)?,
        root_sha256: get(row, 2)?,
        tenants: json(row, 3)?,
        created_at: get(row, 4)?,
        expires_at: get(row, 5)?,
        revoked_at: get(row, 6)?,
        used,
    })
}
