//! `GET /admin/queue`: the audit queue.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::HeaderMap;

use super::{Admin, answer_of};

pub(super) async fn show(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    farhold_api::answer(&headers, async {
        let figures = admin.queue().await?;
        let snapshot = admin.owner.snapshot();
        farhold_api::json(&answer_of::queue(
            &snapshot,
            &admin.place,
            admin.place.opening.epoch.to_string(),
            figures,
        ))
    })
    .await
}
