//! Keeping a refusal: durable before it is told.

use std::sync::Arc;

use serde_json::json;

use farhold_audit::OwnKind;
use farhold_policy::DenialKey;
use farhold_store::StoreError;

use crate::{cap::FULL_PERCENT, denials::SharedDenials, own_event::Draft};

use super::{group::Group, work::Operation};

/// Keeps the first refusal of its kind. In a full queue it has no room of its own: it is summed,
/// and the sum kept when there is room again.
pub struct Deny {
    /// What was refused.
    pub key: DenialKey,
    /// The call.
    pub correlation_id: String,
    /// Refusals of the last minute.
    pub denials: Arc<SharedDenials>,
}

impl Operation for Deny {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let Self { key, correlation_id, denials } = self;
        if group.is_full(FULL_PERCENT) {
            denials.held().sum(&key, 1, group.now.instant);
            return Ok(());
        }
        keep(group, &key, &correlation_id, 1)
    }
}

/// Keeps a refusal, or how often one was repeated; then `correlation_id` is empty.
pub(super) fn keep(
    group: &mut Group<'_>,
    key: &DenialKey,
    correlation_id: &str,
    count: u64,
) -> Result<(), StoreError> {
    let payload = json!({"feature": key.feature, "code": key.code, "count": count});
    let draft =
        Draft::new(OwnKind::DecisionDenied, payload).of_call(Some(key.runtime_id), correlation_id);
    group.append_own(key.tenant_id, draft)
}
