//! `GET /kernel/admin/tenants/{tenant_id}/audit/events`: what was recorded, of one organization.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use farhold_api::Refusal;
use farhold_contract::{
    Code, Timestamp,
    id::{EventId, RuntimeId, TenantId},
};

use super::{
    act::acting,
    answer::{AuditAnswer, AuditEventAnswer},
    page, refusal, tenants,
};
use crate::{
    control_plane::ControlPlane,
    storage::{AuditEntry, AuditQuery, Cursor, CursorError, Order},
};

/// Longest text that is looked for, in bytes.
const TEXT_MAX_BYTES: usize = 256;

/// Which events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(rename = "type")]
    kind: Option<String>,
    event_id: Option<EventId>,
    runtime_id: Option<RuntimeId>,
    agent: Option<RuntimeId>,
    text: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    #[serde(default)]
    order: AskedOrder,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum AskedOrder {
    Newest,
    #[default]
    Oldest,
}

pub(super) async fn list(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.audit.list", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        tenants::require(&act.plane, tenant_id)?;
        // What is looked for may be personal: the event tells by what it was looked for.
        let by: Vec<String> = head.uri.query().map(filters).unwrap_or_default();
        let query = query_of(super::query(&head.uri)?, tenant_id)?;
        let page = act.plane.storage.audit_events(query).await.map_err(refusal)?;
        let about = json!({"tenant_id": tenant_id, "by": by, "events": page.events.len()});
        act.record(about).await?;
        let events = page.events.into_iter().map(answer).collect();
        let next = page.next.map(|cursor| cursor.to_string());
        farhold_api::json(&AuditAnswer { events, next })
    })
    .await
}

/// The names of the filters set.
fn filters(query: &str) -> Vec<String> {
    query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())).collect()
}

fn query_of(asked: Asked, tenant_id: TenantId) -> Result<AuditQuery, Refusal> {
    if asked.text.as_ref().is_some_and(|text| text.is_empty() || text.len() > TEXT_MAX_BYTES) {
        return Err(Refusal::new(Code::UsageInvalid, "text must be 1 to 256 bytes"));
    }
    let cursor = |text: String| {
        text.parse::<Cursor>().map_err(|error: CursorError| {
            Refusal::new(Code::UsageInvalid, format!("after: {error}"))
        })
    };
    Ok(AuditQuery {
        tenant_id,
        from: asked.from,
        to: asked.to,
        kind_prefix: asked.kind,
        event_id: asked.event_id,
        runtime_id: asked.runtime_id,
        agent: asked.agent,
        text: asked.text,
        order: match asked.order {
            AskedOrder::Newest => Order::Newest,
            AskedOrder::Oldest => Order::Oldest,
        },
        after: asked.after.map(cursor).transpose()?,
        limit: page::limit(asked.limit)?,
    })
}

fn answer(entry: AuditEntry) -> AuditEventAnswer {
    let event = entry.event.and_then(|bytes| {
        let text = String::from_utf8(bytes).ok()?;
        RawValue::from_string(text).ok()
    });
    AuditEventAnswer {
        cursor: entry.cursor.to_string(),
        agent_id: entry.agent,
        epoch: entry.epoch.to_string(),
        seq: entry.seq,
        recorded_at: entry.recorded_at,
        received_at: entry.received_at,
        class: entry.class.to_string(),
        event,
    }
}
