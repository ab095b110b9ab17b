//! `GET /kernel/admin/status`: how the Kernel is.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde_json::json;

use farhold_contract::version::ContractVersion;

use super::{
    act::acting,
    answer::{ChainHeadAnswer, CountsAnswer, StatusAnswer},
    refusal, trust,
};
use crate::control_plane::ControlPlane;

pub(super) async fn show(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.status.show", async |act| {
        // Recorded first: the chain's head is told as this call leaves it.
        act.record(json!({})).await?;
        let plane = &act.plane;
        let counts = plane.storage.counts().await.map_err(refusal)?;
        let (opening, position) = plane.storage.own_chain().await.map_err(refusal)?;
        let documents = plane.documents();
        farhold_api::json(&StatusAnswer {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            contract_versions: ContractVersion::ALL.to_vec(),
            internal_tenant_id: plane.internal_tenant,
            now: plane.now(),
            url: plane.config.public_url.clone(),
            ca_sha256: plane.authority.anchor_sha256(),
            receipt_key: plane.receipt_key().to_string(),
            trust: trust::answer(&documents),
            counts: CountsAnswer {
                tenants: counts.tenants,
                agents: counts.agents,
                runtimes: counts.runtimes,
                licenses: documents.standing.licenses().len() as u64,
                open_alerts: counts.open_alerts,
            },
            chain: ChainHeadAnswer {
                epoch: opening.epoch.to_string(),
                seq: position.seq,
                head: position.head.into(),
            },
        })
    })
    .await
}
