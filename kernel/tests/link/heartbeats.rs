//! Heartbeats: what an agent's report raises, and what it is told.

use serde_json::json;

use farhold_bundle::Signer;
use farhold_contract::{
    AlertCode,
    call::heartbeat::{KernelStanding, KernelStatus},
};
use farhold_kernel::storage::no_trail;

use crate::{
    agent::Agent,
    ledger_book::{LedgerBook, named},
    vendor::{license_id, tenant_a, tenant_b},
    world::World,
};

fn standing(status: KernelStatus, features: &[&str]) -> KernelStanding {
    let features_denied = features.iter().map(|&feature| feature.to_owned()).collect();
    KernelStanding { status, features_denied }
}

#[tokio::test]
async fn an_agent_is_told_where_it_stands_and_what_was_taken_away() {
    let world = World::with("poll_after_s = 7\n", 0).await;
    let agent = Agent::enrolled(&world, &[tenant_a(), tenant_b()]).await;
    let (status, answer) = agent.heartbeat(&world, &json!({})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["status"], &answer["poll_after"], &answer["contract_versions"]),
        (&json!("active"), &json!(7), &json!(["v0.1", "v0.2"]))
    );
    assert!(answer["bundle_digest"].is_string() && answer["server_time"].is_string());
    assert!(answer.get("tenants").is_none() && answer.get("runtimes").is_none());

    let storage = &world.plane.storage;
    let limited = standing(KernelStatus::Limited, &["x"]);
    storage.set_tenant_standing(tenant_b(), limited, no_trail).await.unwrap();
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    assert_eq!(answer["status"], "active");
    assert_eq!(
        answer["tenants"],
        json!([{"tenant_id": tenant_b(), "status": "limited", "features_denied": ["x"]}])
    );

    // A suspended agent speaks for nobody, but hears it, and hears of the end of it.
    let suspended = standing(KernelStatus::Suspended, &[]);
    storage.set_agent_standing(agent.runtime_id, suspended, no_trail).await.unwrap();
    let (status, answer) = agent.heartbeat(&world, &json!({})).await;
    assert_eq!((status, &answer["status"]), (200, &json!("suspended")));
    assert_eq!(answer["tenants"][0]["status"], "suspended");
    storage.set_agent_standing(agent.runtime_id, KernelStanding::ACTIVE, no_trail).await.unwrap();
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    assert_eq!(answer["status"], "active");
    assert!(world.alerts().await.is_empty());
}

#[tokio::test]
async fn two_instances_in_turn_are_clones_and_a_restart_is_not() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let (one, other) = ("11".repeat(16), "22".repeat(16));
    agent.heartbeat(&world, &json!({"instance": one})).await;
    agent.heartbeat(&world, &json!({"instance": other})).await;
    agent.heartbeat(&world, &json!({"instance": other})).await;
    assert!(world.alerts().await.is_empty(), "it was started again");
    agent.heartbeat(&world, &json!({"instance": one})).await;
    agent.heartbeat(&world, &json!({"instance": other})).await;
    assert_eq!(world.alerts().await, [(AlertCode::AgentCloned, 2)]);
}

#[tokio::test]
async fn a_mark_far_behind_is_a_restored_state_and_one_a_minute_behind_is_not() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let now = world.plane.now();
    let minutes = |n: u64| now - std::time::Duration::from_secs(60 * n);
    agent.heartbeat(&world, &json!({"mark": now})).await;
    agent.heartbeat(&world, &json!({"mark": minutes(1)})).await;
    assert!(world.alerts().await.is_empty());
    agent.heartbeat(&world, &json!({"mark": minutes(30)})).await;
    assert_eq!(world.alerts().await, [(AlertCode::StateRolledBack, 1)]);
}

#[tokio::test]
async fn a_wild_mark_that_was_lowered_is_no_alert() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let now = world.plane.now();
    let next_year = now + std::time::Duration::from_hours(365 * 24);
    agent.heartbeat(&world, &json!({"mark": next_year})).await;
    agent.heartbeat(&world, &json!({"mark": now})).await;
    assert!(world.alerts().await.is_empty());
}

#[tokio::test]
async fn a_root_that_is_not_the_chains_is_foreign() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let own = json!({"root": {"version": 1, "sha256": world.vendor.root_sha256()}});
    agent.heartbeat(&world, &own).await;
    assert!(world.alerts().await.is_empty());
    let other = json!({"root": {"version": 1, "sha256": "ab".repeat(32)}});
    for _ in 0..3 {
        agent.heartbeat(&world, &other).await;
    }
    assert_eq!(world.alerts().await, [(AlertCode::TrustForeignRoot, 3)]);
}

#[tokio::test]
async fn a_license_at_more_sites_than_it_is_for_is_an_alert_and_never_a_cut() {
    let world = World::new().await;
    world.upload(&[world.vendor.license_line(tenant_a(), "suite", &json!({"sites": 2}))]).await;
    let documents = world.plane.documents();
    let license = &documents.standing.licenses()[0];
    let report = json!({"licenses": [{
        "license_id": license.license_id, "serial": 1, "sha256": license.sha256(),
    }]});
    for site in 1..=3 {
        let agent = Agent::enrolled(&world, &[tenant_a()]).await;
        let (status, answer) = agent.heartbeat(&world, &report).await;
        assert_eq!((status, &answer["status"]), (200, &json!("active")));
        let expected: &[_] = if site < 3 { &[] } else { &[(AlertCode::LicenseOverSites, 1)] };
        assert_eq!(world.alerts().await, expected, "{site}");
    }
}

#[tokio::test]
async fn a_license_that_was_moved_to_another_machine_is_at_one_site_unless_the_old_one_goes_on() {
    let world = World::new().await;
    let (old, new) = (
        Agent::enrolled(&world, &[tenant_a()]).await,
        Agent::enrolled(&world, &[tenant_a()]).await,
    );
    let bound = |serial: u64, agent: &Agent| {
        let binding = json!({"device_key": agent.device.public_key()});
        world.vendor.license_line(
            tenant_a(),
            "suite",
            &json!({"serial": serial, "binding": binding}),
        )
    };
    let holds = |serial: u64| {
        let documents = world.plane.documents();
        let mut licenses = documents.standing.licenses().iter();
        let license = licenses.find(|license| license.serial.as_u64() == serial).unwrap();
        json!({"licenses": [{
            "license_id": license.license_id, "serial": serial, "sha256": license.sha256(),
        }]})
    };
    let minute = std::time::Duration::from_secs(60);
    world.upload(&[bound(1, &old)]).await;
    old.heartbeat(&world, &holds(1)).await;
    world.pass(minute);
    world.upload(&[bound(2, &new)]).await;
    new.heartbeat(&world, &holds(2)).await;
    assert!(world.alerts().await.is_empty(), "rehosted");
    world.pass(minute);
    old.heartbeat(&world, &holds(1)).await;
    assert_eq!(world.alerts().await, [(AlertCode::LicenseOverSites, 1)], "still at both");
}

#[tokio::test]
async fn a_license_that_is_not_in_the_ledger_is_told_once_and_settled_by_an_upload() {
    let world = World::new().await;
    let (one, two) = (
        Agent::enrolled(&world, &[tenant_a()]).await,
        Agent::enrolled(&world, &[tenant_a()]).await,
    );
    let mut ledger = LedgerBook::begin();
    let known = world.vendor.license_line(tenant_a(), "suite", &json!({}));
    let in_haste = world.vendor.license_line(tenant_a(), "haste", &json!({}));
    let stolen = world.vendor.license_line(tenant_a(), "stolen", &json!({}));
    let report = json!({"licenses": [named(&known), named(&in_haste), named(&stolen)]});
    one.heartbeat(&world, &report).await;
    assert!(world.alerts().await.is_empty(), "no ledger was ever uploaded");

    ledger.issued(&known);
    world.extend_ledger(&ledger, false).await;
    one.heartbeat(&world, &report).await;
    assert!(world.alerts().await.is_empty(), "the rest of it may be on its way");
    world.extend_ledger(&ledger, true).await;
    one.heartbeat(&world, &report).await;
    two.heartbeat(&world, &report).await;
    let code = AlertCode::LicenseNotInLedger;
    assert_eq!(world.alerts().await, [(code, 2), (code, 2)], "one a license, whoever reports it");

    ledger.issued(&in_haste);
    world.extend_ledger(&ledger, true).await;
    assert_eq!(world.alerts().await, [(code, 2)], "the one that was entered is settled");
    one.heartbeat(&world, &report).await;
    assert_eq!(world.alerts().await, [(code, 3)]);
}

#[tokio::test]
async fn a_site_that_names_many_licenses_is_one_alert() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    world.extend_ledger(&LedgerBook::begin(), true).await;
    let license = || {
        let id = farhold_kernel::random::id_v7(world.plane.now());
        json!({"license_id": id, "serial": 1, "sha256": hex::encode(farhold_kernel::random::bytes::<32>())})
    };
    for _ in 0..3 {
        let many: Vec<_> = (0..2_000).map(|_| license()).collect();
        agent.heartbeat(&world, &json!({"licenses": many})).await;
    }
    assert_eq!(world.alerts().await, [(AlertCode::LicenseNotInLedger, 3)]);
    let (status, _) = agent.heartbeat(&world, &json!({"licenses": [
        {"license_id": license_id(tenant_a(), "x"), "serial": u64::MAX, "sha256": "00".repeat(32)},
    ]})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn records_that_were_there_a_heartbeat_ago_and_never_came_are_asked_for() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 4);
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    assert!(answer.get("backfill").is_none(), "they are on their way: {answer}");
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    let epoch = agent.chain.opening.epoch;
    assert_eq!(answer["backfill"], json!([{"epoch": epoch, "from": 1, "to": 4}]));
    assert_eq!(agent.push(&world, agent.batch(0)).await.status(), 200);
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    assert!(answer.get("backfill").is_none(), "{answer}");
}

#[tokio::test]
async fn a_report_that_is_none_is_malformed() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    for more in [json!({"epoch": "x"}), json!({"instance": "no hex"})] {
        let (status, problem) = agent.heartbeat(&world, &more).await;
        assert_eq!((status, &problem["code"]), (400, &json!("request.malformed")), "{problem}");
    }
}
