//! `GET /statusz`: how the site is.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::HeaderMap;

use super::{Admin, answer::StatusAnswer, answer_of};

pub(super) async fn show(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    farhold_api::answer(&headers, async {
        let figures = admin.queue().await?;
        let conditions = admin.health.conditions(&figures);
        let snapshot = admin.owner.snapshot();
        let reading = admin.clock.read();
        let now = snapshot.now(&reading);
        farhold_api::json(&StatusAnswer {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: admin.place.mode.map(|mode| mode.as_str().to_owned()),
            tenants: admin.place.facts.tenants.iter().copied().collect(),
            device_key: admin.place.facts.device_key.to_string(),
            // Time itself may have been set back since: by the Kernel, or by a clock reset.
            started_at: admin.place.started_at.min(now.instant),
            ready: admin.health.is_ready(),
            link: answer_of::link(&admin, &snapshot),
            conditions,
            trust: answer_of::trust(&snapshot),
            clock: answer_of::policy::clock(
                &snapshot.documents,
                &now,
                snapshot.wall_standing(&reading),
            ),
            queue: answer_of::queue(
                &snapshot,
                &admin.place,
                admin.place.opening.epoch.to_string(),
                figures,
            ),
            runtimes: snapshot.registry.runtime_count(),
        })
    })
    .await
}
