//! `/livez` and `/readyz`: for whoever watches the process; no token, no header.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::control_plane::ControlPlane;

/// The two probes.
pub(crate) fn routes(plane: Arc<ControlPlane>) -> Router {
    Router::new().route("/livez", get(live)).route("/readyz", get(ready)).with_state(plane)
}

/// The event loop turns, or this would not be answered. Never the disk's doing.
async fn live() -> &'static str {
    "ok\n"
}

/// The storage answers.
async fn ready(State(plane): State<Arc<ControlPlane>>) -> (StatusCode, &'static str) {
    match plane.storage.tenant(plane.internal_tenant).await {
        Ok(Some(_)) => (StatusCode::OK, "ok\n"),
        Ok(None) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the storage does not answer\n"),
    }
}
