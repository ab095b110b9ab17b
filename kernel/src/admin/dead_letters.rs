//! `GET /kernel/admin/tenants/{tenant_id}/dead-letters`: events whose content was refused.

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
    answer::{DeadLetterAnswer, DeadLettersAnswer},
    page, refusal, tenants,
};
use crate::{
    control_plane::ControlPlane,
    storage::{Cursor, CursorError, DeadLetter},
};

/// Which page of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.dead_letter.list", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        tenants::require(&act.plane, tenant_id)?;
        let asked: Asked = super::query(&head.uri)?;
        let limit = page::limit(asked.limit)?;
        let after = asked.after.as_deref().map(str::parse::<Cursor>).transpose().map_err(
            |error: CursorError| Refusal::new(Code::UsageInvalid, format!("after: {error}")),
        )?;
        let storage = &act.plane.storage;
        let page = storage.dead_letters(tenant_id, after, limit).await.map_err(refusal)?;
        act.record(json!({"tenant_id": tenant_id, "dead_letters": page.letters.len()})).await?;
        let dead_letters = page.letters.into_iter().map(answer).collect();
        let next = page.next.map(|cursor| cursor.to_string());
        farhold_api::json(&DeadLettersAnswer { dead_letters, next })
    })
    .await
}

fn answer(letter: DeadLetter) -> DeadLetterAnswer {
    DeadLetterAnswer {
        cursor: letter.cursor.to_string(),
        agent_id: letter.agent,
        epoch: letter.epoch.to_string(),
        seq: letter.seq,
        code: letter.code,
        detail: letter.detail,
        received_at: letter.received_at,
        event: letter.event.and_then(|bytes| String::from_utf8(bytes).ok()),
    }
}
