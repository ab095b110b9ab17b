//! Agents: their certificates, standings and reports.

use farhold_bundle::KeyId;
use farhold_contract::{
    Sha256Digest, Timestamp,
    call::heartbeat::{Health, HeartbeatReport, ReportedLicense, ReportedRuntime},
    id::LicenseId,
};
use farhold_kernel::storage::{
    Agent, HeartbeatNoted, IssuedCertificate, LicenseSites, Runtime, RuntimeHeartbeat, no_trail,
};

use crate::world::{NOW, World, digest, is_unknown, later, runtime_id, suspended, told, uuid};

fn report(instance: &str) -> HeartbeatReport {
    HeartbeatReport {
        instance: instance.to_owned(),
        root: None,
        revocations: 3,
        licenses: Vec::new(),
        bundle_digest: Some(digest()),
        runtimes: Vec::new(),
        epoch: "07".repeat(16),
        seq: 41,
        head: digest(),
        mark: later(1),
        wall: later(2),
        fingerprint: None,
    }
}

fn reported(runtime: &Runtime, heard_at: Timestamp) -> ReportedRuntime {
    ReportedRuntime {
        tenant_id: runtime.facts.tenant_id,
        runtime_id: runtime.facts.runtime_id,
        kind: runtime.facts.kind,
        version: "9.9.9".to_owned(),
        health: Some(Health::Degraded),
        heard_at: Some(heard_at),
    }
}

async fn beat(world: &World, agent: &Agent, at: u64, report: HeartbeatReport) -> HeartbeatNoted {
    let id = agent.facts.runtime_id;
    world.storage.note_agent_heartbeat(id, later(at), report, vec![], no_trail).await.unwrap()
}

#[tokio::test]
async fn an_agent_may_come_with_its_present_certificate_and_the_one_before() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let id = world.agent(&[tenant_id]).await.facts.runtime_id;
    let issued: Vec<_> = (0..3)
        .map(|day| IssuedCertificate { fingerprint: digest(), not_after: later(day * 86_400) })
        .collect();
    for certificate in &issued {
        world.storage.note_certificate(id, *certificate, no_trail).await.unwrap();
    }
    // Noted twice, it does not push the one before out.
    world.storage.note_certificate(id, issued[2], told(tenant_id)).await.unwrap();
    assert_eq!(world.events(tenant_id).await, 1);
    let world = world.reopened();
    let facts = world.storage.directory().agent(id).unwrap();
    assert_eq!(facts.certificates, issued[1..]);
    let comes_with =
        |issued: &IssuedCertificate| facts.has_certificate(&issued.fingerprint, later(0));
    assert_eq!(issued.iter().map(comes_with).collect::<Vec<_>>(), [false, true, true]);
    assert!(!facts.has_certificate(&issued[1].fingerprint, later(86_401)), "it has ended");
    let unknown = world.storage.note_certificate(runtime_id(), issued[0], no_trail).await;
    assert!(is_unknown(&unknown), "{unknown:?}");
}

#[tokio::test]
async fn agents_are_listed_by_site_and_only_to_tenants_of_it() {
    let world = World::new();
    let (one, two, three) = (world.tenant().await, world.tenant().await, world.tenant().await);
    let first = world.agent(&[one, two]).await;
    let second = world.agent(&[two]).await;
    let of = |tenant| world.storage.agents_of(tenant, None, 10);
    assert_eq!(of(one).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(of(two).await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(of(three).await.unwrap(), []);
    assert_eq!(world.storage.agents(None, 1).await.unwrap(), std::slice::from_ref(&first));
    let after = Some(first.facts.runtime_id);
    assert_eq!(world.storage.agents(after, 10).await.unwrap(), std::slice::from_ref(&second));
    assert_eq!(world.storage.agents_of(two, after, 10).await.unwrap(), [second]);
    assert_eq!(world.storage.agent_by_device_key(KeyId::of(&[1; 32])).await.unwrap(), None);
}

#[tokio::test]
async fn an_agents_standing_survives_a_restart_and_its_own_reports() {
    let world = World::new();
    let agent = world.agent(&[world.tenant().await]).await;
    let id = agent.facts.runtime_id;
    let held = world.storage.set_agent_standing(id, suspended(), no_trail).await.unwrap();
    assert_eq!(held.facts.standing, suspended());
    beat(&world, &agent, 1, report("a")).await;
    let world = world.reopened();
    assert_eq!(world.storage.directory().agent(id).unwrap().standing, suspended());
    let unknown = world.storage.set_agent_standing(runtime_id(), suspended(), no_trail).await;
    assert!(is_unknown(&unknown), "{unknown:?}");
}

#[tokio::test]
async fn a_report_is_kept_and_the_next_one_is_told_what_came_before() {
    let world = World::new();
    let agent = world.agent(&[world.tenant().await]).await;
    let (first, second) = (report("a"), report("a"));
    let noted = beat(&world, &agent, 10, first.clone()).await;
    let nothing = HeartbeatNoted {
        before: None,
        returned: false,
        sites: Vec::new(),
        not_in_ledger: Vec::new(),
    };
    assert_eq!(noted, nothing);
    let noted = beat(&world, &agent, 20, second.clone()).await;
    let before = noted.before.unwrap();
    assert_eq!((before.at, before.report), (later(10), first));
    let world = world.reopened();
    let kept = world.storage.agent(agent.facts.runtime_id).await.unwrap().unwrap();
    let heartbeat = kept.heartbeat.unwrap();
    assert_eq!((heartbeat.at, heartbeat.report), (later(20), second));
    let [instance] = heartbeat.instances.try_into().unwrap();
    assert_eq!((instance.first_at, instance.last_at), (later(10), later(20)));
    let unknown =
        world.storage.note_agent_heartbeat(runtime_id(), NOW, report("a"), vec![], no_trail);
    assert!(is_unknown(&unknown.await));
}

#[tokio::test]
async fn restarts_are_no_clones_and_two_that_take_turns_are() {
    let world = World::new();
    let agent = world.agent(&[world.tenant().await]).await;
    let mut returned = Vec::new();
    for (at, instance) in (1..).zip(["a", "a", "b", "b", "c", "a", "c", "c"]) {
        returned.push(beat(&world, &agent, at, report(instance)).await.returned);
    }
    assert_eq!(returned, [false, false, false, false, false, true, true, false]);

    // Only the last four runs are remembered; the newest is last.
    for (at, instance) in (20..).zip(["d", "e", "f"]) {
        assert!(!beat(&world, &agent, at, report(instance)).await.returned);
    }
    let kept = world.storage.agent(agent.facts.runtime_id).await.unwrap().unwrap();
    let instances = kept.heartbeat.unwrap().instances;
    let runs: Vec<_> = instances.iter().map(|seen| seen.instance.as_str()).collect();
    assert_eq!(runs, ["c", "d", "e", "f"]);
}

#[tokio::test]
async fn a_report_speaks_for_the_agents_own_runtimes_and_for_no_others() {
    let world = World::new();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let agent = world.agent(&[one, two]).await;
    let other_agent = world.agent(&[one]).await;
    let own = world.runtime_of(&agent, two).await;
    let others = [world.runtime_of(&other_agent, one).await, world.runtime(one).await];
    let mut full = report("a");
    full.runtimes =
        [&own, &others[0], &others[1]].map(|runtime| reported(runtime, later(5))).into();
    // The right id at the wrong tenant is somebody else, too.
    full.runtimes.push(ReportedRuntime { tenant_id: one, ..reported(&own, later(6)) });
    beat(&world, &agent, 10, full).await;

    let found = world.storage.runtime(two, own.facts.runtime_id).await.unwrap().unwrap();
    assert_eq!(found.facts.version, "9.9.9");
    let directory = world.storage.directory();
    assert_eq!(*directory.runtime(two, own.facts.runtime_id).unwrap(), found.facts);
    let heartbeat = found.heartbeat.unwrap();
    assert_eq!((heartbeat.at, heartbeat.health), (later(5), Health::Degraded));
    for other in others {
        let found = world.storage.runtime(one, other.facts.runtime_id).await.unwrap();
        assert_eq!(found, Some(other));
    }
    let kept = world.storage.agent(agent.facts.runtime_id).await.unwrap().unwrap();
    assert_eq!(kept.heartbeat.unwrap().report.runtimes, []);
}

#[tokio::test]
async fn what_a_report_heard_counts_no_later_than_now_and_never_replaces_what_is_newer() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let agent = world.agent(&[tenant_id]).await;
    let runtime = world.runtime_of(&agent, tenant_id).await;
    let id = runtime.facts.runtime_id;
    let heard = async || {
        let found = world.storage.runtime(tenant_id, id).await.unwrap().unwrap();
        found.heartbeat.map(|RuntimeHeartbeat { at, health, .. }| (at, health))
    };
    let mut ahead = report("a");
    ahead.runtimes = vec![reported(&runtime, later(1_000_000))];
    beat(&world, &agent, 10, ahead).await;
    assert_eq!(heard().await, Some((later(10), Health::Degraded)));

    let metrics = Default::default();
    let own = RuntimeHeartbeat { at: later(30), health: Health::Healthy, metrics };
    world.storage.note_runtime_heartbeat(tenant_id, id, own, no_trail).await.unwrap();
    let mut late = report("a");
    late.runtimes = vec![reported(&runtime, later(20))];
    beat(&world, &agent, 40, late).await;
    assert_eq!(heard().await, Some((later(30), Health::Healthy)));
}

#[tokio::test]
async fn a_report_counts_the_sites_of_its_licenses() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let agents = [world.agent(&[tenant_id]).await, world.agent(&[tenant_id]).await];
    let license_id = LicenseId::from_uuid(uuid()).unwrap();
    let holds = || HeartbeatReport {
        licenses: vec![ReportedLicense {
            license_id,
            serial: 1,
            sha256: Sha256Digest::new([1; 32]),
        }],
        ..report("a")
    };
    let mut devices = Vec::new();
    for (at, agent) in [(1, &agents[0]), (2, &agents[0]), (3, &agents[1])] {
        devices.extend(beat(&world, agent, at, holds()).await.sites);
    }
    let counted = |devices| LicenseSites { license_id, devices, at_once: devices };
    assert_eq!(devices, [counted(1), counted(1), counted(2)]);
}
