//! `POST /kernel/runtimes/register`: a runtime states what it is and is given its identifier.

use serde_json::json;

use farhold_api::{Call, Holder, Refusal};
use farhold_contract::{
    Code,
    call::register::{RegisterRequest, RegisterResponse},
    id::RuntimeId,
    model::RuntimeStatus,
};

use crate::{
    control_plane::ControlPlane,
    own_event::OwnEvent,
    refusal::stored,
    storage::{Origin, ProposedId, Registered, Registration, Runtime, RuntimeFacts, Trail},
};

use super::standing;

/// Registers a runtime, or takes in what it says of itself now.
///
/// The Kernel is the authority: a runtime of an organization that may operate may register. What it
/// may then use, the licenses say at each check.
///
/// # Errors
/// `agent.suspended`, `runtime.suspended` for a suspended organization, `runtime.mismatch` for
/// another type than the token's, `runtime.id_taken`, `request.malformed` from an agent that names
/// no runtime.
pub(super) async fn register(
    plane: &ControlPlane,
    call: &Call,
    request: RegisterRequest,
) -> Result<RegisterResponse, Refusal> {
    standing::agent_may_call(plane, call)?;
    standing::tenant_may_operate(plane, call.tenant_id)?;
    let directory = plane.storage.directory();
    let (origin, id, known) = match call.principal.holder {
        Holder::Runtime { token_id, runtime_type } => {
            holds_type(request.runtime_type == runtime_type, "the token is for another type")?;
            let id = match request.runtime_id {
                Some(asked) => ProposedId::Adopt(asked),
                None => ProposedId::Mint(plane.new_id()),
            };
            (Origin::Token(token_id), id, call.principal.runtime_id)
        }
        Holder::Agent { agent_id } => {
            let asked = named_by_agent(call, agent_id, request.runtime_id)?;
            (Origin::Agent(agent_id), ProposedId::Adopt(asked), Some(asked))
        }
    };
    let known = known.and_then(|id| directory.runtime(call.tenant_id, id));
    if let (Some(known), Origin::Agent(_)) = (&known, &origin) {
        holds_type(request.runtime_type == known.kind, "it is registered as another type")?;
    }
    let now = plane.now();
    let registration = Registration {
        tenant_id: call.tenant_id,
        origin,
        id,
        kind: request.runtime_type,
        deployment_mode: request.deployment_mode,
        version: request.version,
        capabilities: request.capabilities,
        released_on: request.released_on,
        at: now,
    };
    let correlation_id = call.correlation_id.clone();
    let trail = move |registered: &Registered| match registered {
        Registered::Fresh(runtime) => {
            Trail::events(vec![told(runtime, &correlation_id).record(now)])
        }
        // A runtime registers at every boot: only what changed is told.
        Registered::Again(runtime) if known.is_none_or(|known| *known != runtime.facts) => {
            Trail::events(vec![told(runtime, &correlation_id).record(now)])
        }
        Registered::Again(_)
        | Registered::IdTaken
        | Registered::TooMany
        | Registered::UnknownOrigin => Trail::none(),
    };
    match plane.storage.register(registration, trail).await.map_err(stored)? {
        Registered::Fresh(runtime) | Registered::Again(runtime) => {
            let tenant = directory.tenant(call.tenant_id).ok_or(Code::ServerInternal)?;
            Ok(RegisterResponse {
                runtime_id: runtime.facts.runtime_id,
                status: RuntimeStatus::Registered,
                policies_applied: tenant.policies.clone(),
            })
        }
        Registered::IdTaken => Err(Code::RuntimeIdTaken.into()),
        Registered::TooMany => Err(Code::RuntimeTooMany.into()),
        // The token was revoked, or the agent lost the tenant, while the call was on its way.
        Registered::UnknownOrigin => Err(match origin {
            Origin::Token(_) => Code::AuthInvalid.into(),
            Origin::Agent(_) => Code::TenantMismatch.into(),
        }),
    }
}

/// The runtime an agent registers: it minted the id itself, and says it in the body or, for one
/// that is known, in the header.
fn named_by_agent(
    call: &Call,
    agent_id: RuntimeId,
    asked: Option<RuntimeId>,
) -> Result<RuntimeId, Refusal> {
    let named = call.runtime_id.filter(|named| *named != agent_id);
    match (asked, named) {
        (Some(asked), Some(named)) if asked != named => Err(Code::RuntimeMismatch.into()),
        (Some(asked), _) => Ok(asked),
        (None, Some(named)) => Ok(named),
        (None, None) => Err(Refusal::new(
            Code::RequestMalformed,
            "an agent registers a runtime under the runtime_id it gave it",
        )),
    }
}

fn holds_type(holds: bool, detail: &str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::new(Code::RuntimeMismatch, detail)) }
}

fn told(runtime: &Runtime, correlation_id: &str) -> OwnEvent {
    let RuntimeFacts { runtime_id, tenant_id, kind, version, origin, .. } = &runtime.facts;
    let mut payload = json!({"runtime_type": kind, "version": version});
    if let Origin::Agent(agent_id) = origin {
        payload["agent"] = json!(agent_id);
    }
    OwnEvent::new(*tenant_id, "kernel.runtime.registered", payload)
        .of_call(Some(*runtime_id), correlation_id)
}
