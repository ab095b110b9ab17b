//! Every call there is: each leaves its event, and each is in the formal document.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::{
    stage::{Ask, Stage},
    vendor::Vendor,
};

/// A call that succeeds on a stage with a trust root, and the event it leaves.
pub(crate) struct Call<'s> {
    pub(crate) ask: Ask<'s>,
    pub(crate) kind: &'static str,
    /// Method and path as the document has them.
    template: (&'static str, &'static str),
}

/// Every call, each on things of its own, in an order in which all succeed.
pub(crate) async fn calls(stage: &Stage) -> Vec<Call<'_>> {
    let tenant = stage.tenant("Of every call").await;
    let runtime = stage.runtime(tenant).await;
    let (agent, _) = stage.agent(&[tenant]).await;
    let (runtime_token, _) = stage.runtime_token(tenant).await;
    let asked = json!({"tenants": [tenant]});
    let enroll = stage.post("/kernel/admin/enroll-tokens", asked).answer().await.created();
    let enroll = enroll["token_id"].as_str().unwrap().to_owned();
    let alert = crate::alerts::raised(stage, tenant).await;

    let provider = crate::providers::provider();
    let mut calls = Vec::new();
    let mut add = |method: Method, template: &'static str, body: Option<Value>, kind| {
        let path = template
            .replace("{tenant_id}", &tenant.to_string())
            .replace("/runtimes/{runtime_id}", &format!("/runtimes/{runtime}"))
            .replace("/agents/{runtime_id}", &format!("/agents/{agent}"))
            .replace("/runtime-tokens/{token_id}", &format!("/runtime-tokens/{runtime_token}"))
            .replace("/enroll-tokens/{token_id}", &format!("/enroll-tokens/{enroll}"))
            .replace("{alert_id}", &alert);
        let path = match (&method, template.ends_with("/identity-providers")) {
            (&Method::DELETE, true) => format!("{path}?issuer=https://login.acme.example"),
            _ => path,
        };
        let verb = match method {
            Method::GET => "get",
            Method::POST => "post",
            Method::PUT => "put",
            _ => "delete",
        };
        let ask = stage.ask(method, path);
        let ask = body.into_iter().fold(ask, |ask, body| ask.json(body));
        calls.push(Call { ask, kind, template: (verb, template) });
    };
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    let suspended = || Some(json!({"status": "suspended"}));
    add(get.clone(), "/kernel/admin/status", None, "kernel.admin.status.show");
    add(get.clone(), "/kernel/admin/tenants", None, "kernel.admin.tenant.list");
    let named = Some(json!({"name": "Another", "type": "individual"}));
    add(post.clone(), "/kernel/admin/tenants", named, "kernel.admin.tenant.create");
    add(get.clone(), "/kernel/admin/tenants/{tenant_id}", None, "kernel.admin.tenant.show");
    add(
        put.clone(),
        "/kernel/admin/tenants/{tenant_id}/standing",
        suspended(),
        "kernel.admin.tenant.standing",
    );
    add(
        get.clone(),
        "/kernel/admin/tenants/{tenant_id}/runtimes",
        None,
        "kernel.admin.runtime.list",
    );
    add(
        put.clone(),
        "/kernel/admin/tenants/{tenant_id}/runtimes/{runtime_id}/standing",
        suspended(),
        "kernel.admin.runtime.standing",
    );
    add(
        get.clone(),
        "/kernel/admin/tenants/{tenant_id}/runtime-tokens",
        None,
        "kernel.admin.runtime_token.list",
    );
    add(
        post.clone(),
        "/kernel/admin/tenants/{tenant_id}/runtime-tokens",
        Some(json!({"runtime_type": "labs"})),
        "kernel.admin.runtime_token.create",
    );
    add(
        delete.clone(),
        "/kernel/admin/tenants/{tenant_id}/runtime-tokens/{token_id}",
        None,
        "kernel.admin.runtime_token.revoke",
    );
    add(
        get.clone(),
        "/kernel/admin/tenants/{tenant_id}/licenses",
        None,
        "kernel.admin.license.list",
    );
    let providers = "/kernel/admin/tenants/{tenant_id}/identity-providers";
    add(put.clone(), providers, Some(provider), "kernel.admin.provider.set");
    add(get.clone(), providers, None, "kernel.admin.provider.list");
    add(delete.clone(), providers, None, "kernel.admin.provider.remove");
    add(
        get.clone(),
        "/kernel/admin/tenants/{tenant_id}/audit/events",
        None,
        "kernel.admin.audit.list",
    );
    add(
        get.clone(),
        "/kernel/admin/tenants/{tenant_id}/dead-letters",
        None,
        "kernel.admin.dead_letter.list",
    );
    add(get.clone(), "/kernel/admin/agents", None, "kernel.admin.agent.list");
    add(get.clone(), "/kernel/admin/agents/{runtime_id}", None, "kernel.admin.agent.show");
    add(
        put,
        "/kernel/admin/agents/{runtime_id}/standing",
        suspended(),
        "kernel.admin.agent.standing",
    );
    add(get.clone(), "/kernel/admin/enroll-tokens", None, "kernel.admin.enroll_token.list");
    add(
        post.clone(),
        "/kernel/admin/enroll-tokens",
        Some(json!({"tenants": [tenant]})),
        "kernel.admin.enroll_token.create",
    );
    add(delete, "/kernel/admin/enroll-tokens/{token_id}", None, "kernel.admin.enroll_token.revoke");
    add(get.clone(), "/kernel/admin/trust", None, "kernel.admin.trust.show");
    add(get.clone(), "/kernel/admin/ledger", None, "kernel.admin.ledger.show");
    add(get.clone(), "/kernel/admin/audit/verify", None, "kernel.admin.audit.verify");
    add(get, "/kernel/admin/alerts", None, "kernel.admin.alert.list");
    add(
        post,
        "/kernel/admin/alerts/{alert_id}/acknowledge",
        None,
        "kernel.admin.alert.acknowledge",
    );
    calls
}

#[tokio::test]
async fn every_call_leaves_one_event_with_who_made_it() {
    let (stage, _vendor) = Vendor::trusted().await;
    let own = stage.recorded(stage.internal(), "kernel.admin.trust.install").await;
    assert_eq!(own.len(), 1);
    let admin = own[0]["actor_id"].clone();
    for (at, call) in calls(&stage).await.into_iter().enumerate() {
        let correlation_id = format!("call-{at}");
        let ask = call.ask.with("x-correlation-id", &correlation_id);
        let status = ask.answer().await.status;
        assert!(status.is_success(), "{}: {status}", call.kind);
        let events = stage.recorded(stage.internal(), call.kind).await;
        let left: Vec<_> =
            events.iter().filter(|event| event["correlation_id"] == correlation_id).collect();
        assert_eq!(left.len(), 1, "{}", call.kind);
        assert_eq!(left[0]["type"], call.kind);
        assert_eq!(left[0]["actor_type"], "system");
        assert_eq!(left[0]["actor_id"], admin);
        assert!(left[0]["payload"].get("refused").is_none());
    }
}

#[tokio::test]
async fn a_refusal_leaves_its_event_too() {
    let stage = Stage::new().await;
    let nobody = "01939b6e-3c5f-7a31-8b53-0f6f1c2dffff";
    let refused = stage.get(format!("/kernel/admin/tenants/{nobody}")).answer().await;
    refused.refused(farhold_contract::Code::RequestNotFound);
    let events = stage.recorded(stage.internal(), "kernel.admin.tenant.show").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["payload"]["refused"], "request.not_found");
}

#[tokio::test]
async fn the_formal_document_has_every_call_and_no_other() {
    let (stage, _vendor) = Vendor::trusted().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/openapi/kernel-admin.json");
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (method.as_str(), path.as_str()))
    });
    let listed: BTreeSet<(&str, &str)> = operations.collect();
    let mut tried: BTreeSet<(&str, &str)> =
        calls(&stage).await.into_iter().map(|call| call.template).collect();
    // These take documents; documents.rs and ledger.rs try them.
    let documents = ["/kernel/admin/trust", "/kernel/admin/bundles", "/kernel/admin/ledger"];
    tried.extend(documents.map(|path| ("post", path)));
    assert_eq!(tried, listed);
}
