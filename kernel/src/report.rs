//! Report: what an agent's heartbeat means, and what it is told.

mod alerts;
mod backfill;

use std::{collections::BTreeSet, sync::Arc};

use farhold_api::{Limits, Refusal};
use farhold_audit::{ChainPosition, Epoch};
use farhold_bundle::Positive;
use farhold_contract::{
    Code,
    call::heartbeat::{
        HeartbeatAnswer, HeartbeatReport, KernelStanding, KernelStatus, ReportedFingerprint,
        RuntimeStanding, TenantStanding,
    },
    id::{LicenseId, TenantId},
    version::ContractVersion,
};

use crate::{
    control_plane::ControlPlane,
    documents::Documents,
    incident,
    refusal::stored,
    storage::{AgentFacts, Origin, Reported, Runtime, Trail},
};

use alerts::Sight;

/// Notes a report, raises what it shows, and says what the Kernel takes away for now.
///
/// # Errors
/// `request.malformed` for an epoch or an instance that is none; what the storage says.
pub async fn answer(
    plane: &ControlPlane,
    agent: &Arc<AgentFacts>,
    report: HeartbeatReport,
) -> Result<HeartbeatAnswer, Refusal> {
    let epoch: Epoch = report.epoch.parse().map_err(|_| malformed("report.epoch", HEX_16))?;
    report.instance.parse::<Epoch>().map_err(|_| malformed("report.instance", HEX_16))?;

    let now = plane.now();
    let documents = plane.documents();
    let held = plane.storage.heads(agent.device_key.id()).await.map_err(stored)?;
    let stands = Reported::after(agent.reported.as_deref(), &report);
    let bundle_digest = documents.bundle_for(agent, Some(&stands), now).map(|b| b.digest);
    let reported = known(plane, agent, &documents, &report)?;
    let claimed = report.licenses.clone();
    let place_held = match incident::is_overtaken(&held, epoch, report.seq) {
        true => {
            let place = ChainPosition { seq: report.seq, head: report.head.into() };
            plane.storage.held(agent.device_key.id(), epoch, place).await.map_err(stored)?
        }
        false => false,
    };
    let held = Arc::new(held);
    let sight = Sight {
        agent: Arc::clone(agent),
        documents,
        held: Arc::clone(&held),
        place_held,
        epoch,
        report,
        at: now,
    };
    let noted = plane
        .storage
        .note_agent_heartbeat(agent.runtime_id, now, reported, claimed, move |noted| {
            Trail::alerts(sight.alerts(noted))
        })
        .await
        .map_err(stored)?;
    let runtimes = plane.storage.runtimes_of_agent(agent.runtime_id).await.map_err(stored)?;
    let own = agent.own_tenant();
    Ok(HeartbeatAnswer {
        standing: standing(plane, agent, own),
        tenants: agent
            .tenants
            .iter()
            .filter(|tenant_id| **tenant_id != own)
            .map(|&tenant_id| TenantStanding {
                tenant_id,
                standing: standing(plane, agent, tenant_id),
            })
            .filter(|tenant| !tenant.standing.is_active())
            .collect(),
        runtimes: runtimes.into_iter().filter_map(restrained).collect(),
        bundle_digest,
        server_time: now,
        poll_after: plane.config.poll_after_s,
        contract_versions: ContractVersion::ALL.to_vec(),
        backfill: backfill::runs(&held, epoch, noted.before.as_ref().map(|before| &before.report)),
    })
}

/// What an epoch, an instance is not.
const HEX_16: &str = "is not 16 bytes in lower-case hex";

/// Components of a machine that are kept: a server with every port counted has a few dozen.
const COMPONENTS_MAX: usize = 128;
/// Longest name of one (bundle.md §1.8.4).
const NAME_MAX_BYTES: usize = 128;

fn malformed(member: &str, why: &str) -> Refusal {
    Refusal::new(Code::RequestMalformed, format!("{member} {why}"))
}

/// Whether it has the measure of one (bundle.md §7.2); what it says is compared, not believed.
fn is_fingerprint(told: &ReportedFingerprint) -> bool {
    let fits = |(name, hash): (&String, &String)| name.len() <= NAME_MAX_BYTES && hash.len() == 16;
    told.salt.len() == 32
        && told.components.len() <= COMPONENTS_MAX
        && told.components.iter().all(fits)
        && told.remembered.keys().all(|name| told.components.contains_key(name))
}

/// What of a report is kept: what it says of licenses that its site can hold, and of runtimes that
/// are its own, each once. The rest is an agent's to make up, and would be rows for ever, or another
/// organization's license at one site more.
///
/// # Errors
/// `request.malformed` for a version that no runtime can have registered with, a serial that no
/// license has, a fingerprint that is none.
fn known(
    plane: &ControlPlane,
    agent: &AgentFacts,
    documents: &Documents,
    report: &HeartbeatReport,
) -> Result<HeartbeatReport, Refusal> {
    let most = Limits::STANDARD.text_bytes;
    if report.runtimes.iter().any(|runtime| runtime.version.len() > most) {
        let detail = format!("a runtime's version is longer than {most} bytes");
        return Err(Refusal::new(Code::RequestMalformed, detail));
    }
    if report.licenses.iter().any(|license| Positive::new(license.serial).is_none()) {
        return Err(malformed("report.licenses", "names a serial that is none"));
    }
    if report.fingerprint.as_ref().is_some_and(|told| !is_fingerprint(told)) {
        return Err(malformed("report.fingerprint", "is not what bundle.md §7.2 says"));
    }
    let standing = documents.standing.licenses().iter();
    let mut licenses: BTreeSet<LicenseId> = standing
        .filter(|license| agent.tenants.contains(&license.tenant.tenant_id))
        .map(|license| license.license_id)
        .collect();
    let directory = plane.storage.directory();
    let mut runtimes = BTreeSet::new();
    let is_own = |tenant_id, runtime_id| {
        let known = directory.runtime(tenant_id, runtime_id);
        known.is_some_and(|known| known.origin == Origin::Agent(agent.runtime_id))
    };
    let mut kept = report.clone();
    kept.licenses.retain(|license| licenses.remove(&license.license_id));
    kept.runtimes.retain(|runtime| {
        is_own(runtime.tenant_id, runtime.runtime_id) && runtimes.insert(runtime.runtime_id)
    });
    Ok(kept)
}

/// How a tenant stands at a site: what the Kernel took from the tenant and from the agent.
fn standing(plane: &ControlPlane, agent: &AgentFacts, tenant_id: TenantId) -> KernelStanding {
    match plane.storage.directory().tenant(tenant_id) {
        Some(tenant) => both(&tenant.standing, &agent.standing),
        // A tenant that is gone may do nothing.
        None => {
            KernelStanding { status: KernelStatus::Suspended, features_denied: BTreeSet::new() }
        }
    }
}

/// What is left when both take something away.
fn both(one: &KernelStanding, other: &KernelStanding) -> KernelStanding {
    let is = |status| one.status == status || other.status == status;
    if is(KernelStatus::Suspended) {
        return KernelStanding {
            status: KernelStatus::Suspended,
            features_denied: BTreeSet::new(),
        };
    }
    if !is(KernelStatus::Limited) {
        return KernelStanding::ACTIVE;
    }
    let features_denied = one.features_denied.union(&other.features_denied).cloned().collect();
    KernelStanding { status: KernelStatus::Limited, features_denied }
}

fn restrained(runtime: Runtime) -> Option<RuntimeStanding> {
    let facts = runtime.facts;
    (!facts.standing.is_active()).then(|| RuntimeStanding {
        tenant_id: facts.tenant_id,
        runtime_id: facts.runtime_id,
        standing: facts.standing.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(status: KernelStatus, features: &[&str]) -> KernelStanding {
        let features_denied = features.iter().map(|&feature| feature.to_owned()).collect();
        KernelStanding { status, features_denied }
    }

    #[test]
    fn the_stricter_of_two_standings_holds_and_denials_add_up() {
        let limited = standing(KernelStatus::Limited, &["a"]);
        let suspended = standing(KernelStatus::Suspended, &[]);
        assert_eq!(both(&KernelStanding::ACTIVE, &KernelStanding::ACTIVE), KernelStanding::ACTIVE);
        assert_eq!(both(&limited, &KernelStanding::ACTIVE), limited);
        assert_eq!(both(&KernelStanding::ACTIVE, &suspended), suspended);
        assert_eq!(both(&limited, &suspended), suspended);
        let other = standing(KernelStatus::Limited, &["b"]);
        assert_eq!(both(&limited, &other), standing(KernelStatus::Limited, &["a", "b"]));
    }
}
