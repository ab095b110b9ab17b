//! `GET /kernel/agents/{runtime_id}/bundle`: the documents an agent is to stand at.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};

use farhold_api::{answer, tagged};
use farhold_contract::Code;

use crate::{
    agents::{caller::AgentCall, renew::runtime_id_of},
    control_plane::ControlPlane,
};

/// A bundle is JSON Lines (bundle.md §1.9).
const MEDIA_TYPE: &str = "application/jsonl";

pub(super) async fn pull(
    State(plane): State<Arc<ControlPlane>>,
    Path(runtime_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(&head.headers, async {
        let call = AgentCall::of(&head, &plane).await?;
        call.agrees_on(runtime_id_of(&runtime_id)?)?;
        // Its license could lift a restraint that its heartbeat has not heard of yet.
        call.requires_not_suspended()?;
        let bundle = plane
            .documents()
            .bundle_for(&call.agent, call.agent.reported.as_deref(), plane.now())
            .ok_or(Code::RequestNotFound)?;
        tagged(&head.headers, MEDIA_TYPE, bundle.digest, bundle.bytes.clone())
    })
    .await
}
