//! What a site asks of its vendor, and what the answer repairs.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use farhold_agent::{
    owner::{Applied, ApplyImport},
    snapshot::Documents,
};
use farhold_bundle::{
    Envelope, decode_typed_form, encode_typed_form, payload::Request, plan_import,
    verify_device_document,
};
use farhold_contract::{Code, Sha256Digest};

use crate::stage::TENANT;

use super::{
    host::{Host, verified},
    tree::Tree,
    vendor::{bound_to, license_id},
};

#[tokio::test]
async fn a_request_says_what_the_site_is_and_is_signed_by_its_device_key() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let binding = bound_to(&*agent.request().await, 3);
    agent.import(host.vendor.license(1, 1, &binding)).await.unwrap();
    agent.use_up(format!("life|{TENANT}|{}|feature-1", license_id(1)), 4).await;
    let request = agent.request().await;
    assert_eq!(request.device_key, agent.admin.place.facts.device_key);
    assert_eq!(request.tenant_id.to_string(), TENANT);
    assert_eq!(request.root.as_ref().unwrap().version.as_u64(), 1);
    assert_eq!(request.licenses.len(), 1);
    assert_eq!(request.licenses[0].license_id, license_id(1));
    assert_eq!(request.usage.len(), 1);
    let usage = &request.usage[0];
    assert_eq!((usage.feature.as_str(), usage.used.as_u64()), ("feature-1", 4));
    assert_eq!(request.release, None);
    assert_eq!(request.mark, agent.snapshot().now(&agent.admin.clock.read()).mark);
}

#[tokio::test]
async fn its_nonce_is_the_one_open_and_a_new_request_replaces_it() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let first = agent.request().await;
    assert_eq!(agent.snapshot().facts.open_nonce.as_ref(), Some(&first.nonce));
    let second = agent.request().await;
    assert_ne!(first.nonce, second.nonce);
    agent.stop();
    let agent = host.bare();
    assert_eq!(agent.snapshot().facts.open_nonce.as_ref(), Some(&second.nonce), "durable");
}

#[tokio::test]
async fn a_site_without_root_or_license_can_ask_and_its_salt_stays() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.bare();
    let request = agent.request().await;
    assert_eq!((request.root.is_none(), request.licenses.len()), (true, 0));
    agent.admin.importer.install(host.vendor.trust()).await.unwrap();
    // The vendor answered before its root was here: what it bound to holds.
    agent.import(host.vendor.license(1, 1, &bound_to(&request, 5))).await.unwrap();
    agent.may("feature-1").unwrap();
    assert_eq!(agent.request().await.salt, request.salt);
}

#[tokio::test]
async fn in_typed_form_five_components_and_three_licenses_fit_one_qr_code() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let binding = bound_to(&*agent.request().await, 3);
    for product in 1..=3 {
        agent.import(host.vendor.license(product, 1, &binding)).await.unwrap();
        let key = format!("life|{TENANT}|{}|feature-{product}", license_id(product));
        agent.use_up(key, 7).await;
    }
    let answer = agent.ask(json!({})).await.unwrap();
    let request = verified(&answer);
    assert_eq!((request.fingerprint.len(), request.licenses.len(), request.usage.len()), (5, 3, 3));
    let typed = answer["typed_form"].as_str().unwrap();
    assert!(typed.len() <= 1_451, "{} characters", typed.len());
    assert!(farhold_terminal::qr::draw(typed, farhold_terminal::qr::Colors::Set).is_ok());

    let pasted = format!("{}\r\n  {}\n", &typed[..70], &typed[70..]);
    let line = decode_typed_form(pasted.as_bytes()).unwrap();
    assert_eq!(line, answer["envelope"].as_str().unwrap().as_bytes(), "without loss");
    let envelope = Envelope::open(&line).unwrap();
    assert_eq!(encode_typed_form(&envelope).unwrap(), typed);
    let again = verify_device_document::<Request>(envelope, &request.device_key).unwrap();
    assert_eq!(*again, *request);
}

#[tokio::test]
async fn it_still_fits_one_qr_code_where_every_component_went_unread_at_a_time_of_its_own() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let binding = bound_to(&*agent.request().await, 3);
    for product in 1..=3 {
        agent.import(host.vendor.license(product, 1, &binding)).await.unwrap();
        let key = format!("life|{TENANT}|{}|feature-{product}", license_id(product));
        agent.use_up(key, 7).await;
    }
    let hides: [&dyn Fn(); 4] = [
        &|| host.tree.spoil("etc/machine-id"),
        &|| host.tree.spoil("proc/self/mountinfo"),
        &|| host.tree.spoil("sys/class/dmi/id/product_uuid"),
        &|| host.tree.remove("sys/class/net"),
    ];
    for (number, hide) in (1u64..).zip(hides) {
        hide();
        host.wait(Duration::from_millis(86_400_123 * number * number));
        agent.look().await;
    }
    let answer = agent.ask(json!({})).await.unwrap();
    assert_eq!(verified(&answer).remembered.len(), 5);
    let typed = answer["typed_form"].as_str().unwrap();
    assert!(typed.len() <= 1_451, "{} characters", typed.len());
    assert!(farhold_terminal::qr::draw(typed, farhold_terminal::qr::Colors::Set).is_ok());
}

#[tokio::test]
async fn a_clock_reset_answers_its_request_once() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    // The agent's own time has followed a clock that was three years ahead.
    host.wait(Duration::from_secs(3 * 366 * 86_400));
    agent.look().await;
    let request = agent.request().await;
    let time = request.mark - Duration::from_secs(3 * 366 * 86_400);
    let reset = host.vendor.clock_reset(&request, time);
    agent.import(reset.clone()).await.unwrap();
    assert_eq!(agent.snapshot().facts.open_nonce, None, "used up at once");
    let told = agent.events("agent.clock.reset").await;
    assert_eq!(told, [json!({"from": request.mark, "to": time})]);
    assert_eq!(agent.import(reset.clone()).await, Err(Code::ClockResetForeign));
    agent.stop();
    let agent = host.bare();
    assert_eq!(agent.import(reset).await, Err(Code::ClockResetForeign), "after a restart, too");
}

#[tokio::test]
async fn a_clock_reset_for_the_request_before_is_foreign() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let first = agent.request().await;
    agent.request().await;
    let reset = host.vendor.clock_reset(&first, first.mark);
    assert_eq!(agent.import(reset).await, Err(Code::ClockResetForeign));
}

#[tokio::test]
async fn a_plan_made_before_the_site_changed_is_not_applied() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let bundle = host.vendor.license(1, 1, &bound_to(&*agent.request().await, 5));
    let before = agent.snapshot();
    let (standing, facts) = (&before.documents.standing, Arc::clone(&before.facts));
    let now = before.now(&agent.admin.clock.read()).instant;
    let plan = plan_import(standing, &bundle, Some(&facts), now).unwrap();
    let documents = Documents::new(plan.standing.clone(), &facts, Default::default());
    let import = ApplyImport {
        base: Arc::clone(&before.documents),
        facts,
        plan,
        documents: Arc::new(documents),
        bundle_sha256: Sha256Digest::new([0; 32]),
        device_key: agent.admin.place.facts.device_key.clone(),
        tenant_id: agent.admin.place.own_tenant(),
    };
    // Meanwhile all that the license is bound to has changed.
    for card in ["eth0", "eth1"] {
        host.tree.card(card, "b4:45:06:99:99:99");
    }
    agent.look().await;
    assert_eq!(agent.admin.owner.submit(import).await.unwrap().unwrap(), Applied::Outdated);
    assert_eq!(agent.may("feature-1"), Err(Code::LicenseMissing), "nothing happened");
    assert_eq!(agent.import(bundle).await, Err(Code::LicenseBinding), "planned anew it is refused");
}
