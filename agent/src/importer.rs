//! Importer: the one path of every bundle, however it came: verify all, preview, one transaction.

mod bundle;
mod concern;

use std::{error::Error, sync::Arc};

use serde_json::json;
use tokio::sync::{Mutex, watch};

use farhold_api::Refusal;
use farhold_audit::OwnKind;
use farhold_bundle::{
    ImportPlan, LineOutcome, SetAside, SiteFacts, Standing, TrustRoot, plan_import,
};
use farhold_contract::{Code, Sha256Digest};
use farhold_policy::Now;

use crate::{
    clock::Clock,
    health::{Health, why_refused},
    own_event::Draft,
    owner::{AppendOwn, Applied, ApplyImport, InstallTrust, Owner},
    site::Place,
    snapshot::{Documents, Registry},
};

use bundle::Bundle;
use concern::concerns;

pub use crate::refusals::Way;

/// How often a bundle is planned again because the machine or a request changed what stands.
const PLANS_MAX: usize = 3;

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
    /// Counts what came into force.
    pub imported: watch::Sender<u64>,
}

/// A bundle, or one document in typed form, as somebody offers it.
pub struct Offer {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The hash of the only bundle that is wanted, if there is one.
    pub expected: Option<Sha256Digest>,
    /// How it came.
    pub way: Way,
}

/// What an import did, or would do.
pub struct Imported {
    /// What each line is, and what falls.
    pub plan: ImportPlan,
    /// SHA-256 of the bundle's bytes; of a typed form, of the line it stands for.
    pub bundle_sha256: Sha256Digest,
    /// What stood.
    pub before: Stand,
    /// What stands now, or would stand.
    pub after: Stand,
    /// Who was registered.
    pub registry: Arc<Registry>,
}

/// What stands, and the time by which it is judged.
#[derive(Clone)]
pub struct Stand {
    /// The documents.
    pub documents: Arc<Documents>,
    /// The time.
    pub now: Now,
}

/// What an import would make of what stood when it was planned.
struct Planned {
    facts: Arc<SiteFacts>,
    imported: Imported,
}

impl Offer {
    /// Whatever bundle came that way.
    pub const fn by(way: Way, bytes: Vec<u8>) -> Self {
        Self { bytes, expected: None, way }
    }
}

/// Bytes alone, as the Kernel's are.
impl From<Vec<u8>> for Offer {
    fn from(bytes: Vec<u8>) -> Self {
        Self::by(Way::Kernel, bytes)
    }
}

impl Importer {
    /// Says what an import would do; changes nothing and leaves no trace.
    ///
    /// # Errors
    /// The code of whatever would refuse the bundle.
    pub async fn preview(self: &Arc<Self>, offer: impl Into<Offer>) -> Result<Imported, Refusal> {
        let Offer { bytes, expected, .. } = offer.into();
        let bundle = Bundle::of(bytes).map_err(|(refusal, _)| refusal)?;
        let _one_at_a_time = self.turn.lock().await;
        bundle.require(expected)?;
        Ok(self.plan(bundle).await?.imported)
    }

    /// Imports a bundle, all of it or nothing. A refusal leaves a trace of itself.
    ///
    /// # Errors
    /// The code of whatever refuses the bundle; `bundle.superseded` if nothing in it is new,
    /// `bundle.unexpected` if it is not the one that is wanted.
    pub async fn import(self: &Arc<Self>, offer: impl Into<Offer>) -> Result<Imported, Refusal> {
        let Offer { bytes, expected, way } = offer.into();
        let _one_at_a_time = self.turn.lock().await;
        let (outcome, bundle) = match Bundle::of(bytes) {
            Ok(bundle) => match bundle.require(expected) {
                Ok(()) => (self.take(bundle.clone()).await, bundle),
                Err(refusal) => (Err(refusal), bundle),
            },
            Err((refusal, bundle)) => (Err(refusal), bundle),
        };
        self.note(&outcome, &bundle, way).await;
        if outcome.is_ok() {
            self.imported.send_modify(|count| *count += 1);
        }
        outcome
    }

    /// Installs the first trust root; `false` if it is the one installed already.
    ///
    /// # Errors
    /// `trust.conflict` if another one is.
    pub async fn install(&self, root: TrustRoot) -> Result<bool, Refusal> {
        let _one_at_a_time = self.turn.lock().await;
        let standing = Standing::with_trust(root.clone());
        let facts = Arc::clone(&self.owner.snapshot().facts);
        let documents = Arc::new(Documents::new(standing, &facts, SetAside::new()));
        let tenant_id = self.place.own_tenant();
        self.owner.submit(InstallTrust { root, documents, tenant_id }).await?
    }

    async fn take(self: &Arc<Self>, bundle: Bundle) -> Result<Imported, Refusal> {
        for _ in 0..PLANS_MAX {
            let Planned { facts, imported } = self.plan(bundle.clone()).await?;
            let import = ApplyImport {
                base: Arc::clone(&imported.before.documents),
                facts,
                plan: imported.plan.clone(),
                documents: Arc::clone(&imported.after.documents),
                bundle_sha256: imported.bundle_sha256,
                device_key: self.place.facts.device_key.clone(),
                tenant_id: self.place.own_tenant(),
            };
            match self.owner.submit(import).await?? {
                Applied::Done => return Ok(imported),
                Applied::Outdated => {}
            }
        }
        let detail = "the site changed again and again while the bundle was judged; repeat";
        Err(Refusal::new(Code::ServerOverloaded, detail))
    }

    /// Verifies everything before anything is written, off the event loop.
    async fn plan(self: &Arc<Self>, bundle: Bundle) -> Result<Planned, Refusal> {
        let importer = Arc::clone(self);
        let planning = tokio::task::spawn_blocking(move || {
            let snapshot = importer.owner.snapshot();
            let reading = importer.clock.read();
            let now = snapshot.now(&reading);
            let facts = Arc::clone(&snapshot.facts);
            let standing = &snapshot.documents.standing;
            let plan = plan_import(standing, &bundle.lines, Some(&facts), now.instant)
                .map_err(|refused| refusal(refused.code(), &refused))?;

            let mut clock = snapshot.clock.clone();
            let reset = plan.clock_reset.as_ref().map(|reset| reset.time);
            if let Some(time) = reset {
                clock.reset_to(time, &reading);
            }
            let set_aside = match reset {
                Some(time) => plan.standing.dated_after(time),
                None => plan.standing.still_set_aside(&snapshot.documents.set_aside),
            };
            let documents = Documents::new(plan.standing.clone(), &facts, set_aside);
            let after =
                Stand { now: clock.now(&reading, documents.floor), documents: Arc::new(documents) };
            let imported = Imported {
                plan,
                bundle_sha256: bundle.sha256,
                before: Stand { documents: Arc::clone(&snapshot.documents), now },
                after,
                registry: Arc::clone(&snapshot.registry),
            };
            Ok(Planned { facts, imported })
        });
        planning.await.unwrap_or_else(|_| Err(Code::ServerInternal.into()))
    }

    /// Leaves a trace of a refusal: an event where there is a tenant to keep it for, and the
    /// condition where what was refused may be meant for this site.
    async fn note(&self, outcome: &Result<Imported, Refusal>, bundle: &Bundle, way: Way) {
        let refusals = &self.health.refusals;
        let refusal = match outcome {
            Ok(_) => return refusals.imported(way),
            // A bundle brought twice is no news to anyone, and what it brings is in force.
            Err(refusal) if refusal.code == Code::BundleSuperseded => {
                return refusals.nothing_new(way);
            }
            Err(refusal) => refusal,
        };
        let sha256 = bundle.sha256;
        let detail = refusal.detail.clone().unwrap_or_default();
        tracing::warn!(code = %refusal.code, bundle.sha256 = %sha256, "a bundle was refused");
        // A bundle that nobody asked for says nothing about the one that was. The disk and the
        // database are not the bundle's fault.
        let is_its_own = refusal.code != Code::BundleUnexpected && refusal.code.status() < 500;
        if is_its_own && self.matters(bundle, way).await {
            refusals.refused(way, why_refused(refusal.code, &detail));
        }
        if let Some(tenant_id) = self.place.own_tenant() {
            let payload = json!({"sha256": sha256, "code": refusal.code, "detail": detail});
            let draft = Draft::new(OwnKind::BundleRefused, payload);
            if self.owner.submit(AppendOwn { tenant_id, draft }).await.is_err() {
                tracing::warn!("the refusal could not be recorded");
            }
        }
    }

    /// Whether a refused bundle is to be told as a condition. Whatever the Kernel sends is; a file
    /// is, if the vendor may have made it: anybody may drop any file.
    async fn matters(&self, bundle: &Bundle, way: Way) -> bool {
        if way == Way::Kernel {
            return true;
        }
        let issuer = {
            let snapshot = self.owner.snapshot();
            snapshot.documents.standing.root().map(|root| root.root().issuer.id)
        };
        let lines = Arc::clone(&bundle.lines);
        // Megabytes of anything are read off the event loop.
        let reading = tokio::task::spawn_blocking(move || concerns(&lines, issuer));
        reading.await.unwrap_or(true)
    }
}

/// What a line brings, in a word.
pub const fn word(outcome: LineOutcome) -> &'static str {
    match outcome {
        LineOutcome::New => "new",
        LineOutcome::Known => "known",
        LineOutcome::Superseded => "superseded",
    }
}

/// A refusal that tells the whole chain of reasons.
pub fn refusal(code: Code, error: &(dyn Error + 'static)) -> Refusal {
    Refusal::new(code, crate::error_chain(error).to_string())
}
