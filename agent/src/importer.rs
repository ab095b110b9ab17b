//! Importer: the one path of every bundle, however it came: verify all, preview, one transaction.

use std::{error::Error, sync::Arc};

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use farhold_api::Refusal;
use farhold_audit::OwnKind;
use farhold_bundle::{ImportPlan, Standing, TrustRoot, plan_import};
use farhold_contract::{Code, Sha256Digest, condition::ConditionCode};

use crate::{
    clock::Clock,
    health::Health,
    own_event::Draft,
    owner::{AppendOwn, ApplyImport, InstallTrust, Owner},
    site::Place,
    snapshot::Documents,
};

/// Imports bundles, one at a time: each is planned against what the one before left.
pub struct Importer {
    /// The one who changes state.
    pub owner: Owner,
    /// What never changes.
    pub place: Arc<Place>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where a refusal is noted.
    pub health: Arc<Health>,
    /// One at a time.
    pub turn: Mutex<()>,
}

/// What an import did, or would do.
pub struct Imported {
    /// What each line is, and what falls.
    pub plan: ImportPlan,
    /// SHA-256 of the bundle's bytes.
    pub bundle_sha256: Sha256Digest,
}

/// What an import would make of what stood when it was planned.
struct Planned {
    base: Arc<Documents>,
    plan: ImportPlan,
    documents: Documents,
}

impl Importer {
    /// Says what an import would do; changes nothing and leaves no trace.
    ///
    /// # Errors
    /// The code of whatever would refuse the bundle.
    pub async fn preview(self: &Arc<Self>, bundle: Vec<u8>) -> Result<Imported, Refusal> {
        let bundle_sha256 = Sha256Digest::new(Sha256::digest(&bundle).into());
        let _one_at_a_time = self.turn.lock().await;
        let Planned { plan, .. } = self.plan(bundle).await?;
        Ok(Imported { plan, bundle_sha256 })
    }

    /// Imports a bundle, all of it or nothing. A refusal leaves a trace of itself.
    ///
    /// # Errors
    /// The code of whatever refuses the bundle; `bundle.superseded` if nothing in it is new.
    pub async fn import(self: &Arc<Self>, bundle: Vec<u8>) -> Result<Imported, Refusal> {
        let bundle_sha256 = Sha256Digest::new(Sha256::digest(&bundle).into());
        let _one_at_a_time = self.turn.lock().await;
        let outcome = match self.plan(bundle).await {
            Ok(planned) => self.apply(planned, bundle_sha256).await,
            Err(refusal) => Err(refusal),
        };
        self.note(&outcome, bundle_sha256).await;
        outcome
    }

    /// Installs the first trust root; `false` if it is the one installed already.
    ///
    /// # Errors
    /// `trust.conflict` if another one is.
    pub async fn install(&self, root: TrustRoot) -> Result<bool, Refusal> {
        let _one_at_a_time = self.turn.lock().await;
        let standing = Standing::with_trust(root.clone());
        let documents = Arc::new(Documents::new(standing, &self.place.facts, None));
        let tenant_id = self.place.own_tenant();
        self.owner.submit(InstallTrust { root, documents, tenant_id }).await?
    }

    /// Verifies everything before anything is written, off the event loop.
    async fn plan(self: &Arc<Self>, bundle: Vec<u8>) -> Result<Planned, Refusal> {
        let importer = Arc::clone(self);
        let planning = tokio::task::spawn_blocking(move || {
            let snapshot = importer.owner.snapshot();
            let now = snapshot.now(&importer.clock.read());
            let standing = &snapshot.documents.standing;
            let facts = &importer.place.facts;
            let plan = plan_import(standing, &bundle, Some(facts), now.instant)
                .map_err(|refused| refusal(refused.code(), &refused))?;
            let dated_by =
                plan.clock_reset.as_ref().map(|reset| reset.time).or(snapshot.documents.dated_by);
            let documents = Documents::new(plan.standing.clone(), facts, dated_by);
            Ok(Planned { base: Arc::clone(&snapshot.documents), plan, documents })
        });
        planning.await.unwrap_or_else(|_| Err(Code::ServerInternal.into()))
    }

    async fn apply(
        &self,
        planned: Planned,
        bundle_sha256: Sha256Digest,
    ) -> Result<Imported, Refusal> {
        let Planned { base, plan, documents } = planned;
        let import = ApplyImport {
            base,
            plan: plan.clone(),
            documents: Arc::new(documents),
            bundle_sha256,
            device_key: self.place.facts.device_key.clone(),
            tenant_id: self.place.own_tenant(),
        };
        self.owner.submit(import).await??;
        Ok(Imported { plan, bundle_sha256 })
    }

    /// Leaves a trace of a refusal: a condition, and an event where there is a tenant to keep it
    /// for.
    async fn note(&self, outcome: &Result<Imported, Refusal>, sha256: Sha256Digest) {
        let refusal = match outcome {
            Ok(_) => return self.health.clear(ConditionCode::BundleRejected),
            // A bundle brought twice is no news to anyone.
            Err(refusal) if refusal.code == Code::BundleSuperseded => return,
            Err(refusal) => refusal,
        };
        let detail = refusal.detail.clone().unwrap_or_default();
        tracing::warn!(code = %refusal.code, bundle.sha256 = %sha256, "a bundle was refused");
        self.health.raise(ConditionCode::BundleRejected, format!("{}: {detail}", refusal.code));
        if let Some(tenant_id) = self.place.own_tenant() {
            let payload = json!({"sha256": sha256, "code": refusal.code, "detail": detail});
            let draft = Draft::new(OwnKind::BundleRefused, payload);
            if self.owner.submit(AppendOwn { tenant_id, draft }).await.is_err() {
                tracing::warn!("the refusal could not be recorded");
            }
        }
    }
}

/// A refusal that tells the whole chain of reasons.
pub fn refusal(code: Code, error: &(dyn Error + 'static)) -> Refusal {
    Refusal::new(code, crate::error_chain(error).to_string())
}
