//! Identity providers: entered, replaced, removed, each its own tenant's.

use serde_json::{Value, json};

use farhold_contract::Code;

use crate::stage::Stage;

/// An Ed25519 key out of RFC 8037, appendix A.
pub(crate) fn provider() -> Value {
    json!({
        "name": "Acme's directory",
        "provider": "oidc",
        "issuer": "https://login.acme.example",
        "audience": "courses",
        "jwks": {"keys": [{
            "kty": "OKP", "crv": "Ed25519", "kid": "one", "use": "sig", "alg": "EdDSA",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }]},
        "role_map": {"claim": ["groups"], "roles": {"acme-teachers": "teacher"}},
        "attributes": ["department"],
    })
}

#[tokio::test]
async fn a_provider_is_entered_replaced_and_removed_for_its_tenant_alone() {
    let stage = Stage::new().await;
    let (ours, theirs) = (stage.tenant("Ours").await, stage.tenant("Theirs").await);
    let path = |id| format!("/kernel/admin/tenants/{id}/identity-providers");
    let entered = stage.put(path(ours), provider()).answer().await.ok();
    assert_eq!(entered, provider(), "what is answered can be entered again");
    let mut changed = provider();
    changed["audience"] = json!("labs");
    stage.put(path(ours), changed.clone()).answer().await.ok();
    let list = |id| stage.get(path(id)).answer();
    assert_eq!(list(ours).await.ok()["providers"], json!([changed]));
    assert_eq!(list(theirs).await.ok()["providers"], json!([]));

    let remove = |id| stage.delete(format!("{}?issuer=https://login.acme.example", path(id)));
    remove(theirs).answer().await.refused(Code::RequestNotFound);
    remove(ours).answer().await.done();
    assert_eq!(list(ours).await.ok()["providers"], json!([]));
    remove(ours).answer().await.refused(Code::RequestNotFound);
    stage.delete(path(ours)).answer().await.refused(Code::UsageInvalid);

    let left = stage.recorded(ours, "kernel.provider").await;
    let kinds: Vec<&str> = left.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["kernel.provider.set", "kernel.provider.set", "kernel.provider.removed"]);
}

#[tokio::test]
async fn a_provider_that_can_vouch_for_nobody_is_refused() {
    let stage = Stage::new().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let path = format!("/kernel/admin/tenants/{tenant_id}/identity-providers");
    let with = |member: &str, value: Value| {
        let mut changed = provider();
        changed[member] = value;
        stage.put(&path, changed).answer()
    };
    let private = json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "kid": "one",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    }]});
    with("jwks", private).await.refused(Code::UsageInvalid);
    with("jwks", json!({"keys": []})).await.refused(Code::UsageInvalid);
    with("issuer", json!("")).await.refused(Code::UsageInvalid);
    with("audience", json!("")).await.refused(Code::UsageInvalid);
    with("name", json!("")).await.refused(Code::UsageInvalid);
    with("jwks", json!("x")).await.refused(Code::RequestMalformed);
    with("provider", json!("kerberos")).await.refused(Code::RequestMalformed);
    with("typo", json!(1)).await.refused(Code::RequestMalformed);
    let nobody = "/kernel/admin/tenants/01939b6e-3c5f-7a31-8b53-0f6f1c2dffff/identity-providers";
    stage.put(nobody, provider()).answer().await.refused(Code::RequestNotFound);
    assert_eq!(stage.get(&path).answer().await.ok()["providers"], json!([]));
}
