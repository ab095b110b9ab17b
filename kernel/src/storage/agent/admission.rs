//! Admission: a device key becomes an agent, or stays the one it is.

use rusqlite::{Connection, params};

use farhold_contract::{call::heartbeat::KernelStanding, id::TenantId};

use crate::storage::{
    column::{Col, Json},
    directory::{AgentFacts, Change},
    enroll_token::Enrollment,
    error::StorageError,
    statement,
    txn::Txn,
};

use super::{Agent, WHAT};

/// Enters a new agent of these organizations.
///
/// # Errors
/// `Exists` if an agent or a runtime has its id.
pub(in crate::storage) fn create(
    txn: &mut Txn<'_>,
    enrollment: Enrollment,
    tenants: Vec<TenantId>,
) -> Result<Agent, StorageError> {
    let taken = "SELECT 1 FROM runtime WHERE runtime_id = ?1";
    if statement::any(txn.sql(), WHAT, taken, [Col(enrollment.runtime_id)])? {
        return Err(StorageError::Exists { what: WHAT });
    }
    let agent = Agent {
        facts: AgentFacts {
            runtime_id: enrollment.runtime_id,
            device_key: enrollment.device_key,
            tenants,
            standing: KernelStanding::ACTIVE,
            certificates: Vec::new(),
            reported: None,
        },
        enrolled_at: enrollment.at,
        agent_version: enrollment.agent_version,
        heartbeat: None,
    };
    let facts = &agent.facts;
    let insert = "INSERT INTO agent (runtime_id, device_key, device_key_id, standing,
                                     certificates, agent_version, enrolled_at, instances)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '[]')";
    let row = params![
        Col(facts.runtime_id),
        Col(facts.device_key.clone()),
        Col(facts.device_key.id()),
        Json(&facts.standing),
        Json(&facts.certificates),
        agent.agent_version,
        Col(agent.enrolled_at),
    ];
    statement::change(txn.sql(), WHAT, insert, row)?;
    enter_tenants(txn.sql(), facts)?;
    txn.change(Change::Agent(facts.clone().into()));
    Ok(agent)
}

/// Notes the version that an agent enrolled with again.
pub(in crate::storage) fn upgrade(
    txn: &mut Txn<'_>,
    agent: Agent,
    agent_version: String,
) -> Result<Agent, StorageError> {
    let agent = Agent { agent_version, ..agent };
    let update = "UPDATE agent SET agent_version = ?2 WHERE runtime_id = ?1";
    let row = params![Col(agent.facts.runtime_id), agent.agent_version];
    statement::change(txn.sql(), WHAT, update, row)?;
    Ok(agent)
}

/// Makes these organizations the agent's.
pub(in crate::storage) fn move_to(
    txn: &mut Txn<'_>,
    agent: Agent,
    tenants: Vec<TenantId>,
) -> Result<Agent, StorageError> {
    let facts = AgentFacts { tenants, ..agent.facts };
    let clear = "DELETE FROM agent_tenant WHERE runtime_id = ?1";
    statement::change(txn.sql(), WHAT, clear, [Col(facts.runtime_id)])?;
    enter_tenants(txn.sql(), &facts)?;
    txn.change(Change::Agent(facts.clone().into()));
    Ok(Agent { facts, ..agent })
}

fn enter_tenants(sql: &Connection, facts: &AgentFacts) -> Result<(), StorageError> {
    let insert = "INSERT INTO agent_tenant (runtime_id, position, tenant_id) VALUES (?1, ?2, ?3)";
    for (position, &tenant_id) in (0u64..).zip(&facts.tenants) {
        let row = params![Col(facts.runtime_id), Col(position), Col(tenant_id)];
        statement::change(sql, WHAT, insert, row)?;
    }
    Ok(())
}
