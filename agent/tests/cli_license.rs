//! The command line of licenses with a running agent: imports, timeline, what-if, drop folder.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod stage;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Output,
    time::{Duration, Instant},
};

use farhold_bundle::TrustRoot;
use farhold_contract::{Code, condition::ConditionCode};
use serde_json::{Value, json};

use stage::{Running, Vendor, farhold};

/// An agent that trusts the vendor and holds a license; the clock is the machine's own.
fn site(vendor: &Vendor, more: &str) -> Running {
    let site = Running::start_with(more);
    let root = vendor.first_root();
    let sha256 = TrustRoot::install(root.trim_ascii_end(), None).unwrap().root().sha256();
    fs::write(site.at().join("root.json"), root).unwrap();
    done(&site.run(&["trust", "install", "root.json", "--sha256", &sha256.to_string()]));
    fs::write(site.at().join("one.bundle"), license(vendor, json!({}))).unwrap();
    done(&site.run(&["import", "one.bundle"]));
    site
}

fn vendor() -> Vendor {
    Vendor::with_roots_until("2199-01-01T00:00:00Z")
}

fn license(vendor: &Vendor, mut changed: Value) -> Vec<u8> {
    let members = changed.as_object_mut().unwrap();
    members.entry("expires_on").or_insert(json!("2150-12-31"));
    vendor.license(changed)
}

#[track_caller]
fn done(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn refused(output: &Output, exit: i32, code: &str) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{stderr}");
    assert!(stderr.contains(&format!("({code})")), "{stderr}");
    stderr
}

#[test]
fn a_dry_run_is_read_by_people_and_its_hash_by_the_import() {
    let vendor = vendor();
    let site = site(&vendor, "");
    let renewal = license(
        &vendor,
        json!({
            "serial": 2,
            "entitlements": [{"feature": "exams", "limits": {"quota": 20, "time_window": "P1D"}}],
            "flags": [{"key": "beta", "value": true}],
        }),
    );
    fs::write(site.at().join("two.bundle"), &renewal).unwrap();
    let shown = done(&site.run(&["import", "two.bundle", "--dry-run"]));
    for line in [
        "serial 1, in force -> serial 2, in force",
        "exams for every runtime: 10 each P1D -> 20 each P1D",
        "lab for labs: unlimited -> not granted",
        "flag beta: not set -> true",
        "No runtime is registered here.",
        "Nothing was changed.",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let (_, hash) = shown.trim_end().rsplit_once("--expect ").unwrap();
    assert_eq!(site.json(&["license", "show"])["licenses"].as_array().unwrap().len(), 1);

    let other = license(&vendor, json!({"serial": 3}));
    fs::write(site.at().join("three.bundle"), other).unwrap();
    let swapped = site.run(&["import", "three.bundle", "--expect", hash]);
    refused(&swapped, 4, "bundle.unexpected");
    refused(&site.run(&["import", "two.bundle", "--expect", "zz"]), 2, "usage.invalid");
    assert_eq!(site.json(&["license", "show"])["licenses"].as_array().unwrap().len(), 1);
    let imported = done(&site.run(&["import", "two.bundle", "--expect", &hash.to_uppercase()]));
    assert!(imported.contains(&format!("Imported bundle {hash}.")), "{imported}");
}

#[test]
fn the_timeline_and_what_if_are_told_to_people() {
    let vendor = vendor();
    let site = site(&vendor, "");
    let next = json!({"serial": 2, "not_before": "2149-06-01T00:00:00Z"});
    fs::write(site.at().join("next.bundle"), license(&vendor, next)).unwrap();
    done(&site.run(&["import", "next.bundle"]));
    let shown = done(&site.run(&["license", "show"]));
    assert!(shown.contains("What will be in force when:"), "{shown}");
    assert!(shown.contains("campus serial 1, in force"), "{shown}");
    assert!(shown.contains("campus serial 2 begins and takes the place of serial 1"), "{shown}");

    let grace = done(&site.run(&["license", "what-if", "--at", "2151-01-02"]));
    for line in [
        "Licenses would be judged by 2151-01-02T00:00:00Z",
        "Until then:",
        "serial 2, grace, answers grace",
        "FEATURE  FOR",
        "No runtime is registered here.",
    ] {
        assert!(grace.contains(line), "{line}: {grace}");
    }
    let back = done(&site.run(&["license", "what-if", "--at", "2151-03-01", "--clock-back", "2d"]));
    assert!(back.contains("nothing is denied for it"), "{back}");
    assert!(back.contains("license.expired"), "{back}");
    let json = site.json(&["license", "what-if", "--at", "2151-01-02T00:00:00Z"]);
    assert_eq!(json["lines"][0]["phase"], "grace");

    let both = ["license", "what-if", "--clock-back", "1d", "--clock-forward", "1d"];
    refused(&site.run(&both), 2, "usage.invalid");
    refused(&site.run(&["license", "what-if", "--at", "tomorrow"]), 2, "usage.invalid");
    refused(&site.run(&["license", "what-if", "--without", "eth99x"]), 2, "usage.invalid");
}

#[test]
fn every_code_says_what_it_means_what_to_do_and_whom_to_ask() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("agent.toml"), "").unwrap();
    let run = |words: &[&str]| farhold(folder.path(), words).output().unwrap();
    let listed = run(&["license", "explain", "--json"]).stdout;
    let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
    assert_eq!(listed.len(), Code::ALL.len() + ConditionCode::ALL.len());
    for one in &listed {
        assert!(["you", "it", "vendor"].contains(&one["asks"].as_str().unwrap()), "{one}");
    }
    let told = done(&run(&["license", "explain", "license.binding_mismatch"]));
    assert!(told.contains(Code::LicenseBinding.sentence()), "{told}");
    assert!(told.contains("What to do: Ask for a rehost"), "{told}");
    assert!(told.contains("Whom to ask: the vendor."), "{told}");
    let told = done(&run(&["license", "explain", "disk_low"]));
    assert!(told.contains("Whom to ask: your IT."), "{told}");
    let unknown = run(&["license", "explain", "license.binding_missmatch"]);
    assert!(
        refused(&unknown, 2, "usage.invalid").contains("Did you mean license.binding_mismatch?")
    );
    let unknown = run(&["license", "explain", "xyzzy"]);
    assert!(refused(&unknown, 2, "usage.invalid").contains("farhold license explain"));
}

#[test]
fn status_tells_each_clock_in_a_sentence() {
    let site = site(&vendor(), "");
    let told = done(&site.run(&["status"]));
    for part in [
        "The system clock says ",
        "The agent's own time is ",
        "The newest signed date is ",
        "Licenses are judged by ",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.contains("of license "), "the floor's document is named: {told}");
}

#[test]
fn a_running_agent_takes_what_is_put_into_its_folder() {
    let vendor = vendor();
    let site = site(&vendor, "import.drop_folder = \"{AT}/drop\"\n");
    let check = site.json(&["check"]);
    let found = check["checks"].as_array().unwrap().iter().find(|one| one["id"] == "drop-folder");
    assert_eq!(found.unwrap()["outcome"], "warning", "the folder is not there, the agent is");

    let drop = site.at().join("drop");
    fs::create_dir(&drop).unwrap();
    fs::set_permissions(&drop, fs::Permissions::from_mode(0o700)).unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let part = drop.join(format!("{name}.part"));
        fs::write(&part, bytes).unwrap();
        fs::set_permissions(&part, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(part, drop.join(name)).unwrap();
    };
    put("renewal.bundle", &license(&vendor, json!({"serial": 2})));
    put("stranger.bundle", &license(&self::vendor(), json!({"serial": 3})));
    let (kept, why) = (drop.join("done/renewal.bundle"), drop.join("refused/stranger.bundle"));
    let began = Instant::now();
    while !(kept.exists() && why.exists()) {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was taken");
        std::thread::sleep(Duration::from_millis(50));
    }
    let licenses = site.json(&["license", "show"]);
    assert_eq!(licenses["licenses"][1]["in_force"], true, "{licenses}");
    let reason = fs::read_to_string(drop.join("refused/stranger.bundle.reason.txt")).unwrap();
    assert!(reason.starts_with("signature.key_unknown: "), "{reason}");
    assert!(reason.contains("Whom to ask: the vendor."), "{reason}");
    let check = site.json(&["check"]);
    let found = check["checks"].as_array().unwrap().iter().find(|one| one["id"] == "drop-folder");
    assert_eq!(found.unwrap()["outcome"], "ok", "{check}");
}

#[test]
fn a_license_for_another_agents_key_is_refused_by_hand_and_by_folder_with_whose_it_is() {
    let vendor = vendor();
    let site = site(&vendor, "import.drop_folder = \"{AT}/drop\"\n");
    let theirs = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let bundle = license(&vendor, json!({"serial": 2, "binding": {"device_key": theirs}}));
    let own = site.json(&["status"])["device_key"].as_str().unwrap().to_owned();
    let whose = format!("for the agent with device key {theirs}; this agent's is {own}");
    let way = "farhold request here, license-tool answer at the vendor";

    fs::write(site.at().join("theirs.bundle"), &bundle).unwrap();
    for words in [&["import", "theirs.bundle", "--dry-run"][..], &["import", "theirs.bundle"]] {
        let told = refused(&site.run(words), 4, "license.binding_mismatch");
        assert!(told.contains(&whose) && told.contains(way), "{told}");
    }
    let status = done(&site.run(&["status"]));
    for part in ["bundle_rejected", "license.binding_mismatch: ", &whose, way] {
        assert!(status.contains(part), "{part}: {status}");
    }

    let drop = site.at().join("drop");
    fs::create_dir(&drop).unwrap();
    fs::set_permissions(&drop, fs::Permissions::from_mode(0o700)).unwrap();
    let part = drop.join("theirs.bundle.part");
    fs::write(&part, &bundle).unwrap();
    fs::set_permissions(&part, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(part, drop.join("theirs.bundle")).unwrap();
    let why = drop.join("refused/theirs.bundle.reason.txt");
    let began = Instant::now();
    while !drop.join("refused/theirs.bundle").exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was taken");
        std::thread::sleep(Duration::from_millis(50));
    }
    let reason = fs::read_to_string(why).unwrap();
    assert!(reason.starts_with("license.binding_mismatch: "), "{reason}");
    assert!(reason.contains(&whose) && reason.contains(way), "{reason}");
    assert!(done(&site.run(&["license", "show"])).contains("bound to"));
}
