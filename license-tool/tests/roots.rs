//! The next root: drafted, passed between people, signed by each, and taken by sites.
#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;

use std::collections::BTreeMap;

use farhold_bundle::{
    Envelope, KeyId, Positive, Signer, Standing, TrustRoot,
    payload::{License, Role, Root},
    plan_import, seal,
};
use farhold_contract::Code;
use farhold_keys::Throwaway;
use license_tool::{
    root::{Change, Draft, FirstKey, FirstRoot, first_root, next_root},
    template,
};

use desk::{Desk, ISSUED_AT, MADE_AT, TEMPLATE, at, names};

const NEXT_AT: &str = "2026-11-22T08:00:00Z";

/// A desk of three people of whom two must sign.
fn three_people() -> Desk {
    let desk = Desk::new();
    for name in ["ana", "bo", "cy"] {
        desk.keygen(name);
    }
    desk.root_init(
        "root.1.json",
        &["--root-key", "ana.key", "--root-key", "bo.key", "--root-key", "cy.key"]
            .into_iter()
            .chain(["--root-threshold", "2"])
            .collect::<Vec<_>>(),
    );
    desk.keygen("license-2");
    desk
}

const ROTATE: &str = "root rotate license --old license --new license-2.key --root root.1.json \
                      --expires 9000-01-01 --at 2026-11-22T08:00:00Z";

fn names_in(quorum: &serde_json::Value) -> Vec<&str> {
    quorum.as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect()
}

#[test]
fn three_people_pass_a_draft_and_two_of_them_make_the_root() {
    let desk = three_people();
    let draft = desk.done(&format!("{ROTATE} --out draft.json --json"));
    assert_eq!((&draft["complete"], &draft["root"]["version"]), (&false.into(), &2.into()));
    let changes: Vec<&str> = draft["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["change"].as_str().unwrap())
        .collect();
    assert_eq!(changes, ["key_rotated", "key_added", "dated"]);
    let said = desk.run("root show draft.json --root root.1.json").stdout;
    assert!(said.contains("licenses at sites stay"), "{said}");

    // Nobody has signed: neither a site nor any other verb takes it for a document.
    desk.refused("verify draft.json --root root.1.json", 65, "envelope.malformed");
    let shown = desk.run("root show draft.json");
    assert!(shown.stdout.lines().all(|line| line.starts_with("UNVERIFIED  ")));
    assert!(shown.stdout.contains("nobody has signed it"));

    // Ana signs on her machine, and passes it on.
    let sha256 = draft["sha256"].as_str().unwrap();
    let signed = desk.done(&format!(
        "root sign draft.json --root root.1.json --expect {sha256} --key ana.key \
         --out by-ana.json --json"
    ));
    assert_eq!(signed["complete"], false);
    assert_eq!(names_in(&signed["signatures"]["before"]["signed"]), ["ana"]);
    assert_eq!(names_in(&signed["signatures"]["own"]["missing"]), ["bo", "cy"]);
    desk.refused("verify by-ana.json --root root.1.json", 5, "signature.threshold");

    // Cy makes it complete.
    let signed =
        desk.run("root sign by-ana.json --root root.1.json --key cy.key --out root.2.json");
    assert_eq!(signed.exit, 0, "{}", signed.stderr);
    assert!(signed.stdout.contains("complete: root.2.json is root 2"), "{}", signed.stdout);
    assert!(signed.stderr.contains("rotated out"), "shown before it is signed");
    desk.done("verify root.2.json --root root.1.json");
    let shown = desk.done("root show root.2.json --root root.1.json --json");
    assert_eq!((&shown["verified"], &shown["sha256"]), (&true.into(), &draft["sha256"]));
    // A new site installs the same file.
    desk.done(&format!("root show root.2.json --sha256 {sha256}"));
}

#[test]
fn two_who_signed_at_the_same_time_put_their_copies_together() {
    let desk = three_people();
    desk.done(&format!("{ROTATE} --out draft.json"));
    for name in ["bo", "cy"] {
        desk.done(&format!(
            "root sign draft.json --root root.1.json --key {name}.key --out by-{name}.json"
        ));
    }
    let whole = desk.done("root sign by-bo.json by-cy.json by-bo.json --root root.1.json --json");
    assert_eq!((&whole["complete"], &whole["file"]), (&true.into(), &"root.2.json".into()));
    desk.done("verify root.2.json --root root.1.json");

    desk.done(&format!("{} --out other.json", ROTATE.replace("9000", "8000")));
    desk.refused(
        "root sign by-bo.json other.json --root root.1.json --out x.json",
        2,
        "usage.invalid",
    );
    desk.refused("root sign by-bo.json --root root.1.json --out x.json", 2, "usage.invalid");
    assert!(!desk.exists("x.json"));
}

#[test]
fn the_name_of_a_signed_draft_says_how_many_signed() {
    let desk = three_people();
    desk.done(&format!("{ROTATE} --out draft.json"));
    let sign = "root sign draft.json --root root.1.json --key ana.key";
    assert_eq!(desk.done(&format!("{sign} --json"))["file"], "root.2.signed-1.json");
    desk.refused(sign, 73, "output.exists");
}

#[test]
fn a_change_to_a_signed_draft_drops_its_signatures_and_says_so() {
    let desk = three_people();
    desk.done(&format!("{ROTATE} --out draft.json"));
    desk.done("root sign draft.json --root root.1.json --key ana.key --out by-ana.json");
    let changed = desk.done(
        "root set-threshold root 3 --root root.1.json --draft by-ana.json --out changed.json --json",
    );
    assert!(changed["warnings"][0].as_str().unwrap().starts_with("1 signatures were on the draft"));
    assert_eq!(changed["signatures"]["before"]["signed"].as_array().unwrap().len(), 0);
    let changes: Vec<&str> = changed["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["change"].as_str().unwrap())
        .collect();
    assert_eq!(
        changes,
        ["key_rotated", "key_added", "threshold", "dated"],
        "all of it in one draft"
    );
    assert_eq!(changed["root"]["expires"], "9000-01-02T00:00:00Z", "an end once said stays said");

    // Two of root 1's people are enough for root 1, and not for root 2.
    desk.done(
        "root sign changed.json --root root.1.json --key ana.key --key bo.key --out two.json",
    );
    let two = desk.done("root show two.json --root root.1.json --json");
    assert_eq!(two["verified"], false);
    assert_eq!(two["signatures"]["own"]["required"], 3);
    desk.refused("verify two.json --root root.1.json", 5, "signature.threshold");
    let all = desk.done("root sign two.json --root root.1.json --key cy.key --json");
    assert_eq!(all["complete"], true);
}

#[test]
fn a_draft_changed_on_its_way_is_refused() {
    let desk = three_people();
    desk.done(&format!("{ROTATE} --out draft.json"));
    desk.done("root sign draft.json --root root.1.json --key ana.key --out by-ana.json");
    let sign =
        |name: &str| format!("root sign {name} --root root.1.json --key bo.key --out x.json");
    let line = String::from_utf8(desk.read("by-ana.json")).unwrap();

    // Another payload under the same signature.
    let other = desk.done(&format!("{} --out other.json --json", ROTATE.replace("9000", "8000")));
    let unsigned = String::from_utf8(desk.read("other.json")).unwrap();
    let (head, _) = unsigned.split_once("\"signatures\"").unwrap();
    let (_, signatures) = line.split_once("\"signatures\"").unwrap();
    desk.write("swapped.json", format!("{head}\"signatures\"{signatures}"));
    desk.refused(&sign("swapped.json"), 5, "signature.invalid");

    // Before anyone has signed, the hash told by whoever made it is what protects it.
    let sha256 = desk.done("root show draft.json --json")["sha256"].as_str().unwrap().to_owned();
    assert_ne!(other["sha256"], sha256.as_str());
    desk.refused(&format!("{} --expect {sha256}", sign("other.json")), 5, "trust.hash_mismatch");

    // A bit of the signature; a member that is not shown; a second spelling.
    let at = line.find("\"sig\":\"").unwrap() + 7;
    let flipped = if line.as_bytes()[at] == b'A' { "B" } else { "A" };
    desk.write("flipped.json", format!("{}{flipped}{}", &line[..at], &line[at + 1..]));
    desk.refused(&sign("flipped.json"), 5, "signature.invalid");
    let draft = String::from_utf8(desk.read("draft.json")).unwrap();
    desk.write(
        "hidden.json",
        with_payload(&draft, |payload| payload.replacen('{', "{\"hidden\":1,", 1)),
    );
    desk.refused(&sign("hidden.json"), 65, "payload.malformed");
    let changed = "root renew --root root.1.json --draft hidden.json --out x.json";
    desk.refused(changed, 65, "payload.malformed");
    let shown = desk.done("root show hidden.json --json");
    assert_eq!(shown["warnings"][0], "it says more than is shown");
    desk.write(
        "critical.json",
        with_payload(&draft, |payload| {
            format!(
                "{},\"critical\":[{{\"name\":\"x\",\"since\":\"9.0.0\"}}]}}",
                &payload[..payload.len() - 1]
            )
        }),
    );
    desk.refused(&sign("critical.json"), 4, "payload.critical_unknown");
    desk.write("spaced.json", draft.replacen("\"payloadType\"", " \"payloadType\"", 1));
    desk.refused(&sign("spaced.json"), 65, "envelope.malformed");
    desk.write("empty.json", "");
    desk.refused(&sign("empty.json"), 65, "envelope.malformed");
    desk.issue(1, "license.json");
    desk.refused(&sign("license.json"), 65, "payload.type_unknown");
    assert!(!desk.exists("x.json"));
}

/// A draft with another payload, written as the tool writes it.
fn with_payload(line: &str, change: impl FnOnce(&str) -> String) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let (head, rest) = line.split_at(line.find("\":\"").unwrap() + 3);
    let (payload, tail) = rest.split_at(rest.find('"').unwrap());
    let payload = String::from_utf8(STANDARD.decode(payload).unwrap()).unwrap();
    format!("{head}{}{tail}", STANDARD.encode(change(&payload)))
}

#[test]
fn a_draft_of_which_the_date_alone_was_changed_is_shown_and_not_signed() {
    let desk = three_people();
    let drafted = desk.done(&format!("{ROTATE} --out draft.json --json"));
    let dated = drafted["changes"].as_array().unwrap().last().unwrap();
    assert_eq!((&dated["from"], &dated["to"]), (&MADE_AT.into(), &NEXT_AT.into()), "{dated}");
    let sign = "--root root.1.json --key ana.key";
    let line = String::from_utf8(desk.read("draft.json")).unwrap();
    for (year, words) in [("2931", "clock of this machine"), ("2025", "before the root")] {
        let other = with_payload(&line, |payload| {
            payload.replace(NEXT_AT, &NEXT_AT.replacen("2026", year, 1))
        });
        assert_ne!(other, line);
        desk.write("dated.json", other);
        let shown = desk.run("root show dated.json --root root.1.json");
        let dates = format!("dated {MADE_AT} -> {year}");
        assert!(shown.stdout.contains(&dates), "{}", shown.stdout);
        assert_eq!(shown.stderr.contains("no more"), year == "2931", "{}", shown.stderr);
        let said =
            desk.refused(&format!("root sign dated.json {sign} --out x.json"), 2, "usage.invalid");
        assert!(said.contains(words) && said.contains(year), "{said}");
        desk.refused("root sign dated.json dated.json --root root.1.json", 2, "usage.invalid");
        // Nor is one drafted, or a first root made.
        let at = NEXT_AT.replacen("2026", year, 1);
        let renew = format!("root renew --root root.1.json --expires 9000-01-01 --at {at}");
        desk.refused(&format!("{renew} --out x.json"), 2, "usage.invalid");
        assert!(!desk.exists("x.json"));
    }
    desk.refused(
        "root init --issuer A --root-key root.key --license-key license.key --revocation-key \
         revocation.key --kernel-key kernel.key --at 2931-01-01T00:00:00Z --expires 9000-01-01 \
         --out x.json",
        2,
        "usage.invalid",
    );

    // Who signs is shown both dates, and which root it follows unless that was said.
    let root = desk.done("root show root.1.json --json")["sha256"].as_str().unwrap().to_owned();
    let signed = desk.run(&format!("root sign draft.json {sign} --out one.json")).stderr;
    let dates = format!("dated {MADE_AT} -> {NEXT_AT}, expires 9000-01-0");
    assert!(signed.contains(&dates) && signed.contains(&root), "{signed}");
    let pinned = desk.run(&format!("root sign draft.json {sign} --sha256 {root} --out two.json"));
    assert!(!pinned.stderr.contains(&root), "{}", pinned.stderr);
}

#[test]
fn a_root_dated_years_ahead_before_this_rule_can_be_followed_by_one_of_today() {
    let desk = Desk::new();
    let listed = [Role::Root, Role::License, Role::Revocation, Role::Kernel].map(|role| {
        let public_key = desk.signer(&role.to_string()).public_key().clone();
        FirstKey { role, public_key, name: Some(role.to_string()) }
    });
    let first = FirstRoot {
        issuer: desk::LICENSE.parse().unwrap(),
        name: "ACME".to_owned(),
        issued_at: at("2931-01-01T00:00:00Z"),
        expires: at("9000-01-01T00:00:00Z"),
        thresholds: BTreeMap::new(),
        kernel_ca: Vec::new(),
        keys: listed.to_vec(),
    };
    let first = first_root(first, &[&desk.signer("root")]).unwrap();
    desk.write("ahead.json", [first.root().line(), b"\n"].concat());
    let drafted = desk.done("root renew --root ahead.json --out draft.json --json");
    assert!(drafted["warnings"][0].as_str().unwrap().contains("before the root"), "{drafted:#}");
    desk.done("root sign draft.json --root ahead.json --key root.key --out root.2.json");
}

#[test]
fn a_key_that_stays_by_another_name_is_shown() {
    let desk = three_people();
    desk.done(&format!("{ROTATE} --out draft.json"));
    let line = String::from_utf8(desk.read("draft.json")).unwrap();
    desk.write(
        "named.json",
        with_payload(&line, |payload| payload.replace("\"name\":\"bo\"", "\"name\":\"eve\"")),
    );
    let signed = desk.run("root sign named.json --root root.1.json --key ana.key --out x.json");
    assert!(signed.stderr.contains("(eve) was named bo"), "{}", signed.stderr);
    let shown = desk.done("root show named.json --root root.1.json --json");
    let renamed = &shown["changes"][2];
    assert_eq!(
        (&renamed["change"], &renamed["from"], &renamed["name"]),
        (&"key_renamed".into(), &"bo".into(), &"eve".into()),
        "{shown:#}"
    );
}

#[test]
fn only_root_keys_of_either_root_sign_and_each_once() {
    let desk = three_people();
    desk.keygen("dee");
    desk.done(
        "root rotate root --old cy --new dee.key --root root.1.json --at 2026-11-22T08:00:00Z \
         --out draft.json",
    );
    let sign =
        |key: &str| format!("root sign draft.json --root root.1.json --key {key} --out x.json");
    desk.refused(&sign("license.key"), 5, "signature.wrong_role");
    desk.refused(&sign("kernel.key"), 5, "signature.wrong_role");
    desk.refused(&sign("root.key"), 5, "signature.key_unknown");
    desk.refused(&sign("missing.key"), 65, "key.unreadable");
    desk.refused(&sign("ana.key --key ana.key"), 5, "signature.invalid");
    assert!(!desk.exists("x.json"));
    // The key that comes signs for its own root, the one that goes once more for the old one.
    desk.done("root sign draft.json --root root.1.json --key dee.key --key cy.key --out two.json");
    let two = desk.done("root show two.json --root root.1.json --json");
    assert_eq!(names_in(&two["signatures"]["before"]["signed"]), ["cy"]);
    assert_eq!(names_in(&two["signatures"]["own"]["signed"]), ["dee"]);
    desk.done("root sign two.json --root root.1.json --key bo.key --out root.2.json");
    desk.done("verify root.2.json --root root.1.json");
}

#[test]
fn a_root_that_contradicts_itself_or_the_one_before_is_not_drafted() {
    let desk = three_people();
    desk.done(
        "root rotate license --old license --new license-2.key --revoke --root root.1.json \
         --expires 9000-01-01 --at 2026-11-22T08:00:00Z --out draft.json",
    );
    desk.done(
        "root sign draft.json --root root.1.json --key ana.key --key bo.key --out root.2.json",
    );
    let weak = "01".to_owned() + &"0".repeat(62);
    let spare = desk.keygen("spare");
    for (change, exit, code, said) in [
        // One role a key, and none twice.
        ("add-key license revocation.key", 65, "root.invalid", "a key has one role"),
        ("add-key license license-2.key", 65, "root.invalid", "has the role license already"),
        // Never back.
        ("add-key license license.key", 65, "root.invalid", "comes back in no root"),
        (
            "rotate license --old license-2 --new license.key",
            65,
            "root.invalid",
            "comes back in no",
        ),
        (&format!("add-key license {weak}"), 5, "key.weak", "not a usable"),
        // Enough keys.
        ("remove-key license-2", 65, "root.invalid", "role license would have 0 keys"),
        ("revoke-key revocation", 65, "root.invalid", "role revocation would have 0 keys"),
        ("set-threshold license 2", 65, "root.invalid", "of which 2 must sign"),
        // What is meant must be there, once.
        ("remove-key nobody", 2, "usage.invalid", "has no key nobody"),
        ("revoke-key 1234567", 2, "usage.invalid", "has no key 1234567"),
        (&format!("rotate license --old kernel --new {spare}"), 2, "usage.invalid", "role kernel"),
        (
            &format!("renew --remove-kernel-ca {}", "1".repeat(64)),
            65,
            "root.invalid",
            "is not in the root",
        ),
        ("renew --expires 2026-11-01", 65, "payload.malformed", "expires"),
        ("renew --expires 9999-12-31", 2, "usage.invalid", "beyond year 9999"),
    ] {
        let line = format!("root {change} --root root.2.json --at {NEXT_AT} --out x.json");
        let message = desk.refused(&line, exit, code);
        assert!(message.contains(said), "{change}: {message}");
        assert!(!desk.exists("x.json"), "{change}");
    }
    // A key of another role in the root before stays that, also after it was removed in a draft.
    desk.done(&format!(
        "root add-key kernel {spare} --root root.2.json --name spare --out with-spare.json"
    ));
    desk.done("root remove-key kernel --root root.2.json --draft with-spare.json --out moved.json");
    let said = desk.refused(
        "root add-key license kernel.key --root root.2.json --draft moved.json --out x.json",
        65,
        "root.invalid",
    );
    assert!(said.contains("had the role kernel"), "{said}");
    // A draft follows one root, and no other.
    desk.refused(
        "root sign draft.json --root root.2.json --key ana.key --out x.json",
        5,
        "trust.root_skipped",
    );
    let stranger = Desk::new();
    desk.write("stranger.json", stranger.read("root.json"));
    desk.refused(
        "root sign draft.json --root stranger.json --key ana.key --out x.json",
        5,
        "trust.issuer_mismatch",
    );
}

#[test]
fn a_key_is_meant_by_id_beginning_public_half_or_name() {
    let desk = three_people();
    let root: Root =
        serde_json::from_value(desk.done("root show root.1.json --json")["root"].clone()).unwrap();
    let bo = root.keys.iter().find(|key| key.name.as_deref() == Some("bo")).unwrap();
    let id = bo.public_key.id().to_string();
    for (number, meant) in
        [&id, &id[..8], &id.to_ascii_uppercase(), &bo.public_key.to_string(), "bo"]
            .iter()
            .enumerate()
    {
        let drafted = desk.done(&format!(
            "root remove-key {meant} --root root.1.json --out draft.{number}.json --json"
        ));
        assert_eq!(drafted["changes"][0]["key_id"], id.as_str(), "{meant}");
    }
    // A key that was rotated long ago is revoked by its whole id; whether it is one is asked.
    let gone = "ab".repeat(32);
    let drafted =
        desk.done(&format!("root revoke-key {gone} --root root.1.json --out gone.json --json"));
    assert_eq!(drafted["root"]["revoked_keys"][0], gone.as_str());
    assert!(drafted["warnings"][0].as_str().unwrap().contains("in neither root"));
}

#[test]
fn more_people_than_a_root_carries_signatures_are_not_asked_to_sign() {
    let (root, _) = vendor();
    let mut changes = Vec::new();
    for _ in 0..16 {
        let public_key = Box::new(Throwaway::make().unwrap().public_key().clone());
        changes.push(Change::AddKey { role: Role::Root, public_key, name: None });
    }
    let sixteen = Positive::new(16).unwrap();
    changes.push(Change::SetThreshold { role: Role::Root, threshold: sixteen });
    // The old key may be one of the sixteen ...
    let end = at("9000-01-01T00:00:00Z");
    next_root(&root, None, &changes, at(NEXT_AT), end).unwrap();
    // ... and if it goes, seventeen would have to sign.
    let old = *root.root().roles.root.key_ids.first().unwrap();
    changes.push(Change::RemoveKey(old));
    let refusal = next_root(&root, None, &changes, at(NEXT_AT), end).unwrap_err();
    assert_eq!(refusal.code(), Code::RootInvalid);
    assert!(refusal.what().starts_with("17 people"), "{refusal}");
}

#[test]
fn no_verb_writes_over_a_key_or_anything_else() {
    let desk = three_people();
    desk.done(&format!("{ROTATE} --out draft.json"));
    desk.write("taken", "precious");
    let before = desk.read("bo.key");
    let verbs = [
        ROTATE,
        "root add-key license license-2.key --root root.1.json",
        "root remove-key cy --root root.1.json",
        "root revoke-key cy --root root.1.json",
        "root set-threshold root 1 --root root.1.json",
        "root renew --root root.1.json",
        "root sign draft.json --root root.1.json --key ana.key",
        "revoke --first --license 01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4a --key revocation.key \
         --root root.1.json",
        "clock-reset --request draft.json --key license.key --root root.1.json --yes",
        "issue acme.toml --key license.key --root root.1.json --serial 1",
        "bundle draft.json --root root.1.json",
        "receipt draft.json --key kernel.key",
        "root init --issuer A --root-key root.key --license-key license.key \
         --revocation-key revocation.key --kernel-key kernel.key",
    ];
    for verb in verbs {
        // Whoever's key it is, and whatever its name.
        desk.refused(&format!("{verb} --out bo.key"), 73, "output.is_key");
        desk.refused(&format!("{verb} --out taken"), 73, "output.exists");
    }
    desk.refused("keygen bo.key --unencrypted", 73, "output.is_key");
    desk.refused("new bo.key --yes", 73, "output.is_key");
    assert_eq!((desk.read("bo.key"), desk.read("taken")), (before, b"precious".to_vec()));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("bo.key", desk.path("alias")).unwrap();
        desk.refused(&format!("{ROTATE} --out alias"), 73, "output.is_key");
    }
    assert!(names(&desk.path(".")).iter().all(|name| !name.starts_with("root.2")));
}

#[test]
fn the_kernels_new_ca_and_key_reach_a_sleeping_site_by_the_root() {
    let desk = Desk::new();
    let (old, new) = ("a1".repeat(32), "b2".repeat(32));
    desk.root_init("root.1.json", &["--kernel-ca", &old]);
    let kernel = desk.keygen("kernel-2");
    let drafted = desk.done(&format!(
        "root renew --kernel-ca {new} --remove-kernel-ca {old} --kernel-key {kernel} \
         --root root.1.json --years 5 --out draft.json --json"
    ));
    assert_eq!(drafted["root"]["kernel_ca"], serde_json::json!([new]));
    desk.done("root sign draft.json --root root.1.json --key root.key --out root.2.json");
    desk.done("bundle root.2.json --root root.1.json --out site.bundle");
    let site = Standing::with_trust(installed(&desk, "root.1.json"));
    let after =
        plan_import(&site, &desk.read("site.bundle"), None, at(ISSUED_AT)).unwrap().standing;
    let root = after.root().unwrap().root();
    assert_eq!(root.kernel_ca, [new.parse().unwrap()]);
    assert_eq!(root.roles.kernel.key_ids.len(), 2, "the old receipt key still receipts");
    desk.refused(
        &format!("root renew --kernel-ca {new} --root root.2.json --out x.json"),
        65,
        "root.invalid",
    );
}

#[test]
fn what_a_rotated_key_signed_stays_and_what_a_revoked_key_signed_falls() {
    let desk = Desk::new();
    desk.keygen("license-2");
    desk.issue(1, "license.json");
    for (revoke, out) in [("", "rotated.json"), ("--revoke", "revoked.json")] {
        desk.done(&format!(
            "root rotate license --old license --new license-2.key {revoke} --root root.json \
             --expires 9000-01-01 --at {NEXT_AT} --out draft-{out}"
        ));
        desk.done(&format!("root sign draft-{out} --root root.json --key root.key --out {out}"));
    }
    let site = Standing::with_trust(installed(&desk, "root.json"));
    let now = at("2027-01-01T00:00:00Z");
    let site = plan_import(&site, &desk.read("license.json"), None, now).unwrap().standing;

    let rotated = plan_import(&site, &desk.read("rotated.json"), None, now).unwrap();
    assert!(rotated.fallen.is_empty());
    assert_eq!(rotated.standing.licenses().len(), 1, "what was accepted stays");
    let revoked = plan_import(&site, &desk.read("revoked.json"), None, now).unwrap();
    assert_eq!(revoked.fallen.len(), 1);
    assert!(revoked.standing.licenses().is_empty());

    // New words are by the new key alone.
    let late = plan_import(
        &Standing::with_trust(installed(&desk, "root.json")),
        &[desk.read("rotated.json"), desk.read("license.json")].concat(),
        None,
        now,
    );
    assert_eq!(late.unwrap_err().code(), Code::SignatureKeyUnknown);
    for (root, code) in
        [("rotated.json", "signature.key_unknown"), ("revoked.json", "signature.key_revoked")]
    {
        desk.refused(
            &format!("issue acme.toml --key license.key --root {root} --serial 2 --out x.json"),
            5,
            code,
        );
        let issue = "issue acme.toml --key license-2.key --serial 2";
        desk.done(&format!("{issue} --root {root} --at {NEXT_AT} --out by-{root}"));
    }
}

#[test]
fn an_ended_root_takes_nothing_new_until_the_next_one_comes() {
    let desk = Desk::new();
    desk.root_init("old.json", &["--expires", "2026-11-20"]);
    let issue = "issue acme.toml --key license.key --serial 1";
    desk.done(&format!("{issue} --root old.json --at 2026-11-10T00:00:00Z --out license.json"));
    let site = Standing::with_trust(installed(&desk, "old.json"));
    let (in_time, later) = (at("2026-11-15T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let site = plan_import(&site, &desk.read("license.json"), None, in_time).unwrap().standing;
    desk.refused(&format!("{issue} --root old.json --out x.json"), 5, "trust.root_expired");

    // The next one is made under the ended one, which still chains.
    desk.refused_by_its_end();
    desk.done("root renew --root old.json --expires 9000-01-01 --out draft.json");
    desk.done("root sign draft.json --root old.json --key root.key --out next.json");
    desk.done(&format!(
        "issue acme.toml --key license.key --serial 2 --root next.json --at {ISSUED_AT} \
         --out license.2.json"
    ));
    let alone = plan_import(&site, &desk.read("license.2.json"), None, later).unwrap_err();
    assert_eq!(alone.code(), Code::TrustRootExpired);
    assert_eq!(site.licenses().len(), 1, "what is in force stays");
    let both = [desk.read("license.2.json"), desk.read("next.json")].concat();
    let after = plan_import(&site, &both, None, later).unwrap().standing;
    assert_eq!((after.root().unwrap().version(), after.licenses().len()), (2, 2));
}

impl Desk {
    /// A next root that has ended already chains, and would bring in nothing: nobody signs it.
    fn refused_by_its_end(&self) {
        self.done(
            "root renew --root old.json --expires 2026-11-21 --at 2026-11-10T00:00:00Z \
             --out ended.json",
        );
        self.refused(
            "root sign ended.json --root old.json --key root.key --out x.json",
            5,
            "trust.root_expired",
        );
    }
}

#[test]
fn a_site_that_slept_through_ten_rotations_catches_up_in_one_import() {
    let (site, roots, last) = slept_through(10);
    let bundle = [roots.concat(), last].concat();
    let plan = plan_import(&site, &bundle, None, at(NEXT_AT)).unwrap();
    assert_eq!(plan.standing.root().unwrap().version(), 11);
    assert!(plan.fallen.is_empty());
    assert_eq!(serials(&plan.standing), [1, 2], "what the first key signed stays in force");
}

#[test]
fn a_site_that_slept_through_a_hundred_rotations_catches_up_in_two() {
    let (site, roots, last) = slept_through(100);
    let whole = [roots.concat(), last.clone()].concat();
    let refusal = plan_import(&site, &whole, None, at(NEXT_AT)).unwrap_err();
    assert_eq!(refusal.code(), Code::BundleTooLarge);

    let first = plan_import(&site, &roots[..64].concat(), None, at(NEXT_AT)).unwrap().standing;
    assert_eq!((first.root().unwrap().version(), serials(&first)), (65, vec![1]));
    let rest = [roots[64..].concat(), last].concat();
    let second = plan_import(&first, &rest, None, at(NEXT_AT)).unwrap().standing;
    assert_eq!((second.root().unwrap().version(), serials(&second)), (101, vec![1, 2]));
    // And it starts again with what it stored.
    let stored = second.to_bundle();
    let lines = stored.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (reloaded, refused) = Standing::reload(lines);
    assert!(refused.is_empty() && serials(&reloaded) == [1, 2]);
}

/// A site at root 1 with serial 1, the roots after it, each with other root and license keys, and
/// serial 2 by the last license key.
fn slept_through(rotations: usize) -> (Standing, Vec<Vec<u8>>, Vec<u8>) {
    let (mut root, mut keys) = vendor();
    let license = |serial: u64, root: &TrustRoot| -> License {
        let template = template::read(TEMPLATE).unwrap();
        let id = template.license_id().unwrap();
        let serial = Positive::new(serial).unwrap();
        template.license(id, serial, root.root().issuer.id, at(ISSUED_AT)).unwrap()
    };
    let line = |license: &License, key: &Throwaway| {
        let mut line = seal(license, key).unwrap();
        line.push(b'\n');
        line
    };
    let first = line(&license(1, &root), &keys[&only(&root, Role::License)]);
    let site = Standing::with_trust(root.clone());
    let site = plan_import(&site, &first, None, at(NEXT_AT)).unwrap().standing;

    let mut roots = Vec::new();
    for _ in 0..rotations {
        let mut changes = Vec::new();
        for role in [Role::Root, Role::License] {
            let fresh = Throwaway::make().unwrap();
            let public_key = fresh.public_key().clone();
            keys.insert(public_key.id(), fresh);
            changes.push(Change::AddKey { role, public_key: Box::new(public_key), name: None });
            changes.push(Change::RemoveKey(only(&root, role)));
        }
        let end = at("9000-01-01T00:00:00Z");
        let next = next_root(&root, None, &changes, at(NEXT_AT), end).unwrap();
        let own = next.roles.root.key_ids[0];
        let draft = Draft::new(next, &root).unwrap();
        let draft = draft.sign(&keys[&only(&root, Role::Root)], &root).unwrap();
        root = draft.sign(&keys[&own], &root).unwrap().complete(&root).unwrap();
        roots.push([root.root().line(), b"\n"].concat());
    }
    let last = line(&license(2, &root), &keys[&only(&root, Role::License)]);
    (site, roots, last)
}

/// A vendor with one key a role.
fn vendor() -> (TrustRoot, BTreeMap<KeyId, Throwaway>) {
    let mut keys = BTreeMap::new();
    let mut listed = Vec::new();
    for role in [Role::Root, Role::License, Role::Revocation, Role::Kernel] {
        let key = Throwaway::make().unwrap();
        listed.push(FirstKey { role, public_key: key.public_key().clone(), name: None });
        keys.insert(key.public_key().id(), key);
    }
    let first = FirstRoot {
        issuer: desk::LICENSE.parse().unwrap(),
        name: "ACME".to_owned(),
        issued_at: at(MADE_AT),
        expires: at("9000-01-01T00:00:00Z"),
        thresholds: BTreeMap::new(),
        kernel_ca: Vec::new(),
        keys: listed.clone(),
    };
    let signer: &dyn Signer = &keys[&listed[0].public_key.id()];
    (first_root(first, &[signer]).unwrap(), keys)
}

fn only(root: &TrustRoot, role: Role) -> KeyId {
    root.root().role(role).unwrap().key_ids[0]
}

fn serials(standing: &Standing) -> Vec<u64> {
    standing.licenses().iter().map(|license| license.serial.as_u64()).collect()
}

fn installed(desk: &Desk, name: &str) -> TrustRoot {
    let line = desk.read(name);
    let line = line.strip_suffix(b"\n").unwrap();
    assert!(Envelope::open(line).is_ok());
    TrustRoot::install(line, None).unwrap()
}
