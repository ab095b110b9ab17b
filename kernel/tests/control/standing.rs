//! What the Kernel takes away and gives back: by organization, agent, runtime and feature.

use serde_json::{Value, json};

use farhold_contract::{
    Code,
    call::heartbeat::KernelStanding,
    id::{RuntimeId, TenantId},
};

use crate::{
    ask::Ask,
    events::event,
    heartbeat::reporting,
    issuer::{SigningKey, claims},
    kernel::{Agent, Kernel, Runtime, suspended, without},
};

struct Site {
    kernel: Kernel,
    tenant: TenantId,
    runtime: Runtime,
    agent: Agent,
    through_agent: RuntimeId,
}

impl Site {
    async fn new() -> Self {
        let kernel = Kernel::new().await;
        let tenant = kernel.tenant().await;
        kernel.license(tenant, json!({}));
        let runtime = kernel.runtime(tenant).await;
        let agent = kernel.agent(&[tenant]).await;
        let through_agent = kernel.runtime_of(&agent, tenant).await;
        Self { kernel, tenant, runtime, agent, through_agent }
    }

    /// What a check says to the runtime with a token, and to the one through the agent.
    async fn verdicts(&self, feature: &str) -> [String; 2] {
        let by_token = Ask::check(self.tenant, self.runtime.runtime_id, feature).by(&self.runtime);
        let by_agent = Ask::check(self.tenant, self.through_agent, feature).by_agent(&self.agent);
        [self.verdict(by_token).await, self.verdict(by_agent).await]
    }

    async fn verdict(&self, ask: Ask) -> String {
        let answer = ask.of(&self.kernel).await;
        if answer.status != 200 {
            return answer.problem().code.to_string();
        }
        let answer = answer.json();
        if answer["allowed"] == false {
            assert_eq!(answer["mode"], "none");
        }
        answer["reason"].as_str().unwrap_or("allowed").to_owned()
    }
}

#[tokio::test]
async fn a_suspended_organization_is_refused_everything_but_to_say_what_happened() {
    let site = Site::new().await;
    let Site { kernel, tenant, runtime, agent, through_agent } = &site;
    kernel.hold_tenant(*tenant, suspended()).await;
    assert_eq!(site.verdicts("courses.play").await, ["runtime.suspended", "runtime.suspended"]);
    let consuming = Ask::check(*tenant, runtime.runtime_id, "live.rooms").by(runtime).consuming(1);
    assert_eq!(site.verdict(consuming).await, "runtime.suspended");
    for refused in [
        Ask::register(*tenant).by(runtime),
        Ask::register_with(*tenant, json!({"runtime_id": through_agent})).by_agent(agent),
        Ask::resolve(*tenant, runtime.runtime_id, "x").by(runtime),
    ] {
        assert_eq!(refused.refused(kernel).await, Code::RuntimeSuspended);
    }
    let sent = json!({"event": event(*tenant, None)});
    for answered in [
        Ask::heartbeat(*tenant, runtime.runtime_id).by(runtime),
        Ask::events(*tenant, runtime.runtime_id, sent).by(runtime),
        Ask::versions().for_tenant(*tenant).by(runtime),
    ] {
        assert_eq!(answered.of(kernel).await.status, 200);
    }
    assert_eq!(reporting(agent).of(kernel).await.json()["status"], "suspended");

    kernel.hold_tenant(*tenant, KernelStanding::ACTIVE).await;
    assert_eq!(site.verdicts("courses.play").await, ["allowed", "allowed"]);
    Ask::register(*tenant).by(runtime).of(kernel).await.json();
    let look = Ask::check(*tenant, runtime.runtime_id, "live.rooms").by(runtime);
    assert_eq!(look.of(kernel).await.json()["usage"]["used"], 0, "nothing was consumed");
}

#[tokio::test]
async fn a_suspended_runtime_is_refused_and_its_neighbor_is_not() {
    let site = Site::new().await;
    let Site { kernel, tenant, runtime, through_agent, .. } = &site;
    kernel.hold_runtime(*tenant, runtime.runtime_id, suspended()).await;
    assert_eq!(site.verdicts("courses.play").await, ["runtime.suspended", "allowed"]);
    let resolve = Ask::resolve(*tenant, runtime.runtime_id, "x").by(runtime);
    assert_eq!(resolve.refused(kernel).await, Code::RuntimeSuspended);
    let heartbeat = Ask::heartbeat(*tenant, runtime.runtime_id).by(runtime);
    assert_eq!(heartbeat.of(kernel).await.status, 200);
    // It may say what it is; that grants nothing.
    Ask::register(*tenant).by(runtime).of(kernel).await.json();
    assert_eq!(site.verdicts("courses.play").await, ["runtime.suspended", "allowed"]);

    kernel.hold_runtime(*tenant, runtime.runtime_id, KernelStanding::ACTIVE).await;
    kernel.hold_runtime(*tenant, *through_agent, suspended()).await;
    assert_eq!(site.verdicts("courses.play").await, ["allowed", "runtime.suspended"]);
}

#[tokio::test]
async fn a_suspended_agent_is_answered_its_own_heartbeat_and_nothing_else() {
    let site = Site::new().await;
    let Site { kernel, tenant, agent, through_agent, .. } = &site;
    kernel.hold_agent(agent, suspended()).await;
    for refused in [
        Ask::register_with(*tenant, json!({"runtime_id": through_agent})),
        Ask::heartbeat(*tenant, *through_agent),
        Ask::check(*tenant, *through_agent, "courses.play"),
        Ask::check(*tenant, *through_agent, "live.rooms").consuming(1),
        Ask::resolve(*tenant, *through_agent, "x"),
        Ask::events(*tenant, *through_agent, json!({"event": event(*tenant, None)})),
    ] {
        assert_eq!(refused.by_agent(agent).refused(kernel).await, Code::AgentSuspended);
    }
    assert_eq!(reporting(agent).of(kernel).await.json()["status"], "suspended");
    assert_eq!(site.verdicts("courses.play").await, ["allowed", "agent.suspended"]);
    kernel.hold_agent(agent, KernelStanding::ACTIVE).await;
    assert_eq!(site.verdicts("courses.play").await, ["allowed", "allowed"]);
}

#[tokio::test]
async fn a_denied_feature_is_denied_to_whom_it_was_denied() {
    let site = Site::new().await;
    let Site { kernel, tenant, runtime, agent, .. } = &site;
    kernel.hold_tenant(*tenant, without("courses.play")).await;
    assert_eq!(site.verdicts("courses.play").await, ["feature.denied", "feature.denied"]);
    assert_eq!(site.verdicts("live.rooms").await, ["allowed", "allowed"]);
    kernel.hold_tenant(*tenant, KernelStanding::ACTIVE).await;

    kernel.hold_runtime(*tenant, runtime.runtime_id, without("courses.play")).await;
    assert_eq!(site.verdicts("courses.play").await, ["feature.denied", "allowed"]);
    kernel.hold_runtime(*tenant, runtime.runtime_id, KernelStanding::ACTIVE).await;

    kernel.hold_agent(agent, without("courses.play")).await;
    assert_eq!(site.verdicts("courses.play").await, ["allowed", "feature.denied"]);
    let consuming = Ask::check(*tenant, site.through_agent, "courses.play").by_agent(agent);
    assert_eq!(site.verdict(consuming.consuming(1)).await, "feature.denied");
}

#[tokio::test]
async fn the_kernels_word_takes_away_and_never_gives() {
    let site = Site::new().await;
    let Site { kernel, tenant, .. } = &site;
    // Limited in something else: what no license grants stays refused.
    kernel.hold_tenant(*tenant, without("other")).await;
    assert_eq!(site.verdicts("gold").await, ["feature.not_granted", "feature.not_granted"]);
    kernel.hold_tenant(*tenant, KernelStanding::ACTIVE).await;
    assert_eq!(site.verdicts("gold").await, ["feature.not_granted", "feature.not_granted"]);
}

#[tokio::test]
async fn one_organizations_suspension_is_not_anothers() {
    let site = Site::new().await;
    let kernel = &site.kernel;
    let other = kernel.tenant().await;
    kernel.license(other, json!({}));
    let theirs = kernel.runtime(other).await;
    kernel.hold_tenant(site.tenant, suspended()).await;
    let check = Ask::check(other, theirs.runtime_id, "courses.play").by(&theirs);
    assert_eq!(site.verdict(check).await, "allowed");
}

#[tokio::test]
async fn a_suspension_leaves_refusals_in_the_chain_and_a_replay_untouched() {
    let site = Site::new().await;
    let Site { kernel, tenant, runtime, .. } = &site;
    let consume = || {
        let ask = Ask::check(*tenant, runtime.runtime_id, "live.rooms").by(runtime);
        ask.consuming(1).under_key("k")
    };
    let first = consume().of(kernel).await;
    kernel.hold_tenant(*tenant, suspended()).await;
    let again = consume().of(kernel).await;
    assert_eq!(again.body, first.body, "what was answered was answered");
    site.verdicts("courses.play").await;
    let denied = kernel.events(*tenant, "kernel.decision.denied").await;
    let codes: Vec<&Value> = denied.iter().map(|event| &event["payload"]["code"]).collect();
    assert_eq!(codes, ["runtime.suspended", "runtime.suspended"], "one a runtime");
}

#[tokio::test]
async fn an_identity_is_no_way_around_a_suspension() {
    let site = Site::new().await;
    let Site { kernel, tenant, runtime, .. } = &site;
    let key = SigningKey::ed25519();
    let entry = crate::issuer::provider_with(*tenant, &[key.jwk()]);
    kernel.plane.storage.put_provider(entry, farhold_kernel::storage::no_trail).await.unwrap();
    let resolve = || Ask::resolve(*tenant, runtime.runtime_id, &key.sign(&claims())).by(runtime);
    resolve().of(kernel).await.json();
    kernel.hold_tenant(*tenant, suspended()).await;
    assert_eq!(resolve().refused(kernel).await, Code::RuntimeSuspended);
}
