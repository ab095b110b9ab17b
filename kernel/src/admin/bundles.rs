//! `POST /kernel/admin/bundles`: roots, revocations and licenses come in, all or nothing.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use farhold_api::Refusal;
use farhold_bundle::{
    ImportPlan, LIMITS, LineOutcome, Standing, TrustRoot, Verified, payload::License, plan_import,
};
use farhold_contract::{Code, Sha256Digest, call::heartbeat::ReportedLicense, id::TenantId};

use super::{
    act::{Act, acting, to_the_end},
    answer::{LineAnswer, UploadAnswer},
    refusal,
};
use crate::{control_plane::ControlPlane, sending::Sending};

/// Whether to change anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn upload(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.bundle.upload", async |act| {
        let asked: Asked = super::query(&head.uri)?;
        let bytes = super::raw_body(body, LIMITS.bundle_bytes, Code::BundleTooLarge).await?;
        farhold_api::json(&to_the_end(taken(act, bytes, asked.dry_run)).await?)
    })
    .await
}

async fn taken(act: Act, bytes: Bytes, dry_run: bool) -> Result<UploadAnswer, Refusal> {
    let sha256 = Sha256Digest::new(Sha256::digest(&bytes).into());
    // Until it stands: each upload is planned against what the one before left.
    let _one_at_a_time = act.plane.importing.lock().await;
    let before = act.plane.documents();
    let now = act.plane.now();
    let planning = {
        let before = Arc::clone(&before);
        tokio::task::spawn_blocking(move || plan_import(&before.standing, &bytes, None, now))
    };
    let plan = planning
        .await
        .map_err(|_panic| Code::ServerInternal)?
        .map_err(|reason| Refusal::new(reason.code(), crate::error_chain(&reason).to_string()))?;
    let fresh = fresh(&before.standing, &plan);
    holds_here(&act.plane, &plan, &fresh)?;
    let mut answer = answer(&plan, sha256, !dry_run);
    answer.not_in_ledger = not_in_ledger(&act.plane, &fresh).await?;
    answer.held_back = Sending::new(&plan.standing).stuck(&plan.standing);
    let new = answer.lines.iter().filter(|line| line.outcome == "new").map(|line| &line.name);
    let about = json!({
        "sha256": sha256,
        "applied": answer.applied,
        "documents": new.collect::<Vec<_>>(),
        "fallen": answer.fallen,
        "not_in_ledger": answer.not_in_ledger,
        "held_back": answer.held_back.len(),
    });
    if dry_run {
        act.record(about).await?;
        return Ok(answer);
    }
    let events = concerned(&before.standing, &plan.standing).into_iter().map(|tenant_id| {
        act.concerns(tenant_id, None, "kernel.licenses.changed", json!({"sha256": sha256}))
    });
    let trail = act.trail(about, events.collect());
    let lines = plan.standing.lines().map(<[u8]>::to_vec).collect();
    act.plane.storage.put_documents(lines, trail).await.map_err(refusal)?;
    act.plane.replace_documents(plan.standing);
    Ok(answer)
}

/// What concerns this Kernel: it holds the word of the vendor for the organizations it knows.
fn holds_here(
    plane: &ControlPlane,
    plan: &ImportPlan,
    fresh: &[&Verified<License>],
) -> Result<(), Refusal> {
    if !plan.receipts.is_empty() || plan.clock_reset.is_some() {
        let detail = "receipts and clock resets are for sites; this Kernel takes roots, \
                      revocations and licenses";
        return Err(Refusal::new(Code::PayloadType, detail));
    }
    for license in plan.standing.licenses() {
        let tenant_id = license.tenant.tenant_id;
        if plane.storage.directory().tenant(tenant_id).is_none() {
            let detail = format!(
                "license {} serial {} is for tenant {tenant_id} ({}), which this Kernel does not \
                 have: create it with that id first",
                license.license_id,
                license.serial.as_u64(),
                license.issued_to,
            );
            return Err(Refusal::new(Code::TenantMismatch, detail));
        }
    }
    fresh.iter().try_for_each(|license| has_its_needs(license, &plan.standing))
}

/// bundle.md §4.2.5: a site that is sent a license without what it needs would refuse all it is
/// sent.
fn has_its_needs(license: &Verified<License>, after: &Standing) -> Result<(), Refusal> {
    let root = after.root().map_or(0, TrustRoot::version);
    let generation = after.revocations().map_or(0, |revocations| revocations.generation.as_u64());
    for (what, has, needs) in [
        ("root", root, license.needs.root.as_u64()),
        ("revocations generation", generation, license.needs.revocations.as_u64()),
    ] {
        if has < needs {
            let License { license_id, serial, .. } = license.content();
            let detail = format!(
                "license {license_id} serial {serial} needs {what} {needs}; this Kernel would \
                 stand at {has}"
            );
            return Err(Refusal::new(Code::BundleIncomplete, detail));
        }
    }
    Ok(())
}

/// The licenses that did not stand before.
fn fresh<'p>(before: &Standing, plan: &'p ImportPlan) -> Vec<&'p Verified<License>> {
    let stood: BTreeSet<Sha256Digest> = before.licenses().iter().map(Verified::sha256).collect();
    let after = plan.standing.licenses().iter();
    after.filter(|license| !stood.contains(&license.sha256())).collect()
}

/// Those that the vendor's ledger does not have, by name.
async fn not_in_ledger(
    plane: &ControlPlane,
    fresh: &[&Verified<License>],
) -> Result<Vec<String>, Refusal> {
    let asked = fresh.iter().map(|license| ReportedLicense {
        license_id: license.license_id,
        serial: license.serial.as_u64(),
        sha256: license.sha256(),
    });
    let missing = plane.storage.not_in_ledger(asked.collect()).await.map_err(refusal)?;
    let name = |one: &ReportedLicense| format!("license {} serial {}", one.license_id, one.serial);
    Ok(missing.iter().map(name).collect())
}

/// The organizations of licenses that came or went.
fn concerned(before: &Standing, after: &Standing) -> BTreeSet<TenantId> {
    let held = |standing: &Standing| -> BTreeSet<(TenantId, Sha256Digest, bool)> {
        let licenses = standing.licenses().iter();
        licenses
            .map(|license| (license.tenant.tenant_id, license.sha256(), standing.revokes(license)))
            .collect()
    };
    held(before).symmetric_difference(&held(after)).map(|(tenant_id, ..)| *tenant_id).collect()
}

fn answer(plan: &ImportPlan, bundle_sha256: Sha256Digest, applied: bool) -> UploadAnswer {
    let lines = plan.lines.iter().map(|line| LineAnswer {
        line: line.line,
        document: line.document.to_string(),
        name: line.name.clone(),
        outcome: match line.outcome {
            LineOutcome::New => "new",
            LineOutcome::Known => "known",
            LineOutcome::Superseded => "superseded",
        }
        .to_owned(),
    });
    UploadAnswer {
        applied,
        bundle_sha256,
        lines: lines.collect(),
        fallen: plan.fallen.clone(),
        not_in_ledger: Vec::new(),
        held_back: Vec::new(),
    }
}
