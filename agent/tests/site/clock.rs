//! What the agent makes of its clocks: each change is told once, and what stands is said.

use std::{sync::Arc, time::Duration};

use farhold_agent::owner::{HeedAnswer, tick};
use farhold_contract::{
    Timestamp,
    call::heartbeat::{HeartbeatAnswer, KernelStanding},
    version::ContractVersion,
};
use serde_json::json;

use crate::stage::{Ground, NOON, Stage, Vendor, at, tenant};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// What the agent's tick does: a group that observes the clock.
async fn looks(stage: &Stage) {
    tick(&stage.owner, &Arc::default(), Vec::new(), false).await.unwrap();
}

async fn hears_kernel(stage: &Stage, server_time: Timestamp) {
    let answer = HeartbeatAnswer {
        standing: KernelStanding::ACTIVE,
        tenants: Vec::new(),
        runtimes: Vec::new(),
        bundle_digest: None,
        server_time,
        poll_after: 60,
        contract_versions: ContractVersion::ALL.to_vec(),
        backfill: Vec::new(),
    };
    stage.owner.submit(HeedAnswer { answer, tenants: vec![tenant()] }).await.unwrap();
}

#[tokio::test]
async fn a_step_is_told_once_and_the_skew_for_as_long_as_it_stands() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    assert_eq!(stage.condition("clock_skew").await, None);
    ground.clock.set(at(NOON) - HOUR * 3);
    for _ in 0..3 {
        looks(&stage).await;
        ground.clock.run(MINUTE);
    }
    let told = stage.events("agent.clock.step").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["payload"]["by_ms"], -3 * 3_600_000);
    assert!(stage.condition("clock_skew").await.is_some());
    assert_eq!(stage.condition("clock_rollback").await, None);
    let clock = stage.get("/statusz").await["clock"].clone();
    assert_eq!((&clock["rolled_back"], &clock["on_probation"]), (&json!(false), &json!(false)));
    assert_eq!(clock["now"], clock["mark"]);
    ground.clock.run(Duration::ZERO);
    ground.clock.set(ground.clock.wall() + HOUR * 3);
    looks(&stage).await;
    assert_eq!(stage.condition("clock_skew").await, None, "it is right again");
    assert_eq!(stage.events("agent.clock.step").await.len(), 2);
}

#[tokio::test]
async fn a_rollback_is_told_once_across_a_restart_and_denies_nothing() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    stage.imports(&vendor.license(json!({}))).await;
    ground.clock.set(at(NOON) - HOUR * 48);
    looks(&stage).await;
    looks(&stage).await;
    stage.stop();
    ground.clock.run(MINUTE);
    let stage = ground.start();
    looks(&stage).await;
    let told = stage.events("agent.clock.rollback").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["payload"]["behind_seconds"], 48 * 3600);
    assert!(stage.condition("clock_rollback").await.is_some());
    assert_eq!(stage.condition("clock_skew").await, None, "one word for it");
    assert_eq!(stage.get("/statusz").await["clock"]["rolled_back"], true);
    assert_eq!(stage.get("/admin/licenses").await["licenses"][0]["phase"], "in_force");
}

#[tokio::test]
async fn a_lead_is_on_probation_and_then_believed_each_told_once() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    ground.clock.set(at(NOON) + HOUR * 24 * 30);
    looks(&stage).await;
    looks(&stage).await;
    assert!(stage.condition("clock_skew").await.unwrap().contains("24 hours of uptime"));
    let clock = stage.get("/statusz").await["clock"].clone();
    assert_eq!((&clock["on_probation"], &clock["mark"]), (&json!(true), &json!(NOON)));
    for _ in 0..24 * 60 {
        ground.clock.run(MINUTE);
        if ground.clock.wall().as_ms() % (30 * 60_000) == 0 {
            looks(&stage).await;
        }
    }
    looks(&stage).await;
    assert_eq!(stage.condition("clock_skew").await, None);
    let told = stage.events("agent.clock.step").await;
    let states: Vec<_> = told.iter().map(|event| &event["payload"]["state"]).collect();
    assert_eq!(states, ["on_probation", "adopted"], "{told:?}");
}

#[tokio::test]
async fn the_kernels_time_lowers_a_wild_mark_and_that_is_recorded_once() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    ground.clock.set(at("2036-01-01T00:00:00Z"));
    let stage = ground.start().trusting(&vendor).await;
    looks(&stage).await;
    // Somebody corrects the clock; the mark has been in 2036.
    ground.clock.set(at(NOON));
    looks(&stage).await;
    assert!(stage.condition("clock_rollback").await.is_some());
    hears_kernel(&stage, at(NOON)).await;
    assert_eq!(stage.condition("clock_rollback").await, None);
    let clock = stage.get("/statusz").await["clock"].clone();
    assert_eq!((&clock["mark"], &clock["now"]), (&json!(NOON), &json!(NOON)));
    hears_kernel(&stage, at(NOON)).await;
    let told = stage.events("agent.clock.lowered").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["payload"], json!({"from": "2036-01-01T00:00:00Z", "to": NOON}));
    stage.stop();
    let stage = ground.start();
    assert_eq!(stage.get("/statusz").await["clock"]["mark"], NOON, "it was kept");
}

#[tokio::test]
async fn a_kernel_that_agrees_ends_a_probation_at_once() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    let later = at(NOON) + HOUR * 24 * 90;
    ground.clock.set(later);
    hears_kernel(&stage, later).await;
    let clock = stage.get("/statusz").await["clock"].clone();
    assert_eq!((&clock["on_probation"], &clock["mark"]), (&json!(false), &json!(later)));
}
