//! Runtime: what registered with a token or through an agent, and how it said it is.

mod heartbeat;
mod registration;

use rusqlite::{Connection, Params, Row, params, types::Type};

use farhold_contract::{
    Timestamp,
    call::heartbeat::{KernelStanding, KernelStatus},
    id::{RuntimeId, TenantId, TokenId},
    model::RuntimeStatus,
};

use super::{
    Storage, Trail,
    column::{Col, Json, get, json, word},
    directory::{Change, RuntimeFacts},
    error::StorageError,
    statement::{self, After},
    txn::Txn,
};

pub use heartbeat::RuntimeHeartbeat;
pub use registration::{ProposedId, Registered, Registration};

pub(super) use heartbeat::note_reported;

const WHAT: &str = "runtime";

const COLUMNS: &str = "runtime_id, tenant_id, token_id, agent_id, kind, deployment_mode, version, \
                       released_on, standing, capabilities, registered_at, heartbeat_at, health, \
                       metrics";

/// A runtime.
#[derive(Debug, Clone, PartialEq)]
pub struct Runtime {
    /// What the directory has of it.
    pub facts: RuntimeFacts,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// When it registered first.
    pub registered_at: Timestamp,
    /// How it said it is; none before the first heartbeat.
    pub heartbeat: Option<RuntimeHeartbeat>,
}

/// How a runtime registered: it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// At the Kernel, with this token.
    Token(TokenId),
    /// Through this agent.
    Agent(RuntimeId),
}

impl Runtime {
    /// Whether it may operate, and whether it was heard of.
    pub fn status(&self) -> RuntimeStatus {
        match (self.facts.standing.status, &self.heartbeat) {
            (KernelStatus::Suspended, _) => RuntimeStatus::Suspended,
            (KernelStatus::Active | KernelStatus::Limited, Some(_)) => RuntimeStatus::Active,
            (KernelStatus::Active | KernelStatus::Limited, None) => RuntimeStatus::Registered,
        }
    }
}

impl Storage {
    /// A runtime of an organization.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn runtime(
        &self,
        tenant_id: TenantId,
        runtime_id: RuntimeId,
    ) -> Result<Option<Runtime>, StorageError> {
        self.read(move |sql| find(sql, tenant_id, runtime_id)).await
    }

    /// An organization's runtimes by their ids.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn runtimes_of(
        &self,
        tenant_id: TenantId,
        after: Option<RuntimeId>,
        limit: usize,
    ) -> Result<Vec<Runtime>, StorageError> {
        self.read(move |sql| {
            let page = "WHERE tenant_id = ?1 AND runtime_id > ?2 ORDER BY runtime_id LIMIT ?3";
            load(sql, page, params![Col(tenant_id), After(after), statement::limit(limit)])
        })
        .await
    }

    /// The runtimes registered through an agent, of all its organizations, by their ids.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn runtimes_of_agent(
        &self,
        agent_id: RuntimeId,
    ) -> Result<Vec<Runtime>, StorageError> {
        self.read(move |sql| load(sql, "WHERE agent_id = ?1 ORDER BY runtime_id", [Col(agent_id)]))
            .await
    }

    /// Takes something away from a runtime, or gives it back.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn set_runtime_standing(
        &self,
        tenant_id: TenantId,
        runtime_id: RuntimeId,
        standing: KernelStanding,
        trail: impl FnOnce(&Runtime) -> Trail + Send + 'static,
    ) -> Result<Runtime, StorageError> {
        self.write(move |txn| {
            let runtime = hold(txn, tenant_id, runtime_id, standing)?;
            txn.leave(runtime, trail)
        })
        .await
    }
}

pub(super) fn every(sql: &Connection) -> Result<Vec<Runtime>, StorageError> {
    load(sql, "", [])
}

fn hold(
    txn: &mut Txn<'_>,
    tenant_id: TenantId,
    runtime_id: RuntimeId,
    standing: KernelStanding,
) -> Result<Runtime, StorageError> {
    let found = find(txn.sql(), tenant_id, runtime_id)?;
    let mut runtime = found.ok_or(StorageError::Unknown { what: WHAT })?;
    runtime.facts.standing = standing;
    let update = "UPDATE runtime SET standing = ?3 WHERE runtime_id = ?2 AND tenant_id = ?1";
    let row = params![Col(tenant_id), Col(runtime_id), Json(&runtime.facts.standing)];
    statement::change(txn.sql(), WHAT, update, row)?;
    txn.change(Change::Runtime(runtime.facts.clone()));
    Ok(runtime)
}

fn find(
    sql: &Connection,
    tenant_id: TenantId,
    runtime_id: RuntimeId,
) -> Result<Option<Runtime>, StorageError> {
    let which = "WHERE runtime_id = ?2 AND tenant_id = ?1";
    load(sql, which, params![Col(tenant_id), Col(runtime_id)]).map(|mut found| found.pop())
}

fn load(sql: &Connection, which: &str, params: impl Params) -> Result<Vec<Runtime>, StorageError> {
    let select = format!("SELECT {COLUMNS} FROM runtime {which}");
    statement::all(sql, WHAT, &select, params, of_row)
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Runtime> {
    let origin = match (get(row, 2)?, get(row, 3)?) {
        (Some(token_id), None) => Origin::Token(token_id),
        (None, Some(agent_id)) => Origin::Agent(agent_id),
        _ => return Err(rusqlite::Error::InvalidColumnType(2, "token_id".to_owned(), Type::Null)),
    };
    Ok(Runtime {
        facts: RuntimeFacts {
            runtime_id: get(row, 0)?,
            tenant_id: get(row, 1)?,
            origin,
            kind: word(row, 4)?,
            deployment_mode: word(row, 5)?,
            version: row.get(6)?,
            released_on: get(row, 7)?,
            standing: json(row, 8)?,
        },
        capabilities: json(row, 9)?,
        registered_at: get(row, 10)?,
        heartbeat: RuntimeHeartbeat::of_row(row, 11)?,
    })
}
