//! A whole day of a vendor, on the real tool.
#![allow(clippy::unwrap_used)]

mod desk;

use std::process::Stdio;

use farhold_bundle::{
    Envelope, Positive, encode_typed_form,
    payload::{Revocations, Root},
    seal,
};
use serde_json::Value;

use desk::{Desk, ISSUED_AT, LICENSE, MADE_AT, TENANT, at};

#[test]
fn from_keys_to_a_bundle_with_a_renewal_and_a_receipt() {
    let desk = Desk::empty();

    // Keys: encrypted, with a passphrase from a file or a descriptor.
    desk.write_secret("pass.txt", "four words of chance\n");
    let root_key = desk.done("keygen root.key --passphrase-file pass.txt --json");
    assert_eq!(root_key["encrypted"], true);
    let license_key = desk.done("keygen license.key --passphrase-file pass.txt --json");
    let piped = desk
        .command("keygen revocation.key --passphrase-fd 0")
        .stdin(std::fs::File::open(desk.path("pass.txt")).unwrap())
        .output()
        .unwrap();
    assert!(piped.status.success());
    let kernel_public = desk.keygen("kernel");
    desk.keygen("device");

    // The root: the kernel's key as hex, as the Kernel prints it.
    let root = desk.done(&format!(
        "root init --issuer ACME --root-key root.key --license-key license.key \
         --revocation-key revocation.key --kernel-key {kernel_public} --expires 9000-01-01 \
         --at {MADE_AT} --passphrase-file pass.txt --out root.json --json"
    ));
    let sha256 = root["sha256"].as_str().unwrap();
    assert_eq!(root["root"]["version"], 1);
    assert_eq!(root["root"]["expires"], "9000-01-02T00:00:00Z", "the day given is the last");
    assert_eq!(root["root"]["roles"]["license"]["key_ids"][0], license_key["key_id"]);
    let shown = desk.run("root show root.json");
    assert!(shown.stdout.contains(sha256));
    assert!(shown.stdout.lines().all(|line| line.starts_with("UNVERIFIED  ")));
    let shown = desk.run(&format!("root show root.json --sha256 {sha256}"));
    assert!(shown.exit == 0 && !shown.stdout.contains("UNVERIFIED"));

    // A template, and a license from it.
    let made = desk.done(&format!(
        "new acme.toml --yes --product acme-courses --tenant {TENANT} --feature courses.publish \
         --expires-on 2027-12-31 --json"
    ));
    assert_eq!(made["tenant_id"], TENANT);
    let issued = desk.done(&format!(
        "issue acme.toml --key license.key --root root.json --serial 1 --at {ISSUED_AT} \
         --passphrase-file pass.txt --out license.1.json --json"
    ));
    assert_eq!(issued["license_id"], made["license_id"]);
    assert_eq!(issued["license"]["issuer"], root["root"]["issuer"]["id"]);
    let line = desk.read("license.1.json");
    assert!(line.ends_with(b"]}\n") && line.iter().filter(|byte| **byte == b'\n').count() == 1);

    // What it is on which day: P14D of grace, then P30D restricted, ending in UTC-12.
    for (day, phase) in [
        ("2026-11-01", "not_begun"),
        ("2027-01-01", "in_force"),
        ("2027-12-01", "expiring"),
        ("2028-01-01", "expiring"),
        ("2028-01-01T12:00:00Z", "grace"),
        ("2028-01-20", "restricted"),
        ("2028-03-01", "stopped"),
    ] {
        let verified = desk.done(&format!(
            "verify license.1.json --root root.json --sha256 {sha256} --at {day} --json"
        ));
        assert_eq!(verified["verified"], true);
        assert_eq!(verified["licenses"][0]["phase"], phase, "{day}");
    }

    // The renewal keeps the contract's id; both travel in one bundle, in any order.
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write(
        "acme-2028.toml",
        template
            .replace("2027-12-31", "2028-12-31")
            .replace("# not_before = 2027-01-01T00:00:00Z", "not_before = 2027-12-01T00:00:00Z"),
    );
    desk.done(&format!(
        "issue acme-2028.toml --key license.key --root root.json --serial 2 --at {ISSUED_AT} \
         --passphrase-file pass.txt --out license.2.json --json"
    ));

    // The site's audit comes in, and the receipt goes out with the renewal.
    desk.export("audit.1", "device", 1, 3);
    let audit = desk.done("audit verify audit.1 --json");
    assert_eq!((&audit["records"], &audit["device_key_known"]), (&3.into(), &false.into()));
    let device_key = audit["device_key"].as_str().unwrap();
    let audit = desk.done(&format!("audit verify audit.1 --device-key {device_key} --json"));
    assert_eq!(audit["by_class"]["session"], 3);
    let receipt = desk.done(&format!(
        "receipt audit.1 --key kernel.key --root root.json --at {ISSUED_AT} \
         --out receipt.1.json --json"
    ));
    assert_eq!(receipt["receipt"]["seq"], 3);
    assert_eq!(receipt["receipt"]["head"], audit["head"]);

    let bundled = desk.done(
        "bundle receipt.1.json license.2.json license.1.json license.1.json --root root.json \
         --out site.bundle --json",
    );
    let names: Vec<&str> = bundled["bundle"]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["license", "license", "receipt"]);
    let verified = desk.done("verify site.bundle --root root.json --at 2028-01-15 --json");
    let phases: Vec<&Value> =
        verified["licenses"].as_array().unwrap().iter().map(|license| &license["phase"]).collect();
    assert_eq!(phases, ["superseded", "in_force"]);

    // The next export begins where the receipt ends.
    desk.export("audit.2", "device", 4, 5);
    let next = desk.done(&format!(
        "receipt audit.2 --key kernel.key --after receipt.1.json --at {ISSUED_AT} \
         --out receipt.2.json --json"
    ));
    assert_eq!(next["receipt"]["seq"], 5);

    // Nothing anywhere said the passphrase or a private key.
    for verb in
        ["inspect site.bundle", "root show root.json", "verify site.bundle --root root.json"]
    {
        let ran = desk.run(verb);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("four words"));
    }
}

#[test]
fn a_root_of_several_keys_is_signed_by_the_ones_at_hand() {
    let desk = Desk::new();
    desk.keygen("root-b");
    let far = desk.keygen("root-far");
    desk.root_init(
        "root.2of3.json",
        &["--root-key", "root.key", "--root-key", "root-b.key", "--root-key", &far]
            .into_iter()
            .chain(["--root-threshold", "2"])
            .collect::<Vec<_>>(),
    );
    let shown = desk.done("inspect root.2of3.json --json");
    assert_eq!(shown["claims"][0]["key_ids"].as_array().unwrap().len(), 2);
    let root: Root = serde_json::from_value(shown["claims"][0]["payload"].clone()).unwrap();
    assert_eq!(root.roles.root.threshold.as_u64(), 2);
    assert_eq!(root.roles.root.key_ids.len(), 3);
}

#[test]
fn two_license_keys_sign_where_the_root_asks_for_two() {
    let desk = Desk::new();
    desk.keygen("license-b");
    desk.root_init(
        "root.two.json",
        &["--license-key", "license-b.key", "--license-threshold", "2"],
    );
    let issue = "issue acme.toml --root root.two.json --serial 1 --key license.key";
    desk.refused(&format!("{issue} --out one.json"), 5, "signature.threshold");
    assert!(!desk.exists("one.json"));
    desk.done(&format!("{issue} --key license-b.key --at {ISSUED_AT} --out two.json"));
    desk.done("verify two.json --root root.two.json");
}

#[test]
fn a_revoked_license_is_said_to_be_revoked() {
    let desk = Desk::new();
    desk.issue(1, "license.json");
    let root = desk.done("inspect root.json --json");
    let issuer = root["claims"][0]["payload"]["issuer"]["id"].as_str().unwrap().to_owned();
    let revocations = Revocations {
        issuer: issuer.parse().unwrap(),
        generation: Positive::MIN,
        issued_at: at(ISSUED_AT),
        licenses: vec![LICENSE.parse().unwrap()],
        serials_below: Vec::new(),
        critical: Vec::new(),
    };
    let mut line = seal(&revocations, &desk.signer("revocation")).unwrap();
    line.push(b'\n');
    desk.write("revocations.json", line);
    desk.done("bundle license.json revocations.json --root root.json --out site.bundle");
    let first = desk.done("inspect site.bundle --json");
    assert_eq!(first["claims"][0]["type"], "revocations", "before what it revokes");
    let verified = desk.done("verify site.bundle --root root.json --at 2027-01-01 --json");
    assert_eq!(verified["licenses"][0]["phase"], "revoked");
}

#[test]
fn the_typed_form_is_inspected_and_verified_like_its_line() {
    let desk = Desk::new();
    desk.issue(1, "license.json");
    let line = desk.read("license.json");
    let typed = encode_typed_form(&Envelope::open(line.strip_suffix(b"\n").unwrap()).unwrap());
    let wrapped: Vec<String> = typed
        .unwrap()
        .as_bytes()
        .chunks(60)
        .map(|part| String::from_utf8(part.to_vec()).unwrap())
        .collect();
    desk.write("typed.txt", wrapped.join("\r\n"));
    assert_eq!(
        desk.done("inspect typed.txt --json")["claims"][0]["sha256"],
        desk.done("inspect license.json --json")["claims"][0]["sha256"],
    );
    let verified = desk.done("verify typed.txt --root root.json --at 2027-01-01 --json");
    assert_eq!(verified["licenses"][0]["phase"], "in_force");
    desk.done("bundle typed.txt --root root.json --out site.bundle");
    assert_eq!(desk.read("site.bundle"), line);
}

#[test]
fn unbound_is_said_on_purpose_and_warned_of() {
    let desk = Desk::new();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write("detached.toml", template.replace("\n[tenant]", "modes = [\"detached\"]\n[tenant]"));
    let issue = "issue detached.toml --key license.key --root root.json --serial 1";
    let said = desk.refused(&format!("{issue} --out a.json"), 65, "template.invalid");
    assert!(said.contains("binding is required"), "{said}");
    let issued = desk.done(&format!("{issue} --unbound --at {ISSUED_AT} --out a.json --json"));
    assert_eq!(issued["license"]["binding"], "none");
    assert!(issued["warnings"][0].as_str().unwrap().contains("any machine"));
}

#[test]
fn every_member_of_a_template_is_issued() {
    let desk = Desk::new();
    let full = include_str!("full.toml");
    let (without_critical, _) = full.split_once("[[critical]]").unwrap();
    desk.write("full.toml", without_critical);
    desk.done(&format!(
        "issue full.toml --key license.key --root root.json --serial 7 --at {ISSUED_AT} \
         --out full.json"
    ));
    let claimed = desk.done("inspect full.json --json");
    let payload = &claimed["claims"][0]["payload"];
    assert_eq!(payload["serial"], 7);
    assert_eq!(payload["metadata"]["signed"], "2026-11-20");
    assert_eq!(payload["entitlements"][1]["ladder"]["grace"], "P7D");
    desk.write("critical.toml", full);
    desk.refused(
        &format!(
            "issue critical.toml --key license.key --root root.json --serial 8 --at {ISSUED_AT} \
             --out critical.json"
        ),
        4,
        "payload.critical_unknown",
    );
}

#[test]
fn verify_knows_the_root_itself() {
    let desk = Desk::new();
    let ran = desk.run("verify root.json --root root.json");
    assert_eq!(ran.exit, 0);
    assert!(ran.stdout.contains("root 1 itself"));
}

#[test]
fn a_reader_who_goes_is_not_an_error() {
    let desk = Desk::new();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    let many: String = (0..4000)
        .map(|number| format!("\n[[entitlements]]\nfeature = \"feature.number.{number}\"\n"))
        .collect();
    desk.write("acme.toml", template + &many);
    desk.issue(1, "license.json");
    // More than a pipe holds: the tool is still writing when the reader goes.
    let mut child = desk
        .command("inspect license.json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panick") && !said.contains("error"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let desk = Desk::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = desk.command("root show root.json").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(73));
    assert!(String::from_utf8(output.stderr).unwrap().contains("(output.unwritable)"));
}

#[test]
fn version_and_help_are_data() {
    let desk = Desk::empty();
    assert_eq!(desk.done("version --json")["name"], "license-tool");
    for line in ["--help", "root init --help", "--version"] {
        let ran = desk.run(line);
        assert!(ran.exit == 0 && !ran.stdout.is_empty() && ran.stderr.is_empty(), "{line}");
    }
}
