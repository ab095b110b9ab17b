//! Suspend, limit, resume: an organization, a runtime, an agent.

use serde_json::json;

use farhold_contract::{Code, call::heartbeat::KernelStatus};

use crate::{stage::Stage, vendor::Vendor};

#[tokio::test]
async fn a_tenant_is_suspended_limited_and_resumed_and_sees_each() {
    let stage = Stage::new().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let path = format!("/kernel/admin/tenants/{tenant_id}/standing");
    let suspended = stage.put(&path, json!({"status": "suspended"})).answer().await.ok();
    assert_eq!(suspended["status"], "suspended");
    let held = || stage.plane.storage.directory().tenant(tenant_id).unwrap().standing.clone();
    assert_eq!(held().status, KernelStatus::Suspended, "calls are decided by it at once");

    let limit = json!({"status": "limited", "features_denied": ["exams", "export"]});
    let limited = stage.put(&path, limit).answer().await.ok();
    assert_eq!(limited["features_denied"], json!(["exams", "export"]));
    let resumed = stage.put(&path, json!({"status": "active"})).answer().await.ok();
    assert_eq!(resumed["features_denied"], json!([]));
    assert!(held().is_active());

    let left = stage.recorded(tenant_id, "kernel.tenant").await;
    let kinds: Vec<&str> = left.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "kernel.tenant.created",
            "kernel.tenant.suspended",
            "kernel.tenant.limited",
            "kernel.tenant.resumed"
        ]
    );
    assert_eq!(left[2]["payload"]["standing"]["features_denied"], json!(["exams", "export"]));
}

#[tokio::test]
async fn the_tenant_of_the_administration_is_never_held() {
    let stage = Stage::new().await;
    let path = format!("/kernel/admin/tenants/{}/standing", stage.internal());
    let held = stage.put(path, json!({"status": "suspended"})).answer().await;
    held.refused(Code::UsageInvalid);
    stage.get("/kernel/admin/status").answer().await.ok();
}

#[tokio::test]
async fn a_standing_that_contradicts_itself_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let path = format!("/kernel/admin/tenants/{tenant_id}/standing");
    for (standing, code) in [
        (json!({"status": "limited"}), Code::UsageInvalid),
        (json!({"status": "active", "features_denied": ["exams"]}), Code::UsageInvalid),
        (json!({"status": "gone"}), Code::RequestMalformed),
        (json!({"features_denied": []}), Code::RequestMalformed),
    ] {
        stage.put(&path, standing).answer().await.refused(code);
    }
    assert!(stage.plane.storage.directory().tenant(tenant_id).unwrap().standing.is_active());
    assert!(stage.recorded(tenant_id, "kernel.tenant.limited").await.is_empty());
}

#[tokio::test]
async fn a_runtime_is_held_under_its_own_tenant_alone() {
    let stage = Stage::new().await;
    let (ours, theirs) = (stage.tenant("Ours").await, stage.tenant("Theirs").await);
    let runtime_id = stage.runtime(ours).await;
    let path = |tenant_id| format!("/kernel/admin/tenants/{tenant_id}/runtimes");
    let listed = stage.get(path(ours)).answer().await.ok();
    assert_eq!(listed["runtimes"][0]["runtime_id"], runtime_id.to_string());
    assert_eq!(listed["runtimes"][0]["version"], "4.2.0");
    assert_eq!(stage.get(path(theirs)).answer().await.ok()["runtimes"], json!([]));

    let hold = |tenant_id| {
        let path = format!("{}/{runtime_id}/standing", path(tenant_id));
        stage.put(path, json!({"status": "suspended"}))
    };
    hold(theirs).answer().await.refused(Code::RequestNotFound);
    assert_eq!(hold(ours).answer().await.ok()["status"], "suspended");
    let left = stage.recorded(ours, "kernel.runtime.suspended").await;
    assert_eq!(left[0]["runtime_id"], runtime_id.to_string());
    assert!(stage.recorded(theirs, "kernel.runtime").await.is_empty());
}

#[tokio::test]
async fn an_agent_is_listed_by_each_of_its_tenants_and_held_for_all() {
    let (stage, _vendor) = Vendor::trusted().await;
    let (first, second) = (stage.tenant("First").await, stage.tenant("Second").await);
    let other = stage.tenant("Other").await;
    let (agent_id, signer) = stage.agent(&[first, second]).await;
    let list = |query: String| stage.get(format!("/kernel/admin/agents{query}")).answer();
    for query in [String::new(), format!("?tenant_id={first}"), format!("?tenant_id={second}")] {
        let listed = list(query).await.ok();
        assert_eq!(listed["agents"][0]["runtime_id"], agent_id.to_string());
        assert_eq!(listed["agents"][0]["tenants"], json!([first, second]));
    }
    assert_eq!(list(format!("?tenant_id={other}")).await.ok()["agents"], json!([]));
    let shown = stage.get(format!("/kernel/admin/agents/{agent_id}")).answer().await.ok();
    let key = farhold_bundle::Signer::public_key(&signer).to_string();
    assert_eq!(shown["device_key"], key);

    let path = format!("/kernel/admin/agents/{agent_id}/standing");
    let held = stage.put(path, json!({"status": "suspended"})).answer().await.ok();
    assert_eq!(held["status"], "suspended");
    for tenant_id in [first, second] {
        assert_eq!(stage.recorded(tenant_id, "kernel.agent.suspended").await.len(), 1);
    }
    assert!(stage.recorded(other, "kernel.agent").await.is_empty());

    let nobody = "/kernel/admin/agents/01939b6e-3c5f-7a31-8b53-0f6f1c2dffff";
    stage.get(nobody).answer().await.refused(Code::RequestNotFound);
    let held = stage.put(format!("{nobody}/standing"), json!({"status": "active"})).answer().await;
    held.refused(Code::RequestNotFound);
    stage.get("/kernel/admin/agents/x").answer().await.refused(Code::UsageInvalid);
}
