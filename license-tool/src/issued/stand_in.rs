//! Stand-in: what the ledger says of a license whose file is not known.

use serde_json::json;

use farhold_bundle::{
    PayloadError,
    payload::{Binding, DocumentType, License},
};
use farhold_contract::id::IssuerId;
use farhold_ledger::{Bound, Issue};

use crate::refusal::Refusal;

/// What the ledger says of a license, as one: its rungs and entitlements are not known.
pub(super) fn stand_in(issuer: IssuerId, issue: &Issue) -> Result<License, Refusal> {
    let binding = match &issue.bound {
        None => None,
        Some(Bound::Unbound) => Some(json!("none")),
        Some(Bound::Device(key)) => Some(json!({ "device_key": key })),
        Some(Bound::Fingerprint { binding, .. }) => {
            Some(json!(Binding::Fingerprint(binding.clone())))
        }
    };
    let mut license = json!({
        "license_id": issue.license_id,
        "serial": issue.serial,
        "issuer": issuer,
        "product": issue.product,
        "issued_to": issue.issued_to,
        "tenant": {
            "tenant_id": issue.tenant_id,
            "type": "company",
            "status": "active",
            "policies": { "security_level": "standard" },
        },
        "issued_at": issue.issued_at,
        "not_before": issue.not_before,
        "entitlements": [],
    });
    match issue.expires_on {
        Some(day) => license["expires_on"] = json!(day),
        None => license["released_before"] = json!("9999-01-01"),
    }
    if let Some(binding) = binding {
        license["binding"] = binding;
    }
    let mut license: License = serde_json::from_value(license)
        .map_err(|source| PayloadError::Malformed { document: DocumentType::License, source })?;
    // Its rungs are not known, their end is.
    let rungs = issue.stops_at.zip(license.end()).map(|(stop, end)| stop.saturating_since(end));
    let rungs = rungs.map(|rungs| rungs.as_secs()).filter(|seconds| *seconds > 0);
    license.ladder.grace = rungs.and_then(|seconds| format!("PT{seconds}S").parse().ok());
    Ok(license)
}
