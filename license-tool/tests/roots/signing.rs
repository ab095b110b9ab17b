//! Signing: who signs a draft, what they are shown, and what nobody signs.

use std::collections::BTreeMap;

use farhold_bundle::{Signer, payload::Role};
use license_tool::root::{FirstKey, FirstRoot, first_root};

use crate::{
    NEXT_AT, ROTATE,
    desk::{self, Desk, MADE_AT, at},
    names_in, three_people,
};

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

/// A draft with another payload, written as the tool writes it.
fn with_payload(line: &str, change: impl FnOnce(&str) -> String) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let (head, rest) = line.split_at(line.find("\":\"").unwrap() + 3);
    let (payload, tail) = rest.split_at(rest.find('"').unwrap());
    let payload = String::from_utf8(STANDARD.decode(payload).unwrap()).unwrap();
    format!("{head}{}{tail}", STANDARD.encode(change(&payload)))
}
