//! Revocations and clock resets: signed, and what a bundle of them does to whom.
#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;

use farhold_bundle::{
    Envelope, Signer, SiteFacts, Standing, TrustRoot, encode_typed_form,
    payload::{Request, RootRef, SiteMode},
    plan_import, seal,
};
use farhold_contract::Code;
use serde_json::{Value, json};

use desk::{Desk, ISSUED_AT, LICENSE, TENANT, at};

const OTHER_LICENSE: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e5a";
const OTHER_TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50";
const LAST: &str = "9007199254740991";

fn first(desk: &Desk) {
    desk.done(&format!(
        "revoke --first --license {LICENSE} --serials-below {TENANT}/acme-courses=3 \
         --key revocation.key --root root.json --at {ISSUED_AT} --out revocations.1.json"
    ));
}

const NEXT: &str = "revoke --from revocations.1.json --key revocation.key --root root.json \
                    --at 2026-11-23T00:00:00Z";

#[test]
fn each_generation_says_all_that_the_one_before_said() {
    let desk = Desk::new();
    desk.issue(1, "license.json");
    first(&desk);
    desk.done("bundle license.json revocations.1.json --root root.json --out site.bundle");
    let verified = desk.done("verify site.bundle --root root.json --at 2027-01-01 --json");
    assert_eq!(verified["licenses"][0]["phase"], "revoked");

    let next = desk.done(&format!(
        "{NEXT} --license {OTHER_LICENSE} --serials-below {TENANT}/acme-courses=4 \
         --serials-below {OTHER_TENANT}/a/b=2 --out revocations.2.json --json"
    ));
    assert_eq!(next["revocations"]["generation"], 2);
    assert_eq!(next["revocations"]["licenses"], json!([LICENSE, OTHER_LICENSE]));
    assert_eq!(
        next["revocations"]["serials_below"],
        json!([
            { "tenant_id": TENANT, "product": "acme-courses", "serial": 4 },
            { "tenant_id": OTHER_TENANT, "product": "a/b", "serial": 2 },
        ])
    );
    desk.done("verify revocations.2.json --root root.json");
    // The same list again, one generation on: after a stolen key, for one.
    let again = desk.done(&format!("{NEXT} --out again.json --json"));
    assert_eq!(again["revocations"]["licenses"], json!([LICENSE]));
}

#[test]
fn a_generation_takes_back_only_what_is_said_to_be_a_loss() {
    let desk = Desk::new();
    first(&desk);
    let lower = format!("{NEXT} --serials-below {TENANT}/acme-courses=2");
    let said = desk.refused(&format!("{lower} --out x.json"), 2, "usage.invalid");
    assert!(said.contains("lower serials of"), "{said}");
    let restore = format!("{NEXT} --restore {LICENSE}");
    desk.refused(&format!("{restore} --out x.json"), 2, "usage.invalid");
    desk.refused(&format!("{NEXT} --restore {OTHER_LICENSE} --out x.json"), 2, "usage.invalid");
    assert!(!desk.exists("x.json"));
    let restored = desk.done(&format!("{restore} --allow-loss --out restored.json --json"));
    assert_eq!(restored["revocations"].get("licenses"), None);
    assert!(restored["warnings"][0].as_str().unwrap().contains("holds again"));
    let lowered = desk.done(&format!("{lower} --allow-loss --out lowered.json --json"));
    assert_eq!(lowered["revocations"]["serials_below"][0]["serial"], 2);
}

#[test]
fn a_generation_that_makes_no_sense_is_not_signed() {
    let desk = Desk::new();
    first(&desk);
    desk.write("request.json", request(&desk, "2026-11-22T07:00:00Z", None));
    let revoke = "revoke --key revocation.key --root root.json --out x.json";
    for (more, exit, code) in [
        ("--first", 2, "usage.invalid"),
        (
            &format!("--first --license {LICENSE} --at 9500-01-01T00:00:00Z"),
            5,
            "trust.root_expired",
        ),
        (&format!("--from revocations.1.json --license {LICENSE}"), 2, "usage.invalid"),
        ("--from request.json", 5, "signature.key_unknown"),
        ("--from missing.json", 65, "input.unreadable"),
        (&format!("--first --license {LICENSE} --key license.key"), 5, "signature.wrong_role"),
    ] {
        desk.refused(&format!("{revoke} {more}"), exit, code);
    }
    for more in [
        "",
        &format!("--license {LICENSE}"),
        "--from revocations.1.json --first",
        "--first --license x",
        "--first --serials-below x/y=1",
        &format!("--first --serials-below {TENANT}=1"),
        &format!("--first --serials-below {TENANT}/x=0"),
        "--first --from-root root.json",
    ] {
        assert_eq!(desk.run(&format!("{revoke} {more}")).exit, 2, "{more}");
    }
    // A generation that nothing can follow, as a thief signs it.
    let line = desk.read("revocations.1.json");
    let envelope = Envelope::open(line.strip_suffix(b"\n").unwrap()).unwrap();
    let mut list: farhold_bundle::payload::Revocations =
        serde_json::from_slice(envelope.danger_unverified_payload()).unwrap();
    list.generation = farhold_bundle::Positive::MAX;
    assert_eq!(list.generation.to_string(), LAST);
    let mut last = seal(&list, &desk.signer("revocation")).unwrap();
    last.push(b'\n');
    desk.write("last.json", last);
    let said = desk.refused(&format!("{revoke} --from last.json"), 2, "usage.invalid");
    assert!(said.contains("no generation after"), "{said}");
    assert!(!desk.exists("x.json"));
}

#[test]
fn two_sign_where_the_root_asks_for_two() {
    let desk = Desk::new();
    desk.keygen("revocation-b");
    desk.root_init(
        "root.two.json",
        &["--revocation-key", "revocation-b.key", "--revocation-threshold", "2"],
    );
    let revoke =
        format!("revoke --first --license {LICENSE} --root root.two.json --key revocation.key");
    desk.refused(&format!("{revoke} --out x.json"), 5, "signature.threshold");
    desk.done(&format!("{revoke} --key revocation-b.key --out revocations.json"));
    desk.done("verify revocations.json --root root.two.json");
}

#[test]
fn whom_a_generation_hits_is_said_when_it_is_signed_and_when_it_is_bundled() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("issued")).unwrap();
    desk.issue(1, "issued/license.json");
    desk.write("issued/notes.txt", "not a document");
    let revoked = desk.done(&format!(
        "revoke --first --license {LICENSE} --license {OTHER_LICENSE} --key revocation.key \
         --root root.json --licenses issued --at 2027-01-01T00:00:00Z --out revocations.1.json --json"
    ));
    assert_eq!(revoked["losing"][0]["issued_to"], "Universidad del Sur");
    assert_eq!(revoked["losing"].as_array().unwrap().len(), 1);
    assert!(revoked["warnings"][0].as_str().unwrap().contains(OTHER_LICENSE), "is the id right?");

    // For the fleet: named, unless the loss is meant. For another customer's site: not its matter.
    let fleet = "bundle revocations.1.json --root root.json --licenses issued";
    let said = desk.refused(&format!("{fleet} --out fleet.bundle"), 4, "bundle.strands");
    assert!(said.contains("Universidad del Sur") && said.ends_with("revoked"), "{said}");
    assert!(!desk.exists("fleet.bundle"));
    let advice = desk.run(&format!("{fleet} --out fleet.bundle")).stderr;
    assert!(advice.contains("a new contract") && !advice.contains("current key"), "{advice}");
    let lost = desk.done(&format!("{fleet} --allow-loss --out fleet.bundle --json"));
    assert_eq!(lost["stranded"][0]["by"], "revoked");
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write("other.toml", template.replace(TENANT, OTHER_TENANT).replace("4a\"", "5b\""));
    desk.done(&format!(
        "issue other.toml --key license.key --root root.json --serial 1 --at {ISSUED_AT} \
         --out issued/other.json"
    ));
    desk.done(
        "bundle revocations.1.json issued/other.json --root root.json --licenses issued \
         --out other.bundle",
    );
    // Without knowing who was issued what, nothing is promised.
    let unchecked =
        desk.done("bundle revocations.1.json --root root.json --out blind.bundle --json");
    assert!(unchecked["warnings"][0].as_str().unwrap().contains("was not checked"));
}

#[test]
fn what_is_dated_far_ahead_of_the_clock_is_said_where_it_is_signed() {
    let desk = Desk::new();
    let ahead = "--root root.json --at 2931-01-01T00:00:00Z --out";
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write("long.toml", template.replace("2027-12-31", "2999-12-31"));
    for line in [
        format!("revoke --first --license {LICENSE} --key revocation.key {ahead} 1.json --json"),
        format!("issue long.toml --serial 1 --key license.key {ahead} 2.json --json"),
    ] {
        let done = desk.done(&line);
        let warned = done["warnings"].as_array().unwrap().last().unwrap().as_str().unwrap();
        assert!(warned.starts_with("it is dated 2931-01-01"), "{done:#}");
    }
    let said = desk.run(&format!(
        "issue acme.toml --serial 2 --key license.key --root root.json --at {ISSUED_AT} --out 3.json"
    ));
    assert!(!said.stderr.contains("it is dated"), "{}", said.stderr);
}

#[test]
fn a_license_is_not_bundled_without_what_it_needs() {
    let desk = Desk::new();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write("acme.toml", format!("{template}\n[needs]\nrevocations = 2\n"));
    desk.issue(1, "license.json");
    first(&desk);
    desk.done(&format!("{NEXT} --out revocations.2.json"));
    let bundle = |files: &str| format!("bundle {files} --root root.json --out site.bundle");
    desk.refused(&bundle("license.json"), 4, "bundle.incomplete");
    desk.refused(&bundle("license.json revocations.1.json"), 4, "bundle.incomplete");
    assert!(!desk.exists("site.bundle"));
    desk.done(&bundle("license.json --site-revocations 2").replace("site.bundle", "second.bundle"));
    desk.done(&format!("{} --allow-loss", bundle("license.json revocations.2.json")));
}

#[test]
fn a_bundle_that_leaves_the_replacement_out_strands_its_own_customer() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("issued")).unwrap();
    desk.issue(1, "issued/courses.1.json");
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write(
        "labs.toml",
        template
            .replace("acme-courses", "acme-labs")
            .replace("4a\"", "5c\"")
            .replace("courses.publish", "labs.run"),
    );
    desk.keygen("license-2");
    desk.done(
        "root rotate license --old license --new license-2.key --revoke --root root.json \
         --expires 9000-01-01 --out draft.json",
    );
    desk.done("root sign draft.json --root root.json --key root.key --out root.2.json");
    for (template, serial, out) in [("acme.toml", 2, "courses.2"), ("labs.toml", 1, "labs.1")] {
        desk.done(&format!(
            "issue {template} --key license-2.key --root root.2.json --serial {serial} \
             --at {ISSUED_AT} --out issued/{out}.json"
        ));
    }
    let bundle = |files: &str| {
        format!("bundle root.2.json {files} --root root.json --licenses issued --out site.bundle")
    };
    let ran = desk.run(&bundle("issued/labs.1.json"));
    assert!(ran.stderr.contains("its replacement is not in the bundle"), "{}", ran.stderr);
    desk.refused(&bundle("issued/labs.1.json"), 4, "bundle.strands");
    desk.done(&bundle("issued/labs.1.json issued/courses.2.json"));
}

fn request(desk: &Desk, mark: &str, root: Option<RootRef>) -> Vec<u8> {
    if !desk.exists("device.key") {
        desk.keygen("device");
    }
    let signer = desk.signer("device");
    let request = Request {
        device_key: signer.public_key().clone(),
        fingerprint: Default::default(),
        salt: "00".repeat(16),
        tenant_id: TENANT.parse().unwrap(),
        nonce: "ab".repeat(16),
        root,
        licenses: Vec::new(),
        usage: Vec::new(),
        wall: at(ISSUED_AT),
        mark: at(mark),
        release: None,
        remembered: Default::default(),
    };
    let mut line = seal(&request, &signer).unwrap();
    line.push(b'\n');
    line
}

const RESET: &str = "clock-reset --request request.json --key license.key --root root.json --at 2026-11-22T08:00:00Z";

#[test]
fn a_clock_reset_answers_the_one_request_of_one_device() {
    let desk = Desk::new();
    let root = root(&desk);
    let standing_at = RootRef { version: root.root().version, sha256: root.root().sha256() };
    desk.write("request.json", request(&desk, "2036-11-22T07:00:00Z", Some(standing_at)));
    let said = desk.refused(&format!("{RESET} --out x.json"), 2, "usage.invalid");
    assert!(said.contains("no terminal to ask on"), "{said}");
    let shown = desk.run(&format!("{RESET} --out x.json")).stderr;
    assert!(shown.contains("the site's mark    2036-11-22T07:00:00Z"), "{shown}");
    assert!(shown.contains("the site's wall    2026-11-22T07:00:00Z"), "{shown}");
    assert!(!desk.exists("x.json"));

    let device_key = desk.signer("device").public_key().to_string();
    let made =
        desk.done(&format!("{RESET} --device-key {device_key} --yes --out reset.json --json"));
    assert_eq!(made["clock_reset"]["nonce"], "ab".repeat(16));
    assert_eq!(made["clock_reset"]["device_key"], device_key.as_str());
    assert_eq!(made["site"]["mark"], "2036-11-22T07:00:00Z");

    // The site takes it with its open nonce, and no other site does.
    let site = Standing::with_trust(root);
    let facts = |nonce: &str| SiteFacts {
        mode: SiteMode::Detached,
        tenants: [TENANT.parse().unwrap()].into(),
        device_key: desk.signer("device").public_key().clone(),
        fingerprint: Default::default(),
        open_nonce: Some(nonce.to_owned()),
        released: Default::default(),
    };
    let import = |nonce: &str| {
        plan_import(
            &site,
            &desk.read("reset.json"),
            Some(&facts(nonce)),
            at("2036-11-22T07:00:00Z"),
        )
    };
    let plan = import(&"ab".repeat(16)).unwrap();
    assert_eq!(plan.clock_reset.unwrap().time, at("2026-11-22T08:00:00Z"));
    assert_eq!(import(&"cd".repeat(16)).unwrap_err().code(), Code::ClockResetForeign);
}

#[test]
fn a_clock_reset_says_what_looks_wrong() {
    let desk = Desk::new();
    let warnings = |desk: &Desk, time: &str, out: &str| -> Vec<String> {
        let line = RESET.replace("2026-11-22T08:00:00Z", time);
        let made = desk.done(&format!("{line} --yes --out {out} --json"));
        let said = made.get("warnings").cloned().unwrap_or_else(|| json!([]));
        said.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    desk.write("request.json", request(&desk, "2036-11-22T07:00:00Z", None));
    let said = warnings(&desk, "2030-01-01T00:00:00Z", "a.json").join("\n");
    for words in
        ["more than a day from this machine's clock", "set it right there", "no trust root"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let another = RootRef {
        version: farhold_bundle::Positive::MIN,
        sha256: "ab".repeat(32).parse().unwrap(),
    };
    desk.write("request.json", request(&desk, "2026-11-22T07:00:00Z", Some(another)));
    let said = warnings(&desk, "2026-11-22T08:00:00Z", "b.json").join("\n");
    assert!(said.contains("another root 1") && said.contains("nothing needs repair"), "{said}");
}

#[test]
fn a_request_that_does_not_hold_is_not_answered() {
    let desk = Desk::new();
    let line = request(&desk, "2036-11-22T07:00:00Z", None);
    desk.write("request.json", &line);
    let reset = format!("{RESET} --yes --out x.json");
    let other = desk.keygen("other");
    desk.refused(&format!("{reset} --device-key {other}"), 5, "signature.key_unknown");
    desk.refused(&reset.replace("license.key", "revocation.key"), 5, "signature.wrong_role");
    desk.refused(&reset.replace("request.json", "root.json"), 65, "payload.type_unknown");
    desk.refused(&reset.replace("request.json", "missing.json"), 65, "input.unreadable");
    desk.write("two.json", [line.clone(), line.clone()].concat());
    desk.refused(&reset.replace("request.json", "two.json"), 65, "bundle.malformed");
    desk.root_init("old.json", &["--expires", "2026-11-20"]);
    desk.refused(&reset.replace("root.json", "old.json"), 5, "trust.root_expired");
    let text = String::from_utf8(line.clone()).unwrap();
    let at = text.find("\"sig\":\"").unwrap() + 7;
    let flipped = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    desk.write("flipped.json", format!("{}{flipped}{}", &text[..at], &text[at + 1..]));
    desk.refused(&reset.replace("request.json", "flipped.json"), 5, "signature.invalid");
    assert!(!desk.exists("x.json"));
    // Pasted from a QR code, with a line wrap.
    let typed = encode_typed_form(&Envelope::open(line.strip_suffix(b"\n").unwrap()).unwrap());
    let typed = typed.unwrap();
    desk.write("typed.txt", format!("{}\r\n{}\n", &typed[..70], &typed[70..]));
    let made: Value = desk.done(&format!("{} --json", reset.replace("request.json", "typed.txt")));
    assert_eq!(made["clock_reset"]["nonce"], "ab".repeat(16));
}

fn root(desk: &Desk) -> TrustRoot {
    TrustRoot::install(desk.read("root.json").strip_suffix(b"\n").unwrap(), None).unwrap()
}

/// A ledger of licenses that were issued, by their files.
fn ledger(desk: &Desk, name: &str, files: &[&str]) {
    use farhold_ledger::{Act, Issue, Ledger};
    let issuer = root(desk).root().issuer.id;
    let (mut ledger, mut bytes) = Ledger::begin(issuer, at(ISSUED_AT));
    for file in files {
        let line = desk.read(file);
        let envelope = Envelope::open(line.strip_suffix(b"\n").unwrap()).unwrap();
        let license = serde_json::from_slice(envelope.danger_unverified_payload()).unwrap();
        let sha256 = desk.done(&format!("inspect {file} --json"))["claims"][0]["sha256"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let issue = Issue::of(&license, sha256, envelope.key_ids().collect());
        bytes.extend(ledger.append(at(ISSUED_AT), Act::Issued(issue)).unwrap());
    }
    desk.write(name, bytes);
}

#[test]
fn the_ledger_alone_knows_whom_a_root_strands_and_whom_a_theft_would_hit() {
    let desk = Desk::new();
    desk.issue(1, "license.1.json");
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    // The renewal waits: today's license is serial 1, and in grace it still serves.
    desk.write(
        "next.toml",
        template
            .replace("2027-12-31", "2028-12-31")
            .replace("expires_on", "not_before = 2028-01-10T00:00:00Z\nexpires_on"),
    );
    desk.done(&format!(
        "issue next.toml --key license.key --root root.json --serial 2 --at {ISSUED_AT} \
         --out license.2.json"
    ));
    ledger(&desk, "ledger.jsonl", &["license.1.json", "license.2.json"]);
    let before = desk.read("ledger.jsonl");

    desk.keygen("license-2");
    desk.done(
        "root rotate license --old license --new license-2.key --revoke --root root.json \
         --expires 9000-01-01 --out draft.json",
    );
    desk.done("root sign draft.json --root root.json --key root.key --out root.2.json");
    let said = desk.refused(
        "bundle root.2.json --root root.json --ledger ledger.jsonl --out x.bundle",
        4,
        "bundle.strands",
    );
    assert!(said.contains("serial 1 of acme-courses"), "{said}");

    let drill = |at: &str, more: &str| {
        desk.done(&format!(
            "drill stolen-license-key license --root root.json --ledger ledger.jsonl {more} \
             --at {at} --json"
        ))
    };
    let said = drill("2028-01-05T00:00:00Z", "");
    assert_eq!((&said["holds"], &said["stand_ins"]), (&true.into(), &2.into()), "{said:#}");
    assert_eq!(said["affected"][0]["serial"], 1, "in grace");
    let reissued: Vec<&Value> =
        said["reissue"].as_array().unwrap().iter().map(|one| &one["as_serial"]).collect();
    assert_eq!(reissued, [3, 4]);
    assert!(said["warnings"][0].as_str().unwrap().contains("give --licenses"));
    // The file of a license says more than its entry.
    assert_eq!(drill("2028-01-05T00:00:00Z", "--licenses license.1.json")["stand_ins"], 1);
    assert_eq!(drill("2028-02-01T00:00:00Z", "")["affected"][0]["serial"], 2);
    assert_eq!(desk.read("ledger.jsonl"), before);

    let text = String::from_utf8(before).unwrap();
    desk.write("ledger.jsonl", text.replace("Universidad", "University "));
    desk.refused(
        "drill stolen-license-key license --root root.json --ledger ledger.jsonl",
        5,
        "ledger.broken",
    );
    let other = Desk::new();
    desk.write("other.json", other.read("root.json"));
    desk.write("ledger.jsonl", text);
    desk.refused(
        "drill stolen-license-key license --root other.json --ledger ledger.jsonl",
        5,
        "trust.issuer_mismatch",
    );
}
