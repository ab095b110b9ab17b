//! What `drill` prints, typed: every line of it, in a shell, as it stands there.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(unix)]

mod desk;

use std::{path::Path, process::Command};

use serde_json::Value;

use farhold_bundle::{
    Envelope, Positive, Standing, TrustRoot,
    payload::{License, Revocations},
    plan_import, seal,
};
use farhold_contract::{Code, Timestamp};

use desk::{Desk, LICENSE, TEMPLATE, TENANT};

const OTHER_TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50";
const OTHER_LICENSE: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e5a";

/// A desk of three people of whom two must sign roots; the folder `issued` is empty.
fn three_people() -> Desk {
    let desk = Desk::new();
    let mut more = vec!["--root-threshold 2".to_owned()];
    for name in ["root-ana", "root-bo", "root-cy"] {
        desk.keygen(name);
        more.push(format!("--root-key {name}.key"));
    }
    desk.root_init("root.1.json", &more.iter().map(String::as_str).collect::<Vec<_>>());
    std::fs::create_dir(desk.path("issued")).unwrap();
    // Far beyond the day on which this is run.
    desk.write("acme.toml", TEMPLATE.replace("2027-12-31", "8000-12-31"));
    desk.write(
        "other.toml",
        TEMPLATE
            .replace("2027-12-31", "8000-12-31")
            .replace(TENANT, OTHER_TENANT)
            .replace(LICENSE, OTHER_LICENSE)
            .replace("Universidad del Sur", "Colegio 'Norte'; rm -rf \\\\ $HOME"),
    );
    desk
}

/// Types every line for `license-tool` of a rehearsal, in a shell; how many there were.
fn types(desk: &Desk, rehearsal: &Value) -> usize {
    let steps = rehearsal["steps"].as_array().unwrap();
    let lines = steps.iter().flat_map(|step| step["commands"].as_array().unwrap());
    let mut typed = 0;
    let tool = Path::new(env!("CARGO_BIN_EXE_license-tool")).parent().unwrap();
    let path = format!("{}:{}", tool.display(), std::env::var("PATH").unwrap());
    for line in lines.map(|line| line.as_str().unwrap()) {
        if line.starts_with("farhold-kernel ") {
            // Another program's: its file is there.
            assert!(desk.exists(line.rsplit(' ').next().unwrap()), "{line}");
            continue;
        }
        let mut line = line.to_owned();
        if line.starts_with("license-tool keygen") {
            line.push_str(" --unencrypted"); // nobody sits at a terminal here
        }
        let ran = Command::new("sh")
            .args(["-c", &line])
            .env("PATH", &path)
            .current_dir(desk.path("."))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{line}\n{said}\n{rehearsal:#}");
        typed += 1;
    }
    typed
}

/// The bundles that a rehearsal has the Kernel told of.
fn bundles(rehearsal: &Value) -> Vec<String> {
    let steps = rehearsal["steps"].as_array().unwrap();
    let lines = steps.iter().flat_map(|step| step["commands"].as_array().unwrap());
    let lines = lines.filter_map(|line| line.as_str().unwrap().strip_prefix("farhold-kernel "));
    lines.map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect()
}

fn now() -> Timestamp {
    Timestamp::from_ms(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis()
            .try_into()
            .unwrap(),
    )
}

fn site(desk: &Desk, bundle: &str) -> Standing {
    let line = desk.read("root.1.json");
    let root = TrustRoot::install(line.strip_suffix(b"\n").unwrap(), None).unwrap();
    import(&Standing::with_trust(root), &desk.read(bundle))
}

fn import(site: &Standing, bundle: &[u8]) -> Standing {
    plan_import(site, bundle, None, now()).unwrap().standing
}

fn serials(site: &Standing) -> Vec<u64> {
    site.licenses().iter().map(|license| license.serial.as_u64()).collect()
}

/// The thief's license in the place of one that is known.
fn forged(desk: &Desk, file: &str, key: &str) -> Vec<u8> {
    let line = desk.read(file);
    let envelope = Envelope::open(line.strip_suffix(b"\n").unwrap()).unwrap();
    let license: License = serde_json::from_slice(envelope.danger_unverified_payload()).unwrap();
    let license = License { serial: Positive::MAX, ..license };
    let mut line = seal(&license, &desk.signer(key)).unwrap();
    line.push(b'\n');
    line
}

#[test]
fn every_line_about_a_stolen_license_key_works_as_it_stands() {
    let desk = three_people();
    desk.done("ledger begin ledger.jsonl --root root.1.json");
    for (template, out) in [("acme", "acme.1.json"), ("other", "other.1.json")] {
        desk.done(&format!(
            "issue {template}.toml --ledger ledger.jsonl --key license.key --root root.1.json \
             --out issued/{out}"
        ));
    }
    let robbed =
        import(&site(&desk, "issued/acme.1.json"), &forged(&desk, "issued/acme.1.json", "license"));
    let drill = "drill stolen-license-key license --root root.1.json --licenses issued \
                 --ledger ledger.jsonl --json";
    let said = desk.done(drill);
    assert_eq!(said["holds"], true, "{said:#}");
    assert!(types(&desk, &said) >= 8, "{said:#}");
    let bundles = bundles(&said);
    assert_eq!(bundles.len(), 2);
    let own = bundles.iter().find(|bundle| bundle.starts_with(LICENSE)).unwrap();
    let back = import(&robbed, &desk.read(own));
    assert_eq!(serials(&back), [2]);
    let again = forged(&desk, "issued/acme.1.json", "license");
    assert_eq!(
        plan_import(&back, &again, None, now()).unwrap_err().code(),
        Code::SignatureKeyRevoked
    );
    // The ledger has each anew once, by the new key.
    let listed = desk.done("ledger verify ledger.jsonl --json");
    assert_eq!(listed["head"]["seq"], 5, "{listed:#}");

    // The names that this recovery took are not taken again.
    let steps = desk.done(drill)["steps"].to_string();
    assert!(steps.contains("license-new-2.key") && steps.contains("root-2.2.json"), "{steps}");
}

#[test]
fn without_a_ledger_and_from_one_file_of_many_every_line_works() {
    let desk = three_people();
    for (template, out) in [("acme", "a.json"), ("other", "b.json")] {
        desk.done(&format!(
            "issue {template}.toml --serial 1 --key license.key --root root.1.json --out {out}"
        ));
    }
    desk.write("all.jsonl", [desk.read("a.json"), desk.read("b.json")].concat());
    let said = desk
        .done("drill stolen-license-key license --root root.1.json --licenses all.jsonl --json");
    let steps = said["steps"].to_string();
    assert!(steps.contains("mkdir reissued") && steps.contains("--from-license"), "{steps}");
    assert!(types(&desk, &said) >= 8);
    let own = format!("{LICENSE}.2.bundle");
    assert_eq!(serials(&import(&site(&desk, "a.json"), &desk.read(&own))), [2]);
}

#[test]
fn a_license_that_a_request_bound_is_issued_anew_for_the_same_machine() {
    let desk = three_people();
    desk.done("ledger begin ledger.jsonl --root root.1.json");
    let devices = [desk.keygen("device-a"), desk.keygen("device-b")];
    // One organization, two machines, each with a product of its own.
    for (device, product) in devices.iter().zip(["acme-courses", "acme-labs"]) {
        let id = LICENSE.replace("4a", if product == "acme-labs" { "4c" } else { "4a" });
        let template = TEMPLATE
            .replace("2027-12-31", "8000-12-31")
            .replace("acme-courses", product)
            .replace(LICENSE, &id)
            .replace(
                "[tenant]",
                &format!(
                    "modes = [\"detached\"]\nbinding = {{ device_key = \"{device}\" }}\n\n[tenant]"
                ),
            );
        desk.write("bound.toml", template);
        desk.done(&format!(
            "issue bound.toml --ledger ledger.jsonl --key license.key --root root.1.json \
             --out issued/{product}.json"
        ));
    }
    let said = desk.done(
        "drill stolen-license-key license --root root.1.json --licenses issued \
         --ledger ledger.jsonl --json",
    );
    assert_eq!((&said["holds"], &said["sites"]), (&true.into(), &2.into()), "{said:#}");
    types(&desk, &said);
    let bundles = bundles(&said);
    assert_eq!(bundles.len(), 2, "one for each machine: {said:#}");
    for (bundle, product) in bundles.iter().zip(["acme-courses", "acme-labs"]) {
        let back = import(&site(&desk, &format!("issued/{product}.json")), &desk.read(bundle));
        assert_eq!(serials(&back), [2]);
        let binding = serde_json::to_value(&back.licenses()[0].binding).unwrap();
        assert!(devices.iter().any(|device| binding["device_key"] == device.as_str()));
    }
}

#[test]
fn what_no_line_can_do_is_said_in_a_sentence() {
    let desk = three_people();
    desk.done("ledger begin ledger.jsonl --root root.1.json");
    desk.done(
        "issue acme.toml --ledger ledger.jsonl --key license.key --root root.1.json --out a.json",
    );
    let said = desk
        .done("drill stolen-license-key license --root root.1.json --ledger ledger.jsonl --json");
    assert_eq!(said["holds"], true, "{said:#}");
    let steps = said["steps"].to_string();
    assert!(steps.contains("Issue 1 license anew from templates"), "{steps}");
    assert!(!steps.contains("TEMPLATE") && !steps.contains("CUSTOMER"), "{steps}");
    types(&desk, &said);
}

#[test]
fn every_line_about_a_stolen_revocation_key_works_as_it_stands() {
    for threshold in [1, 2] {
        let desk = Desk::new();
        desk.keygen("revocation-b");
        desk.keygen("revocation-c");
        std::fs::create_dir(desk.path("issued")).unwrap();
        let threshold_line = format!("--revocation-threshold {threshold}");
        desk.root_init(
            "root.1.json",
            &[
                "--revocation-key revocation-b.key",
                "--revocation-key revocation-c.key",
                &threshold_line,
            ],
        );
        desk.write("acme.toml", TEMPLATE.replace("2027-12-31", "8000-12-31"));
        desk.done(
            "issue acme.toml --serial 1 --key license.key --root root.1.json \
             --out issued/acme.1.json",
        );
        desk.done(&format!(
            "revoke --first --license {OTHER_LICENSE} --key revocation.key --key revocation-b.key \
             --root root.1.json --out issued/list.json"
        ));
        let said = desk.done(
            "drill stolen-revocation-key revocation --root root.1.json --licenses issued --json",
        );
        assert_eq!(said["holds"], true, "{said:#}");
        let steps = said["steps"].to_string();
        assert_eq!(steps.contains("license-tool sign"), threshold == 2, "{steps}");
        types(&desk, &said);
        let mut robbed = site(&desk, "issued/acme.1.json");
        if threshold == 1 {
            let everyone = Revocations {
                issuer: robbed.root().unwrap().root().issuer.id,
                generation: Positive::MAX,
                issued_at: desk::at(desk::ISSUED_AT),
                licenses: vec![LICENSE.parse().unwrap()],
                serials_below: Vec::new(),
                critical: Vec::new(),
            };
            let mut forged = seal(&everyone, &desk.signer("revocation")).unwrap();
            forged.push(b'\n');
            robbed = import(&robbed, &forged);
            assert!(robbed.revokes(robbed.licenses()[0].content()));
        }
        let back = import(&robbed, &desk.read("recovery.bundle"));
        assert!(!back.revokes(back.licenses()[0].content()));
        let list = back.revocations().unwrap();
        assert_eq!((list.generation.as_u64(), list.licenses.len()), (2, 1));
    }
}

#[test]
fn every_line_about_a_root_key_works_as_it_stands() {
    for what in ["lost-root-key root-bo", "stolen-root-key root-bo"] {
        let desk = three_people();
        desk.done(
            "issue acme.toml --serial 1 --key license.key --root root.1.json \
             --out issued/acme.1.json",
        );
        let said = desk.done(&format!("drill {what} --root root.1.json --licenses issued --json"));
        assert_eq!(said["holds"], true, "{said:#}");
        assert_eq!(types(&desk, &said), 5, "a key, a draft, two signatures, a bundle: {said:#}");
        let back = import(&site(&desk, "issued/acme.1.json"), &desk.read("root.2.bundle"));
        assert_eq!((back.root().unwrap().version(), serials(&back)), (2, vec![1]));
        let shown = desk.done("root show root.2.json --json");
        let names: Vec<&str> = shown["root"]["keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|key| key["name"].as_str())
            .collect();
        assert!(names.contains(&"root-new") && !names.contains(&"root-bo"), "{names:?}");
    }
}

#[test]
fn a_chain_begun_anew_lists_the_keys_that_are_still_good() {
    let desk = Desk::new();
    desk.write("acme.toml", TEMPLATE.replace("2027-12-31", "8000-12-31"));
    desk.issue(1, "acme.1.json");
    let ran = desk.run("drill lost-root-key root --root root.json --licenses acme.1.json --json");
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["recovers"], false);
    assert_eq!(types(&desk, &said), 5, "{said:#}");
    // What the license key signed holds under the new chain as it is.
    desk.done("verify acme.1.json --root new-root.1.json");
}
