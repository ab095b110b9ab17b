//! `POST /admin/import`: one path for every bundle, however it came.

use std::{error::Error, sync::Arc};

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use farhold_api::Refusal;
use farhold_audit::OwnKind;
use farhold_bundle::{ImportPlan, LIMITS, LineOutcome, plan_import};
use farhold_contract::{Code, Sha256Digest, condition::ConditionCode};

use crate::{
    own_event::Draft,
    owner::{AppendOwn, ApplyImport},
    snapshot::Documents,
};

use super::{
    Admin,
    answer::{ImportAnswer, LineAnswer},
};

/// Whether to apply what was planned.
#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn import(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    farhold_api::answer(&parts.headers, async {
        let choice: Choice = super::query(&parts.uri)?;
        let bundle = super::read(body, LIMITS.bundle_bytes, Code::BundleTooLarge).await?;
        let sha256 = Sha256Digest::new(Sha256::digest(&bundle).into());
        let _one_at_a_time = admin.importing.lock().await;
        let outcome = match plan(&admin, bundle.to_vec()).await {
            Ok(planned) if choice.dry_run => Ok(answer(&planned.plan, sha256, false)),
            Ok(planned) => apply(&admin, planned, sha256).await,
            Err(refusal) => Err(refusal),
        };
        if !choice.dry_run {
            note(&admin, &outcome, sha256).await;
        }
        farhold_api::json(&outcome?)
    })
    .await
}

/// What an import would make of what stood when it was planned.
struct Planned {
    base: Arc<Documents>,
    plan: ImportPlan,
    documents: Documents,
}

/// Verifies everything before anything is written, off the event loop.
async fn plan(admin: &Arc<Admin>, bundle: Vec<u8>) -> Result<Planned, Refusal> {
    let admin = Arc::clone(admin);
    let planning = tokio::task::spawn_blocking(move || {
        let snapshot = admin.owner.snapshot();
        let now = snapshot.now(&admin.clock.read());
        let standing = &snapshot.documents.standing;
        let plan = plan_import(standing, &bundle, Some(&admin.place.facts), now.instant)
            .map_err(|refused| refusal(refused.code(), &refused))?;
        let dated_by =
            plan.clock_reset.as_ref().map(|reset| reset.time).or(snapshot.documents.dated_by);
        let documents = Documents::new(plan.standing.clone(), &admin.place.facts, dated_by);
        Ok(Planned { base: Arc::clone(&snapshot.documents), plan, documents })
    });
    planning.await.unwrap_or_else(|_| Err(Code::ServerInternal.into()))
}

async fn apply(
    admin: &Admin,
    planned: Planned,
    bundle_sha256: Sha256Digest,
) -> Result<ImportAnswer, Refusal> {
    let Planned { base, plan, documents } = planned;
    let answer = answer(&plan, bundle_sha256, true);
    let import = ApplyImport {
        base,
        plan,
        documents: Arc::new(documents),
        bundle_sha256,
        device_key: admin.place.facts.device_key.clone(),
        tenant_id: admin.place.facts.tenants.first().copied(),
    };
    admin.owner.submit(import).await??;
    Ok(answer)
}

/// Leaves a trace of a refusal: a condition, and an event where there is a tenant to keep it for.
async fn note(admin: &Admin, outcome: &Result<ImportAnswer, Refusal>, sha256: Sha256Digest) {
    let refusal = match outcome {
        Ok(_) => return admin.health.clear(ConditionCode::BundleRejected),
        // A bundle brought twice is no news to anyone.
        Err(refusal) if refusal.code == Code::BundleSuperseded => return,
        Err(refusal) => refusal,
    };
    let detail = refusal.detail.clone().unwrap_or_default();
    tracing::warn!(code = %refusal.code, bundle.sha256 = %sha256, "a bundle was refused");
    admin.health.raise(ConditionCode::BundleRejected, format!("{}: {detail}", refusal.code));
    if let Some(&tenant_id) = admin.place.facts.tenants.first() {
        let payload = json!({"sha256": sha256, "code": refusal.code, "detail": detail});
        let append = AppendOwn { tenant_id, draft: Draft::new(OwnKind::BundleRefused, payload) };
        if admin.owner.submit(append).await.is_err() {
            tracing::warn!("the refusal could not be recorded");
        }
    }
}

fn answer(plan: &ImportPlan, bundle_sha256: Sha256Digest, applied: bool) -> ImportAnswer {
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
    ImportAnswer { applied, bundle_sha256, lines: lines.collect(), fallen: plan.fallen.clone() }
}

/// A refusal that tells the whole chain of reasons.
pub(super) fn refusal(code: Code, error: &(dyn Error + 'static)) -> Refusal {
    Refusal::new(code, crate::error_chain(error).to_string())
}
