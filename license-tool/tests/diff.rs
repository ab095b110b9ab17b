//! Two documents side by side, on the real tool.
#![allow(clippy::unwrap_used)]

mod desk;

use serde_json::{Value, json};

use desk::{Desk, ISSUED_AT, LICENSE, TEMPLATE, TENANT, at};
use farhold_bundle::{Positive, payload::Revocations, seal};

const SECOND: &str = r#"
license_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4a"
product = "acme-courses"
issued_to = "Universidad del Sur"
expires_on = 2027-06-30

[tenant]
tenant_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f"
type = "company"

[ladder]
grace = "P14D"
restrict = "P30D"

[[entitlements]]
feature = "courses.publish"
limits = { quota = 300, time_window = "P1M" }

[[entitlements]]
feature = "labs.run"

[[flags]]
key = "courses.dark_mode"
value = true
"#;

#[test]
fn two_templates_are_compared_term_by_term() {
    let desk = Desk::empty();
    desk.write("old.toml", TEMPLATE);
    desk.write("new.toml", SECOND);
    let diff = desk.done("diff old.toml new.toml --json");
    let line = &diff["lines"][0];
    assert_eq!(line["product"], "acme-courses");
    assert_eq!(
        line["terms"],
        json!([{ "name": "expires_on", "before": "2027-12-31", "after": "2027-06-30" }])
    );
    assert_eq!(line["entitlements"][0]["feature"], "courses.publish");
    assert_eq!(line["entitlements"][0]["before"]["quota"], 500);
    assert_eq!(line["entitlements"][0]["after"]["quota"], 300);
    assert_eq!(line["entitlements"][1]["before"], Value::Null);
    assert_eq!(line["flags"][0]["after"]["value"], true);
    assert_eq!(
        losses(&diff),
        [
            "courses.publish for every runtime: quota 300 instead of 500",
            "it ends 2027-07-01T12:00:00Z instead of 2028-01-01T12:00:00Z",
            "everything stops 2027-08-14T12:00:00Z instead of 2028-02-14T12:00:00Z",
        ]
    );
    let text = desk.run("diff old.toml new.toml").stdout;
    assert!(text.contains("  expires_on: 2027-12-31 -> 2027-06-30\n"), "{text}");
    assert!(text.contains("quota 500, each P1M -> quota 300, each P1M"), "{text}");
    assert!(text.contains("labs.run for every runtime: (none) -> unlimited"), "{text}");
    assert!(text.contains("flag courses.dark_mode: (none) -> true"), "{text}");

    // The other way round nothing gets less but the feature and the flag.
    let back = desk.done("diff new.toml old.toml --json");
    assert_eq!(losses(&back), ["labs.run for every runtime is no longer granted"]);
    let same = desk.done("diff old.toml old.toml --json");
    assert_eq!(same["same"], true);
    assert_eq!(desk.run("diff old.toml old.toml").stdout, "no difference\n");
}

#[test]
fn a_wider_entitlement_is_no_loss_to_those_who_had_a_narrower_one() {
    let desk = Desk::empty();
    let of_labs = "feature = \"courses.publish\"\nruntime_type = \"labs\"";
    desk.write("old.toml", TEMPLATE.replace("feature = \"courses.publish\"", of_labs));
    desk.write("new.toml", TEMPLATE);
    assert_eq!(losses(&desk.done("diff old.toml new.toml --json")), Vec::<String>::new());
    let narrower = desk.done("diff new.toml old.toml --json");
    assert_eq!(losses(&narrower), ["courses.publish for every runtime is no longer granted"]);
}

#[test]
fn a_signed_license_is_compared_with_the_template_of_its_renewal() {
    let desk = Desk::new();
    desk.issue(1, "1.json");
    let diff = desk.done("diff 1.json acme.toml --root root.json --json");
    assert_eq!(diff["lines"][0]["before"]["serial"], 1);
    assert_eq!(diff["lines"][0]["after"]["serial"], Value::Null);
    let names: Vec<&Value> =
        diff["lines"][0]["terms"].as_array().unwrap().iter().map(|term| &term["name"]).collect();
    assert_eq!(names, ["not_before"], "what the tool fills in is no difference");
    assert_eq!(losses(&diff), Vec::<String>::new());
}

#[test]
fn bundles_are_compared_by_line_and_what_is_revoked_or_falls_is_told() {
    let desk = Desk::new();
    desk.issue(1, "1.json");
    desk.write("acme.toml", SECOND);
    desk.issue(2, "2.json");
    let mut list = seal(
        &Revocations {
            issuer: issuer(&desk),
            generation: Positive::MIN,
            issued_at: at(ISSUED_AT),
            licenses: vec![LICENSE.parse().unwrap()],
            serials_below: Vec::new(),
            critical: Vec::new(),
        },
        &desk.signer("revocation"),
    )
    .unwrap();
    list.push(b'\n');
    desk.write("new.bundle", [desk.read("2.json"), list].concat());
    let diff = desk.done("diff 1.json new.bundle --root root.json --json");
    let line = &diff["lines"][0];
    assert_eq!((&line["before"]["serial"], &line["after"]["serial"]), (&json!(1), &json!(2)));
    assert_eq!(diff["revocations"]["after"], 1);
    assert_eq!(diff["revocations"]["licenses"], json!([LICENSE]));
    let lost = losses(&diff);
    assert!(lost.contains(&format!("license {LICENSE} serial 1 is revoked")), "{lost:?}");
    assert!(lost.contains(&format!("license {LICENSE} serial 2 is revoked")), "{lost:?}");

    // What the new file does not mention stays at a site.
    desk.write("other.toml", TEMPLATE.replace("acme-courses", "acme-labs"));
    let other = desk.done("diff 1.json other.toml --root root.json --json");
    assert_eq!(other["lines"].as_array().unwrap().len(), 2);
    assert_eq!(losses(&other), Vec::<String>::new());
    let text = desk.run("diff 1.json other.toml --root root.json").stdout;
    assert!(text.contains("a site that has it goes on with it"), "{text}");

    // A lower serial takes nothing: the site keeps the higher one.
    assert_eq!(
        losses(&desk.done("diff 2.json 1.json --root root.json --json")),
        Vec::<String>::new()
    );
}

#[test]
fn roots_are_compared_by_role_and_key() {
    let desk = Desk::new();
    desk.keygen("license2");
    let first = desk.done("root show root.json --json");
    desk.root_init(
        "other.json",
        &["--license-key license2.key", "--license-threshold 2", "--expires 8000-01-01"],
    );
    let diff = desk.done("diff root.json other.json --json");
    let roles = diff["root"]["roles"].as_array().unwrap();
    assert_eq!(roles.len(), 1, "{diff:#}");
    assert_eq!(roles[0]["role"], "license");
    assert_eq!(roles[0]["added"].as_array().unwrap().len(), 1);
    assert_eq!(roles[0]["removed"], json!([]));
    assert_eq!(roles[0]["threshold"], json!([1, 2]));
    assert_ne!(diff["root"]["expires"][1], first["root"]["expires"]);
}

#[test]
fn without_a_root_claims_are_compared_and_said_to_be_claims() {
    let desk = Desk::new();
    desk.issue(1, "1.json");
    desk.issue(2, "2.json");
    let ran = desk.run("diff 1.json 2.json");
    assert!(ran.stderr.contains("no signature was verified"), "{}", ran.stderr);
    let ran = desk.run("diff 1.json 2.json --root root.json");
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    let other = Desk::new();
    desk.write("foreign.json", other.read("root.json"));
    desk.refused("diff 1.json 2.json --root foreign.json", 5, "signature.key_unknown");
    desk.keygen("device");
    desk.export("export.jsonl", "device", 1, 0);
    desk.refused("diff 1.json export.jsonl", 65, "payload.type_unknown");
}

fn losses(diff: &Value) -> Vec<String> {
    let losses = diff["losses"].as_array().unwrap();
    let line = |loss: &Value| {
        assert_eq!(loss["tenant_id"], TENANT);
        loss["what"].as_str().unwrap().to_owned()
    };
    losses.iter().map(line).collect()
}

fn issuer(desk: &Desk) -> farhold_contract::id::IssuerId {
    let root = desk.done("root show root.json --json");
    root["root"]["issuer"]["id"].as_str().unwrap().parse().unwrap()
}
