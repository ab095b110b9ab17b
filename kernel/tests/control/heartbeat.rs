//! Heartbeats: runtimes say how they are, agents where they stand.

use std::time::Duration;

use serde_json::json;

use farhold_contract::call::heartbeat::Health;

use crate::{
    ask::Ask,
    kernel::{Agent, Kernel, suspended},
};

/// What an agent reports when it has nothing to tell.
pub(crate) fn reporting(agent: &Agent) -> Ask {
    let report = json!({
        "instance": "00".repeat(16), "revocations": 0, "licenses": [], "runtimes": [],
        "epoch": "11".repeat(16), "seq": 0, "head": "22".repeat(32),
        "mark": "2027-01-01T00:00:00.000Z", "wall": "2027-01-01T00:00:00.000Z",
    });
    Ask::heartbeat(agent.tenants[0], agent.agent_id)
        .saying(json!({"report": report}))
        .by_agent(agent)
}

#[tokio::test]
async fn a_runtimes_heartbeat_is_noted_and_answered_with_nothing() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    let noted = || async {
        let row = kernel.plane.storage.runtime(tenant, runtime.runtime_id).await.unwrap().unwrap();
        row.heartbeat
    };
    assert!(noted().await.is_none());
    let ask = Ask::heartbeat(tenant, runtime.runtime_id).by(&runtime);
    let degraded = ask.clone().saying(json!({"status": "degraded", "metrics": {"load": 0.5}}));
    assert_eq!(degraded.v0_1().of(&kernel).await.json(), json!({}));
    let heartbeat = noted().await.unwrap();
    assert_eq!((heartbeat.at, heartbeat.health), (kernel.plane.now(), Health::Degraded));
    assert_eq!(heartbeat.metrics.get("load"), Some(&0.5));

    kernel.clock.pass(Duration::from_secs(60));
    ask.of(&kernel).await.json();
    let heartbeat = noted().await.unwrap();
    assert_eq!((heartbeat.at, heartbeat.health), (kernel.plane.now(), Health::Healthy));
}

#[tokio::test]
async fn a_runtime_in_a_loop_is_answered_and_not_written_every_time() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    let ask = Ask::heartbeat(tenant, runtime.runtime_id).by(&runtime);
    ask.clone().of(&kernel).await.json();
    let first = kernel.plane.now();
    for _ in 0..4 {
        kernel.clock.pass(Duration::from_secs(1));
        assert_eq!(ask.clone().of(&kernel).await.json(), json!({}));
    }
    let row = kernel.plane.storage.runtime(tenant, runtime.runtime_id).await.unwrap().unwrap();
    assert_eq!(row.heartbeat.unwrap().at, first);
}

#[tokio::test]
async fn more_figures_than_anyone_reads_are_not_kept() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    let mut metrics: serde_json::Map<_, _> =
        (0..100).map(|n| (format!("m{n:03}"), json!(n))).collect();
    metrics.insert("a".repeat(300), json!(1));
    let ask = Ask::heartbeat(tenant, runtime.runtime_id).saying(json!({"metrics": metrics}));
    ask.by(&runtime).of(&kernel).await.json();
    let row = kernel.plane.storage.runtime(tenant, runtime.runtime_id).await.unwrap().unwrap();
    let kept = row.heartbeat.unwrap().metrics;
    assert_eq!(kept.len(), 64);
    assert!(kept.contains_key("m000"));
}

#[tokio::test]
async fn an_agents_report_is_answered_with_the_kernels_word() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let agent = kernel.agent(&[tenant]).await;
    let answer = reporting(&agent).of(&kernel).await.json();
    assert_eq!(answer["status"], "active");
    assert_eq!(answer["features_denied"], json!([]));
    assert_eq!(answer["server_time"], "2027-01-01T00:00:00Z");
    assert_eq!(answer["contract_versions"], json!(["v0.1", "v0.2"]));
    // In v0.1 the report has no meaning.
    assert_eq!(reporting(&agent).v0_1().of(&kernel).await.json(), json!({}));
}

#[tokio::test]
async fn a_suspended_agent_is_told_and_hears_of_its_end() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let agent = kernel.agent(&[tenant]).await;
    kernel.hold_agent(&agent, suspended()).await;
    let answer = reporting(&agent).of(&kernel).await.json();
    assert_eq!(answer["status"], "suspended");
    kernel.hold_agent(&agent, farhold_contract::call::heartbeat::KernelStanding::ACTIVE).await;
    assert_eq!(reporting(&agent).of(&kernel).await.json()["status"], "active");
}
