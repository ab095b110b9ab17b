//! Drafting: what a next root may be, and what it is refused for.

use farhold_bundle::{
    Positive, Signer,
    payload::{Role, Root},
};
use farhold_contract::Code;
use farhold_keys::Throwaway;
use license_tool::root::{Change, next_root};

use crate::{
    NEXT_AT, ROTATE,
    desk::{Desk, at, names},
    names_in, three_people, vendor,
};

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
