//! Registration: a token becomes one runtime.

use serde_json::json;

use farhold_api::Refusal;
use farhold_audit::OwnKind;
use farhold_contract::{
    Code,
    call::register::{RegisterRequest, RegisterResponse},
    id::{RuntimeId, TokenId},
    model::{Policies, RuntimeStatus, SecurityLevel},
};
use farhold_store::{RuntimeRow, StoreError};

use crate::{own_event::Draft, random};

use super::{group::Group, work::Operation};

/// Registers a runtime, or takes in what it says of itself now.
pub struct Register {
    /// The token it came with.
    pub token_id: TokenId,
    /// What it says of itself.
    pub request: RegisterRequest,
    /// The call.
    pub correlation_id: Box<str>,
}

impl Operation for Register {
    type Answer = Result<RegisterResponse, Refusal>;

    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError> {
        let Self { token_id, request, correlation_id } = self;
        let known = group.registry().runtime_of(token_id).cloned();
        let runtime_id = match (&known, request.runtime_id) {
            // One token is one runtime: its first registration fixes the id.
            (Some(row), Some(asked)) if asked != row.runtime_id => {
                return Ok(Err(Code::RuntimeIdTaken.into()));
            }
            (Some(row), _) => row.runtime_id,
            (None, asked) => {
                if let Err(code) = group.documents().policy.may_register_released(
                    request.tenant_id,
                    request.runtime_type,
                    request.released_on,
                    &group.now,
                ) {
                    return Ok(Err(code.into()));
                }
                match asked {
                    Some(asked) if group.registry().runtime(asked).is_some() => {
                        return Ok(Err(Code::RuntimeIdTaken.into()));
                    }
                    Some(asked) => asked,
                    None => match RuntimeId::from_uuid(random::id_v7(group.now.instant)) {
                        Ok(minted) => minted,
                        Err(_) => return Ok(Err(Code::ServerInternal.into())),
                    },
                }
            }
        };
        let row = RuntimeRow {
            runtime_id,
            tenant_id: request.tenant_id,
            token_id,
            deployment_mode: request.deployment_mode,
            version: request.version,
            capabilities: request.capabilities,
            released_on: request.released_on,
            registered_at: known.as_ref().map_or(group.now.instant, |row| row.registered_at),
        };
        // A runtime registers at every boot: only what changed is written and told.
        if known.as_ref() != Some(&row) {
            group.txn.put_runtime(&row)?;
            let payload = json!({"runtime_type": request.runtime_type, "version": row.version});
            let draft = Draft::new(OwnKind::RuntimeRegistered, payload)
                .of_call(Some(runtime_id), &correlation_id);
            group.append_own(row.tenant_id, draft)?;
            group.registry_mut().put_runtime(row);
        }
        let policies_applied = group
            .documents()
            .standing
            .licenses()
            .iter()
            .rfind(|license| license.tenant.tenant_id == request.tenant_id)
            .map_or_else(standard, |license| license.tenant.policies.clone());
        Ok(Ok(RegisterResponse { runtime_id, status: RuntimeStatus::Registered, policies_applied }))
    }
}

fn standard() -> Policies {
    Policies { security_level: SecurityLevel::Standard, data_residency: None }
}
