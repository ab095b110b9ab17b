//! Components that count without being read: named to whoever asks, told in time, never denied.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use farhold_contract::{Code, Timestamp};

use super::{
    host::{Agent, Host},
    tree::Tree,
    vendor::{bound_to, license_id},
};

const UNREAD: &str = "fingerprint_unread";
const EVENT: &str = "agent.fingerprint.unread";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A server with a license that holds with three of its five components.
async fn server() -> (Host, Agent) {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let request = agent.request().await;
    assert_eq!(request.remembered, BTreeMap::new(), "all five were read");
    agent.import(host.vendor.license(1, 1, &bound_to(&request, 3))).await.unwrap();
    (host, agent)
}

/// What a copy of the state finds where nothing of the machine may be read.
fn hide_all(host: &Host) {
    for path in ["etc/machine-id", "sys/class/dmi/id/product_uuid", "proc/self/mountinfo"] {
        host.tree.spoil(path);
    }
    host.tree.remove("sys/class/net");
}

fn licenses_of(events: &[Value]) -> Vec<&Value> {
    events.iter().map(|event| &event["licenses"]).collect()
}

#[tokio::test]
async fn a_request_and_a_heartbeat_name_what_is_remembered_and_since_when() {
    let (host, agent) = server().await;
    agent.stop();
    host.wait(HOUR);
    hide_all(&host);
    let agent = host.bare();
    let since = agent.snapshot().machine.looked_at;
    host.wait(HOUR);
    let request = agent.request().await;
    agent.may("feature-1").unwrap();
    let all: BTreeMap<String, Timestamp> =
        request.fingerprint.keys().map(|name| (name.clone(), since)).collect();
    assert_eq!((request.fingerprint.len(), &request.remembered), (5, &all));
    assert_eq!(agent.snapshot().machine.reported().remembered, all);
    assert_eq!(agent.ask(json!({})).await.unwrap()["remembered"], json!(all));
    agent.stop();
    // It outlasts a restart, and ends with what is read again.
    host.tree.remove("etc/machine-id");
    host.tree.write("etc/machine-id", super::tree::MACHINE_ID);
    let agent = host.bare();
    let mut others = all;
    others.remove("machine_id").unwrap();
    assert_eq!(agent.request().await.remembered, others);
    assert_eq!(agent.snapshot().machine.reported().remembered, others);
}

#[tokio::test]
async fn a_license_that_nothing_read_holds_is_told_after_a_week_once_and_denied_never() {
    let (host, agent) = server().await;
    hide_all(&host);
    agent.look().await;
    host.wait(7 * 24 * HOUR - HOUR);
    agent.glance().await;
    assert_eq!(agent.condition(UNREAD).await, None, "a repair takes days");
    assert_eq!(agent.events(EVENT).await, [] as [Value; 0]);
    host.wait(HOUR);
    let told = agent.condition(UNREAD).await.unwrap();
    assert!(told.contains("0 of the 3 components needed can be read; not read: "), "{told}");
    assert!(told.contains("disk.root since 2027-06-01T12:00:00Z"), "{told}");
    // Nobody asks, nothing else has changed: time alone is news, once.
    for _ in 0..3 {
        agent.glance().await;
    }
    let events = agent.events(EVENT).await;
    assert_eq!(licenses_of(&events), [&json!([license_id(1)])]);
    assert_eq!(events[0]["remembered"].as_object().unwrap().len(), 5, "{events:?}");
    assert_eq!(agent.condition("fingerprint_drift").await, None, "unknown is not changed");
    host.wait(400 * 24 * HOUR / 2);
    agent.may("feature-1").unwrap();
    agent.stop();
    let agent = host.bare();
    agent.glance().await;
    assert_eq!(agent.events(EVENT).await.len(), 1, "a restart is no news");

    // Three of five are read again: enough, whatever the others are.
    host.tree.remove("etc/machine-id");
    host.tree.write("etc/machine-id", super::tree::MACHINE_ID);
    host.tree.card("eth0", "b4:45:06:01:02:03");
    host.tree.card("eth1", "b4:45:06:01:02:04");
    agent.glance().await;
    assert_eq!(agent.condition(UNREAD).await, None);
    let events = agent.events(EVENT).await;
    assert_eq!(licenses_of(&events), [&json!([license_id(1)]), &json!([])]);
}

#[tokio::test]
async fn two_of_five_that_stay_unread_are_no_concern() {
    let (host, agent) = server().await;
    host.tree.spoil("sys/class/dmi/id/product_uuid");
    host.tree.spoil("proc/self/mountinfo");
    agent.look().await;
    host.wait(30 * 24 * HOUR);
    agent.glance().await;
    assert_eq!(agent.request().await.remembered.len(), 2, "the vendor sees it all the same");
    assert_eq!(agent.condition(UNREAD).await, None);
    assert_eq!(agent.events(EVENT).await, [] as [Value; 0]);
}

#[tokio::test]
async fn state_on_another_machine_that_hides_its_parts_is_told_at_once() {
    let (host, agent) = server().await;
    agent.stop();
    // Another machine: what can be read of it is another's, the rest is hidden.
    host.tree.write("etc/machine-id", "11112222333344445555666677778888");
    host.tree.spoil("sys/class/dmi/id/product_uuid");
    host.tree.spoil("proc/self/mountinfo");
    host.tree.remove("sys/class/net");
    let agent = host.bare();
    let told = agent.condition(UNREAD).await.unwrap();
    assert!(told.contains("0 of the 3 components needed can be read, 1 changed"), "{told}");
    agent.glance().await;
    assert_eq!(licenses_of(&agent.events(EVENT).await), [&json!([license_id(1)])]);
    agent.may("feature-1").unwrap();
    let seen = agent.look().await;
    let license = &seen["licenses"][0];
    let figures = ["holding", "read", "require"].map(|name| license[name].as_u64().unwrap());
    assert_eq!(figures, [4, 0, 3]);
    assert_eq!(license["remembered"].as_object().unwrap().len(), 4);
    let next = license["next_change"].as_str().unwrap();
    assert!(next.contains("only 0 of the 3 needed can be read"), "{next}");

    // Shown, the parts prove what was only likely: then it ends, and not before.
    host.tree.card("eth0", "b4:45:06:99:99:98");
    host.tree.card("eth1", "b4:45:06:99:99:99");
    agent.look().await;
    assert_eq!(agent.may("feature-1"), Err(Code::LicenseBinding));
    assert_eq!(agent.condition(UNREAD).await, None, "it holds no longer, by memory neither");
    assert!(agent.condition("fingerprint_drift").await.is_some());
}

#[tokio::test]
async fn a_component_that_its_whole_family_hides_is_shown_as_hidden() {
    let (host, agent) = server().await;
    host.tree.remove("sys/class/net");
    let seen = agent.look().await;
    let card = seen["components"].as_array().unwrap().iter().find(|one| one["name"] == "nic.eth0");
    let card = card.unwrap();
    assert_eq!((&card["state"], &card["unread_since"]), (&json!("unreadable"), &seen["looked_at"]));
    assert!(card["reason"].as_str().unwrap().contains("/sys/class/net is not there"), "{card}");
}
