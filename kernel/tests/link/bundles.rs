//! Bundles: what an agent is given to stand at, and what is kept from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use farhold_bundle::{LineOutcome, Signer, SiteFacts, Standing, payload::SiteMode, plan_import};
use farhold_contract::AlertCode;

use crate::{
    agent::{Agent, device_key},
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

#[tokio::test]
async fn a_license_bound_to_a_machine_waits_until_the_machine_is_known_and_goes_to_no_other() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let other = Agent::enrolled(&world, &[tenant_a()]).await;
    let binding = json!({"components": machine("ab"), "require": 2});
    let bound = json!({"binding": {"fingerprint": binding}});
    world
        .upload(&[
            world.vendor.license_line(tenant_a(), "bound", &bound),
            world.vendor.license_line(tenant_a(), "suite", &json!({})),
        ])
        .await;
    assert_eq!(imported(&world, &agent).await, ["suite"], "nobody knows the machine yet");
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    let without = answer["bundle_digest"].clone();

    let tell = |components: Value| json!({"fingerprint": {"salt": "5a".repeat(16), "components": components}});
    let (_, answer) = agent.heartbeat(&world, &tell(machine("ab"))).await;
    assert_ne!(answer["bundle_digest"], without, "there is more to pull at once");
    let known = imported_by(&world, &agent, machine("ab")).await;
    assert_eq!(known, ["bound", "suite"]);
    let pulled = agent.pull(&world, None).await.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(pulled, format!("\"{}\"", answer["bundle_digest"].as_str().unwrap()));
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    assert_eq!(pulled, format!("\"{}\"", answer["bundle_digest"].as_str().unwrap()), "still known");

    let (_, answer) = other.heartbeat(&world, &tell(machine("cd"))).await;
    assert_eq!(answer["bundle_digest"], without);
    assert_eq!(imported_by(&world, &other, machine("cd")).await, ["suite"], "and refuses nothing");
    // One component of three changed: enough are left. Two: it is another machine.
    let mut drifted = machine("ab");
    drifted["disk.root"] = json!("00".repeat(8));
    agent.heartbeat(&world, &tell(drifted.clone())).await;
    assert_eq!(imported_by(&world, &agent, drifted.clone()).await, ["bound", "suite"]);
    drifted["machine_id"] = json!("11".repeat(8));
    agent.heartbeat(&world, &tell(drifted.clone())).await;
    assert_eq!(imported_by(&world, &agent, drifted).await, ["suite"]);
}

#[tokio::test]
async fn what_a_site_only_remembers_of_its_machine_is_kept_with_its_report() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let tell = |remembered: Value| {
        let salt = "5a".repeat(16);
        json!({"fingerprint": {"salt": salt, "components": machine("ab"), "remembered": remembered}})
    };
    let kept = async || {
        let known = world.plane.storage.agent(agent.runtime_id).await.unwrap().unwrap();
        json!(known.heartbeat.unwrap().report.fingerprint.unwrap().remembered)
    };
    let hidden = json!({"disk.root": "2026-03-01T00:00:00Z"});
    let (status, _) = agent.heartbeat(&world, &tell(hidden.clone())).await;
    assert_eq!((status, kept().await), (200, hidden));
    // An agent of before says nothing of it; one that reads all again says so.
    let (status, _) = agent.heartbeat(&world, &tell(json!({}))).await;
    assert_eq!((status, kept().await), (200, json!({})));
    let foreign = tell(json!({"cluster_id": "2026-03-01T00:00:00Z"}));
    let (status, problem) = agent.heartbeat(&world, &foreign).await;
    assert_eq!((status, &problem["code"]), (400, &json!("request.malformed")), "{problem}");
}

#[tokio::test]
async fn a_fingerprint_beyond_measure_is_malformed() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let many: BTreeMap<String, String> =
        (0..200).map(|n| (format!("nic.eth{n}"), "00".repeat(8))).collect();
    for (salt, components) in [
        ("5a".repeat(16), json!(many)),
        ("5a".repeat(16), json!({"machine_id": "0"})),
        ("5a".repeat(16), json!({"x".repeat(129): "00".repeat(8)})),
        ("5a".to_owned(), json!({})),
    ] {
        let told = json!({"fingerprint": {"salt": salt, "components": components}});
        let (status, problem) = agent.heartbeat(&world, &told).await;
        assert_eq!((status, &problem["code"]), (400, &json!("request.malformed")), "{problem}");
    }
}

#[tokio::test]
async fn a_site_a_hundred_roots_behind_takes_them_in_two_pulls() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let (key, _folder) = device_key();
    let vendor = &world.vendor;
    let root = |version: u64| match version {
        ..=64 => vendor.root_at(version, vendor.license_key(), &json!({})),
        // The import must not end with one that is over, though a later one could follow.
        65 => vendor.root_at(
            version,
            vendor.license_key(),
            &json!({"expires": "2026-02-01T00:00:00Z"}),
        ),
        _ => vendor.root_at(version, key.public_key(), &json!({})),
    };
    // The Kernel itself takes them in two.
    world.upload(&(2..=60).map(root).collect::<Vec<_>>()).await;
    world.upload(&(61..=101).map(root).collect::<Vec<_>>()).await;
    world.upload(&[vendor.license_by(&key, tenant_a(), "suite", &json!({}))]).await;

    let mut standing = Standing::with_trust(vendor.trust());
    for (expected, products) in [(64, 0), (101, 1)] {
        let root = standing.root().unwrap();
        let stands = json!({"root": {"version": root.version(), "sha256": root.root().sha256()}});
        let (_, answer) = agent.heartbeat(&world, &stands).await;
        let pulled = agent.pull(&world, None).await;
        let etag = pulled.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(etag, format!("\"{}\"", answer["bundle_digest"].as_str().unwrap()));
        let bundle = pulled.bytes().await.unwrap();
        let site = site(&agent, json!({}));
        standing =
            plan_import(&standing, &bundle, Some(&site), world.plane.now()).unwrap().standing;
        assert_eq!(standing.root().unwrap().version(), expected);
        assert_eq!(standing.licenses().len(), products);
    }
    assert!(world.alerts().await.is_empty());
}

#[tokio::test]
async fn the_roots_that_a_site_has_are_left_out_where_all_would_be_too_many() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let vendor = &world.vendor;
    let root = |version| vendor.root_at(version, vendor.license_key(), &json!({}));
    world.upload(&(2..=60).map(root).collect::<Vec<_>>()).await;
    world.upload(&(61..=101).map(root).collect::<Vec<_>>()).await;
    let licenses = (0..160).map(|n| {
        let (product, serial) = (format!("p{}", n % 10), 1 + n / 10);
        vendor.license_line(tenant_a(), &product, &json!({"serial": serial}))
    });
    world.upload(&licenses.collect::<Vec<_>>()).await;
    let newest = world.plane.documents().standing.root().unwrap().root().sha256();
    for (version, lines) in [(60, 41 + 160), (101, 160)] {
        let stands = json!({"root": {"version": version, "sha256": newest}});
        agent.heartbeat(&world, &stands).await;
        let bundle = agent.pull(&world, None).await.bytes().await.unwrap();
        assert_eq!(bundle.iter().filter(|byte| **byte == b'\n').count(), lines);
    }
}

#[tokio::test]
async fn what_a_rotated_key_signed_does_not_keep_a_new_site_from_the_rest() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let (key, _folder) = device_key();
    let vendor = &world.vendor;
    world.upload(&[vendor.license_line(tenant_a(), "old", &json!({}))]).await;
    assert_eq!(imported(&world, &agent).await, ["old"]);
    world.upload(&[vendor.root_at(2, key.public_key(), &json!({}))]).await;
    world.upload(&[vendor.license_by(&key, tenant_a(), "new", &json!({}))]).await;
    let standing = world.plane.documents().standing.licenses().len();
    assert_eq!(standing, 2, "what was accepted stays in force here");
    assert_eq!(imported(&world, &agent).await, ["new"], "a site could not take the other any more");
}

/// A machine of three components.
fn machine(byte: &str) -> Value {
    let hash = byte.repeat(8);
    json!({"disk.root": hash, "machine_id": hash, "nic.eth0": hash})
}

fn site(agent: &Agent, machine: Value) -> SiteFacts {
    SiteFacts {
        mode: SiteMode::Managed,
        tenants: agent.tenants.iter().copied().collect::<BTreeSet<_>>(),
        device_key: agent.device.public_key().clone(),
        fingerprint: serde_json::from_value(machine).unwrap(),
        open_nonce: None,
        released: Default::default(),
    }
}

/// The products of the licenses that stand after an import at the agent's site.
async fn imported(world: &World, agent: &Agent) -> Vec<String> {
    imported_by(world, agent, json!({})).await
}

/// The same, for an agent on this machine.
async fn imported_by(world: &World, agent: &Agent, machine: Value) -> Vec<String> {
    let bundle = agent.pull(world, None).await.bytes().await.unwrap();
    let site = site(agent, machine);
    let standing = Standing::with_trust(world.vendor.trust());
    let plan = plan_import(&standing, &bundle, Some(&site), world.plane.now()).unwrap();
    assert_eq!(plan.lines[0].outcome, LineOutcome::Known, "the root it was enrolled with");
    plan.standing.licenses().iter().map(|license| license.product.clone()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}
