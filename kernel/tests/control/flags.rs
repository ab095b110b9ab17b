//! Flags: the switches that the licenses in force set.

use serde_json::{Value, json};

use farhold_contract::{Code, id::TenantId};

use crate::{
    ask::{Answer, Ask},
    kernel::{Kernel, Runtime, suspended, without},
};

async fn site() -> (Kernel, TenantId, Runtime) {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    (kernel, tenant, runtime)
}

fn ask(runtime: &Runtime) -> Ask {
    Ask::flags().of_runtime(runtime.tenant_id, runtime.runtime_id).by(runtime)
}

/// Product, key and value of each.
fn set(answer: &Answer) -> Vec<(String, String, Value)> {
    let flags = answer.json()["flags"].as_array().unwrap().clone();
    let text = |flag: &Value, member: &str| flag[member].as_str().unwrap().to_owned();
    flags.iter().map(|f| (text(f, "product"), text(f, "key"), f["value"].clone())).collect()
}

fn flag(product: &str, key: &str, value: Value) -> (String, String, Value) {
    (product.to_owned(), key.to_owned(), value)
}

#[tokio::test]
async fn a_runtime_has_the_flags_of_its_organization_and_version() {
    let (kernel, tenant, runtime) = site().await;
    assert_eq!(set(&ask(&runtime).of(&kernel).await), [], "no license, no flag");
    kernel.license(
        tenant,
        json!({"flags": [
            {"key": "theme", "value": {"dark": true}},
            {"key": "live", "value": false},
            {"key": "beta", "value": true, "versions": ">=2"},
            {"key": "batch", "value": 4.5, "versions": "^1.3"},
        ]}),
    );
    let labs = json!({"product": "labs", "entitlements": [{"feature": "labs.run"}],
                      "flags": [{"key": "live", "value": "off"}]});
    kernel.license(tenant, labs);
    // It registered as 1.4.0.
    let expected = [
        flag("courses", "batch", json!(4.5)),
        flag("courses", "live", json!(false)),
        flag("courses", "theme", json!({"dark": true})),
        flag("labs", "live", json!("off")),
    ];
    assert_eq!(set(&ask(&runtime).of(&kernel).await), expected);
    let other = kernel.runtime(kernel.tenant().await).await;
    assert_eq!(set(&ask(&other).of(&kernel).await), [], "of its own organization alone");
}

#[tokio::test]
async fn a_new_license_turns_a_flag_off_at_once_and_polling_costs_nothing() {
    let (kernel, tenant, runtime) = site().await;
    let first = json!({"flags": [{"key": "live", "value": true}]});
    kernel.license(tenant, first);
    let answer = ask(&runtime).of(&kernel).await;
    let tag = answer.headers["etag"].to_str().unwrap().to_owned();
    let poll = || ask(&runtime).with("if-none-match", &tag);
    let known = poll().of(&kernel).await;
    assert_eq!((known.status, known.body.is_empty()), (304, true));

    kernel.license(tenant, json!({"serial": 2, "flags": [{"key": "live", "value": false}]}));
    assert_eq!(set(&poll().of(&kernel).await), [flag("courses", "live", json!(false))]);
}

#[tokio::test]
async fn the_tag_turns_with_the_version_and_the_organization_and_not_with_a_serial_alone() {
    let (kernel, tenant, runtime) = site().await;
    let flags = json!([
        {"key": "live", "value": true},
        {"key": "beta", "value": true, "versions": ">=2"},
    ]);
    kernel.license(tenant, json!({"flags": flags}));
    let theirs = kernel.runtime(kernel.tenant().await).await;
    let tag = async |runtime: &Runtime| {
        ask(runtime).of(&kernel).await.headers["etag"].to_str().unwrap().to_owned()
    };
    let first = tag(&runtime).await;
    assert_ne!(tag(&theirs).await, first, "another organization's is another answer");
    let register = |version: &str| Ask::register_with(tenant, json!({"version": version}));

    register("2.0.0").by(&runtime).of(&kernel).await;
    let second = tag(&runtime).await;
    assert_ne!(second, first);
    let known = ask(&runtime).with("if-none-match", &second).of(&kernel).await;
    assert_eq!((known.status, known.body.is_empty()), (304, true));
    let outdated = ask(&runtime).with("if-none-match", &first).of(&kernel).await;
    assert_eq!(set(&outdated).len(), 2);

    register("1.4.0").by(&runtime).of(&kernel).await;
    assert_eq!(tag(&runtime).await, first, "the same answer has the same tag");
    // The same flags in the next serial are the same answer.
    kernel.license(tenant, json!({"serial": 2, "flags": flags}));
    let known = ask(&runtime).with("if-none-match", &first).of(&kernel).await;
    assert_eq!((known.status, known.body.is_empty()), (304, true));
}

#[tokio::test]
async fn a_revoked_license_sets_nothing_and_one_that_waits_not_yet() {
    let (kernel, tenant, runtime) = site().await;
    let license = kernel.license(tenant, json!({"flags": [{"key": "live", "value": true}]}));
    let later = json!({"serial": 2, "not_before": "2027-11-01T00:00:00Z",
                       "flags": [{"key": "live", "value": false}]});
    kernel.license(tenant, later);
    assert_eq!(set(&ask(&runtime).of(&kernel).await), [flag("courses", "live", json!(true))]);
    kernel.revoke(&[&license]);
    assert_eq!(set(&ask(&runtime).of(&kernel).await), []);
}

#[tokio::test]
async fn what_is_suspended_is_still_told_what_is_switched_off() {
    let (kernel, tenant, runtime) = site().await;
    kernel.license(tenant, json!({"flags": [{"key": "live", "value": false}]}));
    let told = [flag("courses", "live", json!(false))];
    kernel.hold_runtime(tenant, runtime.runtime_id, suspended()).await;
    assert_eq!(set(&ask(&runtime).of(&kernel).await), told);
    kernel.hold_tenant(tenant, suspended()).await;
    assert_eq!(set(&ask(&runtime).of(&kernel).await), told);
    // What the Kernel denies for now is another thing.
    kernel.hold_tenant(tenant, without("live")).await;
    assert_eq!(set(&ask(&runtime).of(&kernel).await), told);
}

#[tokio::test]
async fn an_agent_asks_for_its_runtime_and_not_for_itself() {
    let (kernel, tenant, _) = site().await;
    kernel.license(tenant, json!({"flags": [{"key": "live", "value": false}]}));
    let agent = kernel.agent(&[tenant]).await;
    let through_it = kernel.runtime_of(&agent, tenant).await;
    let ask = |runtime_id| Ask::flags().of_runtime(tenant, runtime_id).by_agent(&agent);
    assert_eq!(set(&ask(through_it).of(&kernel).await).len(), 1);
    assert_eq!(ask(agent.agent_id).refused(&kernel).await, Code::RuntimeNotRegistered);
    kernel.hold_agent(&agent, suspended()).await;
    assert_eq!(ask(through_it).refused(&kernel).await, Code::AgentSuspended);
}

#[tokio::test]
async fn v0_1_does_not_have_the_call_and_nobody_asks_for_another() {
    let (kernel, _, runtime) = site().await;
    let old = ask(&runtime).v0_1().refused(&kernel).await;
    assert_eq!(old, Code::ContractUnsupportedVersion);
    let other = kernel.runtime(kernel.tenant().await).await;
    let theirs = ask(&other).by(&runtime).refused(&kernel).await;
    assert_eq!(theirs, Code::TenantMismatch);
}
