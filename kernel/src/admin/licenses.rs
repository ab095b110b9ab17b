//! `GET /kernel/admin/tenants/{tenant_id}/licenses`: what an organization holds, and who is sent it.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde_json::json;

use farhold_api::Refusal;
use farhold_bundle::{
    LineKey, SiteFacts, Standing, Verified,
    payload::{Binding, License},
};
use farhold_contract::{Timestamp, call::heartbeat::ReportedLicense, id::TenantId};

use super::{
    act::acting,
    answer::{LicenseAnswer, LicensesAnswer},
    refusal, tenants,
};
use crate::{control_plane::ControlPlane, documents::Documents, sending, storage::Storage};

/// Agents read at once.
const PAGE: usize = 1_000;

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
        let sites = sites_of(&act.plane.storage, tenant_id).await?;
        let mut licenses: Vec<LicenseAnswer> = documents
            .standing
            .licenses()
            .iter()
            .enumerate()
            .filter(|(_, license)| license.tenant.tenant_id == tenant_id)
            .map(|(at, license)| answer(&documents, at, license, &sites, now))
            .collect();
        look_up(&act.plane.storage, &mut licenses).await?;
        act.record(json!({"tenant_id": tenant_id, "licenses": licenses.len()})).await?;
        farhold_api::json(&LicensesAnswer { now, agents: sites.len() as u64, licenses })
    })
    .await
}

/// The organization's sites, as they reported last.
async fn sites_of(storage: &Storage, tenant_id: TenantId) -> Result<Vec<SiteFacts>, Refusal> {
    let (mut sites, mut after) = (Vec::new(), None);
    loop {
        let page = storage.agents_of(tenant_id, after, PAGE).await.map_err(refusal)?;
        let facts = page.iter().map(|agent| &agent.facts);
        sites.extend(facts.map(|facts| sending::site(facts, facts.reported.as_deref())));
        after = page.last().map(|agent| agent.facts.runtime_id);
        if page.len() < PAGE {
            return Ok(sites);
        }
    }
}

fn answer(
    documents: &Documents,
    at: usize,
    license: &Verified<License>,
    sites: &[SiteFacts],
    now: Timestamp,
) -> LicenseAnswer {
    let (bound_to, device_key) = match &license.binding {
        None | Some(Binding::None) => ("nothing", None),
        Some(Binding::DeviceKey(key)) => ("device_key", Some(key.to_string())),
        Some(Binding::Fingerprint(_)) => ("fingerprint", None),
    };
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
        in_force: is_in_force(&documents.standing, license, now),
        revoked: documents.standing.revokes(license),
        features: license.entitlements.iter().map(|granted| granted.feature.clone()).collect(),
        bound_to: bound_to.to_owned(),
        device_key,
        sent_to: sites.iter().filter(|site| documents.fits(at, site)).count() as u64,
        held_back: documents.held_back(at),
        in_ledger: None,
    }
}

/// Says of each whether the ledger has it, where one is held.
async fn look_up(storage: &Storage, licenses: &mut [LicenseAnswer]) -> Result<(), Refusal> {
    if storage.ledger_head().await.map_err(refusal)?.whole_at.is_none() {
        return Ok(());
    }
    let asked = licenses.iter().map(|license| ReportedLicense {
        license_id: license.license_id,
        serial: license.serial,
        sha256: license.sha256,
    });
    let missing = storage.not_in_ledger(asked.collect()).await.map_err(refusal)?;
    for license in licenses {
        license.in_ledger = Some(missing.iter().all(|one| one.sha256 != license.sha256));
    }
    Ok(())
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
