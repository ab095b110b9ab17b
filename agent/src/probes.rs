//! What anyone on the machine may ask without a token: is it alive, can it answer, how much.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

use farhold_contract::{Code, Timestamp};

use crate::{admin::Admin, metrics::Moments};

/// A group of the owner's may take this long before the agent counts as stuck: a disk that needs
/// a minute for a sync is slow, not dead.
const STUCK: Duration = Duration::from_secs(60);

/// The probes' routes, on every door.
pub fn routes(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

/// Whether event loop and owner turn; never disk content or network.
async fn livez(State(admin): State<Arc<Admin>>) -> Response {
    if is_alive(&admin) {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stuck\n").into_response()
    }
}

/// Whether event loop and owner turn, for the service manager's watchdog too.
pub fn is_alive(admin: &Admin) -> bool {
    admin.owner.turns(admin.clock.read().boottime_ms, STUCK)
}

/// Whether a verified bundle can answer.
async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    if admin.health.is_ready() {
        return "ok\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "no license in force\n").into_response()
}

/// The link's figures; none where the agent is not enrolled.
fn moments(admin: &Admin, wall: Timestamp) -> Moments {
    if admin.place.enrollment.is_none() {
        return Moments::default();
    }
    let view = admin.board.view();
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let at = |at: Option<Timestamp>| at.map(|at| seconds(at.as_ms()));
    let ends = view.certificate.map(|life| life.ends.as_ms() - wall.as_ms());
    Moments {
        license_expires_in_seconds: None,
        certificate_expires_in_seconds: ends.map(seconds),
        offline_seconds: Some(view.offline.as_secs_f64()),
        heartbeat_at_seconds: at(view.heard_at),
        pull_at_seconds: at(view.pulled_at),
        push_at_seconds: at(view.pushed_at),
    }
}

async fn metrics(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    farhold_api::answer(&headers, async {
        let figures = admin.queue().await.map_err(|_| Code::StoreUnavailable)?;
        let snapshot = admin.owner.snapshot();
        let now = snapshot.now(&admin.clock.read());
        let age = figures
            .oldest_at
            .map_or(0.0, |oldest| now.instant.saturating_since(oldest).as_secs_f64());
        let metrics = &admin.metrics;
        metrics.queue_events.set((snapshot.chain.seq - snapshot.acknowledged_seq) as f64);
        metrics.queue_bytes.set(figures.bytes as f64);
        metrics.queue_oldest_age_seconds.set(age);
        let license = snapshot.documents.policy.expires_in(&now);
        let text = metrics.text(&Moments {
            license_expires_in_seconds: license.map(|seconds| seconds as f64),
            ..moments(&admin, now.wall)
        });
        Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response())
    })
    .await
}
