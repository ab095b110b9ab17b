//! Keeping a refusal: durable before it is told.

use serde_json::json;

use farhold_audit::OwnKind;
use farhold_store::StoreError;

use crate::{denials::DenialKey, own_event::Draft};

use super::{group::Group, work::Operation};

/// Keeps one refusal, or how often one was repeated.
pub struct Deny {
    /// What was refused.
    pub key: DenialKey,
    /// The call; empty for repeats.
    pub correlation_id: String,
    /// How often: 1 for a refusal told now.
    pub count: u64,
}

impl Operation for Deny {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let Self { key, correlation_id, count } = self;
        let payload = json!({"feature": key.feature, "code": key.code, "count": count});
        let draft = Draft::new(OwnKind::DecisionDenied, payload)
            .of_call(Some(key.runtime_id), &correlation_id);
        group.append_own(key.tenant_id, draft)
    }
}
