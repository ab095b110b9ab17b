//! Requests answered, on the real tool.
#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;

use std::{collections::BTreeMap, io::Write, process::Stdio};

use serde_json::{Value, json};

use farhold_bundle::{
    Envelope, Signer, decode_typed_form, encode_typed_form,
    payload::{LicenseRef, Request, UsageReport},
    seal,
};
use farhold_contract::Timestamp;
use farhold_ledger::{Head, Ledger};

use desk::{Desk, ISSUED_AT, LICENSE, TEMPLATE, TENANT, at};

const WITH: &str = "--ledger ledger --root root.json --key license.key";
/// What one QR code of version 25 at level M holds.
const QR_25_M: usize = 1_451;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.done("ledger begin ledger --root root.json --at 2026-11-01T00:00:00Z");
    desk.write(
        "acme.toml",
        format!("rehosts_per_year = 1\nmodes = [\"managed\", \"detached\"]\n{TEMPLATE}"),
    );
    for device in ["a", "b", "c"] {
        desk.keygen(device);
    }
    desk
}

fn components(of: &[(&str, u8)]) -> BTreeMap<String, String> {
    of.iter().map(|(name, value)| ((*name).to_owned(), format!("{value:02x}").repeat(8))).collect()
}

/// A request of a device at this desk's root; `change` makes it another.
fn request(desk: &Desk, name: &str, device: &str, change: impl FnOnce(&mut Request)) {
    let root = desk.root_ref("root.json");
    desk.request(name, device, |request| {
        request.fingerprint = components(&[("disk.root", 1), ("machine_id", 2), ("nic.eth0", 3)]);
        request.root = Some(root);
        change(request);
    });
}

fn answer(desk: &Desk, request: &str, more: &str) -> Value {
    desk.done(&format!(
        "answer {request} {WITH} --template acme.toml --at {ISSUED_AT} {more} --json"
    ))
}

fn ledger(desk: &Desk) -> Ledger {
    Ledger::read(&desk.read("ledger")).unwrap()
}

/// The ledger as it would be had all of it been entered some days earlier.
fn aged(desk: &Desk, days: i64) -> Vec<u8> {
    let (entries, _) = farhold_ledger::verify(Head::START, &desk.read("ledger")).unwrap();
    let (mut ledger, mut bytes) = (Ledger::empty(), Vec::new());
    for entry in entries {
        let at = Timestamp::from_ms(entry.at.as_ms() - days * 86_400_000);
        bytes.extend(ledger.append(at, entry.act).unwrap());
    }
    bytes
}

/// The kinds of the ledger's entries.
fn kinds(desk: &Desk) -> Vec<&'static str> {
    let (entries, _) = farhold_ledger::verify(Head::START, &desk.read("ledger")).unwrap();
    entries.iter().map(|entry| entry.act.kind().as_str()).collect()
}

#[test]
fn a_request_is_shown_before_anything_is_signed() {
    let desk = desk();
    request(&desk, "a.request", "a", |request| {
        request.licenses.push(LicenseRef {
            license_id: LICENSE.parse().unwrap(),
            serial: farhold_bundle::Positive::new(9).unwrap(),
            sha256: farhold_contract::Sha256Digest::new([7; 32]),
        });
        request.usage.push(UsageReport {
            license_id: LICENSE.parse().unwrap(),
            feature: "courses.publish".to_owned(),
            used: farhold_bundle::Whole::new(42).unwrap(),
        });
        request.mark = Timestamp::from_ms(at(ISSUED_AT).as_ms() + 400 * 86_400_000);
    });
    let shown =
        desk.run(&format!("answer a.request --root root.json --ledger ledger --at {ISSUED_AT}"));
    assert_eq!(shown.exit, 0, "{}", shown.stderr);
    for said in [
        "the request holds",
        TENANT,
        "stands at     root 1",
        "NOT in the ledger",
        "has used      42 of courses.publish",
        "machine_id",
    ] {
        assert!(shown.stdout.contains(said), "{said}\n{}", shown.stdout);
    }
    assert!(shown.stderr.contains("not in the ledger: enter its slip"), "{}", shown.stderr);
    assert!(shown.stderr.contains("400 days from here: see clock-reset"), "{}", shown.stderr);
    assert_eq!(ledger(&desk).head().seq, 1);
}

#[test]
fn what_a_site_remembers_of_its_machine_is_a_warning_and_the_answer_is_given() {
    let desk = desk();
    let since = at("2026-06-01T12:00:00Z");
    request(&desk, "a.request", "a", |request| {
        request.remembered = ["disk.root", "nic.eth0"].map(|name| (name.to_owned(), since)).into();
    });
    let line = format!(
        "answer a.request {WITH} --template acme.toml --at {ISSUED_AT} --bind fingerprint:2"
    );
    let said = desk.run(&format!("{line} --out a.bundle"));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let warned = "2 of the 3 components are remembered, not read: disk.root (since \
                  2026-06-01T12:00:00Z), nic.eth0 (since 2026-06-01T12:00:00Z)";
    assert!(said.stderr.contains(warned), "{}", said.stderr);
    assert!(said.stdout.contains("disk.root (remembered, not read), machine_id,"));
    desk.done("verify a.bundle --root root.json");
    let told = answer(&desk, "a.request", "--bind fingerprint:2 --out again.bundle");
    assert_eq!(told["request"]["remembered"]["nic.eth0"], "2026-06-01T12:00:00Z");

    request(&desk, "b.request", "b", |_| {});
    let said = desk.run(&format!("answer b.request {WITH} --at {ISSUED_AT}"));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(!said.stderr.contains("remembered"), "{}", said.stderr);
}

#[test]
fn an_answer_is_the_next_serial_bound_to_the_machine_that_asks() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    let answered = answer(&desk, "a.request", "--out a.bundle");
    let device = desk.signer("a").public_key().to_string();
    assert_eq!(answered["answer"]["serial"], 1);
    assert_eq!(answered["answer"]["move"], "first");
    assert_eq!(answered["answer"]["license"]["binding"], json!({ "device_key": device }));
    desk.done("verify a.bundle --root root.json");
    let listed = desk.done("ledger list ledger --json");
    assert_eq!(listed["licenses"][0]["device_key"], device.as_str());
    assert_eq!(listed["licenses"][0]["rehosts_within_a_year"], 0, "an activation is no move");
    // Asked again, it is answered by the same license.
    let again = answer(&desk, "a.request", "--out again.bundle");
    assert_eq!(again["answer"]["was_known"], true);
    assert_eq!(desk.read("again.bundle"), desk.read("a.bundle"));
    assert_eq!(ledger(&desk).head().seq, 2);
}

#[test]
fn moves_are_counted_against_the_years_budget() {
    let desk = desk();
    for device in ["a", "b", "c"] {
        request(&desk, &format!("{device}.request"), device, |_| {});
    }
    answer(&desk, "a.request", "--out a.bundle");
    let moved = answer(&desk, "b.request", "--out b.bundle");
    assert_eq!(moved["answer"]["move"], "rehost");
    assert_eq!(moved["answer"]["rehosts_within_a_year"], 1);
    let third =
        format!("answer c.request {WITH} --template acme.toml --at {ISSUED_AT} --out c.bundle");
    let said = desk.refused(&third, 4, "ledger.rehosts_used_up");
    assert!(said.contains("was moved to another machine 1 times since 20"), "{said}");
    assert!(!desk.exists("c.bundle"));
    // By the license itself, the ledger still knows the budget.
    desk.refused(
        &third.replace("--template acme.toml", "--from b.bundle"),
        4,
        "ledger.rehosts_used_up",
    );
    // A renewal of the same machine is no move.
    desk.write(
        "acme.toml",
        String::from_utf8(desk.read("acme.toml")).unwrap().replace("2027-12-31", "2028-12-31"),
    );
    assert_eq!(answer(&desk, "b.request", "--out b2.bundle")["answer"]["move"], "same");
    // A year later there is room again, and before that with a reason.
    desk.write("ledger", aged(&desk, 366));
    desk.done(&third.replace("c.bundle", "later.bundle"));
    let ran = desk
        .command(&third.replace("c.request", "a.request"))
        .args(["--over-budget", "their data center burned"])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let shown = desk.done(&format!("ledger show ledger {LICENSE} --json"));
    let last = shown["entries"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["kind"], &last["reason"]),
        (&"rehosted".into(), &"their data center burned".into())
    );
}

#[test]
fn a_fingerprint_holds_while_enough_of_it_does() {
    let desk = desk();
    let bound = |name: &str, components: BTreeMap<String, String>, device: &str| {
        request(&desk, name, device, |request| request.fingerprint = components);
    };
    bound("first", components(&[("disk.root", 1), ("machine_id", 2), ("nic.eth0", 3)]), "a");
    let first = answer(&desk, "first", "--bind fingerprint --out 1.bundle");
    let binding = &first["answer"]["license"]["binding"]["fingerprint"];
    assert_eq!(binding["require"], 2, "two of three, where nothing is said");
    bound("repaired", components(&[("disk.root", 9), ("machine_id", 2), ("nic.eth0", 3)]), "a");
    let repaired = answer(&desk, "repaired", "--bind fingerprint:3 --out 2.bundle");
    assert_eq!(repaired["answer"]["move"], "same");
    assert_eq!(repaired["answer"]["license"]["binding"]["fingerprint"]["require"], 3);
    // The agent's state was copied to another machine, its key with it.
    bound("copied", components(&[("disk.root", 7), ("machine_id", 8), ("nic.eth0", 3)]), "a");
    assert_eq!(answer(&desk, "copied", "--bind device --out 3.bundle")["answer"]["move"], "rehost");
    bound("blank", BTreeMap::new(), "a");
    let line = format!("answer blank {WITH} --template acme.toml --bind fingerprint --out x");
    desk.refused(&line, 2, "usage.invalid");
    desk.refused(
        &line.replace("blank", "first").replace("fingerprint", "fingerprint:4"),
        2,
        "usage.invalid",
    );
}

#[test]
fn a_date_given_by_hand_opens_no_other_years_budget() {
    let desk = desk();
    for device in ["a", "b", "c"] {
        request(&desk, &format!("{device}.request"), device, |_| {});
    }
    answer(&desk, "a.request", "--out a.bundle");
    let line = |device: &str, at: &str, out: &str| {
        format!("answer {device}.request {WITH} --template acme.toml --at {at} --out {out}.bundle")
    };
    // Dated two years back, the one move of the year is a move of this year.
    desk.done(&line("b", "2024-11-01T00:00:00Z", "b"));
    for at in [ISSUED_AT, "2024-11-02T00:00:00Z", "2027-12-30T00:00:00Z"] {
        desk.refused(&line("c", at, "c"), 4, "ledger.rehosts_used_up");
    }
    // `issue` and a table count by the same clock.
    let key = desk.signer("c").public_key().to_string();
    let bound = format!("rehosts_per_year = 1\nbinding = {{ device_key = \"{key}\" }}\n{TEMPLATE}");
    desk.write("bound.toml", bound);
    for at in [ISSUED_AT, "2027-12-30T00:00:00Z"] {
        let one = format!("issue bound.toml {WITH} --at {at} --out c.json");
        desk.refused(&one, 4, "ledger.rehosts_used_up");
        desk.write("rows.csv", format!("license_id\n{LICENSE}\n"));
        let many = format!("issue bound.toml {WITH} --csv rows.csv --at {at} --out-jsonl c.jsonl");
        let said = desk.run(&many).stderr;
        assert!(said.contains("was moved to another machine 1 times"), "{said}");
    }
    let (entries, _) = farhold_ledger::verify(Head::START, &desk.read("ledger")).unwrap();
    let moved = entries.last().unwrap();
    let issue = moved.act.issue().unwrap();
    assert_eq!(issue.issued_at, at("2024-11-01T00:00:00Z"), "the license's date is the one given");
    assert!(moved.at > at("2025-01-01T00:00:00Z"), "and the entry's the clock's: {}", moved.at);
    assert_eq!(
        desk.run("ledger enter ledger b.bundle --root root.json --at 2024-01-01T00:00:00Z").exit,
        2
    );
}

#[test]
fn a_break_glass_issue_to_another_machine_uses_the_budget_up() {
    let desk = desk();
    for device in ["a", "b", "c"] {
        request(&desk, &format!("{device}.request"), device, |_| {});
    }
    answer(&desk, "a.request", "--out a.bundle");
    let key = desk.signer("b").public_key().to_string();
    let bound = format!("binding = {{ device_key = \"{key}\" }}\n{TEMPLATE}");
    desk.write("urgent.toml", bound);
    desk.done(&format!(
        "issue urgent.toml --root root.json --key license.key --serial 2 --at {ISSUED_AT} \
         --out urgent.json --break-glass --reason flood"
    ));
    // Met first, then its slip: one move.
    let met = desk.run("ledger enter ledger urgent.json --root root.json");
    assert!(met.stdout.contains("a move to another machine: it is counted"), "{}", met.stdout);
    desk.done("ledger enter ledger urgent.json.slip --root root.json");
    assert_eq!(kinds(&desk), ["begun", "issued", "break_glass", "entered"]);
    let listed = desk.done("ledger list ledger --json");
    assert_eq!(listed["licenses"][0]["rehosts_within_a_year"], 1);
    assert_eq!(listed["licenses"][0]["rehosts_per_year"], 1, "the slip knows of no budget");
    // The machine that has it by now is answered; the next move is one too many.
    assert_eq!(answer(&desk, "b.request", "--out b.bundle")["answer"]["move"], "same");
    for from in ["--template acme.toml", "--from b.bundle"] {
        let line = format!("answer c.request {WITH} {from} --at {ISSUED_AT} --out c.bundle");
        desk.refused(&line, 4, "ledger.rehosts_used_up");
    }
    // A fact beyond the budget is entered all the same, and said.
    let key = desk.signer("c").public_key().to_string();
    desk.write("urgent.toml", format!("binding = {{ device_key = \"{key}\" }}\n{TEMPLATE}"));
    desk.done(&format!(
        "issue urgent.toml --root root.json --key license.key --serial 4 --at {ISSUED_AT} \
         --out more.json --break-glass --reason flood"
    ));
    let entered = desk.done("ledger enter ledger more.json.slip --root root.json --json");
    let warned = entered["warnings"][0].as_str().unwrap();
    assert!(warned.contains("2 times within a year; 1 a year are allowed"), "{warned}");
}

#[test]
fn a_machine_that_gives_its_license_up_is_noted_and_not_answered() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    answer(&desk, "a.request", "--out a.bundle");
    let given_up = |name: &str, nonce: &str| {
        request(&desk, name, "a", |request| {
            request.release = Some(LICENSE.parse().unwrap());
            request.licenses.push(held(&desk, 1));
            request.nonce = nonce.repeat(16);
        });
    };
    given_up("release", "22");
    let line = format!("answer release {WITH} --template acme.toml --out x.bundle");
    let said = desk.run(&line);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains("gives up      license"), "{}", said.stdout);
    assert!(said.stderr.contains("nothing was issued: this machine gives"), "{}", said.stderr);
    assert!(!desk.exists("x.bundle"));
    let shown = desk.done("answer release --root root.json --ledger ledger --json");
    assert_eq!(shown["release_noted"], true);
    given_up("again", "33");
    desk.done("answer again --root root.json --ledger ledger");
    assert_eq!(
        kinds(&desk),
        ["begun", "issued", "released"],
        "noted once, however often it is said"
    );
    let ledger = ledger(&desk);
    let contract = ledger.contract(LICENSE.parse().unwrap()).unwrap();
    assert_eq!(contract.releases[0].1.serial.unwrap().as_u64(), 1);
    assert!(contract.releases[0].1.device_key.is(desk.signer("a").public_key()));
    assert_eq!(contract.newest.serial.as_u64(), 1);
}

/// A license as a request names it, by what the ledger has of it.
fn held(desk: &Desk, serial: u64) -> LicenseRef {
    let ledger = ledger(desk);
    let contract = ledger.contract(LICENSE.parse().unwrap()).unwrap();
    let revision = contract.revisions.iter().find(|it| it.serial.as_u64() == serial).unwrap();
    LicenseRef { license_id: contract.license_id, serial: revision.serial, sha256: revision.sha256 }
}

#[test]
fn a_license_is_given_up_by_its_machine_alone() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    answer(&desk, "a.request", "--out a.bundle");
    let made_up = |serial: u64| LicenseRef {
        license_id: LICENSE.parse().unwrap(),
        serial: farhold_bundle::Positive::new(serial).unwrap(),
        sha256: farhold_contract::Sha256Digest::new([0; 32]),
    };
    let before = ledger(&desk).head();
    let release = |name: &str, device: &str, id: &str, held: Option<LicenseRef>| {
        request(&desk, name, device, |request| {
            request.release = Some(id.parse().unwrap());
            request.licenses.extend(held);
        });
    };
    // Whoever has the license's file can write its id and hash into a request of their own.
    release("stranger", "b", LICENSE, Some(held(&desk, 1)));
    release("bare", "b", LICENSE, None);
    release("serial", "a", LICENSE, Some(made_up((1 << 53) - 1)));
    release("hash", "a", LICENSE, Some(made_up(1)));
    release("unknown", "a", "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e77", None);
    for (name, code) in [
        ("stranger", "license.binding_mismatch"),
        ("bare", "license.binding_mismatch"),
        ("serial", "ledger.conflict"),
        ("hash", "ledger.conflict"),
        ("unknown", "ledger.conflict"),
    ] {
        desk.refused(&format!("answer {name} --root root.json --ledger ledger"), 4, code);
        let answered = format!("answer {name} {WITH} --template acme.toml --out x.bundle");
        desk.refused(&answered, 4, code);
        assert_eq!(ledger(&desk).head(), before, "{name}");
    }
    assert!(!desk.exists("x.bundle"));
    // The old machine, after the new one was answered; and any machine for an unbound license.
    request(&desk, "b.request", "b", |_| {});
    answer(&desk, "b.request", "--out b.bundle");
    release("old", "a", LICENSE, Some(held(&desk, 1)));
    desk.done("answer old --root root.json --ledger ledger");
    desk.write(
        "plain.toml",
        TEMPLATE
            .replace(LICENSE, "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e77")
            .replace("acme-courses", "acme-labs"),
    );
    desk.done(&format!("issue plain.toml {WITH} --out plain.json"));
    release("unbound", "c", "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e77", None);
    desk.done("answer unbound --root root.json --ledger ledger");
    assert_eq!(kinds(&desk)[3..], ["released", "issued", "released"]);
}

#[test]
fn a_release_by_another_agent_on_the_same_components_is_a_warning() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    answer(&desk, "a.request", "--bind fingerprint:2 --out a.bundle");
    request(&desk, "release", "b", |request| request.release = Some(LICENSE.parse().unwrap()));
    let ran = desk.run("answer release --root root.json --ledger ledger");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("given up by another agent"), "{}", ran.stderr);
    request(&desk, "own", "a", |request| request.release = Some(LICENSE.parse().unwrap()));
    let ran = desk.run("answer own --root root.json --ledger ledger");
    assert!(!ran.stderr.contains("given up by another agent"), "{}", ran.stderr);
}

#[test]
fn a_request_of_more_components_than_a_machine_has_harms_no_ledger() {
    let desk = desk();
    let cards = |count: usize| -> BTreeMap<String, String> {
        (0..count).map(|card| (format!("nic.e{card}"), format!("{card:016x}"))).collect()
    };
    // As an adversary made it: sealing it asks nothing of its rules.
    let signer = desk.signer("a");
    request(&desk, "most", "a", |request| request.fingerprint = cards(64));
    let most = Envelope::open(desk.read("most").trim_ascii_end()).unwrap();
    let mut hostile: Value = serde_json::from_slice(most.danger_unverified_payload()).unwrap();
    hostile["fingerprint"] = json!(cards(2_500));
    desk.write("hostile", sign_raw(&hostile, &signer));
    let line = |name: &str| {
        format!("answer {name} {WITH} --template acme.toml --bind fingerprint:3 --out x.bundle")
    };
    let before = desk.read("ledger");
    desk.refused(&line("hostile"), 65, "payload.malformed");
    assert_eq!(desk.read("ledger"), before);
    // As many as there may be: the ledger holds them, and is read back.
    desk.done(&line("most"));
    desk.done("ledger verify ledger");
}

/// A request's line of any content, signed as bundle.md §1.2 and §1.3 say.
fn sign_raw(content: &Value, signer: &dyn Signer) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let payload = content.to_string();
    let kind = "application/vnd.farhold.request.v1+json";
    let pae = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let signature = signer.sign(pae.as_bytes()).unwrap();
    let (payload, signature) = (STANDARD.encode(payload), STANDARD.encode(signature));
    let key_id = signer.public_key().id();
    let line = format!(
        "{{\"payload\":\"{payload}\",\"payloadType\":\"{kind}\",\"signatures\":[{{\"keyid\":\"{key_id}\",\"sig\":\"{signature}\"}}]}}\n"
    );
    line.into_bytes()
}

#[test]
fn a_template_that_names_more_components_than_a_machine_has_is_refused_before_any_entry() {
    let desk = desk();
    let cards: Vec<String> =
        (0..65).map(|card| format!("\"nic.e{card}\" = \"{card:016x}\"")).collect();
    let binding = format!(
        "binding = {{ fingerprint = {{ require = 3, components = {{ {} }} }} }}\n",
        cards.join(", ")
    );
    desk.write("bound.toml", format!("{binding}{TEMPLATE}"));
    let before = desk.read("ledger");
    let ran = desk.run(&format!("issue bound.toml {WITH} --out x.json"));
    assert_eq!(ran.exit, 65, "{}", ran.stderr);
    assert!(ran.stderr.contains("more than 64 components"), "{}", ran.stderr);
    assert_eq!(desk.read("ledger"), before);
    assert!(!desk.exists("x.json"));
}

#[test]
fn outputs_that_can_not_be_written_are_refused_before_any_entry() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    let before = desk.read("ledger");
    let long = "n".repeat(250);
    let line = format!("answer a.request {WITH} --template acme.toml --out o1");
    for (typed_out, exit, code) in [
        ("o1", 2, "usage.invalid"),
        ("./o1", 2, "usage.invalid"),
        ("missing/o2", 73, "output.unwritable"),
        ("root.json/o2", 73, "output.unwritable"),
        (&long, 73, "output.unwritable"),
    ] {
        let line = format!("{line} --typed-out {typed_out}");
        desk.refused(&line, exit, code);
        assert_eq!(desk.read("ledger"), before, "{typed_out}");
        assert!(!desk.exists("o1"), "{typed_out}");
    }
    desk.refused(&line.replace("--out o1", "--out missing/o1"), 73, "output.unwritable");
    desk.done(&format!("{line} --typed-out o2"));
}

#[test]
fn of_very_many_licenses_that_nobody_entered_the_first_are_named_and_the_rest_counted() {
    let desk = desk();
    request(&desk, "a.request", "a", |request| {
        request.licenses = (0..200)
            .map(|number| LicenseRef {
                license_id: format!("01939b6e-3c5f-7a31-8b53-0f6f{number:08x}").parse().unwrap(),
                serial: farhold_bundle::Positive::MIN,
                sha256: farhold_contract::Sha256Digest::new([7; 32]),
            })
            .collect();
    });
    let ran =
        desk.run(&format!("answer a.request --root root.json --ledger ledger --at {ISSUED_AT}"));
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 17, "{}", ran.stderr);
    assert!(ran.stderr.contains("184 more licenses that are not in the ledger"), "{}", ran.stderr);
}

#[test]
fn requests_that_do_not_hold_are_not_answered() {
    let desk = desk();
    request(&desk, "good", "a", |_| {});
    let good = desk.read("good");
    let line = |name: &str| format!("answer {name} {WITH} --template acme.toml --out x.bundle");
    let mut forged = good.clone();
    forged[30] ^= 1;
    desk.write("forged", forged);
    let ran = desk.run(&line("forged"));
    assert!(matches!(ran.exit, 5 | 65), "{}", ran.stderr);
    // The right form, by another key than it names.
    let thief = desk.signer("b");
    let claimed: Request = serde_json::from_slice(
        Envelope::open(good.trim_ascii_end()).unwrap().danger_unverified_payload(),
    )
    .unwrap();
    desk.write("borrowed", [seal(&claimed, &thief).unwrap(), b"\n".to_vec()].concat());
    assert_eq!(desk.run(&line("borrowed")).exit, 5);
    desk.write("plain.toml", TEMPLATE);
    desk.done(&format!("issue plain.toml {WITH} --out license.json"));
    let entered = ledger(&desk).head();
    desk.refused(&line("license.json"), 65, "payload.type_unknown");
    request(&desk, "foreign", "a", |request| {
        request.tenant_id = TENANT.replace("3e4f", "3e5f").parse().unwrap();
    });
    desk.refused(&line("foreign"), 4, "tenant.mismatch");
    request(&desk, "other-root", "a", |request| {
        request.root.as_mut().unwrap().sha256 = farhold_contract::Sha256Digest::new([1; 32]);
    });
    desk.refused(&line("other-root"), 5, "trust.conflict");
    request(&desk, "newer-root", "a", |request| {
        request.root.as_mut().unwrap().version = farhold_bundle::Positive::new(2).unwrap();
    });
    desk.refused(&line("newer-root"), 2, "usage.invalid");
    let other = desk.signer("b").public_key().to_string();
    assert_eq!(desk.run(&format!("{} --device-key {other}", line("good"))).exit, 5);
    desk.refused(&line("good").replace(" --out x.bundle", ""), 2, "usage.invalid");
    assert!(!desk.exists("x.bundle"));
    assert_eq!(ledger(&desk).head(), entered);
}

#[test]
fn a_request_may_be_pasted_with_line_wraps_and_blanks() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    let line = desk.read("a.request");
    let typed = encode_typed_form(&Envelope::open(line.trim_ascii_end()).unwrap()).unwrap();
    let mut pasted = String::from("  \n");
    for (at, character) in typed.chars().enumerate() {
        pasted.push(character);
        match at % 60 {
            59 => pasted.push_str("\r\n   "),
            29 => pasted.push(' '),
            _ => {}
        }
    }
    let words = format!("answer - {WITH} --template acme.toml --typed-out typed.txt --json");
    let mut child = desk
        .command(&words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(pasted.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let typed = String::from_utf8(desk.read("typed.txt")).unwrap();
    assert_eq!(json["answer"]["typed_form"], typed.trim_end());
    let answered = decode_typed_form(typed.as_bytes()).unwrap();
    desk.write("license.json", [answered, b"\n".to_vec()].concat());
    desk.done("verify license.json --root root.json");
}

#[test]
fn a_license_of_five_entitlements_bound_to_a_device_fits_one_qr_code() {
    let desk = desk();
    let mut template = String::from_utf8(desk.read("acme.toml")).unwrap();
    for feature in ["courses.edit", "labs.run", "labs.share", "reports.export"] {
        template.push_str(&format!(
            "\n[[entitlements]]\nfeature = \"{feature}\"\nlimits = {{ quota = 250, time_window = \"P1M\" }}\n"
        ));
    }
    desk.write("acme.toml", template);
    request(&desk, "a.request", "a", |_| {});
    for (bind, out) in [("device", "1"), ("fingerprint:2", "2")] {
        let answered =
            answer(&desk, "a.request", &format!("--bind {bind} --out {out}.bundle --typed"));
        assert_eq!(answered["answer"]["license"]["entitlements"].as_array().unwrap().len(), 5);
        let typed = answered["answer"]["typed_form"].as_str().unwrap();
        assert!(typed.len() <= QR_25_M, "{bind}: {} characters", typed.len());
    }
    let shown =
        desk.run(&format!("answer a.request {WITH} --template acme.toml --at {ISSUED_AT} --qr"));
    assert_eq!(shown.exit, 0, "{}", shown.stderr);
    let with_json = format!("answer a.request {WITH} --template acme.toml --qr --json");
    assert_eq!(desk.run(&with_json).exit, 2, "what programs read is JSON alone");
    assert!(shown.stdout.contains('█') && shown.stdout.lines().count() > 40);
}

#[test]
fn the_answer_carries_what_the_site_needs_beside_it() {
    let desk = desk();
    desk.write("plain.toml", TEMPLATE);
    desk.done(&format!("issue plain.toml {WITH} --out other.json"));
    request(&desk, "a.request", "a", |_| {});
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write(
        "acme.toml",
        template
            .replace(LICENSE, "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e77")
            .replace("acme-courses", "acme-labs")
            .replace("courses.publish", "labs.run"),
    );
    answer(&desk, "a.request", "--with other.json --out a.bundle");
    let verified = desk.done("verify a.bundle --root root.json --json");
    assert_eq!(verified["licenses"].as_array().unwrap().len(), 2);
}

/// Roots 2 and 3 of this desk, each completed.
fn two_more_roots(desk: &Desk) {
    for (before, next) in [("root", "root.2"), ("root.2", "root.3")] {
        desk.done(&format!(
            "root renew --root {before}.json --expires 9000-01-01 --out {next}.draft.json"
        ));
        desk.done(&format!(
            "root sign {next}.draft.json --root {before}.json --key root.key --out {next}.json"
        ));
    }
}

#[test]
fn roots_that_go_along_lead_on_from_the_sites_own() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    two_more_roots(&desk);
    let before = ledger(&desk).head();
    let line = |with: &str| {
        format!(
            "answer a.request --ledger ledger --root root.3.json --key license.key \
             --template acme.toml --at {ISSUED_AT} {with} --out a.bundle"
        )
    };
    // What is missing is said, the site's own root too: without it nobody knows whether 2 follows.
    for (with, missing) in [
        ("--with root.3.json", "1 to 2 is missing"),
        ("--with root.2.json", "1 is missing"),
        ("--with root.2.json --with root.3.json", "1 is missing"),
        ("--with root.json --with root.3.json", "2 is missing"),
    ] {
        let said = desk.refused(&line(with), 5, "trust.root_skipped");
        assert!(said.contains("the site stands at root 1") && said.ends_with(missing), "{said}");
    }
    let tried = desk.run(&line("--with root.3.json"));
    assert!(tried.stderr.contains("Add root 1 to 2: --with FILE"), "{}", tried.stderr);
    assert!(!desk.exists("a.bundle"));
    assert_eq!(ledger(&desk).head(), before, "what the site would refuse is not entered");

    desk.done(&line("--with root.json --with root.2.json --with root.3.json"));
    let bundle = String::from_utf8(desk.read("a.bundle")).unwrap();
    assert_eq!(bundle.lines().count(), 3, "roots 2 and 3 and the license: its own is not sent");
    desk.done("verify a.bundle --root root.json");
}

#[test]
fn a_root_that_the_site_would_refuse_is_refused_at_the_desk() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    two_more_roots(&desk);
    let line = |root: &str, with: &str| {
        format!(
            "answer a.request --ledger ledger --root {root} --key license.key \
             --template acme.toml --at {ISSUED_AT} {with} --out a.bundle"
        )
    };
    // A root 2 of its own making: by the same keys, another payload, signed by nobody's root 1.
    desk.keygen("other");
    desk.root_init("own.json", &["--root-key", "other.key"]);
    desk.done("root renew --root own.json --expires 9000-01-01 --out own.2.draft.json");
    desk.done("root sign own.2.draft.json --root own.json --key other.key --out own.2.json");
    let said = desk.refused(
        &line("own.2.json", "--with root.json --with own.2.json"),
        5,
        "signature.threshold",
    );
    assert!(said.contains("root 2 does not follow root 1"), "{said}");
    // Another root 1 than the site names.
    let said =
        desk.refused(&line("own.2.json", "--with own.json --with own.2.json"), 5, "trust.conflict");
    assert!(said.contains("is not the site's"), "{said}");
    desk.refused(
        &line("root.2.json", "--with root.2.json --with own.2.json"),
        4,
        "bundle.conflict",
    );
    desk.refused(
        &line("root.2.json", "--with root.json --with root.2.draft.json"),
        65,
        "envelope.malformed",
    );
    assert!(!desk.exists("a.bundle"));
}

#[test]
fn a_license_that_the_sites_root_can_not_prove_needs_the_roots_along() {
    let desk = desk();
    request(&desk, "a.request", "a", |_| {});
    desk.keygen("next");
    desk.done(
        "root rotate license --old license --new next.key --root root.json --expires 9000-01-01 \
         --out root.2.draft.json",
    );
    desk.done("root sign root.2.draft.json --root root.json --key root.key --out root.2.json");
    let line = |with: &str, out: &str| {
        format!(
            "answer a.request --ledger ledger --root root.2.json --key next.key \
             --template acme.toml --at {ISSUED_AT} {with} --out {out}"
        )
    };
    desk.refused(&line("--with root.json", "a.bundle"), 5, "signature.key_unknown");
    let tried = desk.run(&line("--with root.json", "a.bundle"));
    assert!(tried.stderr.contains("put every root after it into the answer"), "{}", tried.stderr);
    desk.done(&line("--with root.json --with root.2.json", "a.bundle"));
    desk.done("verify a.bundle --root root.json");
    // Without any root it can't be seen; what the license itself says it needs can.
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    let ran = desk.run(&line("", "b.bundle"));
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("needs the roots after it"), "{}", ran.stderr);
    desk.write("acme.toml", format!("{template}\n[needs]\nroot = 2\n"));
    desk.refused(&line("", "c.bundle"), 4, "bundle.incomplete");
    desk.done(&line("--with root.json --with root.2.json", "c.bundle"));
}

#[test]
fn a_site_without_a_root_is_sent_one_chain() {
    let desk = desk();
    request(&desk, "a.request", "a", |request| request.root = None);
    two_more_roots(&desk);
    let line = |with: &str| {
        format!(
            "answer a.request --ledger ledger --root root.3.json --key license.key \
             --template acme.toml --at {ISSUED_AT} {with} --out a.bundle"
        )
    };
    desk.refused(&line("--with root.json --with root.3.json"), 5, "trust.root_skipped");
    let ran = desk.run(&line("--with root.json --with root.2.json --with root.3.json"));
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("no trust root yet: send it"), "{}", ran.stderr);
    desk.done("verify a.bundle --root root.json");
}

#[test]
fn a_date_far_ahead_of_this_machines_clock_is_said() {
    let desk = desk();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write("acme.toml", template.replace("2027-12-31", "2999-12-31"));
    request(&desk, "a.request", "a", |_| {});
    let said = desk.run(&format!(
        "answer a.request {WITH} --template acme.toml --at 2931-01-01T00:00:00Z --out a.bundle"
    ));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stderr.contains("serial 1 is dated 2931-01-01"), "{}", said.stderr);
    for line in ["verify a.bundle", "bundle a.bundle --out again.bundle"] {
        let ran = desk.run(&format!("{line} --root root.json"));
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains("serial 1 is dated 2931-01-01"), "{line}: {}", ran.stderr);
    }
    // What goes along is looked at as well.
    let other = template
        .replace(LICENSE, "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e77")
        .replace("acme-courses", "acme-labs")
        .replace("courses.publish", "labs.run");
    desk.write("acme.toml", other);
    let said = desk.run(&format!(
        "answer a.request {WITH} --template acme.toml --at {ISSUED_AT} --with a.bundle --out b.bundle"
    ));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert_eq!(said.stderr.matches(" is dated ").count(), 1, "{}", said.stderr);
    // Of this time there is nothing to say.
    let said = desk.run(&format!(
        "answer a.request {WITH} --template acme.toml --at {ISSUED_AT} --out c.bundle"
    ));
    assert!(!said.stderr.contains(" is dated "), "{}", said.stderr);
    assert!(!desk.run("verify c.bundle --root root.json").stderr.contains(" is dated "));
}

#[test]
fn a_new_contract_whose_answer_was_lost_is_no_second_one() {
    let desk = desk();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write("acme.toml", template.replace(&format!("license_id = \"{LICENSE}\""), ""));
    request(&desk, "a.request", "a", |_| {});
    // Entered, and then there was no place for the file.
    let out = desk.path("a.bundle");
    let first = answer(&desk, "a.request", "--new-id --out a.bundle");
    let bundle = desk.read("a.bundle");
    std::fs::remove_file(&out).unwrap();

    let line = format!("answer a.request {WITH} --template acme.toml --new-id --out a.bundle");
    let line = format!("{line} --at {}", ISSUED_AT.replace("-22T", "-23T"));
    let again = desk.run(&line);
    assert_eq!(again.exit, 0, "{}", again.stderr);
    assert!(again.stderr.contains("no new contract: the ledger has license"), "{}", again.stderr);
    assert_eq!(desk.read("a.bundle"), bundle, "the same id, serial and time of issue");
    assert_eq!(kinds(&desk), ["begun", "issued"]);

    // By components, too, and for that agent alone.
    let one = answer(&desk, "a.request", "--new-id --bind fingerprint --out 1.bundle");
    let same = answer(&desk, "a.request", "--new-id --bind fingerprint --out 2.bundle");
    assert_eq!(same["answer"]["license_id"], one["answer"]["license_id"]);
    request(&desk, "b.request", "b", |_| {});
    let other = answer(&desk, "b.request", "--new-id --bind fingerprint --out 3.bundle");
    assert_ne!(other["answer"]["license_id"], one["answer"]["license_id"]);

    // What has arrived was not interrupted: the same words ask for another.
    let license_id = first["answer"]["license_id"].as_str().unwrap();
    let newest = ledger(&desk).contract(license_id.parse().unwrap()).unwrap().newest.clone();
    let held =
        LicenseRef { license_id: newest.license_id, serial: newest.serial, sha256: newest.sha256 };
    request(&desk, "later.request", "a", |request| request.licenses.push(held));
    let second = answer(&desk, "later.request", "--new-id --out second.bundle");
    assert_ne!(second["answer"]["license_id"], license_id);

    // Nor was what the machine gives up.
    let second = second["answer"]["license_id"].as_str().unwrap();
    for given_up in [license_id, second] {
        request(&desk, "gives.request", "a", |request| {
            request.release = Some(given_up.parse().unwrap());
        });
        desk.done(&format!("answer gives.request {WITH} --at {ISSUED_AT} --json"));
    }
    let third = answer(&desk, "a.request", "--new-id --out third.bundle");
    let third = third["answer"]["license_id"].as_str().unwrap();
    assert!(![license_id, second].contains(&third), "{third}");
}

#[test]
fn which_contract_is_answered_is_known_by_the_template_or_the_ledger() {
    let desk = desk();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    let nameless = template.replace(&format!("license_id = \"{LICENSE}\""), "");
    desk.write("acme.toml", nameless);
    for device in ["a", "b"] {
        request(&desk, &format!("{device}.request"), device, |_| {});
    }
    let line = format!("answer a.request {WITH} --template acme.toml --out x.bundle");
    desk.refused(&line, 65, "template.invalid");
    let first = answer(&desk, "a.request", "--new-id --out a.bundle");
    let second = answer(&desk, "b.request", "--new-id --out b.bundle");
    assert_ne!(first["answer"]["license_id"], second["answer"]["license_id"]);
    // Each machine's own, without saying which.
    desk.write(
        "acme.toml",
        String::from_utf8(desk.read("acme.toml")).unwrap().replace("2027-12-31", "2028-12-31"),
    );
    let renewed = answer(&desk, "b.request", "--out b2.bundle");
    assert_eq!(renewed["answer"]["license_id"], second["answer"]["license_id"]);
    request(&desk, "c.request", "c", |_| {});
    desk.refused(&line.replace("a.request", "c.request"), 65, "template.invalid");
}
