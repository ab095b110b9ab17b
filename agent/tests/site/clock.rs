//! What the agent makes of its clocks: each change is told once, and what stands is said.

use std::{sync::Arc, time::Duration};

use farhold_agent::owner::{Group, HeedAnswer, MakeRequest, Operation, tick};
use farhold_bundle::{payload::ClockReset, seal};
use farhold_contract::{
    Timestamp,
    call::heartbeat::{HeartbeatAnswer, KernelStanding},
    version::ContractVersion,
};
use farhold_store::StoreError;
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

/// The machine runs, and the agent looks at its clocks.
async fn runs(ground: &Ground, stage: &Stage, time: Duration) {
    let hours = time.as_secs() / 3600;
    for _ in 0..hours {
        ground.clock.run(HOUR);
        looks(stage).await;
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_is_set_right_is_told_as_such_for_a_day_of_uptime() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    ground.clock.set(at(NOON) + HOUR * 3);
    looks(&stage).await;
    assert_eq!(stage.condition("clock_skew").await, None, "the agent's own time has followed");
    ground.clock.set(at(NOON));
    looks(&stage).await;
    let told = stage.condition("clock_skew").await.unwrap();
    for words in ["3 hours behind", "had been ahead and was set right", "end 3 hours early"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(stage.get("/statusz").await["clock"]["wall_is"], "corrected");
    runs(&ground, &stage, HOUR * 12).await;
    stage.stop();
    let stage = ground.start();
    runs(&ground, &stage, HOUR * 11).await;
    assert!(stage.condition("clock_skew").await.is_some(), "a restart is no day");
    runs(&ground, &stage, HOUR).await;
    assert_eq!(stage.condition("clock_skew").await, None, "without a clock reset");
    // The mark stays, and whoever asks is told.
    let clock = stage.get("/statusz").await["clock"].clone();
    assert_eq!((&clock["wall_is"], &clock["now"]), (&json!("corrected"), &clock["mark"]));
    assert_eq!(clock["mark"], json!(ground.clock.wall() + HOUR * 3));
}

#[tokio::test]
async fn a_clock_that_is_wrong_now_is_told_until_it_is_right() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    // What the first wall was worth is known after a week.
    runs(&ground, &stage, HOUR * 24 * 8).await;
    ground.clock.set(ground.clock.wall() - HOUR * 3);
    runs(&ground, &stage, HOUR * 72).await;
    let told = stage.condition("clock_skew").await.unwrap();
    assert!(told.contains("it was set back") && told.contains("when the clock is right"), "{told}");
    ground.clock.set(ground.clock.wall() + HOUR * 3);
    looks(&stage).await;
    assert_eq!(stage.condition("clock_skew").await, None);
}

#[tokio::test]
async fn a_clock_before_a_signed_date_is_told_though_it_agrees_with_the_agents_own_time() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    ground.clock.set(at("1970-01-02T00:00:00Z"));
    let stage = ground.start().trusting(&vendor).await;
    let told = stage.condition("clock_skew").await.unwrap();
    assert!(told.contains("2026-01-01T00:00:00Z") && told.contains("the clock is wrong"), "{told}");
    // Set right, it is far ahead of the mark: believed as any such clock is.
    ground.clock.set(at(NOON));
    looks(&stage).await;
    let told = stage.condition("clock_skew").await.unwrap();
    assert!(told.contains("24 hours of uptime"), "{told}");
    runs(&ground, &stage, HOUR * 25).await;
    assert_eq!(stage.condition("clock_skew").await, None);
}

#[tokio::test]
async fn what_ends_is_dated_by_the_time_that_decides() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    ground.clock.set(at("2027-12-30T12:00:00Z"));
    let stage = ground.start().trusting(&vendor).await;
    stage.imports(&vendor.license(json!({}))).await;
    // By the wall the license ends in two days, by the rule within one.
    ground.clock.set(at("2027-12-29T23:00:00Z") - HOUR * 12);
    ground.clock.run(HOUR * 12);
    looks(&stage).await;
    let told = stage.condition("license_expiring").await.unwrap();
    assert!(told.contains("within 1 day"), "{told}");
    let (status, licenses) = (stage.get("/statusz").await, stage.get("/admin/licenses").await);
    assert_eq!(status["clock"]["wall"], "2027-12-29T23:00:00Z");
    assert_eq!(licenses["now"], "2027-12-31T00:00:00Z");
    for condition in status["conditions"].as_array().unwrap() {
        let since: Timestamp = condition["since"].as_str().unwrap().parse().unwrap();
        assert!(since <= at("2027-12-31T00:00:00Z"), "{condition}");
    }
}

#[tokio::test]
async fn nothing_stands_since_tomorrow_when_the_kernel_lowers_the_agents_time() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    ground.clock.set(at("2036-01-01T00:00:00Z"));
    let stage = ground.start().trusting(&vendor).await;
    looks(&stage).await;
    assert!(stage.condition("bundle_missing").await.is_some());
    ground.clock.set(at(NOON));
    hears_kernel(&stage, at(NOON)).await;
    let status = stage.get("/statusz").await;
    assert_eq!(status["started_at"], NOON);
    let conditions = status["conditions"].as_array().unwrap();
    let missing = conditions.iter().find(|one| one["code"] == "bundle_missing").unwrap();
    assert_eq!(missing["since"], NOON);
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
    let told = stage.condition("clock_rollback").await.unwrap();
    assert!(told.contains("had been ahead and was set right"), "{told}");
    assert!(told.contains("farhold request"), "a clock reset: {told}");
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

/// The vendor's answer to the one open request, by the clock that it says.
async fn resets(stage: &Stage, vendor: &Vendor, time: &str) {
    let asked = MakeRequest { place: Arc::clone(&stage.admin.place), release: None };
    let asked = stage.owner.submit(asked).await.unwrap().unwrap().request;
    let reset = ClockReset { device_key: asked.device_key, nonce: asked.nonce, time: at(time) };
    let mut line = seal(&reset, &vendor.license_key).unwrap();
    line.push(b'\n');
    stage.imports(&line).await;
}

async fn floor(stage: &Stage) -> String {
    stage.get("/statusz").await["clock"]["floor"].as_str().unwrap().to_owned()
}

const WRONG: &str = "2072-01-01T00:00:00Z";
const ROOT: &str = "2026-01-01T00:00:00Z";

#[tokio::test]
async fn after_a_clock_reset_a_document_that_comes_later_raises_the_floor_again() {
    let (ground, vendor) = (Ground::new(), Vendor::with_roots_until("2199-01-01T00:00:00Z"));
    let stage = ground.start().trusting(&vendor).await;
    stage.imports(&vendor.license(json!({"issued_at": WRONG}))).await;
    assert_eq!(floor(&stage).await, WRONG);
    resets(&stage, &vendor, NOON).await;
    assert_eq!(floor(&stage).await, ROOT);
    stage.stop();
    let stage = ground.start();
    assert_eq!(floor(&stage).await, ROOT, "it is kept");
    let later = "2027-11-01T00:00:00Z";
    stage.imports(&vendor.license(json!({"serial": 2, "issued_at": later}))).await;
    assert_eq!(floor(&stage).await, later);
    stage.stop();
    let stage = ground.start();
    assert_eq!(floor(&stage).await, later);
    // Should that one fall, the one before stands again: its date is still known to be wrong.
    assert_eq!(stage.owner.snapshot().documents.set_aside.len(), 1);
}

/// As an agent kept a clock reset that knew only its time.
struct KeptAsBefore(Timestamp);

impl Operation for KeptAsBefore {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        group.txn.put_own("clock_dated_by", &self.0)
    }
}

#[tokio::test]
async fn a_reset_of_which_only_the_time_was_kept_sets_aside_what_stands() {
    let (ground, vendor) = (Ground::new(), Vendor::with_roots_until("2199-01-01T00:00:00Z"));
    let stage = ground.start().trusting(&vendor).await;
    stage.imports(&vendor.license(json!({"issued_at": WRONG}))).await;
    let state_dir = stage.state_dir.clone();
    stage.stop();
    // The documents come back from the second copy; what a clock reset has left does not.
    for name in ["agent.db", "agent.db-wal", "agent.db-shm"] {
        let _ = std::fs::remove_file(state_dir.join(name));
    }
    let stage = ground.start();
    assert_eq!(floor(&stage).await, WRONG);
    stage.owner.submit(KeptAsBefore(at(NOON))).await.unwrap();
    stage.stop();
    let stage = ground.start();
    assert_eq!(floor(&stage).await, ROOT);
    let later = "2027-11-01T00:00:00Z";
    stage.imports(&vendor.license(json!({"serial": 2, "issued_at": later}))).await;
    stage.stop();
    assert_eq!(floor(&ground.start()).await, later);
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
