//! Agent: the Kernel's delegate at a site, its certificates and what it reported last.

mod admission;
mod heartbeat;

use rusqlite::{Connection, Params, Row, params};
use serde::{Deserialize, Serialize};

use farhold_bundle::KeyId;
use farhold_contract::{
    Sha256Digest, Timestamp,
    call::heartbeat::KernelStanding,
    id::{RuntimeId, TenantId},
};

use super::{
    Storage, Trail,
    column::{Col, Json, get, json},
    directory::{AgentFacts, Change, Reported},
    error::StorageError,
    statement::{self, After},
    txn::Txn,
};

pub(super) use admission::{create, move_to, upgrade};
pub use heartbeat::{AgentHeartbeat, HeartbeatNoted, SeenInstance};

const WHAT: &str = "agent";

/// Most certificates an agent may come with: the present one, and the one before for calls that
/// are on their way.
const CERTIFICATES: usize = 2;

const COLUMNS: &str = "runtime_id, device_key, standing, certificates, agent_version, \
                       enrolled_at, heartbeat_at, report, instances";

/// An agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// What the directory has of it.
    pub facts: AgentFacts,
    /// When its device key was first seen.
    pub enrolled_at: Timestamp,
    /// Its version as it enrolled last.
    pub agent_version: String,
    /// What it reported last; none before the first.
    pub heartbeat: Option<AgentHeartbeat>,
}

/// A certificate given to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCertificate {
    /// SHA-256 of its DER.
    pub fingerprint: Sha256Digest,
    /// When it ends.
    pub not_after: Timestamp,
}

impl Storage {
    /// An agent, of any organization.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn agent(&self, runtime_id: RuntimeId) -> Result<Option<Agent>, StorageError> {
        self.read(move |sql| find(sql, runtime_id)).await
    }

    /// The agent with this device key, of any organization.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn agent_by_device_key(&self, key_id: KeyId) -> Result<Option<Agent>, StorageError> {
        self.read(move |sql| find_by_device_key(sql, key_id)).await
    }

    /// Agents by their ids; the administration's.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn agents(
        &self,
        after: Option<RuntimeId>,
        limit: usize,
    ) -> Result<Vec<Agent>, StorageError> {
        self.read(move |sql| page(sql, after, statement::limit(limit))).await
    }

    /// The agents that an organization is a tenant of, by their ids.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn agents_of(
        &self,
        tenant_id: TenantId,
        after: Option<RuntimeId>,
        limit: usize,
    ) -> Result<Vec<Agent>, StorageError> {
        self.read(move |sql| {
            let of_tenant = "WHERE runtime_id IN (
                                 SELECT runtime_id FROM agent_tenant
                                 WHERE tenant_id = ?1 AND runtime_id > ?2
                                 ORDER BY runtime_id LIMIT ?3)
                             ORDER BY runtime_id";
            let page = params![Col(tenant_id), After(after), statement::limit(limit)];
            load(sql, of_tenant, page)
        })
        .await
    }

    /// Takes something away from an agent, or gives it back.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn set_agent_standing(
        &self,
        runtime_id: RuntimeId,
        standing: KernelStanding,
        trail: impl FnOnce(&Agent) -> Trail + Send + 'static,
    ) -> Result<Agent, StorageError> {
        self.write(move |txn| {
            let agent = hold(txn, runtime_id, standing)?;
            txn.leave(agent, trail)
        })
        .await
    }

    /// Notes a certificate given to an agent: from now on it and the one before are its own.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn note_certificate(
        &self,
        runtime_id: RuntimeId,
        issued: IssuedCertificate,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        self.write(move |txn| {
            certify(txn, runtime_id, issued)?;
            txn.leave((), trail)
        })
        .await
    }
}

pub(super) fn every(sql: &Connection) -> Result<Vec<Agent>, StorageError> {
    page(sql, None, -1)
}

pub(super) fn find(sql: &Connection, runtime_id: RuntimeId) -> Result<Option<Agent>, StorageError> {
    load(sql, "WHERE runtime_id = ?1", [Col(runtime_id)]).map(|mut found| found.pop())
}

pub(super) fn find_by_device_key(
    sql: &Connection,
    key_id: KeyId,
) -> Result<Option<Agent>, StorageError> {
    load(sql, "WHERE device_key_id = ?1", [Col(key_id)]).map(|mut found| found.pop())
}

fn hold(
    txn: &mut Txn<'_>,
    runtime_id: RuntimeId,
    standing: KernelStanding,
) -> Result<Agent, StorageError> {
    let mut agent = known(txn.sql(), runtime_id)?;
    agent.facts.standing = standing;
    let update = "UPDATE agent SET standing = ?2 WHERE runtime_id = ?1";
    let row = params![Col(runtime_id), Json(&agent.facts.standing)];
    statement::change(txn.sql(), WHAT, update, row)?;
    txn.change(Change::Agent(agent.facts.clone().into()));
    Ok(agent)
}

fn certify(
    txn: &mut Txn<'_>,
    runtime_id: RuntimeId,
    issued: IssuedCertificate,
) -> Result<(), StorageError> {
    let mut facts = known(txn.sql(), runtime_id)?.facts;
    facts.certificates.retain(|known| known.fingerprint != issued.fingerprint);
    facts.certificates.push(issued);
    let old = facts.certificates.len().saturating_sub(CERTIFICATES);
    facts.certificates.drain(..old);
    let update = "UPDATE agent SET certificates = ?2 WHERE runtime_id = ?1";
    let row = params![Col(runtime_id), Json(&facts.certificates)];
    statement::change(txn.sql(), WHAT, update, row)?;
    txn.change(Change::Agent(facts.into()));
    Ok(())
}

fn known(sql: &Connection, runtime_id: RuntimeId) -> Result<Agent, StorageError> {
    find(sql, runtime_id)?.ok_or(StorageError::Unknown { what: WHAT })
}

fn page(
    sql: &Connection,
    after: Option<RuntimeId>,
    limit: i64,
) -> Result<Vec<Agent>, StorageError> {
    let page = "WHERE runtime_id > ?1 ORDER BY runtime_id LIMIT ?2";
    load(sql, page, params![After(after), limit])
}

fn load(sql: &Connection, which: &str, params: impl Params) -> Result<Vec<Agent>, StorageError> {
    let select = format!("SELECT {COLUMNS} FROM agent {which}");
    let mut agents = statement::all(sql, WHAT, &select, params, of_row)?;
    let tenants = "SELECT tenant_id FROM agent_tenant WHERE runtime_id = ?1 ORDER BY position";
    for Agent { facts, .. } in &mut agents {
        let of_agent = [Col(facts.runtime_id)];
        facts.tenants = statement::all(sql, WHAT, tenants, of_agent, |row| get(row, 0))?;
        if facts.tenants.is_empty() {
            return Err(StorageError::Row { what: WHAT });
        }
    }
    Ok(agents)
}

/// An agent without its organizations, which are rows of their own.
fn of_row(row: &Row<'_>) -> rusqlite::Result<Agent> {
    let heartbeat = AgentHeartbeat::of_row(row, 6)?;
    Ok(Agent {
        facts: AgentFacts {
            runtime_id: get(row, 0)?,
            device_key: get(row, 1)?,
            tenants: Vec::new(),
            standing: json(row, 2)?,
            certificates: json(row, 3)?,
            reported: heartbeat.as_ref().map(|last| Reported::after(None, &last.report).into()),
        },
        agent_version: row.get(4)?,
        enrolled_at: get(row, 5)?,
        heartbeat,
    })
}
