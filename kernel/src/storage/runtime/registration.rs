//! Registration: a runtime states what it is, and is given or keeps its id (contract v0.2 §3).

use rusqlite::{Connection, params};

use farhold_contract::{
    Timestamp,
    call::heartbeat::KernelStanding,
    date::Date,
    id::{RuntimeId, TenantId},
    model::{DeploymentMode, RuntimeType},
};

use crate::storage::{
    Storage, Trail, agent,
    column::{Col, Json, Word, get, rows},
    directory::{Change, RuntimeFacts},
    error::StorageError,
    runtime_token, statement,
    txn::Txn,
};

use super::{Origin, Runtime, WHAT, find, load};

/// The id a runtime is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposedId {
    /// This one or none.
    Adopt(RuntimeId),
    /// This new one, if it has none yet.
    Mint(RuntimeId),
}

/// What a runtime states of itself.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The organization it works for.
    pub tenant_id: TenantId,
    /// How it registers.
    pub origin: Origin,
    /// The id it is to have.
    pub id: ProposedId,
    /// What it is; it stays what it registered as first.
    pub kind: RuntimeType,
    /// Where it is deployed.
    pub deployment_mode: DeploymentMode,
    /// Its version.
    pub version: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// The date its version was released, if it says.
    pub released_on: Option<Date>,
    /// The time.
    pub at: Timestamp,
}

/// What comes of a registration.
#[derive(Debug, Clone, PartialEq)]
pub enum Registered {
    /// It was not known before.
    Fresh(Runtime),
    /// It was, and what it states now was taken over.
    Again(Runtime),
    /// The id is another's, or it has another one itself.
    IdTaken,
    /// As many came through this agent as one may bring.
    TooMany,
    /// The token is revoked or another organization's, or the agent is not one of this
    /// organization's.
    UnknownOrigin,
}

impl Storage {
    /// Registers a runtime, or takes over what it states now.
    ///
    /// # Errors
    /// What every write may meet.
    pub async fn register(
        &self,
        registration: Registration,
        trail: impl FnOnce(&Registered) -> Trail + Send + 'static,
    ) -> Result<Registered, StorageError> {
        self.write(move |txn| {
            let registered = enter(txn, registration)?;
            txn.leave(registered, trail)
        })
        .await
    }
}

fn enter(txn: &mut Txn<'_>, registration: Registration) -> Result<Registered, StorageError> {
    let Registration { tenant_id, origin, id, .. } = registration;
    if !is_known(txn.sql(), tenant_id, origin)? {
        return Ok(Registered::UnknownOrigin);
    }
    let own = match (origin, id) {
        // One token is one runtime: its first registration fixes the id (contract v0.2 §3).
        (Origin::Token(token_id), _) => {
            let with_token = "WHERE token_id = ?2 AND tenant_id = ?1";
            load(txn.sql(), with_token, params![Col(tenant_id), Col(token_id)])?.pop()
        }
        (Origin::Agent(_), ProposedId::Adopt(asked)) => {
            find(txn.sql(), tenant_id, asked)?.filter(|known| known.facts.origin == origin)
        }
        (Origin::Agent(_), ProposedId::Mint(_)) => None,
    };
    match (own, id) {
        (Some(own), ProposedId::Adopt(asked)) if own.facts.runtime_id != asked => {
            Ok(Registered::IdTaken)
        }
        (Some(own), _) => take_over(txn, own, registration).map(Registered::Again),
        (None, ProposedId::Adopt(new) | ProposedId::Mint(new)) => {
            let taken = "SELECT 1 FROM runtime WHERE runtime_id = ?1
                         UNION ALL SELECT 1 FROM agent WHERE runtime_id = ?1";
            if statement::any(txn.sql(), WHAT, taken, [Col(new)])? {
                return Ok(Registered::IdTaken);
            }
            if let Origin::Agent(agent_id) = origin
                && brought_by(txn.sql(), agent_id)? >= RUNTIMES_MAX
            {
                return Ok(Registered::TooMany);
            }
            create(txn, new, registration).map(Registered::Fresh)
        }
    }
}

/// Most runtimes that register through one agent: each is kept in memory.
const RUNTIMES_MAX: u64 = 4_096;

fn brought_by(sql: &Connection, agent_id: RuntimeId) -> Result<u64, StorageError> {
    sql.prepare_cached("SELECT count(*) FROM runtime WHERE agent_id = ?1")
        .and_then(|mut select| select.query_row([Col(agent_id)], |row| get(row, 0)))
        .map_err(rows(WHAT))
}

/// Whether a runtime of this organization may come from there.
fn is_known(sql: &Connection, tenant_id: TenantId, origin: Origin) -> Result<bool, StorageError> {
    match origin {
        Origin::Token(token_id) => runtime_token::is_live(sql, tenant_id, token_id),
        Origin::Agent(agent_id) => {
            let agent = agent::find(sql, agent_id)?;
            Ok(agent.is_some_and(|agent| agent.facts.tenants.contains(&tenant_id)))
        }
    }
}

fn create(
    txn: &mut Txn<'_>,
    runtime_id: RuntimeId,
    stated: Registration,
) -> Result<Runtime, StorageError> {
    let runtime = Runtime {
        facts: RuntimeFacts {
            runtime_id,
            tenant_id: stated.tenant_id,
            origin: stated.origin,
            kind: stated.kind,
            deployment_mode: stated.deployment_mode,
            version: stated.version,
            released_on: stated.released_on,
            standing: KernelStanding::ACTIVE,
        },
        capabilities: stated.capabilities,
        registered_at: stated.at,
        heartbeat: None,
    };
    let facts = &runtime.facts;
    let (token_id, agent_id) = match facts.origin {
        Origin::Token(token_id) => (Some(token_id), None),
        Origin::Agent(agent_id) => (None, Some(agent_id)),
    };
    let insert = "INSERT INTO runtime (runtime_id, tenant_id, token_id, agent_id, kind,
                                       deployment_mode, version, released_on, standing,
                                       capabilities, registered_at)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let row = params![
        Col(facts.runtime_id),
        Col(facts.tenant_id),
        Col(token_id),
        Col(agent_id),
        Word(facts.kind),
        Word(facts.deployment_mode),
        facts.version,
        Col(facts.released_on),
        Json(&facts.standing),
        Json(&runtime.capabilities),
        Col(runtime.registered_at),
    ];
    statement::change(txn.sql(), WHAT, insert, row)?;
    txn.change(Change::Runtime(facts.clone()));
    Ok(runtime)
}

/// Takes over what a runtime states now; nothing is written if it states what it did before.
fn take_over(
    txn: &mut Txn<'_>,
    known: Runtime,
    stated: Registration,
) -> Result<Runtime, StorageError> {
    let facts = RuntimeFacts {
        deployment_mode: stated.deployment_mode,
        version: stated.version,
        released_on: stated.released_on,
        ..known.facts.clone()
    };
    let runtime = Runtime { facts, capabilities: stated.capabilities, ..known.clone() };
    if runtime == known {
        return Ok(runtime);
    }
    let facts = &runtime.facts;
    let update = "UPDATE runtime SET deployment_mode = ?3, version = ?4, released_on = ?5,
                                     capabilities = ?6
                  WHERE runtime_id = ?2 AND tenant_id = ?1";
    let row = params![
        Col(facts.tenant_id),
        Col(facts.runtime_id),
        Word(facts.deployment_mode),
        facts.version,
        Col(facts.released_on),
        Json(&runtime.capabilities),
    ];
    statement::change(txn.sql(), WHAT, update, row)?;
    txn.change(Change::Runtime(facts.clone()));
    Ok(runtime)
}
