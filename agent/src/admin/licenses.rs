//! `GET /admin/licenses`: every license as it stands.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use http::HeaderMap;

use farhold_bundle::{Verified, payload::License};
use farhold_policy::{LicenseView, Now};

use crate::snapshot::Snapshot;

use super::{
    Admin,
    answer::{LicenseAnswer, LicensesAnswer},
    answer_of::{binding, policy},
};

pub(super) async fn show(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    farhold_api::answer(&headers, async {
        let snapshot = admin.owner.snapshot();
        let now = snapshot.now(&admin.clock.read());
        let milestones = snapshot.documents.policy.milestones(now.instant);
        farhold_api::json(&LicensesAnswer {
            now: now.instant,
            licenses: licenses(&snapshot, &now),
            timeline: milestones.into_iter().map(policy::milestone).collect(),
        })
    })
    .await
}

fn licenses(snapshot: &Snapshot, now: &Now) -> Vec<LicenseAnswer> {
    let lines = snapshot.documents.policy.lines(now);
    let views: BTreeMap<_, &LicenseView> = lines
        .iter()
        .flat_map(|line| &line.licenses)
        .map(|view| ((view.license_id, view.serial.as_u64()), view))
        .collect();
    let standing = snapshot.documents.standing.licenses().iter();
    standing
        .map(|license| {
            let key = (license.license_id, license.serial.as_u64());
            let not_admitted = snapshot.documents.not_admitted.get(&key).map(ToString::to_string);
            license_answer(license, views.get(&key).copied(), not_admitted, snapshot)
        })
        .collect()
}

fn license_answer(
    license: &Verified<License>,
    view: Option<&LicenseView>,
    not_admitted: Option<String>,
    snapshot: &Snapshot,
) -> LicenseAnswer {
    let timeline = view.map(|view| &view.timeline);
    let phase = match view {
        Some(view) if not_admitted.is_none() => phase(view),
        _ => "not_admitted",
    };
    LicenseAnswer {
        tenant_id: license.tenant.tenant_id,
        product: license.product.clone(),
        license_id: license.license_id,
        serial: license.serial.as_u64(),
        sha256: license.sha256(),
        issued_to: license.issued_to.clone(),
        in_force: view.is_some_and(|view| view.in_force),
        phase: phase.to_owned(),
        begins: license.not_before,
        ends: license.end(),
        grace_ends: timeline.and_then(|timeline| timeline.grace_ends),
        stops: timeline.and_then(|timeline| timeline.restrict_ends),
        in_force_from: view.and_then(|view| view.in_force_from),
        in_force_until: view.and_then(|view| view.in_force_until),
        bound_to: Some(binding::bound_to(license, snapshot)),
        modes: license.modes.iter().map(|mode| mode.as_str().to_owned()).collect(),
        sites: Some(license.sites.as_u64()),
        features: license
            .entitlements
            .iter()
            .map(|entitlement| entitlement.feature.clone())
            .collect(),
        not_admitted,
    }
}

fn phase(view: &LicenseView) -> &'static str {
    if view.revoked { "revoked" } else { view.phase.as_str() }
}
