//! `POST /kernel/identity/resolve`: from a provider's token to an identity and what it may use.

use serde_json::json;

use farhold_api::{Call, Refusal};
use farhold_contract::{
    Code,
    call::{
        heartbeat::KernelStatus,
        resolve::{ResolveRequest, ResolveResponse},
    },
    model::Identity,
};

use crate::{
    control_plane::ControlPlane,
    error_chain,
    identity::{Person, Provider, Token, TokenError, entitlements},
    own_event::OwnEvent,
    refusal::stored,
    storage::{IdentityClaim, Trail},
};

use super::{
    check::{policy, policy_facts},
    standing,
};

/// Holds a token to the providers of the caller's organization, and no other's.
///
/// # Errors
/// `agent.suspended`, `runtime.suspended`, `runtime.not_registered`; `identity.token_invalid`,
/// `identity.provider_unknown`; `server.overloaded`, `store.unavailable`.
pub(super) async fn resolve(
    plane: &ControlPlane,
    call: &Call,
    request: ResolveRequest,
) -> Result<ResolveResponse, Refusal> {
    standing::agent_may_call(plane, call)?;
    standing::tenant_may_operate(plane, call.tenant_id)?;
    let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
    let runtime = plane.storage.directory().runtime(call.tenant_id, runtime_id);
    let runtime = runtime.ok_or(Code::RuntimeNotRegistered)?;
    if runtime.standing.status == KernelStatus::Suspended {
        return Err(Code::RuntimeSuspended.into());
    }

    let token = Token::read(&request.external_token).map_err(token_refusal)?;
    let issuer = token.danger_unverified_issuer().map_err(token_refusal)?;
    let entered = plane.storage.provider(call.tenant_id, issuer).await.map_err(stored)?;
    let entered = entered.ok_or_else(|| token_refusal(TokenError::ProviderUnknown))?;
    let provider = Provider::new(&entered).map_err(|error| {
        tracing::error!(tenant_id = %call.tenant_id, error = %error_chain(&error), "an identity provider's entry can't be used");
        Refusal::new(Code::IdentityProviderUnknown, "the provider's entry can't be used")
    })?;
    let now = plane.now();
    let person = token.vouched_for_by(&provider, now).map_err(token_refusal)?;

    let identity = keep(plane, call, &provider, person).await?;
    let documents = plane.documents();
    Ok(ResolveResponse {
        identity,
        entitlements: entitlements(
            (&documents.standing, &policy(plane, &runtime)),
            (call.tenant_id, &policy_facts(&runtime)),
            &standing::restraints(plane, &runtime),
            &plane.decision_time(),
        ),
    })
}

/// Keeps the identity as it is now; one that is new or changed leaves an event without a name in it.
async fn keep(
    plane: &ControlPlane,
    call: &Call,
    provider: &Provider,
    person: Person,
) -> Result<Identity, Refusal> {
    let now = plane.now();
    let claim = IdentityClaim {
        identity_id: plane.new_id(),
        tenant_id: call.tenant_id,
        issuer: provider.issuer().to_owned(),
        provider: provider.kind(),
        external_id: person.external_id,
        roles: person.roles,
        attributes: person.attributes,
        at: now,
    };
    let (runtime_id, correlation_id) = (call.runtime_id, call.correlation_id.clone());
    let trail = move |identity: &Identity| {
        let payload = json!({"identity_id": identity.identity_id, "roles": identity.roles});
        let event = OwnEvent::new(identity.tenant_id, "kernel.identity.resolved", payload);
        Trail::events(vec![event.of_call(runtime_id, &correlation_id).record(now)])
    };
    plane.storage.resolve_identity(claim, trail).await.map_err(stored)
}

fn token_refusal(error: TokenError) -> Refusal {
    Refusal::new(error.code(), error.to_string())
}
