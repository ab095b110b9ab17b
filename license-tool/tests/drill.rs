//! Recoveries, rehearsed: what `drill` says, and that it says it of what would happen.
#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;

use farhold_bundle::{
    Envelope, Positive, Signer, Standing, TrustRoot,
    payload::{License, Payload, Revocations},
    plan_import, seal,
};
use farhold_contract::Code;
use serde_json::Value;

use desk::{Desk, ISSUED_AT, LICENSE, TENANT, at, names};

const OTHER_TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50";
const OTHER_LICENSE: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e5a";
const NOW: &str = "2027-03-01T00:00:00Z";

/// Two customers, each with one license in force; the folder `issued` has both.
fn two_customers() -> Desk {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("issued")).unwrap();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    let other = template
        .replace(TENANT, OTHER_TENANT)
        .replace(LICENSE, OTHER_LICENSE)
        .replace("Universidad del Sur", "Colegio Norte");
    desk.write("other.toml", other);
    desk.issue(1, "issued/acme.1.json");
    desk.done(&format!(
        "issue other.toml --key license.key --root root.json --serial 1 --at {ISSUED_AT} \
         --out issued/other.1.json"
    ));
    desk
}

fn drill(what: &str) -> String {
    format!("drill {what} --root root.json --licenses issued --at {NOW}")
}

fn strings<'a>(values: &'a Value, member: &str) -> Vec<&'a str> {
    values.as_array().unwrap().iter().map(|value| value[member].as_str().unwrap()).collect()
}

#[test]
fn a_stolen_license_key_costs_one_root_and_what_it_signed() {
    let desk = two_customers();
    let before = names(&desk.path("."));
    let said = desk.done(&format!("{} --json", drill("stolen-license-key license")));
    assert_eq!(said["holds"], true, "{said:#}");
    assert_eq!(said["sites"], 2);
    assert_eq!(strings(&said["affected"], "issued_to"), ["Universidad del Sur", "Colegio Norte"]);
    let reissue = said["reissue"].as_array().unwrap();
    assert_eq!(reissue.len(), 2);
    assert_eq!(reissue[0]["customer"]["license_id"], LICENSE);
    assert_eq!(
        (&reissue[0]["customer"]["serial"], &reissue[0]["as_serial"]),
        (&1.into(), &2.into())
    );
    for proof in said["proofs"].as_array().unwrap() {
        assert!(proof["held"].as_u64().unwrap() >= 2, "{proof}");
    }
    assert!(strings(&said["proofs"], "claim")[0].contains("takes the site over"));
    assert_eq!(names(&desk.path(".")), before, "nothing is written");

    // For people: whom, what, and which verbs.
    let said = desk.run(&drill("stolen-license-key license")).stdout;
    for words in [
        "Colegio Norte",
        "root rotate license --old",
        "--revoke",
        "root sign root.2.draft.json",
        "license-tool issue --from issued/acme.1.json --from-root root.json --serial 2",
        "license-tool bundle root.2.json",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn a_serial_that_is_out_by_two_keys_falls_with_either() {
    let desk = two_customers();
    desk.keygen("license-2");
    desk.done(
        "root rotate license --old license --new license-2.key --root root.json \
         --expires 9000-01-01 --out draft.2.json",
    );
    desk.done("root sign draft.2.json --root root.json --key root.key --out root.2.json");
    // The same license again, by the new key, before and behind the old one's file.
    desk.done(&format!(
        "issue acme.toml --key license-2.key --root root.2.json --serial 1 --at {ISSUED_AT} \
         --out issued/acme.1.again.json"
    ));
    desk.done(&format!(
        "issue other.toml --key license-2.key --root root.2.json --serial 1 --at {ISSUED_AT} \
         --out issued/other.2.again.json"
    ));
    let both = ["Universidad del Sur", "Colegio Norte"];
    for key in ["license-2", &desk.signer("license").public_key().id().to_string()] {
        let line = format!("drill stolen-license-key {key} --root root.2.json --licenses issued");
        let said = desk.done(&format!("{line} --at {NOW} --json"));
        assert_eq!((&said["holds"], &said["sites"]), (&true.into(), &2.into()), "{said:#}");
        assert_eq!(strings(&said["affected"], "issued_to"), both, "{key}");
    }
    desk.keygen("license-3");
    desk.done(
        "root rotate license --old license-2 --new license-3.key --revoke --root root.2.json \
         --expires 9000-01-01 --out draft.3.json",
    );
    desk.done("root sign draft.3.json --root root.2.json --key root.key --out root.3.json");
    let said = desk.refused(
        "bundle root.3.json --root root.2.json --licenses issued --out x.bundle",
        4,
        "bundle.strands",
    );
    assert!(both.iter().all(|name| said.contains(name)), "{said}");
}

/// The thief's license on the vendor's real keys: what the drill says is what happens.
#[test]
fn the_verbs_that_the_drill_names_bring_a_robbed_site_back() {
    let desk = two_customers();
    let now = at(NOW);
    let site = Standing::with_trust(root(&desk, "root.json"));
    let site = plan_import(&site, &desk.read("issued/acme.1.json"), None, now).unwrap().standing;
    let license: License = content(&desk, "issued/acme.1.json");
    let forged = License {
        serial: Positive::MAX,
        expires_on: Some("9999-12-30".parse().unwrap()),
        ..license.clone()
    };
    let mut forged = seal(&forged, &desk.signer("license")).unwrap();
    forged.push(b'\n');
    let robbed = plan_import(&site, &forged, None, now).unwrap().standing;

    desk.keygen("license-new");
    desk.done(
        "root rotate license --old license --new license-new.key --revoke --root root.json \
         --expires 9000-01-01 --out root.2.draft.json",
    );
    desk.done("root sign root.2.draft.json --root root.json --key root.key --out root.2.json");
    // Sending the root alone would strand both; with one license issued anew, still the other.
    let bundle = |files: &str, out: &str| {
        format!("bundle {files} --root root.json --licenses issued --out {out}")
    };
    let said = desk.refused(&bundle("root.2.json", "alone.bundle"), 4, "bundle.strands");
    assert!(said.contains("Universidad del Sur") && said.contains("Colegio Norte"), "{said}");
    let issue = |template: &str, out: &str| {
        desk.done(&format!(
            "issue {template} --key license-new.key --root root.2.json --serial 2 \
             --at {ISSUED_AT} --out issued/{out}"
        ));
    };
    issue("acme.toml", "acme.2.json");
    let files = "root.2.json issued/acme.2.json";
    let said = desk.refused(&bundle(files, "acme.bundle"), 4, "bundle.strands");
    assert!(!said.contains("Universidad del Sur") && said.contains("Colegio Norte"), "{said}");
    issue("other.toml", "other.2.json");
    // Both are issued; a site that gets the root alone is without a license all the same.
    let said = desk.refused(&bundle("root.2.json", "alone.bundle"), 4, "bundle.strands");
    assert!(said.contains("its replacement is not in the bundle"), "{said}");
    desk.done(&bundle(files, "acme.bundle"));

    let plan = plan_import(&robbed, &desk.read("acme.bundle"), None, now).unwrap();
    assert_eq!(plan.fallen.len(), 2, "the thief's, and the true one by the same key");
    let serials: Vec<u64> =
        plan.standing.licenses().iter().map(|license| license.serial.as_u64()).collect();
    assert_eq!(serials, [2]);
    let again = plan_import(&plan.standing, &forged, None, now).unwrap_err();
    assert_eq!(again.code(), Code::SignatureKeyRevoked);

    // The bundle of the one without its own new license would leave it without.
    let said = desk.refused(
        &bundle("root.2.json issued/acme.2.json issued/other.1.json", "x.bundle"),
        5,
        "signature.key_revoked",
    );
    assert!(said.starts_with("line 2"), "{said}");
}

#[test]
fn a_license_that_waits_is_issued_anew_with_the_one_before_it() {
    let desk = two_customers();
    desk.keygen("license-b");
    desk.root_init("root.two.json", &["--license-key", "license-b.key"]);
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write(
        "next.toml",
        template
            .replace("2027-12-31", "2028-12-31")
            .replace("expires_on", "not_before = 2027-12-01T00:00:00Z\nexpires_on"),
    );
    std::fs::create_dir(desk.path("two")).unwrap();
    for (template, key, serial) in [("acme.toml", "license", 3), ("next.toml", "license-b", 4)] {
        desk.done(&format!(
            "issue {template} --key {key}.key --root root.two.json --serial {serial} \
             --at {ISSUED_AT} --out two/{serial}.json"
        ));
    }
    let drill = |key: &str| {
        desk.done(&format!(
            "drill stolen-license-key {key} --root root.two.json --licenses two --at {NOW} --json"
        ))
    };
    // Serial 3 falls; issued anew as 5 it would hide 4, which waits: that one becomes 6.
    let said = drill("license");
    assert_eq!(said["holds"], true, "{said:#}");
    let serials: Vec<u64> = said["reissue"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["as_serial"].as_u64().unwrap())
        .collect();
    assert_eq!(serials, [5, 6]);
    // The other key: what serves stays, what waits is issued anew.
    let said = drill("license-b");
    assert_eq!(said["holds"], true, "{said:#}");
    assert_eq!(said["reissue"].as_array().unwrap().len(), 1);
    assert_eq!(said["reissue"][0]["as_serial"], 5);
}

#[test]
fn with_two_license_keys_to_sign_the_thief_alone_signs_nothing() {
    let desk = Desk::new();
    desk.keygen("license-b");
    desk.root_init(
        "root.two.json",
        &["--license-key", "license-b.key", "--license-threshold", "2"],
    );
    desk.done(&format!(
        "issue acme.toml --root root.two.json --serial 1 --key license.key --key license-b.key \
         --at {ISSUED_AT} --out license.json"
    ));
    let said = desk.done(&format!(
        "drill stolen-license-key license --root root.two.json --licenses license.json --at {NOW} \
         --json"
    ));
    assert_eq!(said["holds"], true, "{said:#}");
    assert!(
        strings(&said["proofs"], "claim")[0].starts_with("the thief alone can sign no license")
    );
    assert_eq!(said["reissue"].as_array().unwrap().len(), 1, "one of two signatures is not enough");
}

#[test]
fn a_key_rotated_long_ago_can_be_stolen_too() {
    let desk = two_customers();
    desk.keygen("license-2");
    desk.done(
        "root rotate license --old license --new license-2.key --root root.json \
         --expires 9000-01-01 --out draft.json",
    );
    desk.done("root sign draft.json --root root.json --key root.key --out root.2.json");
    let shown = desk.done("root show root.json --json");
    let id = shown["root"]["roles"]["license"]["key_ids"][0].as_str().unwrap();
    let said = desk.done(&format!(
        "drill stolen-license-key {id} --root root.2.json --licenses issued --at {NOW} --json"
    ));
    assert_eq!(said["holds"], true, "{said:#}");
    assert!(
        strings(&said["proofs"], "claim")[0].starts_with("the thief alone can sign no license")
    );
    assert_eq!(said["affected"].as_array().unwrap().len(), 2, "what it signed still stood");
    assert!(said["steps"][0]["commands"][0].as_str().unwrap().contains("root revoke-key"));
    // The key in its place signed nothing: its theft takes nobody's license away.
    let said = desk.done(&format!(
        "drill stolen-license-key license-2 --root root.2.json --licenses issued --at {NOW} --json"
    ));
    assert_eq!((&said["holds"], said["affected"].as_array().unwrap().len()), (&true.into(), 0));
}

#[test]
fn a_stolen_revocation_key_costs_one_root_and_no_license() {
    let desk = two_customers();
    desk.done(&format!(
        "revoke --first --license {OTHER_LICENSE} --key revocation.key --root root.json \
         --at {ISSUED_AT} --out issued/revocations.1.json"
    ));
    let said = desk.done(&format!("{} --json", drill("stolen-revocation-key revocation")));
    assert_eq!(said["holds"], true, "{said:#}");
    assert_eq!(strings(&said["affected"], "issued_to"), ["Universidad del Sur"]);
    assert_eq!(said["reissue"].as_array().unwrap().len(), 0);
    let steps = said["steps"].to_string();
    assert!(steps.contains("--from issued/revocations.1.json --from-root root.json"), "{steps}");

    // The same on the vendor's own keys.
    let now = at(NOW);
    let site = Standing::with_trust(root(&desk, "root.json"));
    let bundle = [desk.read("issued/acme.1.json"), desk.read("issued/revocations.1.json")].concat();
    let site = plan_import(&site, &bundle, None, now).unwrap().standing;
    let list: Revocations = content(&desk, "issued/revocations.1.json");
    let forged =
        Revocations { generation: Positive::MAX, licenses: vec![LICENSE.parse().unwrap()], ..list };
    let mut forged = seal(&forged, &desk.signer("revocation")).unwrap();
    forged.push(b'\n');
    let robbed = plan_import(&site, &forged, None, now).unwrap().standing;
    assert!(robbed.revokes(robbed.licenses()[0].content()));

    desk.keygen("revocation-new");
    desk.done(
        "root rotate revocation --old revocation --new revocation-new.key --revoke \
         --root root.json --expires 9000-01-01 --out root.2.draft.json",
    );
    desk.done("root sign root.2.draft.json --root root.json --key root.key --out root.2.json");
    let revoke =
        "revoke --from issued/revocations.1.json --key revocation-new.key --root root.2.json";
    desk.refused(&format!("{revoke} --out x.json"), 5, "signature.key_revoked");
    desk.done(&format!("{revoke} --from-root root.json --at {NOW} --out revocations.2.json"));
    desk.done("bundle root.2.json revocations.2.json --root root.json --out recovery.bundle");
    let back = plan_import(&robbed, &desk.read("recovery.bundle"), None, now).unwrap().standing;
    assert_eq!(back.revocations().unwrap().generation.as_u64(), 2);
    assert!(!back.revokes(back.licenses()[0].content()), "served again, nothing issued anew");
    assert_eq!(back.revocations().unwrap().licenses, [OTHER_LICENSE.parse().unwrap()]);
    let again = plan_import(&back, &forged, None, now).unwrap_err();
    assert_eq!(again.code(), Code::SignatureKeyRevoked);
}

#[test]
fn a_lost_root_key_is_no_loss_where_others_can_sign() {
    let desk = two_customers();
    for name in ["ana", "bo", "cy"] {
        desk.keygen(name);
    }
    desk.root_init(
        "root.three.json",
        &["--root-key", "ana.key", "--root-key", "bo.key", "--root-key", "cy.key"]
            .into_iter()
            .chain(["--root-threshold", "2"])
            .collect::<Vec<_>>(),
    );
    for what in ["lost-root-key bo", "stolen-root-key bo"] {
        let said = desk.done(
            &format!(
                "drill {what} --root root.three.json --licenses acme.bundle --at {NOW} --json",
            )
            .replace("acme.bundle", &by_root(&desk, "root.three.json")),
        );
        assert_eq!((&said["holds"], &said["recovers"]), (&true.into(), &true.into()), "{said:#}");
        assert_eq!(said["affected"].as_array().unwrap().len(), 0);
        assert!(said["steps"].to_string().contains("root rotate root --old"));
    }
}

/// The license of the desk under another root, issued once.
fn by_root(desk: &Desk, root: &str) -> String {
    let out = format!("by-{root}");
    if !desk.exists(&out) {
        desk.done(&format!(
            "issue acme.toml --key license.key --root {root} --serial 1 --at {ISSUED_AT} --out {out}"
        ));
    }
    out
}

#[test]
fn the_only_root_key_has_no_way_back_and_the_drill_says_so() {
    let desk = two_customers();
    for (what, affected) in [("lost-root-key root", 0), ("stolen-root-key root", 2)] {
        let ran = desk.run(&format!("{} --json", drill(what)));
        assert_eq!(ran.exit, 5, "{}", ran.stderr);
        let said: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(said["error"]["code"], "signature.threshold");
        assert_eq!((&said["recovers"], &said["holds"]), (&false.into(), &false.into()));
        assert_eq!(said["affected"].as_array().unwrap().len(), affected, "{what}");
        assert!(said["steps"].to_string().contains("trust install"), "{what}");
    }
}

#[test]
fn a_drill_is_refused_a_key_that_makes_no_sense() {
    let desk = two_customers();
    let stranger = "ab".repeat(32);
    for (what, exit, code) in [
        ("stolen-license-key revocation", 5, "signature.wrong_role"),
        ("stolen-revocation-key license", 5, "signature.wrong_role"),
        ("lost-root-key license", 5, "signature.wrong_role"),
        ("stolen-license-key nobody", 2, "usage.invalid"),
        (&format!("stolen-license-key {stranger}"), 5, "signature.key_unknown"),
        (&format!("stolen-root-key {stranger}"), 5, "signature.key_unknown"),
    ] {
        desk.refused(&drill(what), exit, code);
    }
    desk.refused("drill stolen-license-key license --root root.json", 2, "usage.invalid");
    desk.refused(
        "drill stolen-license-key license --root root.json --licenses missing",
        65,
        "input.unreadable",
    );
    let text = String::from_utf8(desk.read("issued/acme.1.json")).unwrap();
    let at = text.find("\"sig\":\"").unwrap() + 7;
    let flipped = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    desk.write("issued/broken.json", format!("{}{flipped}{}", &text[..at], &text[at + 1..]));
    let said = desk.refused(&drill("stolen-license-key license"), 5, "signature.invalid");
    assert!(said.starts_with("issued/broken.json"), "{said}");
}

#[test]
fn what_is_over_or_not_known_is_not_rehearsed() {
    let desk = two_customers();
    // Grace and restrict end in February 2028 (P14D and P30D after the last day).
    let late = |at: &str| {
        desk.done(&format!(
            "drill stolen-license-key license --root root.json --licenses issued --at {at} --json"
        ))
    };
    assert_eq!(late("2028-01-20T00:00:00Z")["affected"].as_array().unwrap().len(), 2);
    let over = late("2028-03-01T00:00:00Z");
    assert_eq!(over["sites"], 0);
    assert!(over["warnings"][0].as_str().unwrap().contains("nothing was tried"));
}

fn root(desk: &Desk, name: &str) -> TrustRoot {
    TrustRoot::install(desk.read(name).strip_suffix(b"\n").unwrap(), None).unwrap()
}

fn content<T: Payload>(desk: &Desk, name: &str) -> T {
    let line = desk.read(name);
    let envelope = Envelope::open(line.strip_suffix(b"\n").unwrap()).unwrap();
    serde_json::from_slice(envelope.danger_unverified_payload()).unwrap()
}
