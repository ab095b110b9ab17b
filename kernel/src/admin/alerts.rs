//! `/kernel/admin/alerts`: what needs someone's attention.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use farhold_api::Refusal;
use farhold_contract::{Code, id::TenantId};

use super::{
    act::acting,
    answer::{AlertAnswer, AlertsAnswer},
    page, refusal, tenants,
};
use crate::{
    control_plane::ControlPlane,
    storage::{Alert, AlertFilter, AlertId, Trail},
};

/// Which page of alerts, and which of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    tenant_id: Option<TenantId>,
    #[serde(default)]
    open: bool,
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn list(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.alert.list", async |act| {
        let asked: Asked = super::query(&head.uri)?;
        let limit = page::limit(asked.limit)?;
        let filter = if asked.open { AlertFilter::Open } else { AlertFilter::All };
        let before = asked.after.as_deref().map(alert_id).transpose()?;
        let storage = &act.plane.storage;
        let rows = match asked.tenant_id {
            Some(tenant_id) => {
                tenants::require(&act.plane, tenant_id)?;
                storage.alerts_of(tenant_id, filter, before, limit).await
            }
            None => storage.alerts(filter, before, limit).await,
        }
        .map_err(refusal)?;
        let next = page::next(&rows, limit, |alert| alert.alert_id);
        act.record(json!({"alerts": rows.len()})).await?;
        farhold_api::json(&AlertsAnswer { alerts: rows.into_iter().map(answer).collect(), next })
    })
    .await
}

pub(super) async fn acknowledge(
    State(plane): State<Arc<ControlPlane>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.alert.acknowledge", async |act| {
        let id = alert_id(&id)?;
        let by = act.token_id.to_string();
        let (storage, now) = (&act.plane.storage, act.plane.now());
        let acting = act.clone();
        let trail = move |alert: &Alert| {
            let about = json!({"alert_id": alert.alert_id.to_string(), "code": alert.code});
            let kind = "kernel.alert.acknowledged";
            let event = acting.concerns(alert.tenant_id, alert.agent, kind, about.clone());
            Trail::events(vec![acting.event(about), event])
        };
        let alert = storage.acknowledge_alert(id, now, by, trail).await;
        farhold_api::json(&answer(alert.map_err(refusal)?))
    })
    .await
}

fn alert_id(text: &str) -> Result<AlertId, Refusal> {
    let wrong = |_| Refusal::new(Code::UsageInvalid, "an alert's id is a number");
    text.parse().map_err(wrong)
}

fn answer(alert: Alert) -> AlertAnswer {
    AlertAnswer {
        alert_id: alert.alert_id.to_string(),
        code: alert.code,
        tenant_id: alert.tenant_id,
        agent_id: alert.agent,
        detail: alert.detail,
        count: alert.count,
        meaning: alert.code.sentence().to_owned(),
        action: alert.code.action().to_owned(),
        raised_at: alert.raised_at,
        last_at: alert.last_at,
        acknowledged_at: alert.acknowledged.as_ref().map(|acknowledged| acknowledged.at),
        acknowledged_by: alert.acknowledged.map(|acknowledged| acknowledged.by),
    }
}
