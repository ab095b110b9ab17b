//! What is told of the future, from the calculators that decide.

use farhold_bundle::component_hash;
use farhold_contract::model::RuntimeType;
use http::StatusCode;
use serde_json::{Value, json};

use crate::stage::{Ground, Stage, Vendor};

async fn site(ground: &Ground, vendor: &Vendor) -> Stage {
    let stage = ground.start().trusting(vendor).await;
    stage.imports(&vendor.license(json!({}))).await;
    stage
}

fn steps(timeline: &Value) -> Vec<(&str, u64, &str)> {
    let steps = timeline.as_array().unwrap().iter();
    steps
        .map(|step| {
            let at = step["at"].as_str().unwrap();
            (at, step["serial"].as_u64().unwrap(), step["step"].as_str().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn one_timeline_says_what_will_be_in_force_when() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let shown = stage.get("/admin/licenses").await;
    assert_eq!(
        steps(&shown["timeline"]),
        [
            ("2027-11-02T00:00:00Z", 1, "warns"),
            ("2028-01-01T00:00:00Z", 1, "ends"),
            ("2028-01-15T00:00:00Z", 1, "restricts"),
            ("2028-02-14T00:00:00Z", 1, "stops"),
        ]
    );
    let next = vendor.license(json!({
        "serial": 2, "not_before": "2027-12-20T00:00:00Z", "expires_on": null,
        "released_before": "2027-12-01", "ladder": null,
    }));
    stage.imports(&next).await;
    let shown = stage.get("/admin/licenses").await;
    assert_eq!(
        steps(&shown["timeline"]),
        [("2027-11-02T00:00:00Z", 1, "warns"), ("2027-12-20T00:00:00Z", 2, "begins")],
        "what is superseded before its end never ends"
    );
    assert_eq!(shown["timeline"][1]["instead_of"], 1);
    assert_eq!(shown["licenses"][0]["in_force_until"], "2027-12-20T00:00:00Z");
}

#[tokio::test]
async fn a_date_shows_phase_entitlements_and_who_would_be_refused_what() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let lab = stage.runtime(RuntimeType::Labs).await;
    let courses = stage.runtime(RuntimeType::Courses).await;

    let grace = stage.get("/admin/what-if?at=2028-01-02T00:00:00Z").await;
    assert_eq!(grace["then"]["now"], "2028-01-02T00:00:00Z");
    let line = &grace["lines"][0];
    assert_eq!((&line["phase"], &line["mode"]), (&json!("grace"), &json!("grace")));
    assert_eq!(line["ends"], "2028-01-01T00:00:00Z");
    assert_eq!(line["entitlements"][0]["quota"], 10);
    assert_eq!(grace["refused"], json!([]));
    assert_eq!(grace["otherwise"][0]["after"], json!({"mode": "grace"}));
    assert_eq!(steps(&grace["timeline"]).len(), 2);

    let over = stage.get("/admin/what-if?at=2028-02-14T00:00:00Z").await;
    assert_eq!(over["lines"][0]["code"], "license.expired");
    let refused = over["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert_eq!(refused[0]["feature"], "exams");
    assert_eq!(refused[0]["after"], json!({"code": "license.expired"}));
    assert_eq!(refused[0]["before"], json!({"mode": "offline"}));
    assert_eq!(refused[0]["runtimes"].as_array().unwrap().len(), 2);
    assert_eq!((&refused[1]["feature"], &refused[1]["runtimes"]), (&json!("lab"), &json!([lab])));
    assert!(refused[0]["runtimes"].as_array().unwrap().contains(&json!(courses)));
    assert_eq!(stage.get("/admin/what-if").await["refused"], json!([]), "nothing has changed");
}

#[tokio::test]
async fn a_clock_set_back_gains_nothing_and_one_set_ahead_is_on_probation() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    stage.runtime(RuntimeType::Courses).await;
    let back = stage.get("/admin/what-if?at=2028-02-15T00:00:00Z&clock_back=172800").await;
    assert_eq!(back["then"]["wall"], "2028-02-13T00:00:00Z");
    assert_eq!(back["then"]["now"], "2028-02-15T00:00:00Z");
    assert_eq!(back["then"]["rolled_back"], true);
    assert_eq!(back["noticed"][0]["change"], "rolled_back");
    assert_eq!(back["lines"][0]["code"], "license.expired", "it stays ended");

    let ahead = stage.get("/admin/what-if?clock_forward=34560000").await;
    assert_eq!(ahead["then"]["on_probation"], true);
    assert_eq!(ahead["noticed"][0]["change"], "lead_seen");
    assert_eq!(ahead["lines"][0]["phase"], "expiring", "licenses follow the later clock");
    let (status, refused) = stage_call(&stage, "clock_back=1&clock_forward=1").await;
    assert_eq!((status, &refused["code"]), (StatusCode::BAD_REQUEST, &json!("usage.invalid")));
}

#[tokio::test]
async fn without_a_component_the_binding_is_weighed_as_it_would_be() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    let machine = stage.owner.snapshot().facts.fingerprint.clone();
    assert!(machine.contains_key("nic.eth0") && machine.contains_key("machine_id"), "{machine:?}");
    let other = component_hash(&[7; 16], "disk.root", b"another");
    let components = json!({
        "machine_id": machine["machine_id"],
        "nic.eth0": machine["nic.eth0"],
        "disk.root": other,
    });
    let binding =
        |require: u64| json!({"fingerprint": {"components": components, "require": require}});
    stage.imports(&vendor.license(json!({"binding": binding(2)}))).await;
    let runtime = stage.runtime(RuntimeType::Labs).await;

    let without = stage.get("/admin/what-if?without=eth0").await;
    assert_eq!(without["without"], json!(["nic.eth0"]));
    assert_eq!(without["not_admitted"][0]["code"], "license.binding_mismatch");
    assert_eq!(without["lines"][0]["code"], "license.binding_mismatch");
    let refused = without["refused"].as_array().unwrap();
    assert!(
        refused.iter().any(|one| one["feature"] == "lab" && one["runtimes"] == json!([runtime]))
    );
    assert_eq!(refused[0]["after"], json!({"code": "license.binding_mismatch"}));

    stage.imports(&vendor.license(json!({"serial": 2, "binding": binding(1)}))).await;
    let without = stage.get("/admin/what-if?without=nic.eth0").await;
    assert_eq!(without["refused"], json!([]), "one component is enough");
    let both = stage.get("/admin/what-if?without=eth0,machine_id").await;
    assert_eq!(both["lines"][0]["code"], "license.binding_mismatch");
    let (status, refused) = stage_call(&stage, "without=eth1").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(refused["detail"].as_str().unwrap().contains("nic.eth0"), "{refused}");
}

#[tokio::test]
async fn a_date_that_has_passed_is_today() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let past = stage.get("/admin/what-if?at=2020-01-01T00:00:00Z").await;
    assert_eq!(past["then"]["now"], past["today"]["now"]);
    assert_eq!(past["lines"][0]["phase"], "in_force");
}

async fn stage_call(stage: &Stage, query: &str) -> (StatusCode, Value) {
    stage.asks(&format!("/admin/what-if?{query}")).await
}
