//! A table issued again after its key was rotated or revoked, on the real tool.
#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use farhold_bundle::{Envelope, KeyId, Signer, TrustRoot, payload::License};
use farhold_ledger::Ledger;

use desk::{Desk, ISSUED_AT, TEMPLATE, names};

const BY_NEW: &str =
    "issue many.toml --csv rows.csv --ledger ledger --root root.2.json --key license-2.key";

/// A desk that has issued a table into `out`, and then changed its license key.
fn with_another_key(rows: usize, revoke: &str) -> Desk {
    let desk = Desk::new();
    desk.done("ledger begin ledger --root root.json --at 2026-11-01T00:00:00Z");
    let template = TEMPLATE
        .replace("license_id = \"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4a\"", "")
        .replace("issued_to = \"Universidad del Sur\"", "");
    desk.write("many.toml", template);
    desk.write("rows.csv", table(rows));
    desk.done(&format!(
        "issue many.toml --csv rows.csv --ledger ledger --root root.json --key license.key \
         --at {ISSUED_AT} --out-dir out"
    ));
    desk.keygen("license-2");
    desk.done(&format!(
        "root rotate license --old license --new license-2.key {revoke} --root root.json \
         --expires 9000-01-01 --out draft.json"
    ));
    desk.done("root sign draft.json --root root.json --key root.key --out root.2.json");
    desk
}

fn table(rows: usize) -> String {
    let mut table = "tenant_id,issued_to\n".to_owned();
    for number in 1..=rows {
        table.push_str(&format!("01939b6e-3c5f-7a31-8b53-0f6f1c{number:06x},Customer {number}\n"));
    }
    table
}

fn by_new(desk: &Desk, more: &str) -> Value {
    desk.done(&format!("{BY_NEW} --at {ISSUED_AT} {more} --json"))
}

fn ledger(desk: &Desk) -> Ledger {
    Ledger::read(&desk.read("ledger")).unwrap()
}

fn counts(done: &Value) -> [u64; 5] {
    ["issued", "finished", "there", "anew", "former_key"].map(|name| done[name].as_u64().unwrap())
}

/// The key and the serial of every contract's newest entry.
fn newest(desk: &Desk) -> BTreeSet<(KeyId, u64)> {
    let ledger = ledger(desk);
    ledger
        .contracts()
        .map(|contract| (contract.newest.keys[0], contract.newest.serial.as_u64()))
        .collect()
}

fn key(desk: &Desk, name: &str) -> KeyId {
    desk.signer(name).public_key().id()
}

#[test]
fn rows_of_a_revoked_key_are_issued_anew_with_the_next_serial_and_once() {
    let desk = with_another_key(30, "--revoke");
    let dry = by_new(&desk, "--dry-run");
    assert_eq!(
        (&dry["to_issue"], &dry["anew"], &dry["known"]),
        (&30.into(), &30.into(), &0.into())
    );
    // Interrupted: the ledger has the first ten anew, and none was written.
    desk.write("rows.csv", table(10));
    assert_eq!(counts(&by_new(&desk, "--out-jsonl lost.jsonl")), [10, 0, 0, 10, 0]);
    fs::remove_file(desk.path("lost.jsonl")).unwrap();
    desk.write("rows.csv", table(30));
    assert_eq!(counts(&by_new(&desk, "--out-dir out")), [20, 10, 0, 20, 0]);
    assert_eq!(newest(&desk), BTreeSet::from([(key(&desk, "license-2"), 2)]));
    let before = desk.read("ledger");
    assert_eq!(counts(&by_new(&desk, "--out-dir out")), [0, 0, 30, 0, 0]);
    assert_eq!(counts(&by_new(&desk, "--out-jsonl new.jsonl")), [0, 30, 0, 0, 0]);
    assert_eq!(desk.read("ledger"), before, "nobody has a third serial");

    // What was issued anew holds under the recovering root; the old files lie untouched.
    let root = desk.read("root.2.json");
    let root = TrustRoot::install(root.trim_ascii_end(), None).unwrap();
    for line in desk.read("new.jsonl").trim_ascii_end().split(|byte| *byte == b'\n') {
        let license = root.verify::<License>(Envelope::open(line).unwrap()).unwrap();
        assert_eq!(license.serial.as_u64(), 2);
    }
    assert_eq!(names(&desk.path("out")).len(), 60);
    // And a site loses nothing: everybody has a newer one.
    desk.done(
        "bundle root.2.json new.jsonl --root root.json --licenses out --ledger ledger \
         --out fleet.bundle",
    );
}

#[test]
fn killed_on_the_way_to_new_serials_it_is_finished_by_the_same_words() {
    let desk = with_another_key(3_000, "--revoke");
    for more in [1, 400_000] {
        desk.killed_after(more, &format!("{BY_NEW} --at {ISSUED_AT} --out-dir anew"));
        desk.done("ledger repair ledger");
    }
    by_new(&desk, "--out-dir anew");
    assert_eq!(newest(&desk), BTreeSet::from([(key(&desk, "license-2"), 2)]));
    assert_eq!(ledger(&desk).head().seq, 6_001, "two entries a row, however often interrupted");
    let whole: Vec<String> =
        names(&desk.path("anew")).into_iter().filter(|name| name.ends_with(".2.json")).collect();
    assert_eq!(whole.len(), 3_000);
}

#[test]
fn rows_of_a_rotated_key_stay_until_they_are_asked_for() {
    let desk = with_another_key(30, "");
    let before = (desk.read("ledger"), names(&desk.path("out")));
    let said = desk.run(&format!("{BY_NEW} --at {ISSUED_AT} --out-dir out"));
    assert!(said.stdout.contains("former key  30 keep their serial"), "{}", said.stdout);
    assert_eq!(counts(&by_new(&desk, "--out-dir out")), [0, 0, 30, 0, 30]);
    assert_eq!((desk.read("ledger"), names(&desk.path("out"))), before, "nothing was touched");
    // A file that is not that license is still in nobody's way unseen.
    let name = &before.1[4];
    let kept = desk.read(&format!("out/{name}"));
    desk.write(&format!("out/{name}"), desk.read(&format!("out/{}", before.1[5])));
    desk.refused(&format!("{BY_NEW} --at {ISSUED_AT} --out-dir out"), 73, "output.exists");
    desk.write(&format!("out/{name}"), kept);

    assert_eq!(counts(&by_new(&desk, "--reissue --out-dir out")), [30, 0, 0, 30, 0]);
    assert_eq!(newest(&desk), BTreeSet::from([(key(&desk, "license-2"), 2)]));
    assert_eq!(counts(&by_new(&desk, "--reissue --out-dir out")), [0, 0, 30, 0, 0], "and once");
}

#[test]
fn rows_of_a_rotated_key_are_signed_again_under_their_serial_where_they_are_missing() {
    let desk = with_another_key(5, "");
    assert_eq!(counts(&by_new(&desk, "--out-jsonl new.jsonl")), [0, 5, 0, 0, 5]);
    assert_eq!(newest(&desk), BTreeSet::from([(key(&desk, "license-2"), 1)]));
    assert_eq!(counts(&by_new(&desk, "--out-jsonl other.jsonl")), [0, 5, 0, 0, 0]);
}

#[test]
fn rows_of_another_chains_key_are_issued_anew() {
    let desk = with_another_key(5, "");
    let shown = desk.done("root show root.json --json");
    let issuer = shown["root"]["issuer"]["id"].as_str().unwrap();
    desk.keygen("root-new");
    // The only root key was lost: a new first root, which knows the old license key no more.
    desk.done(&format!(
        "root init --issuer ACME --issuer-id {issuer} --root-key root-new.key --license-key \
         license-2.key --revocation-key revocation.key --kernel-key kernel.key \
         --expires 9000-01-01 --out new-root.1.json"
    ));
    let line = BY_NEW.replace("root.2.json", "new-root.1.json");
    let done = desk.done(&format!("{line} --at {ISSUED_AT} --out-dir out --json"));
    assert_eq!(counts(&done), [5, 0, 0, 5, 0]);
}

#[test]
fn one_license_whose_key_was_revoked_gets_the_next_serial_and_a_rotated_ones_does_not() {
    for (revoke, serial) in [("--revoke", 2), ("", 1)] {
        let desk = with_another_key(1, revoke);
        desk.done(&format!(
            "issue acme.toml --ledger ledger --root root.json --key license.key --at {ISSUED_AT} \
             --out one.json"
        ));
        let again = "issue acme.toml --ledger ledger --root root.2.json --key license-2.key";
        for out in ["two.json", "three.json"] {
            let done = desk.done(&format!("{again} --at {ISSUED_AT} --out {out} --json"));
            assert_eq!(done["serial"], serial, "{revoke} {out}");
        }
        assert_eq!(desk.read("two.json"), desk.read("three.json"));
    }
}

#[test]
fn a_license_is_issued_again_from_its_file_only_where_someone_vouches_for_it() {
    let desk = with_another_key(1, "--revoke");
    let name = names(&desk.path("out")).remove(0);
    let again =
        format!("issue --from out/{name} --root root.2.json --key license-2.key --serial 2");
    desk.refused(&format!("{again} --out x.json"), 5, "signature.key_revoked");
    let by_root = desk.done(&format!("{again} --from-root root.json --out a.json --json"));
    assert_eq!(by_root["license"]["issued_to"], "Customer 1");
    let by_ledger = desk.done(&format!("{again} --ledger ledger --out b.json --json"));
    assert_eq!(by_ledger["serial"], 2);
    assert_eq!(newest(&desk), BTreeSet::from([(key(&desk, "license-2"), 2)]));
    // Another license by the stolen key is nobody's.
    desk.done(&format!(
        "issue acme.toml --root root.json --key license.key --serial 9 --at {ISSUED_AT} \
         --out forged.json"
    ));
    let forged = again.replace(&format!("out/{name}"), "forged.json");
    desk.refused(&format!("{forged} --ledger ledger --out x.json"), 5, "signature.key_revoked");
    // What is over, what is none, what is several.
    desk.refused(
        &format!("{again} --from-root root.json --at 2031-01-01T00:00:00Z --out x.json"),
        2,
        "usage.invalid",
    );
    let none = again.replace(&format!("out/{name}"), "root.json");
    desk.refused(&format!("{none} --out x.json"), 2, "usage.invalid");
    let old = desk.read(&format!("out/{name}"));
    desk.write("several.json", [old, desk.read("forged.json")].concat());
    let several = again.replace(&format!("out/{name}"), "several.json");
    desk.refused(&format!("{several} --from-root root.json --out x.json"), 2, "usage.invalid");
    let which = format!("{}:9", desk::LICENSE);
    desk.done(&format!("{several} --from-root root.json --from-license {which} --out c.json"));
    desk.refused(
        &format!("{several} --from-root root.json --from-license {}:8 --out x.json", desk::LICENSE),
        2,
        "usage.invalid",
    );
    desk.refused(&format!("{again} --from-root root.json --out out/{name}"), 2, "usage.invalid");
    assert!(!desk.exists("x.json"));
}
