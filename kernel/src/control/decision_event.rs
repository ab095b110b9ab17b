//! What a decision leaves behind in the Kernel's own chain.

use serde_json::json;

use farhold_api::Call;
use farhold_contract::{Code, call::check::CheckResponse, id::LicenseId};
use farhold_policy::DenialKey;

use crate::own_event::OwnEvent;

/// A refusal, or how often one was repeated; then `correlation_id` is empty.
pub(super) fn denied(key: &DenialKey, correlation_id: &str, count: u64) -> OwnEvent {
    let payload = json!({"feature": key.feature, "code": key.code, "count": count});
    OwnEvent::new(key.tenant_id, "kernel.decision.denied", payload)
        .of_call(Some(key.runtime_id), correlation_id)
}

/// A check that was granted and used up a quota.
pub(super) fn consumed(
    call: &Call,
    response: &CheckResponse,
    feature: &str,
    units: u64,
    license_id: LicenseId,
) -> OwnEvent {
    let payload = json!({
        "decision_id": response.decision_id,
        "feature": feature,
        "units": units,
        "license_id": license_id,
        "used": response.usage.map(|usage| usage.used),
    });
    OwnEvent::new(call.tenant_id, "kernel.decision.consumed", payload)
        .of_call(call.runtime_id, &call.correlation_id)
}

/// A check that was granted and used up nothing, under a license that asks for all decisions.
pub(super) fn allowed(call: &Call, response: &CheckResponse, feature: &str) -> OwnEvent {
    let payload = json!({"decision_id": response.decision_id, "feature": feature});
    OwnEvent::new(call.tenant_id, "kernel.decision.allowed", payload)
        .of_call(call.runtime_id, &call.correlation_id)
}

/// What makes this refusal the same as another.
pub(super) fn denial_of(call: &Call, feature: &str, code: Code) -> Option<DenialKey> {
    let runtime_id = call.runtime_id?;
    Some(DenialKey { tenant_id: call.tenant_id, runtime_id, feature: feature.to_owned(), code })
}
