//! Revocations and clock resets that two people sign, each on their own machine.
#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;

use farhold_bundle::{
    Signer,
    payload::{Request, RootRef},
    seal,
};

use desk::{Desk, ISSUED_AT, LICENSE, TENANT, at};

const OTHER_LICENSE: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e5a";

/// A desk whose root asks for two of three revocation keys, and for two of three license keys.
fn two_of_three() -> Desk {
    let desk = Desk::new();
    let mut more = Vec::new();
    for role in ["revocation", "license"] {
        for name in ["b", "c"] {
            desk.keygen(&format!("{role}-{name}"));
            more.push(format!("--{role}-key {role}-{name}.key"));
        }
        more.push(format!("--{role}-threshold 2"));
    }
    desk.root_init("root.1.json", &more.iter().map(String::as_str).collect::<Vec<_>>());
    desk
}

const REVOKE: &str = "revoke --root root.1.json --at 2026-11-22T07:00:00Z";

/// Generation 1, by two keys at once.
fn first(desk: &Desk) {
    desk.done(&format!(
        "{REVOKE} --first --license {LICENSE} --key revocation.key --key revocation-b.key \
         --out revocations.1.json"
    ));
}

fn names_in(quorum: &serde_json::Value) -> Vec<&str> {
    quorum.as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect()
}

#[test]
fn two_people_pass_a_draft_of_revocations_and_the_second_makes_it_whole() {
    let desk = two_of_three();
    first(&desk);
    let draft = desk.done(&format!(
        "{REVOKE} --from revocations.1.json --license {OTHER_LICENSE} --draft --out draft.json \
         --json"
    ));
    assert_eq!(
        (&draft["complete"], &draft["revocations"]["generation"]),
        (&false.into(), &2.into())
    );
    // Nobody has signed: no other verb takes it for a document.
    desk.refused("verify draft.json --root root.1.json", 65, "envelope.malformed");
    desk.refused("bundle draft.json --root root.1.json --out x", 65, "envelope.malformed");

    let hash = draft["sha256"].as_str().unwrap();
    let sign = format!("sign --root root.1.json --from revocations.1.json --expect {hash}");
    let signed =
        desk.run(&format!("{sign} draft.json --key revocation-b.key --out by-b.json --json"));
    assert_eq!(signed.exit, 0, "{}", signed.stderr);
    for words in [
        "Signing generation 2 of the revocations",
        &format!("revokes license {OTHER_LICENSE}"),
        "in all: 2 licenses and 0 lines",
        hash,
    ] {
        assert!(signed.stderr.contains(words), "shown before it is signed: {}", signed.stderr);
    }
    let signed: serde_json::Value = serde_json::from_str(&signed.stdout).unwrap();
    assert_eq!(signed["complete"], false);
    assert_eq!(names_in(&signed["signatures"]["own"]["signed"]), ["revocation-b"]);
    assert_eq!(names_in(&signed["signatures"]["own"]["missing"]), ["revocation", "revocation-c"]);
    // What one of two has signed is no document either.
    desk.refused("verify by-b.json --root root.1.json", 5, "signature.threshold");
    desk.refused("bundle by-b.json --root root.1.json --out x", 5, "signature.threshold");

    let done = desk.done(&format!("{sign} by-b.json --key revocation-c.key --json"));
    assert_eq!((&done["complete"], &done["file"]), (&true.into(), &"revocations.2.json".into()));
    desk.done("verify revocations.2.json --root root.1.json");
    desk.done("bundle revocations.2.json --root root.1.json --out site.bundle");
}

#[test]
fn a_draft_that_needs_nobody_else_says_that_it_is_the_list() {
    let desk = two_of_three();
    let list = desk.done(&format!(
        "{REVOKE} --first --license {LICENSE} --draft --key revocation.key \
         --key revocation-b.key --out list.json --json"
    ));
    assert_eq!(list["complete"], true);
    assert!(list["warnings"][0].as_str().unwrap().contains("no draft"), "{list}");
    desk.done("verify list.json --root root.1.json");
}

#[test]
fn a_draft_begun_by_its_first_signer_is_put_together_from_two_copies() {
    let desk = two_of_three();
    let draft = format!("{REVOKE} --first --license {LICENSE} --draft");
    desk.done(&format!("{draft} --key revocation.key --out by-a.json"));
    desk.done(&format!("{draft} --out draft.json"));
    desk.done("sign draft.json --root root.1.json --key revocation-c.key --out by-c.json");
    let done = desk.done("sign by-a.json by-c.json --root root.1.json --out whole.json --json");
    assert_eq!(done["complete"], true);
    desk.done("verify whole.json --root root.1.json");
    // Without --draft, what one key has signed does not leave.
    let alone = draft.replace(" --draft", "");
    let said = desk.refused(
        &format!("{alone} --key revocation.key --out alone.json"),
        5,
        "signature.threshold",
    );
    assert!(!desk.exists("alone.json"), "{said}");
    let advice = desk.run(&format!("{alone} --key revocation.key --out alone.json")).stderr;
    assert!(advice.contains("--draft"), "{advice}");
}

#[test]
fn a_stale_draft_of_revocations_is_signed_by_nobody() {
    let desk = two_of_three();
    first(&desk);
    let next = format!("{REVOKE} --from revocations.1.json --license {OTHER_LICENSE}");
    desk.done(&format!("{next} --draft --out draft.json"));
    // Meanwhile others made generation 2.
    std::fs::create_dir(desk.path("issued")).unwrap();
    desk.done(&format!(
        "{REVOKE} --from revocations.1.json --serials-below {TENANT}/acme-courses=2 \
         --key revocation.key --key revocation-b.key --out issued/revocations.2.json"
    ));
    let sign = "sign draft.json --root root.1.json --key revocation-c.key --out x.json";
    for known in ["--from revocations.1.json --licenses issued", "--from issued/revocations.2.json"]
    {
        let said = desk.refused(&format!("{sign} {known}"), 2, "usage.invalid");
        assert!(said.contains("generation 2 stands already"), "{said}");
    }
    // Nor is one drafted that stands already.
    let said =
        desk.refused(&format!("{next} --draft --licenses issued --out x.json"), 2, "usage.invalid");
    assert!(said.contains("generation 2 stands already"), "{said}");
    // Without the generation before it, nobody sees what it takes back.
    let said = desk.refused(sign, 2, "usage.invalid");
    assert!(said.contains("can't be held against"), "{said}");
    assert!(!desk.exists("x.json"));
}

#[test]
fn a_loss_hidden_in_a_draft_is_shown_and_not_signed_by_the_way() {
    let desk = two_of_three();
    first(&desk);
    desk.done(&format!(
        "{REVOKE} --from revocations.1.json --restore {LICENSE} --allow-loss --draft \
         --out draft.json"
    ));
    let sign = "sign draft.json --root root.1.json --from revocations.1.json";
    let said =
        desk.refused(&format!("{sign} --key revocation.key --out x.json"), 2, "usage.invalid");
    assert!(said.contains(&format!("license {LICENSE} holds again")), "{said}");
    let shown = desk.run(&format!("{sign} --allow-loss --dry-run"));
    assert!(shown.stdout.contains("takes back: license"), "{}", shown.stdout);
    assert!(!desk.exists("x.json"));
    desk.done(&format!("{sign} --allow-loss --key revocation.key --out signed.json"));
}

#[test]
fn who_may_not_sign_a_draft_and_what_is_none_are_refused() {
    let desk = two_of_three();
    desk.done(&format!("{REVOKE} --first --license {LICENSE} --draft --out draft.json"));
    let sign =
        |what: &str, key: &str| format!("sign {what} --root root.1.json --key {key} --out x");
    desk.refused(&sign("draft.json", "license.key"), 5, "signature.wrong_role");
    desk.refused(&sign("draft.json", "root.key"), 5, "signature.wrong_role");
    desk.keygen("stranger");
    desk.refused(&sign("draft.json", "stranger.key"), 5, "signature.key_unknown");
    desk.refused(
        &sign("draft.json", "revocation.key --key revocation.key"),
        5,
        "signature.invalid",
    );
    // A draft of one kind has nothing to do with what is about another.
    desk.refused(&sign("draft.json --request r.json", "revocation.key"), 2, "usage.invalid");
    desk.refused("sign draft.json --root root.1.json --out x", 2, "usage.invalid");
    desk.refused(
        &format!("{} --expect {}", sign("draft.json", "revocation.key"), "ab".repeat(32)),
        5,
        "trust.hash_mismatch",
    );
    // `root sign` signs roots alone; a license is issued.
    let root_sign = "root sign draft.json --root root.1.json --key root.key --out x";
    desk.refused(root_sign, 65, "payload.type_unknown");
    desk.issue(1, "license.json");
    desk.refused(&sign("license.json", "license-b.key"), 65, "payload.type_unknown");
    desk.write("empty.json", "");
    desk.refused(&sign("empty.json", "license-b.key"), 65, "envelope.malformed");
    assert!(!desk.exists("x"));
    // And the other way round: `sign` signs roots, too.
    desk.done("root renew --root root.1.json --expires 9000-01-01 --out root.2.draft.json");
    let done = desk.done("sign root.2.draft.json --root root.1.json --key root.key --json");
    assert_eq!((&done["complete"], &done["file"]), (&true.into(), &"root.2.json".into()));
    let said = desk.run("inspect draft.json").stderr;
    assert!(said.contains("a draft, which nobody has signed"), "{said}");
}

fn request(desk: &Desk, nonce: &str) -> Vec<u8> {
    if !desk.exists("device.key") {
        desk.keygen("device");
    }
    let shown = desk.done("root show root.1.json --json");
    let signer = desk.signer("device");
    let request = Request {
        device_key: signer.public_key().clone(),
        fingerprint: Default::default(),
        salt: "00".repeat(16),
        tenant_id: TENANT.parse().unwrap(),
        nonce: nonce.repeat(16),
        root: Some(RootRef {
            version: farhold_bundle::Positive::MIN,
            sha256: shown["sha256"].as_str().unwrap().parse().unwrap(),
        }),
        licenses: Vec::new(),
        usage: Vec::new(),
        wall: at(ISSUED_AT),
        mark: at("2036-11-22T07:00:00Z"),
        release: None,
        remembered: Default::default(),
    };
    let mut line = seal(&request, &signer).unwrap();
    line.push(b'\n');
    line
}

const RESET: &str =
    "clock-reset --request request.json --root root.1.json --at 2026-11-22T08:00:00Z";

#[test]
fn two_people_sign_a_clock_reset_each_after_looking_at_the_request() {
    let desk = two_of_three();
    desk.write("request.json", request(&desk, "ab"));
    let draft = desk.done(&format!("{RESET} --draft --out draft.json --json"));
    assert_eq!(draft["complete"], false);
    desk.refused("verify draft.json --root root.1.json", 65, "envelope.malformed");
    let alone = format!("{RESET} --yes --key license.key --out x.json");
    desk.refused(&alone, 5, "signature.threshold");

    let sign = "sign draft.json --root root.1.json --key license-b.key --out by-b.json";
    let said = desk.refused(sign, 2, "usage.invalid");
    assert!(said.contains("answers a request"), "{said}");
    // Asked, as by clock-reset itself, after the site's times were shown.
    let asked = desk.run(&format!("{sign} --request request.json"));
    assert_eq!(asked.exit, 2, "{}", asked.stderr);
    assert!(asked.stderr.contains("the site's mark    2036-11-22T07:00:00Z"), "{}", asked.stderr);
    assert!(!desk.exists("by-b.json"));
    let by_b = desk.done(&format!("{sign} --request request.json --yes --json"));
    assert_eq!(names_in(&by_b["signatures"]["own"]["signed"]), ["license-b"]);
    desk.refused("verify by-b.json --root root.1.json", 5, "signature.threshold");

    let last = "sign by-b.json --root root.1.json --request request.json --yes --out reset.json";
    desk.refused(&format!("{last} --key revocation.key"), 5, "signature.wrong_role");
    desk.refused(&format!("{last} --key license-b.key"), 5, "signature.invalid");
    let done = desk.done(&format!("{last} --key license.key --json"));
    assert_eq!(
        (&done["complete"], &done["clock_reset"]["nonce"]),
        (&true.into(), &"ab".repeat(16).into())
    );
    desk.done("verify reset.json --root root.1.json");
}

#[test]
fn a_clock_reset_for_a_request_that_another_took_the_place_of_is_signed_by_nobody() {
    let desk = two_of_three();
    desk.write("request.json", request(&desk, "ab"));
    desk.done(&format!("{RESET} --draft --out draft.json"));
    desk.write("newer.json", request(&desk, "cd"));
    let sign = "sign draft.json --root root.1.json --key license.key --yes --out x.json";
    desk.refused(&format!("{sign} --request newer.json"), 4, "clock_reset.foreign");
    assert!(!desk.exists("x.json"));
}
