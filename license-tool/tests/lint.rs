//! What lint finds, on the real tool: each finding by its name, and what is left alone.
#![allow(clippy::unwrap_used)]

mod desk;

use serde_json::Value;

use desk::{Desk, LICENSE, TEMPLATE};
use farhold_bundle::{Signer, payload::UsageReport};

/// A template in which nothing is found: it ends on a Wednesday in its own zone.
const CLEAN: &str = r#"
license_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4a"
product = "acme-courses"
issued_to = "Universidad del Sur"
expires_on = 2028-05-31
time_zone = "America/Lima"

[tenant]
tenant_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f"
type = "company"

[ladder]
grace = "P14D"
restrict = "P28D"

[[entitlements]]
feature = "courses.publish"
limits = { quota = 500, time_window = "P1M" }
"#;

const AT: &str = "--at 2026-11-22T07:00:00Z";

#[test]
fn a_template_that_means_what_it_says_passes() {
    let desk = Desk::empty();
    desk.write("clean.toml", CLEAN);
    let looked = desk.done(&format!("lint clean.toml {AT} --json"));
    assert_eq!(looked["findings"], Value::Array(Vec::new()));
    assert_eq!(looked["looked_at"], 1);
}

#[test]
fn each_mistake_of_a_template_is_found_by_its_name() {
    let desk = Desk::empty();
    for (from, to, name, weight) in [
        ("2028-05-31", "2028-06-02", "ends_on_weekend", "warning"), // a Friday
        ("2028-05-31", "2028-06-04", "ends_on_weekend", "warning"), // a Sunday
        ("time_zone = \"America/Lima\"", "", "awkward_time", "note"),
        (
            "feature = \"courses.publish\"",
            "feature = \"courses.publish\"\nvalid_until = 2027-06-01T15:00:00Z\nladder = {}",
            "awkward_time",
            "warning",
        ),
        ("grace = \"P14D\"\nrestrict = \"P28D\"", "", "no_ladder", "warning"),
        ("grace = \"P14D\"\nrestrict = \"P28D\"", "grace = \"P1D\"", "short_ladder", "warning"),
        (
            "time_zone",
            "modes = [\"detached\"]\nbinding = \"none\"\ntime_zone",
            "unbound",
            "warning",
        ),
        (
            "time_zone",
            "sites = 3\nbinding = { device_key = \"DEVICE\" }\ntime_zone",
            "sites_and_device",
            "warning",
        ),
        (
            "[[entitlements]]",
            "[[entitlements]]\nfeature = \"courses.publsih\"\n\n[[entitlements]]",
            "feature_typo",
            "warning",
        ),
        ("Universidad del Sur", "ana@universidad.example", "personal_data", "warning"),
        (
            "type = \"company\"",
            "type = \"company\"\nstatus = \"suspended\"",
            "tenant_suspended",
            "warning",
        ),
    ] {
        let device = desk.exists("device.key").then_some(()).map_or_else(
            || desk.keygen("device"),
            |()| desk.signer("device").public_key().to_string(),
        );
        desk.write("one.toml", CLEAN.replace(from, &to.replace("DEVICE", &device)));
        let ran = desk.run(&format!("lint one.toml {AT} --json"));
        let looked: Value = serde_json::from_str(&ran.stdout).unwrap();
        let found: Vec<(&str, &str)> = looked["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| (finding["name"].as_str().unwrap(), finding["weight"].as_str().unwrap()))
            .collect();
        assert_eq!(found, [(name, weight)], "{to}: {looked:#}");
        for part in ["what", "why", "next"] {
            assert!(!looked["findings"][0][part].as_str().unwrap().is_empty(), "{name} {part}");
        }
        if weight == "note" {
            assert_eq!(ran.exit, 0, "a note is worth knowing and refuses nothing");
        } else {
            desk.refused(&format!("lint one.toml {AT}"), 4, "lint.found");
            let allowed = desk.done(&format!("lint one.toml {AT} --allow {name} --json"));
            assert_eq!(allowed["allowed"], 1);
            assert_eq!(allowed["findings"][0]["allowed"], true);
        }
    }
}

#[test]
fn what_follows_an_end_on_a_weekend_is_found_too() {
    let desk = Desk::empty();
    // It ends on a Wednesday; the last day of grace is a Saturday, or the last of all a Sunday.
    for (from, to, step) in [
        ("P14D", "P10D", "it is restricted when Saturday"),
        ("P28D", "P32D", "it stops when Sunday"),
    ] {
        desk.write("one.toml", CLEAN.replace(from, to));
        let ran = desk.run(&format!("lint one.toml {AT} --json"));
        let looked: Value = serde_json::from_str(&ran.stdout).unwrap();
        let finding = &looked["findings"][0];
        assert_eq!((&finding["name"], ran.exit), (&"ends_on_weekend".into(), 4), "{looked:#}");
        assert!(finding["what"].as_str().unwrap().contains(step), "{looked:#}");
    }
}

#[test]
fn personal_data_is_found_wherever_people_write() {
    let desk = Desk::empty();
    for (from, to, member) in [
        ("acme-courses", "12345678Z", "product"),
        ("courses.publish", "078-05-1120", "entitlements.feature"),
        ("[ladder]", "[metadata]\ncontact = \"+34 600 123 456\"\n[ladder]", "metadata.contact"),
        ("[ladder]", "[metadata.of]\n\"ana@example.com\" = 1\n[ladder]", "metadata.of"),
        (
            "[[entitlements]]",
            "[[flags]]\nkey = \"banner\"\nvalue = { text = \"DNI 12345678Z\" }\n[[entitlements]]",
            "flags.banner.text",
        ),
    ] {
        desk.write("one.toml", CLEAN.replace(from, to));
        let ran = desk.run(&format!("lint one.toml {AT} --json"));
        let looked: Value = serde_json::from_str(&ran.stdout).unwrap();
        let finding = &looked["findings"][0];
        assert_eq!(finding["name"], "personal_data", "{member}: {looked:#}{}", ran.stderr);
        assert!(finding["what"].as_str().unwrap().starts_with(member), "{looked:#}");
    }
}

#[test]
fn a_date_far_ahead_is_found_in_whatever_is_signed() {
    let desk = Desk::new();
    desk.done("ledger begin ledger --root root.json --at 2026-11-01T00:00:00Z");
    desk.write("acme.toml", CLEAN);
    let ahead = "2026-11-23T08:00:00Z";
    desk.done(&format!(
        "issue acme.toml --ledger ledger --key license.key --root root.json --at {ahead} --out 1.json"
    ));
    desk.done(&format!(
        "revoke --first --license {LICENSE} --key revocation.key --root root.json --at {ahead} \
         --out list.json"
    ));
    let subjects = |line: &str| -> Vec<String> {
        let ran = desk.run(&format!("lint {line} --json"));
        let looked: Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = looked["findings"].as_array().unwrap().iter();
        let dated = findings.filter(|finding| finding["name"] == "dated_ahead");
        dated.map(|finding| finding["subject"].as_str().unwrap().to_owned()).collect()
    };
    let ledger = format!("ledger: license {LICENSE} serial 1");
    let all = "1.json list.json --ledger ledger --root root.json";
    assert_eq!(subjects(&format!("{all} {AT}")), ["list.json", "1.json", ledger.as_str()]);
    // A day is no distance, and a template has no date of its own.
    assert!(subjects(&format!("{all} --at 2026-11-22T08:00:00Z")).is_empty());
    assert!(subjects(&format!("acme.toml {AT}")).is_empty());
    // Roots, those given as files and the one to hold them against.
    let early = "--at 2026-10-30T00:00:00Z";
    assert_eq!(subjects(&format!("root.json {early}")), ["root.json"]);
    assert!(
        subjects(&format!("acme.toml --root root.json {early}")).contains(&"root 1".to_owned())
    );
    desk.refused(&format!("lint 1.json {AT}"), 4, "lint.found");
}

#[test]
fn an_end_on_a_weekend_that_a_grace_follows_is_only_worth_knowing() {
    let desk = Desk::empty();
    // It ends on a Friday and is restricted from a Thursday on.
    let template = CLEAN.replace("2028-05-31", "2028-06-02").replace("P14D", "P12D");
    desk.write("friday.toml", template.replace("P28D", "P27D"));
    let looked = desk.done(&format!("lint friday.toml {AT} --json"));
    assert_eq!(looked["findings"][0]["name"], "ends_on_weekend");
    assert_eq!(looked["findings"][0]["weight"], "note");
    assert!(looked["findings"][0]["what"].as_str().unwrap().contains("Friday 2028-06-02"));
}

#[test]
fn serials_and_periods_are_held_against_each_other() {
    let desk = Desk::new();
    desk.write("acme.toml", CLEAN);
    desk.issue(1, "1.json");
    desk.issue(2, "2.json");
    let one_after_the_other =
        desk.done(&format!("lint 1.json 2.json --root root.json {AT} --json"));
    assert_eq!(one_after_the_other["findings"], Value::Array(Vec::new()));

    desk.write(
        "acme.toml",
        CLEAN
            .replace("time_zone", "not_before = 2028-06-10T00:00:00Z\ntime_zone")
            .replace("2028-05-31", "2029-05-30"),
    );
    desk.issue(5, "5.json");
    let looked = desk.run(&format!("lint 5.json 1.json 2.json --root root.json {AT} --json"));
    assert_eq!(looked.exit, 4);
    let looked: Value = serde_json::from_str(&looked.stdout).unwrap();
    let what = |name: &str| {
        let findings = looked["findings"].as_array().unwrap();
        let found: Vec<&Value> = findings.iter().filter(|it| it["name"] == name).collect();
        assert_eq!(found.len(), 1, "{name}: {looked:#}");
        found[0]["what"].as_str().unwrap().to_owned()
    };
    assert!(what("serial_gap").contains("3 to 4"), "{looked:#}");
    assert!(what("period_gap").contains("2028-06-01T05:00:00Z"), "{looked:#}");
}

#[test]
fn a_quota_below_what_a_site_has_used_is_found() {
    let desk = Desk::empty();
    desk.write("clean.toml", CLEAN);
    desk.keygen("device");
    for (used, found) in [(500, 0), (501, 1)] {
        request(&desk, used);
        let ran = desk.run(&format!("lint clean.toml --usage site.request {AT} --json"));
        let looked: Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = looked["findings"].as_array().unwrap();
        assert_eq!(findings.len(), found, "{looked:#}");
        for finding in findings {
            assert_eq!(finding["name"], "quota_below_usage");
            assert!(finding["what"].as_str().unwrap().contains("501"));
        }
    }
    let text = String::from_utf8(desk.read("site.request")).unwrap();
    let at = text.find("\"sig\":\"").unwrap() + 10;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    desk.write("forged.request", format!("{}{other}{}", &text[..at], &text[at + 1..]));
    desk.refused(&format!("lint clean.toml --usage forged.request {AT}"), 5, "signature.invalid");
    desk.write("other", CLEAN);
    desk.refused(&format!("lint clean.toml --usage other {AT}"), 65, "payload.type_unknown");
}

#[test]
fn of_one_machines_reports_the_last_counts_and_every_machine_has_its_own() {
    let desk = Desk::empty();
    desk.write("clean.toml", CLEAN);
    let report = |name: &str, device: &str, mark: &str, used: u64| {
        desk.request(name, device, |request| {
            request.mark = desk::at(mark);
            request.usage.push(UsageReport {
                license_id: LICENSE.parse().unwrap(),
                feature: "courses.publish".to_owned(),
                used: farhold_bundle::Whole::new(used).unwrap(),
            });
        });
    };
    desk.keygen("a");
    desk.keygen("b");
    report("old", "a", "2026-10-22T07:00:00Z", 900);
    report("new", "a", "2026-11-22T07:00:00Z", 3);
    report("other", "b", "2026-10-01T07:00:00Z", 900);
    let lint = |usage: &str| desk.run(&format!("lint clean.toml {usage} {AT}")).exit;
    assert_eq!(lint("--usage old --usage new"), 0, "a window that has turned since");
    assert_eq!(lint("--usage new --usage old"), 0, "whatever their order");
    assert_eq!(lint("--usage old"), 4);
    assert_eq!(lint("--usage old --usage new --usage other"), 4);
}

#[test]
fn a_root_near_its_end_and_what_it_does_not_vouch_for_are_found() {
    let desk = Desk::new();
    desk.write("acme.toml", CLEAN);
    desk.issue(1, "1.json");
    let names = |line: &str| -> Vec<(String, String)> {
        let ran = desk.run(&format!("{line} --json"));
        let looked: Value = serde_json::from_str(&ran.stdout).unwrap();
        let text = |finding: &Value, of: &str| finding[of].as_str().unwrap().to_owned();
        let findings = looked["findings"].as_array().unwrap();
        findings.iter().map(|it| (text(it, "name"), text(it, "weight"))).collect()
    };
    let pair = |name: &str, weight: &str| (name.to_owned(), weight.to_owned());

    desk.root_init("short.json", &["--expires 2027-12-31"]);
    assert_eq!(
        names(&format!("lint acme.toml --root short.json {AT}")),
        [pair("root_near_end", "note")]
    );
    let later = "--at 2027-09-01T00:00:00Z";
    assert_eq!(
        names(&format!("lint acme.toml --root short.json {later} --allow root_near_end")),
        [pair("root_near_end", "warning"), pair("root_near_end", "note")]
    );
    assert_eq!(names(&format!("lint short.json {later}")), [pair("root_near_end", "warning")]);
    assert_eq!(names(&format!("lint short.json {later} --within P30D")), []);
    let over = "--at 2028-02-01T00:00:00Z";
    assert_eq!(names(&format!("lint short.json {over}")), [pair("root_near_end", "error")]);

    // By another issuer's root.
    let other = Desk::new();
    desk.write("other.json", other.read("root.json"));
    assert_eq!(
        names(&format!("lint 1.json --root other.json {AT}")),
        [pair("unverified", "error")]
    );
    let unverified = desk.run(&format!("lint 1.json {AT}"));
    assert!(unverified.stderr.contains("no signature was verified"), "{}", unverified.stderr);
}

#[test]
fn a_whole_ledger_is_looked_at() {
    let desk = Desk::new();
    assert_eq!(desk.run("lint --ledger nowhere.jsonl").exit, 65);
    desk.done("ledger begin ledger.jsonl --root root.json --json");
    desk.write("acme.toml", CLEAN);
    let issue = |more: &str| {
        desk.done(&format!(
            "issue acme.toml --key license.key --root root.json --at 2026-11-22T07:00:00Z {more} --json"
        ));
    };
    issue("--ledger ledger.jsonl --out 1.json");
    let looked = desk.done(&format!("lint --ledger ledger.jsonl {AT} --json"));
    assert_eq!(looked["findings"], Value::Array(Vec::new()));

    desk.write("acme.toml", CLEAN.replace("Universidad del Sur", "+34 600 123 456"));
    issue("--ledger ledger.jsonl --serial 4 --out 4.json");
    issue("--break-glass --reason fire --serial 5 --out 5.json");
    desk.done("ledger enter ledger.jsonl 5.json --root root.json --json");
    let ran = desk.run(&format!("lint --ledger ledger.jsonl {AT} --json"));
    let looked: Value = serde_json::from_str(&ran.stdout).unwrap();
    let names: Vec<&Value> =
        looked["findings"].as_array().unwrap().iter().map(|finding| &finding["name"]).collect();
    assert_eq!(names, ["serial_gap", "personal_data", "break_glass_open"], "{looked:#}");
    assert!(looked["findings"][0]["what"].as_str().unwrap().starts_with("serials 2 to 3 "));

    // A ledger given as a document says what it is.
    let said = desk.refused("lint ledger.jsonl", 2, "usage.invalid");
    assert!(said.contains("this is a ledger"), "{said}");
    assert_eq!(desk.run("lint").exit, 2);
}

#[test]
fn what_can_not_be_looked_at_says_what_it_is() {
    let desk = Desk::new();
    desk.write("broken.toml", TEMPLATE.replace("product", "prodct"));
    let said = desk.refused("lint broken.toml", 65, "template.invalid");
    assert!(said.contains("did you mean product?"), "{said}");
    desk.write("junk", [0xff, 0xfe, 0x00]);
    desk.refused("lint junk", 65, "input.unreadable");
    let ran = desk.run("lint root.json --allow ends_on_weekends");
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("did you mean ends_on_weekend?"), "{}", ran.stderr);
}

/// A request that reports so many units of the one feature as used.
fn request(desk: &Desk, used: u64) {
    desk.request("site.request", "device", |request| {
        request.usage.push(UsageReport {
            license_id: LICENSE.parse().unwrap(),
            feature: "courses.publish".to_owned(),
            used: farhold_bundle::Whole::new(used).unwrap(),
        });
    });
}
