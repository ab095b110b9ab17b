//! Alerts: listed by tenant and standing, taken on once.

use serde_json::json;

use farhold_contract::{AlertCode, Code, id::TenantId};
use farhold_kernel::storage::{NewAlert, no_trail};

use crate::stage::Stage;

/// Raises an alert about nobody's agent; its id.
pub(crate) async fn raised(stage: &Stage, tenant_id: TenantId) -> String {
    let alert = NewAlert {
        code: AlertCode::EventsMissing,
        tenant_id,
        agent: None,
        incident: format!("stage:{tenant_id}"),
        at: stage.plane.now(),
        detail: json!({"from": 1, "to": 3}),
    };
    stage.plane.storage.raise_alert(alert, no_trail).await.unwrap().alert_id.to_string()
}

#[tokio::test]
async fn an_alert_is_seen_by_its_tenant_and_taken_on_once() {
    let stage = Stage::new().await;
    let (ours, theirs) = (stage.tenant("Ours").await, stage.tenant("Theirs").await);
    let id = raised(&stage, ours).await;
    let list = |query: String| stage.get(format!("/kernel/admin/alerts{query}")).answer();
    let listed = list(format!("?tenant_id={ours}")).await.ok();
    assert_eq!(listed["alerts"][0]["alert_id"], id);
    assert_eq!(listed["alerts"][0]["code"], "events.missing");
    assert_eq!(listed["alerts"][0]["detail"], json!({"from": 1, "to": 3}));
    assert_eq!(listed["alerts"][0]["action"], AlertCode::EventsMissing.action());
    assert_eq!(list(format!("?tenant_id={theirs}")).await.ok()["alerts"], json!([]));
    assert_eq!(list("?open=true".to_owned()).await.ok()["alerts"].as_array().unwrap().len(), 1);

    let path = format!("/kernel/admin/alerts/{id}/acknowledge");
    let acknowledge = || stage.ask(http::Method::POST, path.clone()).answer();
    let taken = acknowledge().await.ok();
    assert!(taken["acknowledged_at"].is_string());
    let by = &stage.recorded(stage.internal(), "kernel.admin.alert.acknowledge").await[0];
    assert_eq!(taken["acknowledged_by"], by["actor_id"]);
    assert_eq!(acknowledge().await.ok(), taken, "the first time stays");
    assert_eq!(list("?open=true".to_owned()).await.ok()["alerts"], json!([]));
    assert_eq!(list(String::new()).await.ok()["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(stage.recorded(ours, "kernel.alert.acknowledged").await.len(), 2);

    let other = |id: &str| {
        let path = format!("/kernel/admin/alerts/{id}/acknowledge");
        stage.ask(http::Method::POST, path).answer()
    };
    other("99999").await.refused(Code::RequestNotFound);
    other("x").await.refused(Code::UsageInvalid);
}
