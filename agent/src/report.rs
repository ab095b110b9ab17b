//! Where the agent stands: as its checkpoints say it, and as its heartbeats do.

use std::collections::{BTreeMap, BTreeSet};

use farhold_audit::AgentStanding;
use farhold_bundle::{
    Positive, Whole,
    payload::{LicenseRef, RootRef},
};
use farhold_contract::{
    Sha256Digest,
    call::heartbeat::{HeartbeatReport, ReportedLicense, ReportedRoot, ReportedRuntime},
    id::LicenseId,
};
use farhold_policy::Now;

use crate::{
    heartbeats::Heartbeats,
    site::Place,
    snapshot::{Documents, Snapshot},
};

/// Where the agent stands, for a checkpoint.
pub(crate) fn standing(
    place: &Place,
    snapshot: &Snapshot,
    now: &Now,
    lost: BTreeMap<String, u64>,
) -> AgentStanding {
    let documents = &snapshot.documents.standing;
    let whole = |number| Whole::new(number).unwrap_or(Whole::MAX);
    AgentStanding {
        runtime_id: place.runtime_id(),
        lost: lost.into_iter().map(|(reason, events)| (reason, whole(events))).collect(),
        wall: now.wall,
        mark: now.mark,
        instance: place.instance,
        root: documents
            .root()
            .map(|root| RootRef { version: root.root().version, sha256: root.root().sha256() }),
        revocations: whole(generation(snapshot)),
        licenses: in_force(&snapshot.documents, now)
            .into_iter()
            .map(|(license_id, serial, sha256)| LicenseRef { license_id, serial, sha256 })
            .collect(),
    }
}

/// Where the agent stands, for a heartbeat (contract v0.2 §7).
pub(crate) fn report(
    place: &Place,
    snapshot: &Snapshot,
    now: &Now,
    heartbeats: &Heartbeats,
    bundle_digest: Option<Sha256Digest>,
) -> HeartbeatReport {
    let root = snapshot.documents.standing.root();
    let runtimes = snapshot.registry.runtimes().map(|(row, facts)| {
        let heard = heartbeats.last(row.runtime_id);
        ReportedRuntime {
            tenant_id: row.tenant_id,
            runtime_id: row.runtime_id,
            kind: facts.runtime_type,
            version: row.version.clone(),
            health: heard.map(|(health, _)| health),
            heard_at: heard.map(|(_, at)| at),
        }
    });
    HeartbeatReport {
        instance: hex::encode(place.instance),
        root: root
            .map(|root| ReportedRoot { version: root.version(), sha256: root.root().sha256() }),
        revocations: generation(snapshot),
        licenses: in_force(&snapshot.documents, now)
            .into_iter()
            .map(|(license_id, serial, sha256)| ReportedLicense {
                license_id,
                serial: serial.as_u64(),
                sha256,
            })
            .collect(),
        bundle_digest,
        runtimes: runtimes.collect(),
        epoch: place.opening.epoch.to_string(),
        seq: snapshot.chain.seq,
        head: snapshot.chain.head.into(),
        mark: now.mark,
        wall: now.wall,
        fingerprint: Some(snapshot.machine.reported()),
    }
}

fn generation(snapshot: &Snapshot) -> u64 {
    let revocations = snapshot.documents.standing.revocations();
    revocations.map_or(0, |revocations| revocations.generation.as_u64())
}

/// Each license in force, once; of two that share number and serial in different lines, as a stolen
/// key could sign them, both.
pub(crate) fn in_force(
    documents: &Documents,
    now: &Now,
) -> BTreeSet<(LicenseId, Positive, Sha256Digest)> {
    let lines = documents.policy.lines(now);
    lines
        .into_iter()
        .flat_map(|line| line.licenses)
        .filter(|license| license.in_force)
        .map(|license| (license.license_id, license.serial, license.sha256))
        .collect()
}
