//! `GET /admin/dead-letters`: records whose content the Kernel refused.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, Uri};
use serde::Deserialize;

use farhold_contract::id::TenantId;

use super::{
    Admin,
    answer::{DeadLetterAnswer, DeadLettersAnswer},
};

/// Most that one answer holds.
const PAGE: usize = 1_000;

/// Which ones.
#[derive(Deserialize)]
pub(super) struct Which {
    tenant_id: Option<TenantId>,
    #[serde(default)]
    after: u64,
}

pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    farhold_api::answer(&headers, async {
        let Which { tenant_id, after } = super::query(&uri)?;
        let found = admin.read(move |reader| reader.dead_letters(tenant_id, after, PAGE)).await?;
        let dead_letters = found
            .into_iter()
            .map(|letter| DeadLetterAnswer {
                seq: letter.seq,
                tenant_id: letter.tenant_id,
                event_id: letter.event_id,
                code: letter.code,
                detail: letter.detail,
                refused_at: letter.refused_at,
            })
            .collect();
        farhold_api::json(&DeadLettersAnswer { dead_letters })
    })
    .await
}
