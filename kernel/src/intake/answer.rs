//! Answer: what an agent hears of its batch.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

use farhold_api::{Refusal, json};
use farhold_audit::{ExportSummary, receipt_for};
use farhold_bundle::{payload::Receipt, seal};
use farhold_contract::{
    Code, Problem, Timestamp,
    call::batch::{BatchResponse, HeldHead, RefusedRecord},
    problem,
};

use crate::{
    agents::enroll::raw,
    control_plane::ControlPlane,
    intake::judge::Judged,
    storage::{HeldBranch, Refused},
};

/// Heads told to an agent whose batch does not follow any: the newest branches are what it needs.
const TOLD_HEADS: usize = 64;

/// The receipt for a batch, to be given once it is taken: that the head before it is held is the
/// storage's to find out.
///
/// # Errors
/// `export.empty`; `audit.gap` if events are left out as another tenant's.
pub(super) fn receipt(judged: &Judged, now: Timestamp) -> Result<Receipt, Refusal> {
    let summary = &judged.summary;
    receipt_for(summary, Some(summary.before()), now)
        .map_err(|withheld| Refusal::new(withheld.code(), withheld.to_string()))
}

/// Every record whose content is refused, by the batch alone and by what is kept already.
pub(super) fn refused(
    mut by_itself: Vec<RefusedRecord>,
    by_others: Vec<(u64, Refused)>,
) -> Vec<RefusedRecord> {
    by_itself.extend(
        by_others.into_iter().map(|(seq, Refused { code, detail, .. })| RefusedRecord {
            seq,
            code,
            detail,
        }),
    );
    by_itself.sort_by_key(|record| record.seq);
    by_itself
}

/// The batch is taken.
///
/// # Errors
/// `server.internal` if the receipt can't be sealed.
pub(super) fn accepted(
    plane: &ControlPlane,
    summary: &ExportSummary,
    refused: Vec<RefusedRecord>,
    receipt: &Receipt,
) -> Result<Response, Refusal> {
    let sealed = seal(receipt, plane.receipt_signer()).map_err(|error| {
        tracing::error!(error = %crate::error_chain(&error), "a receipt could not be sealed");
        Code::ServerInternal
    })?;
    json(&BatchResponse {
        epoch: summary.checkpoint().epoch.clone(),
        seq: summary.after().seq,
        head: summary.after().head.into(),
        refused,
        receipt: raw(sealed)?,
    })
}

/// The batch follows nothing that is held; the agent is told what is.
///
/// # Errors
/// `server.internal` if the problem can't be written as JSON.
pub(super) fn gap(heads: &[HeldBranch]) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Gap {
        #[serde(flatten)]
        problem: Problem,
        heads: Vec<HeldHead>,
    }
    let newest = heads.len().saturating_sub(TOLD_HEADS);
    let heads = heads.iter().skip(newest).map(|branch| HeldHead {
        epoch: branch.opening.epoch.to_string(),
        seq: branch.tip.seq,
        head: branch.tip.head.into(),
    });
    let problem = Problem::new(Code::AuditGap, None);
    let body = serde_json::to_vec(&Gap { problem, heads: heads.collect() })
        .map_err(|_| Code::ServerInternal)?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::CONFLICT;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
    Ok(response)
}
