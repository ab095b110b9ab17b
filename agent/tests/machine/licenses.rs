//! What the site says of a license's binding, and of one that is another machine's.

use serde_json::json;

use farhold_contract::Code;

use super::{host::Host, tree::Tree, vendor::bound_to};

#[tokio::test]
async fn each_license_says_what_it_is_bound_to_and_how_this_machine_compares_today() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let request = agent.request().await;
    let key = &request.device_key;
    agent.import(host.vendor.license(1, 1, &json!("none"))).await.unwrap();
    agent.import(host.vendor.license(2, 1, &json!({"device_key": key}))).await.unwrap();
    agent.import(host.vendor.license(3, 1, &bound_to(&request, 4))).await.unwrap();
    host.tree.card("eth0", "b4:45:06:99:99:99");
    host.tree.spoil("proc/self/mountinfo");
    let seen = agent.look().await;
    let licenses = agent.licenses().await;
    assert_eq!(licenses[0]["bound_to"], json!({"kind": "nothing", "holds": true}));
    assert_eq!(
        licenses[1]["bound_to"],
        json!({"kind": "device_key", "holds": true, "device_key": key})
    );
    assert_eq!(
        licenses[2]["bound_to"],
        json!({
            "kind": "fingerprint",
            "holds": true,
            "require": 4,
            "holding": 4,
            "components": {
                "disk.root": "unknown",
                "dmi_product_uuid": "same",
                "machine_id": "same",
                "nic.eth0": "changed",
                "nic.eth1": "same",
            },
            "remembered": {"disk.root": seen["looked_at"]},
        })
    );
    assert_eq!((&licenses[2]["modes"], &licenses[2]["sites"]), (&json!(["detached"]), &json!(1)));
    // One more: it is shown as it is, though it no longer decides.
    host.tree.card("eth1", "b4:45:06:99:99:98");
    agent.look().await;
    let bound = agent.licenses().await[2]["bound_to"].clone();
    assert_eq!((&bound["holds"], &bound["holding"]), (&json!(false), &json!(3)));
}

#[tokio::test]
async fn a_license_for_another_agents_key_is_refused_by_its_own_code_with_both_keys_and_the_way() {
    let host = Host::new(Tree::bare_metal());
    let agent = host.agent().await;
    let other = Host::new(Tree::bare_metal());
    let theirs = other.agent().await.request().await.device_key.clone();
    let bundle = host.vendor.license(1, 1, &json!({"device_key": theirs}));
    let refusal = agent.admin.importer.import(bundle).await.err().unwrap();
    assert_eq!(refusal.code, Code::LicenseBinding);
    let detail = refusal.detail.unwrap();
    let own = &agent.admin.place.facts.device_key;
    let whose = format!(
        "issued to Example School for the agent with device key {theirs}; this agent's is {own}"
    );
    assert!(detail.contains(&whose), "{detail}");
    // Whoever carried it here, a hand, a folder or the Kernel: the site says the same.
    let told = agent.condition("bundle_rejected").await.unwrap();
    for part in ["license.binding_mismatch: ", &whose, Code::LicenseBinding.action()] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for verb in ["farhold request", "license-tool answer"] {
        assert!(Code::LicenseBinding.action().contains(verb), "{verb}");
    }
    let events = agent.events("agent.bundle.refused").await;
    assert_eq!(events[0]["code"], "license.binding_mismatch");
    assert!(events[0]["detail"].as_str().unwrap().contains(&whose));
}
