//! Runtime tokens: made and revoked, each recorded.

use serde_json::json;

use farhold_api::Refusal;
use farhold_audit::OwnKind;
use farhold_contract::{Code, id::TokenId};
use farhold_store::{StoreError, TokenRow};

use crate::own_event::Draft;

use super::{group::Group, work::Operation};

/// Keeps a new token.
pub struct CreateToken {
    /// The token, known by its hash.
    pub row: TokenRow,
}

impl Operation for CreateToken {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let row = self.row;
        group.txn.put_token(&row)?;
        let payload =
            json!({"token_id": row.token_id, "runtime_type": row.runtime_type, "name": row.name});
        group.append_own(row.tenant_id, Draft::new(OwnKind::TokenCreated, payload))?;
        group.registry_mut().put_token(row);
        Ok(())
    }
}

/// Revokes a token: its next call is refused.
pub struct RevokeToken {
    /// Which one.
    pub token_id: TokenId,
}

impl Operation for RevokeToken {
    type Answer = Result<(), Refusal>;

    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError> {
        let Some(mut row) = group.registry().token(self.token_id).cloned() else {
            return Ok(Err(Refusal::new(Code::RequestNotFound, "there is no token with this id")));
        };
        if group.txn.revoke_token(self.token_id, group.now.instant)? {
            row.revoked_at = Some(group.now.instant);
            let draft = Draft::new(OwnKind::TokenRevoked, json!({"token_id": row.token_id}));
            group.append_own(row.tenant_id, draft)?;
            group.registry_mut().put_token(row);
        }
        Ok(Ok(()))
    }
}
