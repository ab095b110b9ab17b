//! `POST /kernel/entitlements/check`: the question resolved, and looks.

use std::sync::Arc;

use farhold_api::{Call, Refusal};
use farhold_bundle::payload::DecisionRecord;
use farhold_contract::{Code, call::check::CheckResponse};
use farhold_policy::{Link, PolicyState, Question, Refused, Resolution, RuntimeFacts};

use crate::{
    control_plane::ControlPlane,
    documents::Documents,
    refusal::stored,
    sending,
    storage::{self, Origin},
};

use super::{decision_event, standing};

/// Answers a check that uses nothing up.
///
/// # Errors
/// `agent.suspended`, `server.overloaded`, `store.unavailable`. What the licenses and the Kernel's
/// own word say is an answer, not an error.
pub(super) async fn look(
    plane: &ControlPlane,
    call: &Call,
    feature: &str,
) -> Result<CheckResponse, Refusal> {
    standing::agent_may_call(plane, call)?;
    let decision_id = Some(plane.new_id());
    let grant = match resolve(plane, call, feature) {
        None => return Ok(Refused::without_license(Code::RuntimeNotRegistered).answer(decision_id)),
        Some(Resolution::Granted(grant)) => grant,
        Some(Resolution::Refused(no)) => {
            if no.records {
                deny(plane, call, feature, no.reason).await?;
            }
            return Ok(no.answer(decision_id));
        }
    };
    let counter = match &grant.counter {
        Some(metered) => plane.storage.counter(&metered.key).await.map_err(stored)?,
        None => None,
    };
    let (decision, _) = grant.decide(counter, None);
    let reason = decision.reason;
    let response = decision.answer(decision_id);
    match reason {
        Some(code) if grant.audit.records(DecisionRecord::Denied) => {
            deny(plane, call, feature, code).await?;
        }
        None if grant.audit.all => {
            let event = decision_event::allowed(call, &response, feature).record(plane.now());
            plane.storage.append_own(vec![event]).await.map_err(stored)?;
        }
        _ => {}
    }
    Ok(response)
}

/// What the documents and the Kernel's own word say to a question, before usage is weighed; nothing
/// if the caller is no runtime: an agent that asks in its own name.
pub(super) fn resolve(plane: &ControlPlane, call: &Call, feature: &str) -> Option<Resolution> {
    let directory = plane.storage.directory();
    let known = directory.runtime(call.tenant_id, call.runtime_id?)?;
    let runtime = policy_facts(&known);
    let question =
        Question { tenant_id: call.tenant_id, runtime: &runtime, feature, consume: None };
    let restraints = standing::restraints(plane, &known);
    let now = plane.decision_time();
    Some(policy(plane, &known).resolve(&question, &restraints, &now, Link::Online))
}

/// The documents as they speak for a runtime (contract v0.2 §4): at the machine of the agent that
/// it is registered through, or at none.
pub(super) fn policy(plane: &ControlPlane, known: &storage::RuntimeFacts) -> Arc<PolicyState> {
    policy_of(plane, &plane.documents(), known)
}

/// The same by these documents.
pub(super) fn policy_of(
    plane: &ControlPlane,
    documents: &Documents,
    known: &storage::RuntimeFacts,
) -> Arc<PolicyState> {
    let agent = match known.origin {
        Origin::Agent(agent_id) => plane.storage.directory().agent(agent_id),
        Origin::Token(_) => None,
    };
    match agent {
        Some(agent) => {
            let site = sending::site(&agent, agent.reported.as_deref());
            documents.policy_at(known.tenant_id, &site)
        }
        None => documents.policy_nowhere(),
    }
}

/// A registered runtime as policies see it.
pub(super) fn policy_facts(known: &storage::RuntimeFacts) -> RuntimeFacts {
    RuntimeFacts {
        runtime_id: known.runtime_id,
        runtime_type: known.kind,
        version: known.version.clone(),
        released_on: known.released_on,
    }
}

/// The first refusal of its kind is durable before the answer; repeats are counted.
async fn deny(plane: &ControlPlane, call: &Call, feature: &str, code: Code) -> Result<(), Refusal> {
    let Some(key) = decision_event::denial_of(call, feature, code) else { return Ok(()) };
    let denials = &plane.control.denials;
    let now = plane.now();
    if !denials.held().is_first(&key, now) {
        return Ok(());
    }
    let event = decision_event::denied(&key, &call.correlation_id, 1).record(now);
    plane.storage.append_own(vec![event]).await.map(drop).map_err(|error| {
        denials.held().forget(&key);
        stored(error)
    })
}
