//! Licenses for machines: at the Kernel they speak for the runtimes of that machine's agent alone.

use serde_json::{Value, json};

use farhold_contract::id::{RuntimeId, TenantId};

use crate::{
    ask::Ask,
    heartbeat::reporting,
    issuer::{SigningKey, claims, provider_with},
    kernel::{Agent, Kernel, Runtime},
};

/// An organization with a runtime at the Kernel itself and two agents, each with a runtime.
struct Fleet {
    kernel: Kernel,
    tenant: TenantId,
    direct: Runtime,
    agents: [(Agent, RuntimeId); 2],
}

impl Fleet {
    async fn new() -> Self {
        let kernel = Kernel::new().await;
        let tenant = kernel.tenant().await;
        let direct = kernel.runtime(tenant).await;
        let [first, second] = [kernel.agent(&[tenant]).await, kernel.agent(&[tenant]).await];
        let of_first = kernel.runtime_of(&first, tenant).await;
        let of_second = kernel.runtime_of(&second, tenant).await;
        Self { kernel, tenant, direct, agents: [(first, of_first), (second, of_second)] }
    }

    fn bound_to(&self, agent: usize) -> Value {
        let agent_id = self.agents[agent].0.agent_id;
        let known = self.kernel.plane.storage.directory().agent(agent_id).unwrap();
        json!({"device_key": known.device_key})
    }

    /// What becomes of a call of the runtime at the Kernel, and of each agent's.
    async fn told(&self, ask: impl Fn(TenantId, RuntimeId) -> Ask) -> [Value; 3] {
        let by_agent = |at: usize| {
            let (agent, runtime_id) = &self.agents[at];
            ask(self.tenant, *runtime_id).by_agent(agent).of(&self.kernel)
        };
        let direct = ask(self.tenant, self.direct.runtime_id).by(&self.direct).of(&self.kernel);
        [direct.await.json(), by_agent(0).await.json(), by_agent(1).await.json()]
    }

    /// Why each is refused the feature, or that it is allowed.
    async fn verdicts(&self, feature: &str) -> [String; 3] {
        let told = self.told(|tenant, runtime| Ask::check(tenant, runtime, feature)).await;
        told.map(|answer| answer["reason"].as_str().unwrap_or("allowed").to_owned())
    }
}

const ELSEWHERE: &str = "license.binding_mismatch";

#[tokio::test]
async fn a_license_bound_to_a_device_serves_that_agents_runtimes_alone() {
    let fleet = Fleet::new().await;
    let live = json!([{"key": "live", "value": true}]);
    fleet.kernel.license(fleet.tenant, json!({"binding": fleet.bound_to(0), "flags": live}));
    assert_eq!(fleet.verdicts("courses.play").await, [ELSEWHERE, "allowed", ELSEWHERE]);
    // Nor is its quota used up from elsewhere.
    let used = fleet.told(|tenant, runtime| Ask::check(tenant, runtime, "live.rooms").consuming(4));
    assert_eq!(used.await.map(|answer| answer["allowed"].clone()), [false, true, false]);

    let flags = fleet.told(|tenant, runtime| Ask::flags().of_runtime(tenant, runtime)).await;
    assert_eq!(flags.map(|answer| answer["flags"].as_array().unwrap().len()), [0, 1, 0]);

    let key = SigningKey::ed25519();
    let entry = provider_with(fleet.tenant, &[key.jwk()]);
    let storage = &fleet.kernel.plane.storage;
    storage.put_provider(entry, farhold_kernel::storage::no_trail).await.unwrap();
    let token = key.sign(&claims());
    let resolved = fleet.told(|tenant, runtime| Ask::resolve(tenant, runtime, &token)).await;
    let listed = resolved.map(|answer| answer["entitlements"].as_array().unwrap().len());
    assert_eq!(listed, [0, 2, 0]);
}

#[tokio::test]
async fn what_is_bound_elsewhere_hides_nothing() {
    let fleet = Fleet::new().await;
    fleet.kernel.license(fleet.tenant, json!({"flags": [{"key": "live", "value": true}]}));
    let next = json!({"serial": 2, "binding": fleet.bound_to(1),
                      "entitlements": [{"feature": "gold"}]});
    fleet.kernel.license(fleet.tenant, next);
    let not_granted = "feature.not_granted";
    assert_eq!(fleet.verdicts("courses.play").await, ["allowed", "allowed", not_granted]);
    assert_eq!(fleet.verdicts("gold").await, [not_granted, not_granted, "allowed"]);
    let other = json!({"product": "labs", "entitlements": [{"feature": "labs.run"}],
                       "binding": "none"});
    fleet.kernel.license(fleet.tenant, other);
    assert_eq!(fleet.verdicts("labs.run").await, ["allowed", "allowed", "allowed"]);
}

#[tokio::test]
async fn a_machine_is_what_its_agent_reported_last() {
    let fleet = Fleet::new().await;
    let components = |hash: &str| json!({"machine_id": hash, "disk.root": "00112233aabbccdd"});
    let binding = json!({"components": components("8899aabbccddeeff"), "require": 2});
    fleet.kernel.license(fleet.tenant, json!({"binding": {"fingerprint": binding}}));
    assert_eq!(fleet.verdicts("courses.play").await, [ELSEWHERE; 3]);
    for (at, hash) in [(0, "8899aabbccddeeff"), (1, "0000000000000000")] {
        let (agent, _) = &fleet.agents[at];
        let told = json!({"salt": "5a".repeat(16), "components": components(hash)});
        reporting(agent).reporting("fingerprint", told).of(&fleet.kernel).await.json();
    }
    assert_eq!(fleet.verdicts("courses.play").await, [ELSEWHERE, "allowed", ELSEWHERE]);
}

#[tokio::test]
async fn a_license_for_detached_sites_alone_serves_nobody_here() {
    let fleet = Fleet::new().await;
    let detached = json!({"modes": ["detached"], "binding": fleet.bound_to(0)});
    fleet.kernel.license(fleet.tenant, detached);
    let mode = "license.mode_mismatch";
    assert_eq!(fleet.verdicts("courses.play").await, [mode; 3]);
    let both = json!({"serial": 2, "modes": ["detached", "managed"], "binding": "none"});
    fleet.kernel.license(fleet.tenant, both);
    assert_eq!(fleet.verdicts("courses.play").await, ["allowed"; 3]);
}
