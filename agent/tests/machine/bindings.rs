//! How licenses hang on a machine: what may change, what is told, and when it ends.

use std::{fs, sync::Arc, time::Duration};

use serde_json::json;

use farhold_contract::Code;

use super::{
    host::{Agent, Host},
    tree::Tree,
    vendor::bound_to,
};

const DRIFT: &str = "fingerprint_drift";
const CHANGED: &str = "agent.fingerprint.changed";

/// A server with a license that holds with three of its five components.
async fn server() -> (Host, Agent) {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let request = agent.request().await;
    assert_eq!(request.fingerprint.len(), 5);
    agent.import(host.vendor.license(1, 1, &bound_to(&request, 3))).await.unwrap();
    agent.may("feature-1").unwrap();
    (host, agent)
}

#[tokio::test]
async fn a_license_of_another_machine_is_refused_and_one_of_this_machine_is_taken() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let other = Host::new(Tree::virtual_machine());
    let stranger = other.agent().await.request().await;
    let refused = agent.import(host.vendor.license(1, 1, &bound_to(&stranger, 2))).await;
    assert_eq!(refused, Err(Code::LicenseBinding));
    assert_eq!(agent.may("feature-1"), Err(Code::LicenseMissing), "nothing was written");
    let request = agent.request().await;
    agent.import(host.vendor.license(1, 1, &bound_to(&request, 5))).await.unwrap();
    agent.may("feature-1").unwrap();
    assert_eq!(agent.condition(DRIFT).await, None);
}

#[tokio::test]
async fn two_sites_salt_the_same_machine_differently() {
    let (one, two) = (Host::new(Tree::bare_metal()), Host::new(Tree::bare_metal()));
    let (one, two) = (one.agent().await.request().await, two.agent().await.request().await);
    assert_ne!(one.salt, two.salt);
    assert!(one.fingerprint.iter().all(|(name, hash)| two.fingerprint[name] != *hash));
    assert!(!String::from_utf8_lossy(one.line()).contains("b4:45"), "no raw value leaves");
}

#[tokio::test]
async fn one_changed_card_is_told_once_and_denies_nothing() {
    let (host, agent) = server().await;
    host.tree.card("eth0", "b4:45:06:99:99:99");
    let seen = agent.look().await;
    agent.look().await;
    assert_eq!(agent.events(CHANGED).await, [json!({"changed": ["nic.eth0"]})], "once");
    agent.may("feature-1").unwrap();
    let told = agent.condition(DRIFT).await.unwrap();
    assert!(
        told.contains("1 of 5 components changed, 3 are needed, it bears 1 more change"),
        "{told}"
    );
    let license = &seen["licenses"][0];
    assert_eq!(license["components"]["nic.eth0"], "changed");
    assert_eq!((&license["holding"], &license["bears"]), (&json!(4), &json!(1)));
    let card = seen["components"].as_array().unwrap().iter().find(|one| one["name"] == "nic.eth0");
    assert_eq!(card.unwrap()["changed_at"], seen["looked_at"]);
}

#[tokio::test]
async fn past_its_limit_a_binding_denies_as_such_and_what_comes_back_counts_again() {
    let (host, agent) = server().await;
    host.tree.write("sys/devices/sda/device/wwid", "naa.another");
    host.tree.card("eth0", "b4:45:06:99:99:99");
    agent.look().await;
    agent.may("feature-1").unwrap();
    assert!(agent.condition(DRIFT).await.unwrap().contains("it bears no more change"));
    host.tree.card("eth1", "b4:45:06:99:99:98");
    let seen = agent.look().await;
    assert_eq!(agent.may("feature-1"), Err(Code::LicenseBinding), "never license.missing");
    assert!(agent.condition(DRIFT).await.unwrap().contains("it no longer holds, 1 must come back"));
    assert_eq!(agent.condition("bundle_rejected").await, None, "no bundle was");
    assert_eq!(seen["licenses"][0]["holds"], false);
    host.tree.card("eth1", "b4:45:06:01:02:04");
    agent.look().await;
    agent.may("feature-1").unwrap();
    assert_eq!(agent.events(CHANGED).await.len(), 3);
}

#[tokio::test]
async fn a_rehost_by_request_and_answer_puts_the_machine_right() {
    let (host, agent) = server().await;
    for card in ["eth0", "eth1"] {
        host.tree.card(card, "b4:45:06:99:99:99");
    }
    host.tree.write("etc/machine-id", "11112222333344445555666677778888");
    let request = agent.request().await;
    assert_eq!(agent.may("feature-1"), Err(Code::LicenseBinding), "a request looks first");
    agent.import(host.vendor.license(1, 2, &bound_to(&request, 3))).await.unwrap();
    agent.may("feature-1").unwrap();
    assert_eq!(agent.condition(DRIFT).await, None, "what is superseded is no concern");
}

#[tokio::test]
async fn a_new_name_of_host_or_card_changes_nothing() {
    let (host, agent) = server().await;
    host.tree.write("etc/hostname", "server-2");
    host.tree.remove("sys/class/net/eth0");
    host.tree.card("enp1s0", "b4:45:06:01:02:03");
    let seen = agent.look().await;
    assert_eq!(seen["licenses"][0]["renamed"], json!({"nic.eth0": "nic.enp1s0"}));
    assert_eq!(seen["licenses"][0]["holding"], 5);
    assert_eq!(agent.condition(DRIFT).await, None);
    assert_eq!(agent.events(CHANGED).await, [] as [serde_json::Value; 0]);
}

#[tokio::test]
async fn a_virtual_machine_resized_and_moved_to_another_processor_is_the_same() {
    let host = Host::new(Tree::virtual_machine());
    let agent = host.agent().await;
    let request = agent.request().await;
    let count = request.fingerprint.len() as u64;
    agent.import(host.vendor.license(1, 1, &bound_to(&request, count))).await.unwrap();
    agent.stop();
    host.tree
        .write("proc/cpuinfo", "model name\t: Another CPU\nflags\t\t: fpu avx512f hypervisor\n");
    host.tree.write("proc/meminfo", "MemTotal: 65536000 kB");
    host.tree.card("ens3", "52:54:00:65:43:21");
    let agent = host.bare();
    agent.may("feature-1").unwrap();
    assert_eq!(agent.look().await["licenses"][0]["bears"], 0);
    assert_eq!(agent.condition(DRIFT).await, None);
}

#[tokio::test]
async fn a_container_made_anew_on_its_volume_is_the_same_agent() {
    let host = Host::new(Tree::container());
    let agent = host.agent().await;
    let seen = agent.look().await;
    assert_eq!(seen["environment"]["kind"], "container");
    assert_eq!(seen["recommended"]["binding"], "device_key");
    let key = agent.admin.place.facts.device_key.clone();
    let template = seen["recommended"]["template"].as_str().unwrap();
    assert_eq!(template, format!("[binding]\ndevice_key = \"{key}\"\n"));
    agent.import(host.vendor.license(1, 1, &json!({"device_key": key}))).await.unwrap();
    agent.stop();
    host.tree.write("sys/class/net/eth0/address", "02:42:ac:11:00:09");
    host.tree.write("etc/machine-id", "11112222333344445555666677778888");
    let agent = host.bare();
    agent.may("feature-1").unwrap();
    assert_eq!(agent.look().await["licenses"], json!([]), "it hangs on no component");
}

#[tokio::test]
async fn what_cannot_be_read_after_a_restart_still_holds() {
    let (host, agent) = server().await;
    agent.stop();
    for path in ["etc/machine-id", "sys/class/dmi/id/product_uuid", "proc/self/mountinfo"] {
        host.tree.spoil(path);
    }
    host.tree.remove("sys/class/net");
    let agent = host.bare();
    agent.may("feature-1").unwrap();
    let seen = agent.look().await;
    let states = seen["licenses"][0]["components"].as_object().unwrap();
    assert!(states.values().all(|state| state == "unknown"), "{states:?}");
    assert_eq!(seen["licenses"][0]["holding"], 5);
    assert_eq!(agent.condition(DRIFT).await, None);
    assert_eq!(agent.events(CHANGED).await, [] as [serde_json::Value; 0]);
}

#[tokio::test]
async fn a_change_while_the_agent_was_off_is_seen_at_the_start_and_told_once() {
    let (host, agent) = server().await;
    agent.stop();
    host.tree.card("eth0", "b4:45:06:99:99:99");
    let agent = host.bare();
    assert!(agent.condition(DRIFT).await.is_some(), "before anybody asks");
    agent.look().await;
    agent.stop();
    let agent = host.bare();
    agent.look().await;
    assert_eq!(agent.events(CHANGED).await.len(), 1);
}

#[tokio::test]
async fn a_card_that_is_gone_counts_as_changed_after_a_while() {
    let (host, agent) = server().await;
    host.tree.remove("sys/class/net/eth0");
    assert_eq!(agent.look().await["licenses"][0]["components"]["nic.eth0"], "unknown");
    host.wait(Duration::from_secs(14 * 60));
    agent.look().await;
    assert_eq!(agent.condition(DRIFT).await, None, "its driver may come yet");
    host.wait(Duration::from_secs(2 * 60));
    let seen = agent.look().await;
    assert_eq!(seen["licenses"][0]["components"]["nic.eth0"], "changed");
    assert_eq!(agent.events(CHANGED).await, [json!({"changed": ["nic.eth0"]})]);
    host.tree.card("eth0", "b4:45:06:01:02:03");
    assert_eq!(agent.look().await["licenses"][0]["holding"], 5, "and counts again");
}

#[tokio::test]
async fn a_lost_database_keeps_the_salt_and_with_it_every_binding() {
    let (host, agent) = server().await;
    let salt = agent.request().await.salt.clone();
    agent.stop();
    fs::remove_file(host.state_dir().join("agent.db")).unwrap();
    let _ = fs::remove_file(host.state_dir().join("agent.db-wal"));
    let _ = fs::remove_file(host.state_dir().join("agent.db-shm"));
    let agent = host.bare();
    agent.may("feature-1").unwrap();
    assert_eq!(agent.request().await.salt, salt);
    agent.stop();
    // And from there it is in the database again.
    fs::remove_file(host.state_dir().join("machine.json")).unwrap();
    let agent = host.bare();
    agent.may("feature-1").unwrap();
    assert_eq!(agent.request().await.salt, salt);
    assert!(host.state_dir().join("machine.json").exists());
}

#[tokio::test]
async fn the_recommended_lines_are_a_binding_that_fits() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let seen = agent.look().await;
    assert_eq!(seen["environment"]["kind"], "bare_metal");
    let template = seen["recommended"]["template"].as_str().unwrap();
    let lines: toml::Value = toml::from_str(template).unwrap();
    let binding = serde_json::to_value(&lines["binding"]).unwrap();
    assert_eq!(binding["fingerprint"]["require"], 3);
    agent.import(host.vendor.license(1, 1, &binding)).await.unwrap();
    agent.may("feature-1").unwrap();
}

#[tokio::test]
async fn a_heartbeat_says_the_machine_as_licenses_are_held_to_it() {
    let (_host, agent) = server().await;
    let request = agent.request().await;
    let reported = agent.snapshot().machine.reported();
    assert_eq!(
        (reported.salt, reported.components),
        (request.salt.clone(), request.fingerprint.clone())
    );
}

#[tokio::test]
async fn a_look_that_nobody_asked_for_commits_only_what_is_new() {
    let (host, agent) = server().await;
    let stands = agent.snapshot();
    host.wait(Duration::from_secs(300));
    agent.glance().await;
    assert!(Arc::ptr_eq(&stands, &agent.snapshot()), "nothing was new, and nothing was written");
    host.tree.card("eth0", "b4:45:06:99:99:99");
    agent.glance().await;
    assert_eq!(agent.events(CHANGED).await, [json!({"changed": ["nic.eth0"]})]);
    host.tree.remove("sys/class/net/eth1");
    for _ in 0..4 {
        host.wait(Duration::from_secs(300));
        agent.glance().await;
    }
    assert_eq!(agent.events(CHANGED).await.len(), 2, "what is gone is told by its time");
}
