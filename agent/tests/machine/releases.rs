//! What a site gives up stays given up.

use std::fs;

use serde_json::json;

use farhold_contract::Code;

use super::{
    host::{Agent, Host, verified},
    tree::Tree,
    vendor::{bound_to, license_id},
};

/// A site with the licenses of two products.
async fn site() -> (Host, Agent) {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let binding = bound_to(&*agent.request().await, 3);
    for product in [1, 2] {
        agent.import(host.vendor.license(product, 1, &binding)).await.unwrap();
    }
    (host, agent)
}

#[tokio::test]
async fn a_release_stops_the_license_in_the_transaction_of_its_request() {
    let (_host, agent) = site().await;
    let answer = agent.ask(json!({"release": license_id(1)})).await.unwrap();
    assert_eq!(agent.may("feature-1"), Err(Code::LicenseReleased));
    agent.may("feature-2").unwrap();
    let request = verified(&answer);
    assert_eq!(request.release, Some(license_id(1)));
    let named: Vec<_> = request
        .licenses
        .iter()
        .map(|license| (license.license_id, license.serial.as_u64()))
        .collect();
    assert_eq!(named, [(license_id(1), 1), (license_id(2), 1)], "with the serial given up");
    assert_eq!(answer["released"], json!({"license_id": license_id(1), "serial": 1}));
    let told = agent.events("agent.license.released").await;
    assert_eq!(told, [json!({"license_id": license_id(1), "serial": 1})]);
    assert_eq!(agent.condition("bundle_rejected").await, None, "it was the site's own will");
}

#[tokio::test]
async fn it_survives_a_restart_and_a_lost_database_and_can_be_asked_for_again() {
    let (host, agent) = site().await;
    agent.ask(json!({"release": license_id(1)})).await.unwrap();
    agent.stop();
    let agent = host.bare();
    assert_eq!(agent.may("feature-1"), Err(Code::LicenseReleased));
    agent.ask(json!({"release": license_id(1)})).await.unwrap();
    assert_eq!(agent.events("agent.license.released").await.len(), 1, "told once");
    agent.stop();
    for file in ["agent.db", "agent.db-wal", "agent.db-shm"] {
        let _ = fs::remove_file(host.state_dir().join(file));
    }
    let agent = host.bare();
    agent.may("feature-2").unwrap();
    assert_eq!(agent.may("feature-1"), Err(Code::LicenseReleased), "by the second copy");
}

/// As a verb does that only looks.
fn opened_and_closed(host: &Host) {
    host.bare().stop();
}

#[tokio::test]
async fn the_second_copy_is_made_again_at_a_start_that_finds_it_missing_or_another() {
    let (host, agent) = site().await;
    agent.ask(json!({"release": license_id(1)})).await.unwrap();
    agent.stop();
    let copy = host.state_dir().join("machine.json");
    let honest = fs::read(&copy).unwrap();
    for damage in [None, Some("{}"), Some("not JSON")] {
        match damage {
            None => fs::remove_file(&copy).unwrap(),
            Some(damage) => fs::write(&copy, damage).unwrap(),
        }
        opened_and_closed(&host);
        assert_eq!(fs::read(&copy).unwrap(), honest, "{damage:?}");
    }
    for file in ["agent.db", "agent.db-wal", "agent.db-shm"] {
        let _ = fs::remove_file(host.state_dir().join(file));
    }
    assert_eq!(host.bare().may("feature-1"), Err(Code::LicenseReleased));
}

#[tokio::test]
async fn the_serial_given_up_is_not_taken_again_and_a_later_one_is() {
    let (host, agent) = site().await;
    let binding = bound_to(&*agent.request().await, 3);
    agent.ask(json!({"release": license_id(1)})).await.unwrap();
    agent.import(host.vendor.license(1, 2, &binding)).await.unwrap();
    agent.may("feature-1").unwrap();
    // A site that has lost its documents and not its word.
    agent.ask(json!({"release": license_id(1)})).await.unwrap();
    agent.stop();
    for file in ["agent.db", "agent.db-wal", "agent.db-shm", "current.bundle"] {
        let _ = fs::remove_file(host.state_dir().join(file));
    }
    let agent = host.agent().await;
    let given_up = agent.import(host.vendor.license(1, 2, &binding)).await;
    assert_eq!(given_up, Err(Code::LicenseReleased));
    agent.import(host.vendor.license(1, 3, &binding)).await.unwrap();
    agent.may("feature-1").unwrap();
}

#[tokio::test]
async fn what_is_not_stored_cannot_be_given_up_and_nothing_changes() {
    let (_host, agent) = site().await;
    let before = agent.request().await;
    let refused = agent.ask(json!({"release": license_id(9)})).await.unwrap_err();
    assert_eq!(refused, Code::LicenseMissing.as_str());
    assert_eq!(agent.snapshot().facts.open_nonce.as_ref(), Some(&before.nonce));
    assert_eq!(agent.events("agent.license.released").await, [] as [serde_json::Value; 0]);
    let malformed = agent.ask(json!({"release": "all"})).await.unwrap_err();
    assert_eq!(malformed, Code::RequestMalformed.as_str());
}
