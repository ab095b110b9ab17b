//! The answer to a check, from what was decided.

use farhold_contract::{Code, call::check::CheckResponse, id::DecisionId, mode::Mode};
use farhold_policy::Decision;

/// What a grant decided.
pub(crate) fn decided(decision: Decision, decision_id: Option<DecisionId>) -> CheckResponse {
    let Decision { allowed, reason, mode, limits, usage, .. } = decision;
    CheckResponse { allowed, limits: Some(limits), reason, mode: Some(mode), usage, decision_id }
}

/// A refusal that no license stands behind.
pub(crate) fn refused(reason: Code, decision_id: Option<DecisionId>) -> CheckResponse {
    CheckResponse {
        allowed: false,
        limits: None,
        reason: Some(reason),
        mode: Some(Mode::None),
        usage: None,
        decision_id,
    }
}
