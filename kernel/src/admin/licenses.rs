//! `GET /kernel/admin/tenants/{tenant_id}/licenses`: what an organization holds.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde_json::json;

use farhold_bundle::{LineKey, Standing, Verified, payload::License};
use farhold_contract::{Timestamp, id::TenantId};

use super::{
    act::acting,
    answer::{LicenseAnswer, LicensesAnswer},
    tenants,
};
use crate::control_plane::ControlPlane;

pub(super) async fn list(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.license.list", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        tenants::require(&act.plane, tenant_id)?;
        let (documents, now) = (act.plane.documents(), act.plane.now());
        let licenses: Vec<LicenseAnswer> = documents
            .standing
            .licenses()
            .iter()
            .filter(|license| license.tenant.tenant_id == tenant_id)
            .map(|license| answer(&documents.standing, license, now))
            .collect();
        act.record(json!({"tenant_id": tenant_id, "licenses": licenses.len()})).await?;
        farhold_api::json(&LicensesAnswer { now, licenses })
    })
    .await
}

fn answer(standing: &Standing, license: &Verified<License>, now: Timestamp) -> LicenseAnswer {
    LicenseAnswer {
        tenant_id: license.tenant.tenant_id,
        product: license.product.clone(),
        license_id: license.license_id,
        serial: license.serial.as_u64(),
        sha256: license.sha256(),
        issued_to: license.issued_to.clone(),
        begins: license.not_before,
        ends: license.end(),
        sites: license.sites.as_u64(),
        in_force: is_in_force(standing, license, now),
        revoked: standing.revokes(license),
        features: license.entitlements.iter().map(|granted| granted.feature.clone()).collect(),
    }
}

/// The highest serial of its line that has begun and is not revoked (`bundle.md` §4).
fn is_in_force(standing: &Standing, license: &Verified<License>, now: Timestamp) -> bool {
    let line = LineKey::of(license);
    let of_line = standing.licenses().iter().filter(|other| LineKey::of(other) == line);
    let deciding = of_line
        .filter(|other| other.not_before <= now && !standing.revokes(other))
        .max_by_key(|other| other.serial.as_u64());
    deciding.is_some_and(|deciding| deciding.sha256() == license.sha256())
}
