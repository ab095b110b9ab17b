//! A site's future, on the real tool.
#![allow(clippy::unwrap_used)]

mod desk;

use serde_json::Value;

use desk::{Desk, TEMPLATE};

/// Ends 2027-12-31 in Lima; grace 14 days, restricted 30.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "acme.toml",
        TEMPLATE.replace("expires_on", "time_zone = \"America/Lima\"\nexpires_on"),
    );
    desk.issue(1, "1.json");
    desk
}

const FROM: &str = "--from 2026-12-01";

#[test]
fn one_license_goes_through_its_ladder_day_by_day() {
    let desk = desk();
    let told = desk.done(&format!("simulate 1.json --root root.json {FROM} --json"));
    assert_eq!(
        steps(&told),
        [
            ("2026-12-01T00:00:00Z", "imported"),
            ("2027-11-02T05:00:00Z", "warns"),
            ("2028-01-01T05:00:00Z", "ends"),
            ("2028-01-15T05:00:00Z", "restricts"),
            ("2028-02-14T05:00:00Z", "stops"),
            ("9000-01-02T00:00:00Z", "root_ends"),
        ]
    );
    let answers = |at: usize| &told["events"][at]["answers"][0];
    assert_eq!(answers(0)["subject"], "courses.publish for every runtime");
    assert_eq!(answers(0)["before"], Value::Null);
    assert_eq!(answers(0)["after"]["mode"], "online");
    assert_eq!(told["events"][1]["answers"], Value::Array(Vec::new()), "a warning changes nothing");
    assert_eq!(told["events"][1]["conditions"][0]["code"], "license_expiring");
    assert_eq!(answers(2)["after"]["mode"], "grace");
    assert_eq!(answers(3)["after"]["mode"], "restricted");
    assert_eq!(answers(4)["after"]["code"], "license.expired");
    assert_eq!(answers(4)["before"]["mode"], "restricted");

    let text = desk.run(&format!("simulate 1.json --root root.json {FROM}")).stdout;
    assert!(
        text.contains("2028-01-01T05:00:00Z  acme-courses serial 1 ends; its grace begins\n"),
        "{text}"
    );
    assert!(
        text.contains("  courses.publish for every runtime: allowed (online) -> allowed (grace)\n")
    );
    assert!(text.ends_with("nothing more happens\n"), "{text}");
}

#[test]
fn the_next_serial_takes_over_and_the_first_never_ends() {
    let desk = desk();
    let next = TEMPLATE
        .replace(
            "expires_on = 2027-12-31",
            "not_before = 2027-12-15T00:00:00Z\nexpires_on = 2028-12-31",
        )
        .replace("courses.publish", "labs.run");
    desk.write("acme.toml", next);
    desk.issue(2, "2.json");
    desk.write("both.bundle", [desk.read("1.json"), desk.read("2.json")].concat());
    let told = desk
        .done(&format!("simulate both.bundle --root root.json {FROM} --until 2028-06-01 --json"));
    assert_eq!(
        steps(&told),
        [
            ("2026-12-01T00:00:00Z", "imported"),
            ("2027-11-02T05:00:00Z", "warns"),
            ("2027-12-15T00:00:00Z", "begins"),
        ]
    );
    assert_eq!(told["events"][2]["occurrences"][0]["serial"], 2);
    let answers = told["events"][2]["answers"].as_array().unwrap();
    let answer = |subject: &str| {
        &answers.iter().find(|it| it["subject"].as_str().unwrap().starts_with(subject)).unwrap()["after"]
    };
    assert_eq!(answer("courses.publish")["code"], "feature.not_granted");
    assert_eq!(answer("labs.run")["allowed"], true);
}

#[test]
fn a_runtime_is_answered_by_type_version_and_release_day() {
    let desk = Desk::new();
    let template = TEMPLATE
        .replace(
            "expires_on",
            "released_before = 2027-07-01\nversions = \">=2.0.0, <3.0.0\"\nexpires_on",
        )
        .replace("feature =", "runtime_type = \"courses\"\nfeature =");
    desk.write("acme.toml", template);
    desk.issue(1, "1.json");
    let told = |runtime: &str| {
        desk.done(&format!(
            "simulate 1.json --root root.json {FROM} --until 2029-01-01 --runtime {runtime} --json"
        ))
    };
    let ends = |told: &Value| {
        let events = told["events"].as_array().unwrap();
        let last = |of: &str| {
            let all = events.iter().flat_map(|event| event["answers"].as_array().unwrap());
            let mut of_it = all.filter(|it| it["subject"].as_str().unwrap().starts_with(of));
            of_it.next_back().unwrap()["after"].clone()
        };
        (last("courses.publish"), last("registering"))
    };
    let (publish, register) = ends(&told("courses:2.4.0"));
    assert_eq!(
        (&publish["code"], &register["code"]),
        (&"license.expired".into(), &"license.expired".into())
    );
    let (publish, register) = ends(&told("courses:2.4.0:2027-05-01"));
    assert_eq!((&publish["allowed"], &register["allowed"]), (&true.into(), &true.into()));
    let (publish, _) = ends(&told("courses:3.0.0:2027-05-01"));
    assert_eq!(publish["code"], "license.version_not_covered");
    let (publish, register) = ends(&told("labs:2.4.0:2027-05-01"));
    assert_eq!(publish["code"], "feature.not_granted");
    assert_eq!(register["code"], "runtime.not_licensed");
    for (bad, says) in [
        ("course:2.0.0", "is not a type of runtime"),
        ("courses", "the version is missing"),
        ("courses:2.0.0:soon", "is not a day"),
    ] {
        let ran = desk.run(&format!("simulate 1.json --root root.json --runtime {bad}"));
        assert_eq!(ran.exit, 2);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
}

#[test]
fn setting_the_clock_back_gains_nothing_and_is_told() {
    let desk = desk();
    let line = format!("simulate 1.json --root root.json {FROM} --until 2029-01-01 --json");
    let told = desk.done(&line);
    let tampered = desk.done(&format!("{line} --clock-back 2d@2027-12-31T22:00:00Z"));
    let of = |told: &Value| -> Vec<(String, Value)> {
        let events = told["events"].as_array().unwrap();
        let changing =
            events.iter().filter(|event| !event["answers"].as_array().unwrap().is_empty());
        changing.map(|it| (it["at"].as_str().unwrap().to_owned(), it["answers"].clone())).collect()
    };
    assert_eq!(of(&told), of(&tampered), "every answer changes when it would have");
    let back = tampered["events"].as_array().unwrap().iter().find(|event| {
        event["occurrences"].as_array().unwrap().iter().any(|it| it["step"] == "set_back")
    });
    let back = back.unwrap();
    assert_eq!(back["wall"], "2027-12-29T22:00:00Z");
    assert_eq!(back["decided_at"], "2027-12-31T22:00:00Z");
    let noticed = back["occurrences"].as_array().unwrap().last().unwrap()["what"].as_str().unwrap();
    assert!(noticed.contains("clock_rollback: 2 days"), "{noticed}");
    // Within a day it is a step that nothing is made of.
    let step = desk.done(&format!("{line} --clock-back PT5H@2027-06-01"));
    assert_eq!(of(&told), of(&step));
    for bad in ["2d", "2x@2027-01-01", "0d@2027-01-01", "-2d@2027-01-01", "2d@soon"] {
        assert_eq!(desk.run(&format!("{line} --clock-back={bad}")).exit, 2, "{bad}");
    }
}

#[test]
fn what_the_site_would_refuse_is_refused_with_its_code() {
    let desk = desk();
    let line = |more: &str| format!("simulate 1.json --root root.json {FROM} {more}");
    desk.refused(&line("--mode detached"), 4, "license.mode_mismatch");
    desk.root_init("short.json", &["--expires 2026-11-30"]);
    let expired = format!("simulate 1.json --root short.json {FROM}");
    desk.refused(&expired, 5, "trust.root_expired");
    let other = Desk::new();
    desk.write("foreign.json", other.read("root.json"));
    desk.refused(
        &format!("simulate 1.json --root foreign.json {FROM}"),
        5,
        "signature.key_unknown",
    );
    desk.refused(&line("--until 2026-11-01"), 2, "usage.invalid");
    desk.refused(&format!("simulate root.json --root root.json {FROM}"), 4, "bundle.superseded");
}

#[test]
fn a_request_says_whether_the_bundle_is_for_that_machine() {
    let desk = Desk::new();
    let device = desk.keygen("device");
    desk.keygen("stranger");
    let bound = format!("binding = {{ device_key = \"{device}\" }}\nexpires_on");
    desk.write("acme.toml", TEMPLATE.replace("expires_on", &bound));
    desk.issue(1, "1.json");
    for key in ["device", "stranger"] {
        desk.request(&format!("{key}.request"), key, |_| {});
    }
    let line = |more: &str| format!("simulate 1.json --root root.json {FROM} {more}");
    desk.done(&line("--request device.request --json"));
    desk.refused(&line("--request stranger.request"), 4, "license.binding_mismatch");
    let ran = desk.run(&line(""));
    assert!(ran.stderr.contains("taken for granted"), "{}", ran.stderr);
}

/// When something happens, and what; several things at once as the first of them.
fn steps(told: &Value) -> Vec<(&str, &str)> {
    let events = told["events"].as_array().unwrap();
    let step = |event: &Value| event["occurrences"][0]["step"].as_str().map(str::to_owned);
    events
        .iter()
        .map(|event| {
            let known = ["imported", "warns", "ends", "restricts", "stops", "begins", "root_ends"];
            let step = step(event).unwrap();
            (event["at"].as_str().unwrap(), *known.iter().find(|it| **it == step).unwrap())
        })
        .collect()
}
