//! Requests answered, on the real tool.
#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;

use std::{collections::BTreeMap, io::Write, process::Stdio};

use serde_json::{Value, json};

use farhold_bundle::{
    Envelope, Signer, decode_typed_form, encode_typed_form,
    payload::{LicenseRef, Request, RootRef, UsageReport},
    seal,
};
use farhold_contract::Timestamp;
use farhold_ledger::Ledger;

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
fn request(desk: &Desk, device: &str, change: impl FnOnce(&mut Request)) -> Vec<u8> {
    let signer = desk.signer(device);
    let root = desk.done("inspect root.json --json");
    let mut request = Request {
        device_key: signer.public_key().clone(),
        fingerprint: components(&[("disk.root", 1), ("machine_id", 2), ("nic.eth0", 3)]),
        salt: "00".repeat(16),
        tenant_id: TENANT.parse().unwrap(),
        nonce: "11".repeat(16),
        root: Some(RootRef {
            version: farhold_bundle::Positive::MIN,
            sha256: root["claims"][0]["sha256"].as_str().unwrap().parse().unwrap(),
        }),
        licenses: Vec::new(),
        usage: Vec::new(),
        wall: at(ISSUED_AT),
        mark: at(ISSUED_AT),
        release: None,
    };
    change(&mut request);
    let mut line = seal(&request, &signer).unwrap();
    line.push(b'\n');
    line
}

fn answer(desk: &Desk, request: &str, more: &str) -> Value {
    desk.done(&format!(
        "answer {request} {WITH} --template acme.toml --at {ISSUED_AT} {more} --json"
    ))
}

fn ledger(desk: &Desk) -> Ledger {
    Ledger::read(&desk.read("ledger")).unwrap()
}

#[test]
fn a_request_is_shown_before_anything_is_signed() {
    let desk = desk();
    desk.write(
        "a.request",
        request(&desk, "a", |request| {
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
        }),
    );
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
fn an_answer_is_the_next_serial_bound_to_the_machine_that_asks() {
    let desk = desk();
    desk.write("a.request", request(&desk, "a", |_| {}));
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
        desk.write(&format!("{device}.request"), request(&desk, device, |_| {}));
    }
    answer(&desk, "a.request", "--out a.bundle");
    let moved = answer(&desk, "b.request", "--out b.bundle");
    assert_eq!(moved["answer"]["move"], "rehost");
    assert_eq!(moved["answer"]["rehosts_within_a_year"], 1);
    let third =
        format!("answer c.request {WITH} --template acme.toml --at {ISSUED_AT} --out c.bundle");
    let said = desk.refused(&third, 4, "ledger.rehosts_used_up");
    assert!(said.contains("1 times since 2025-11-22"), "{said}");
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
    let later = third.replace(ISSUED_AT, "2027-11-23T00:00:00Z");
    desk.done(&later.replace("c.bundle", "later.bundle"));
    let ran = desk
        .command(
            &third.replace("c.request", "a.request").replace(ISSUED_AT, "2027-11-24T00:00:00Z"),
        )
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
        desk.write(name, request(&desk, device, |request| request.fingerprint = components));
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
fn a_machine_that_gives_its_license_up_is_noted_and_not_answered() {
    let desk = desk();
    desk.write("a.request", request(&desk, "a", |_| {}));
    answer(&desk, "a.request", "--out a.bundle");
    desk.write(
        "release",
        request(&desk, "a", |request| request.release = Some(LICENSE.parse().unwrap())),
    );
    let line = format!("answer release {WITH} --template acme.toml --out x.bundle");
    let said = desk.refused(&line, 2, "usage.invalid");
    assert!(said.contains("gives license") && !desk.exists("x.bundle"), "{said}");
    let shown = desk.done("answer release --root root.json --ledger ledger --json");
    assert_eq!(shown["release_noted"], true);
    let ledger = ledger(&desk);
    let contract = ledger.contract(LICENSE.parse().unwrap()).unwrap();
    assert_eq!(contract.releases.len(), 1, "noted once, however often it is read");
    assert!(contract.releases[0].1.device_key.is(desk.signer("a").public_key()));
    assert_eq!(contract.newest.serial.as_u64(), 1);
}

#[test]
fn requests_that_do_not_hold_are_not_answered() {
    let desk = desk();
    let good = request(&desk, "a", |_| {});
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
    desk.write(
        "foreign",
        request(&desk, "a", |request| {
            request.tenant_id = TENANT.replace("3e4f", "3e5f").parse().unwrap();
        }),
    );
    desk.refused(&line("foreign"), 4, "tenant.mismatch");
    desk.write(
        "other-root",
        request(&desk, "a", |request| {
            request.root.as_mut().unwrap().sha256 = farhold_contract::Sha256Digest::new([1; 32]);
        }),
    );
    desk.refused(&line("other-root"), 5, "trust.conflict");
    desk.write(
        "newer-root",
        request(&desk, "a", |request| {
            request.root.as_mut().unwrap().version = farhold_bundle::Positive::new(2).unwrap();
        }),
    );
    desk.refused(&line("newer-root"), 2, "usage.invalid");
    desk.write("good", good);
    let other = desk.signer("b").public_key().to_string();
    assert_eq!(desk.run(&format!("{} --device-key {other}", line("good"))).exit, 5);
    desk.refused(&line("good").replace(" --out x.bundle", ""), 2, "usage.invalid");
    assert!(!desk.exists("x.bundle"));
    assert_eq!(ledger(&desk).head(), entered);
}

#[test]
fn a_request_may_be_pasted_with_line_wraps_and_blanks() {
    let desk = desk();
    let line = request(&desk, "a", |_| {});
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
    desk.write("a.request", request(&desk, "a", |_| {}));
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
    desk.write("a.request", request(&desk, "a", |_| {}));
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

#[test]
fn roots_that_go_along_are_not_asked_for_and_a_date_far_ahead_is_said() {
    let desk = desk();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write("acme.toml", template.replace("2027-12-31", "2999-12-31"));
    desk.write("a.request", request(&desk, "a", |_| {}));
    for (before, next) in [("root", "root.2"), ("root.2", "root.3")] {
        desk.done(&format!(
            "root renew --root {before}.json --expires 9000-01-01 --out {next}.draft.json"
        ));
        desk.done(&format!(
            "root sign {next}.draft.json --root {before}.json --key root.key --out {next}.json"
        ));
    }
    for (number, (with, is_asked)) in
        [("", true), ("--with root.3.json", true), ("--with root.2.json --with root.3.json", false)]
            .into_iter()
            .enumerate()
    {
        let said = desk.run(&format!(
            "answer a.request --ledger ledger --root root.3.json --key license.key \
             --template acme.toml --at 2931-01-01T00:00:00Z {with} --out {number}.bundle"
        ));
        assert_eq!(said.exit, 0, "{}", said.stderr);
        let asked = said.stderr.contains("needs the roots after it");
        assert!(said.stderr.contains("it is dated 2931-01-01"), "{}", said.stderr);
        assert_eq!(asked, is_asked, "{with}: {}", said.stderr);
    }
}

#[test]
fn which_contract_is_answered_is_known_by_the_template_or_the_ledger() {
    let desk = desk();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    let nameless = template.replace(&format!("license_id = \"{LICENSE}\""), "");
    desk.write("acme.toml", nameless);
    for device in ["a", "b"] {
        desk.write(&format!("{device}.request"), request(&desk, device, |_| {}));
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
    desk.write("c.request", request(&desk, "c", |_| {}));
    desk.refused(&line.replace("a.request", "c.request"), 65, "template.invalid");
}
