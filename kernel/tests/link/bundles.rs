//! Bundles: what an agent is given to stand at, and what is kept from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use farhold_bundle::{LineOutcome, Signer, SiteFacts, Standing, payload::SiteMode, plan_import};
use farhold_contract::AlertCode;

use crate::{
    agent::Agent,
    vendor::{license_id, tenant_a, tenant_b},
    world::{World, code},
};

#[tokio::test]
async fn an_agent_imports_what_it_pulls_and_gets_nothing_of_others() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let other = Agent::enrolled(&world, &[tenant_b()]).await;
    let vendor = &world.vendor;
    let bound = json!({"binding": {"device_key": agent.device.public_key()}});
    let detached = json!({"modes": ["detached"], "binding": "none"});
    world
        .upload(&[
            vendor.revocations_line(1, &[&license_id(tenant_a(), "gone")]),
            vendor.license_line(tenant_a(), "gone", &json!({})),
            vendor.license_line(tenant_a(), "suite", &json!({})),
            vendor.license_line(tenant_a(), "bound", &bound),
            vendor.license_line(tenant_a(), "files", &detached),
            vendor.license_line(tenant_b(), "suite", &json!({})),
        ])
        .await;

    let names = imported(&world, &agent).await;
    assert_eq!(names, ["bound", "suite"], "a license for its own device key is there");
    assert_eq!(imported(&world, &other).await, ["suite"], "of its own tenant alone");
    let both = Agent::enrolled(&world, &[tenant_a(), tenant_b()]).await;
    assert_eq!(imported(&world, &both).await, ["suite", "suite"], "not what another is bound to");
}

#[tokio::test]
async fn a_bundle_is_named_by_its_digest_and_sent_once() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    world.upload(&[world.vendor.license_line(tenant_a(), "suite", &json!({}))]).await;
    let answer = agent.pull(&world, None).await;
    assert_eq!(answer.headers()["content-type"], "application/jsonl");
    let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(etag, format!("\"{}\"", sha256(&bytes)));
    let (_, heartbeat) = agent.heartbeat(&world, &json!({})).await;
    assert_eq!(format!("\"{}\"", heartbeat["bundle_digest"].as_str().unwrap()), etag);

    let known = agent.pull(&world, Some(&etag)).await;
    assert_eq!(known.status(), 304);
    assert_eq!(known.headers()["etag"], etag.as_str());
    assert!(known.bytes().await.unwrap().is_empty());

    world.upload(&[world.vendor.license_line(tenant_a(), "more", &json!({}))]).await;
    assert_eq!(agent.pull(&world, Some(&etag)).await.status(), 200, "a new license, a new digest");
}

#[tokio::test]
async fn an_agent_pulls_as_itself_and_for_its_own_tenants() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let other = Agent::enrolled(&world, &[tenant_b()]).await;
    let url = |runtime_id: String| world.url(&format!("/kernel/agents/{runtime_id}/bundle"));
    let path = agent.headed(agent.client.get(url(other.runtime_id.to_string()))).send().await;
    assert_eq!(code(path.unwrap()).await, "runtime.mismatch");
    assert!(world.alerts().await.is_empty());
    // With the other's names and one's own certificate.
    let named = other.headed(agent.client.get(url(other.runtime_id.to_string()))).send().await;
    assert_eq!(code(named.unwrap()).await, "tenant.mismatch");
    assert_eq!(world.alerts().await, [(AlertCode::TenantMismatch, 1)]);
}

/// The products of the licenses that stand after an import at the agent's site.
async fn imported(world: &World, agent: &Agent) -> Vec<String> {
    let bundle = agent.pull(world, None).await.bytes().await.unwrap();
    let site = SiteFacts {
        mode: SiteMode::Managed,
        tenants: agent.tenants.iter().copied().collect::<BTreeSet<_>>(),
        device_key: agent.device.public_key().clone(),
        fingerprint: BTreeMap::new(),
        open_nonce: None,
    };
    let standing = Standing::with_trust(world.vendor.trust());
    let plan = plan_import(&standing, &bundle, Some(&site), world.plane.now()).unwrap();
    assert_eq!(plan.lines[0].outcome, LineOutcome::Known, "the root it was enrolled with");
    plan.standing.licenses().iter().map(|license| license.product.clone()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}
