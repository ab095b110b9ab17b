//! A license for each row of a table, on the real tool.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../desk/mod.rs"]
mod desk;
mod lengths;
mod outputs;

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use farhold_bundle::{Envelope, TrustRoot, payload::License};
use farhold_contract::Code;
use farhold_ledger::Ledger;

use desk::{Desk, ISSUED_AT, TEMPLATE, names};

const WITH: &str = "--csv rows.csv --ledger ledger --root root.json --key license.key";

fn template() -> String {
    TEMPLATE
        .replace("license_id = \"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4a\"", "")
        .replace("issued_to = \"Universidad del Sur\"", "")
}

fn tenant(number: usize) -> String {
    format!("01939b6e-3c5f-7a31-8b53-0f6f1c{number:06x}")
}

fn desk_with(rows: &str) -> Desk {
    let desk = Desk::new();
    desk.done("ledger begin ledger --root root.json --at 2026-11-01T00:00:00Z");
    desk.write("many.toml", template());
    desk.write("rows.csv", rows);
    desk
}

fn table(rows: usize) -> String {
    let mut table = "tenant_id,issued_to,limits.courses.publish\n".to_owned();
    for number in 1..=rows {
        table.push_str(&format!("{},Customer {number},{}\n", tenant(number), number * 10));
    }
    table
}

fn issue(desk: &Desk, out: &str) -> Value {
    desk.done(&format!("issue many.toml {WITH} --at {ISSUED_AT} {out} --json"))
}

fn ledger(desk: &Desk) -> Ledger {
    Ledger::read(&desk.read("ledger")).unwrap()
}

/// Every license of a file of lines, verified, in its order.
fn licenses(desk: &Desk, name: &str) -> Vec<License> {
    let root = desk.read("root.json");
    let root = TrustRoot::install(root.trim_ascii_end(), None).unwrap();
    let open = |line: &[u8]| {
        let envelope = Envelope::open(line).unwrap();
        root.verify::<License>(envelope).unwrap().content().clone()
    };
    desk.read(name).trim_ascii_end().split(|&byte| byte == b'\n').map(open).collect()
}

#[test]
fn a_table_dated_far_ahead_of_the_clock_is_said_to_be() {
    let desk = desk_with(&table(2));
    desk.write("many.toml", template().replace("2027-12-31", "2999-12-31"));
    for more in ["--dry-run", "--out-jsonl out.jsonl"] {
        let done =
            desk.done(&format!("issue many.toml {WITH} --at 2931-01-01T00:00:00Z {more} --json"));
        let warned = done["warnings"].as_array().unwrap().last().unwrap().as_str().unwrap();
        assert!(warned.starts_with("it is dated 2931-01-01"), "{done:#}");
    }
}

#[test]
fn each_row_is_a_license_in_the_ledger_and_in_the_file() {
    let desk = desk_with(&table(700));
    let done = issue(&desk, "--out-jsonl out.jsonl");
    assert_eq!((&done["rows"], &done["issued"]), (&700.into(), &700.into()));
    let ledger = ledger(&desk);
    let issued = licenses(&desk, "out.jsonl");
    assert_eq!(issued.len(), 700);
    for (at, license) in issued.iter().enumerate() {
        let number = at + 1;
        assert_eq!(license.issued_to, format!("Customer {number}"), "in the order of the table");
        assert_eq!(license.tenant.tenant_id.to_string(), tenant(number));
        assert_eq!(license.entitlements[0].limits.quota.unwrap().as_u64(), number as u64 * 10);
        assert_eq!(license.serial.as_u64(), 1);
        let contract = ledger.contract(license.license_id).unwrap();
        assert_eq!(contract.newest.issued_to, license.issued_to);
    }
    let ids: BTreeSet<_> = issued.iter().map(|license| license.license_id).collect();
    assert_eq!(ids.len(), 700);
    assert!(!desk.exists(".out.jsonl.partial"));
}

#[test]
fn a_file_each_has_the_name_of_its_license_and_nothing_else_is_left() {
    let desk = desk_with(&table(300));
    issue(&desk, "--out-dir out");
    let found = names(&desk.path("out"));
    assert_eq!(found.len(), 300);
    let ledger = ledger(&desk);
    for contract in ledger.contracts() {
        let name = format!("{}.1.json", contract.license_id);
        assert!(found.contains(&name));
    }
    assert_eq!(licenses(&desk, &format!("out/{}", found[7])).len(), 1);
}

#[test]
fn the_same_run_again_writes_what_is_missing_and_gives_no_serial_twice() {
    let desk = desk_with(&table(300));
    issue(&desk, "--out-dir out");
    let before = desk.read("ledger");
    let all = names(&desk.path("out"));
    let mut kept = Vec::new();
    for (at, name) in all.iter().enumerate() {
        if at % 3 == 0 {
            fs::remove_file(desk.path(&format!("out/{name}"))).unwrap();
        } else {
            kept.push((name.clone(), desk.read(&format!("out/{name}"))));
        }
    }
    // At another time: the licenses are those of the ledger.
    let again = desk.done(&format!("issue many.toml {WITH} --out-dir out --json"));
    assert_eq!(
        (&again["issued"], &again["finished"], &again["there"]),
        (&0.into(), &100.into(), &200.into())
    );
    assert_eq!(desk.read("ledger"), before);
    assert_eq!(names(&desk.path("out")), all);
    assert!(kept.iter().all(|(name, bytes)| desk.read(&format!("out/{name}")) == *bytes));
}

#[test]
fn a_file_of_lines_goes_on_where_it_was_torn() {
    let desk = desk_with(&table(600));
    issue(&desk, "--out-jsonl out.jsonl");
    let whole = desk.read("out.jsonl");
    let before = desk.read("ledger");
    fs::remove_file(desk.path("out.jsonl")).unwrap();
    for kept in [0, 1000, whole.len() / 2, whole.len()] {
        desk.write(".out.jsonl.partial", &whole[..kept]);
        let again = desk.done(&format!("issue many.toml {WITH} --out-jsonl out.jsonl --json"));
        assert_eq!(desk.read("out.jsonl"), whole, "byte by byte, from {kept} on");
        let lines = whole[..kept].iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(again["there"], lines);
        fs::remove_file(desk.path("out.jsonl")).unwrap();
    }
    // A line that was changed is not kept.
    let mut changed = whole.clone();
    changed[20] ^= 1;
    desk.write(".out.jsonl.partial", &changed);
    issue(&desk, "--out-jsonl out.jsonl");
    assert_eq!(desk.read("out.jsonl"), whole);
    assert_eq!(desk.read("ledger"), before);
}

#[test]
fn killed_at_any_moment_it_is_finished_by_the_same_words() {
    let desk = desk_with(&table(6_000));
    let line = format!("issue many.toml {WITH} --at {ISSUED_AT}");
    let kill_after_entries = |more: u64, out: &str| {
        desk.killed_after(more, &format!("{line} {out}"));
        // A torn entry's license was never written.
        desk.done("ledger repair ledger");
        let entered = ledger(&desk);
        for name in names(&desk.path("")).into_iter().filter(|name| name.contains("out")) {
            if let Ok(bytes) = fs::read(desk.path(&name)) {
                for content in bytes.split_inclusive(|&byte| byte == b'\n') {
                    let Ok(envelope) = Envelope::open(content.trim_ascii_end()) else { continue };
                    let license: License =
                        serde_json::from_slice(envelope.danger_unverified_payload()).unwrap();
                    assert!(
                        entered.contract(license.license_id).is_some(),
                        "entered before written"
                    );
                }
            }
        }
    };
    for more in [1, 200_000, 1_000_000] {
        kill_after_entries(more, "--out-jsonl out.jsonl");
        let _ = fs::remove_file(desk.path("out.jsonl"));
    }
    let done = issue(&desk, "--out-jsonl all.jsonl");
    assert_eq!(done["rows"], 6_000);
    let ledger = ledger(&desk);
    assert_eq!(ledger.head().seq, 6_001, "one entry a row, however often it was interrupted");
    assert!(ledger.clashes().is_empty() && ledger.gaps().is_empty());
    assert_eq!(licenses(&desk, "all.jsonl").len(), 6_000);
}

#[test]
fn one_wrong_cell_and_nothing_is_signed() {
    let good = table(40);
    let cases = [
        ("Customer 7,", ",", "line 8, column issued_to: is empty, and the template has none"),
        (",70\n", ",seventy\n", "line 8, column limits.courses.publish: not a whole number"),
        (",70\n", ",0\n", "line 8, column limits.courses.publish: not a whole number"),
        (",70\n", ",70,1\n", "line 8: has 4 cells where there are 3 headings"),
        ("01939b6e-3c5f-7a31-8b53-0f6f1c000007", "seven", "line 8, column tenant_id: not a UUID"),
        (
            "01939b6e-3c5f-7a31-8b53-0f6f1c000007",
            "-",
            "line 8, column tenant_id: can't be taken away",
        ),
        (
            "tenant_id,",
            "tennant_id,",
            "line 1, column tennant_id: is not known; did you mean tenant_id?",
        ),
        (
            "limits.courses.publish",
            "limits.courses.print",
            "line 1, column limits.courses.print: the template grants no feature courses.print",
        ),
        ("tenant_id,issued_to", "issued_to,issued_to", "line 1, column issued_to: is there twice"),
        (
            "01939b6e-3c5f-7a31-8b53-0f6f1c000007",
            "01939b6e-3c5f-7a31-8b53-0f6f1c000006",
            "line 8: is of the same organization and product as line 7: give both a license_id",
        ),
    ];
    for (from, to, said) in cases {
        let desk = desk_with(&good.replacen(from, to, 1));
        let line = format!("issue many.toml {WITH} --out-dir out");
        let refused = desk.refused(&line, 65, Code::TemplateInvalid.as_str());
        assert!(refused.contains(said), "{refused}");
        assert!(!desk.exists("out"), "{said}");
        assert_eq!(ledger(&desk).head().seq, 1);
    }
}

#[test]
fn rules_of_licenses_are_said_with_the_column_that_breaks_them() {
    let desk = desk_with(&format!(
        "tenant_id,issued_to,expires_on,modes,binding\n\
         {},A,2026-01-01,,\n{},B,,detached,\n{},C,2028-02-30,,\n{},\"D\u{1}\",,,\n",
        tenant(1),
        tenant(2),
        tenant(3),
        tenant(4)
    ));
    let ran = desk.run(&format!("issue many.toml {WITH} --out-dir out"));
    assert_eq!(ran.exit, 65);
    for said in [
        "line 2, column expires_on: must be after not_before (and 3 mistakes more)",
        "line 3, column binding: is required when modes contain detached",
        "line 4, column expires_on: not a date",
        "line 5, column issued_to: must be 1 to 256 bytes",
    ] {
        assert!(ran.stderr.contains(said), "{said}\n{}", ran.stderr);
    }
}

#[test]
fn every_column_changes_what_it_says() {
    let desk = Desk::new();
    let device = desk.keygen("device");
    desk.done("ledger begin ledger --root root.json");
    let full = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/full.toml")).unwrap();
    desk.write("many.toml", full.split("[[critical]]").next().unwrap());
    let full: toml::Table =
        toml::from_str(&String::from_utf8(desk.read("many.toml")).unwrap()).unwrap();
    let feature = full["entitlements"][0]["feature"].as_str().unwrap().to_owned();
    let flag = full["flags"][0]["key"].as_str().unwrap().to_owned();
    let id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d0001";
    let cells = [
        ("license_id", id, "license_id"),
        ("product", "acme-labs", "product"),
        ("issued_to", "\"Doe, Jane; \"\"Inc\"\"\"", "issued_to"),
        ("tenant_id", "01939b6e-3c5f-7a31-8b53-0f6f1c2d0002", "tenant.tenant_id"),
        ("tenant.type", "individual", "tenant.type"),
        ("tenant.security_level", "standard", "tenant.policies.security_level"),
        ("tenant.data_residency", "-", "tenant.policies.data_residency"),
        ("not_before", "2027-02-01T00:00:00Z", "not_before"),
        ("expires_on", "2028-03-31", "expires_on"),
        ("time_zone", "Europe/Madrid", "time_zone"),
        ("modes", "detached", "modes"),
        ("sites", "7", "sites"),
        ("versions", "^3", "versions"),
        ("released_before", "2028-01-01", "released_before"),
        ("binding", &device, "binding.device_key"),
        ("telemetry", "full", "telemetry"),
        ("ladder.warn", "P10D", "ladder.warn"),
        ("ladder.grace", "P11D", "ladder.grace"),
        ("ladder.restrict", "-", "ladder.restrict"),
        (&format!("limits.{feature}"), "77", "entitlements.0.limits.quota"),
        (&format!("limits.{feature}.time_window"), "P1D", "entitlements.0.limits.time_window"),
        (&format!("limits.{feature}.concurrency"), "3", "entitlements.0.limits.concurrency"),
        (&format!("limits.{feature}.overage"), "4", "entitlements.0.limits.overage"),
        (&format!("valid_until.{feature}"), "2028-01-01T00:00:00Z", "entitlements.0.valid_until"),
        (&format!("flags.{flag}"), "false", "flags.0.value"),
        ("metadata.order", "PO 12", "metadata.order"),
        ("# remark", "call them", ""),
    ];
    let headings: Vec<&str> = cells.iter().map(|(heading, ..)| *heading).collect();
    let row: Vec<&str> = cells.iter().map(|(_, cell, _)| *cell).collect();
    // As a spreadsheet writes it: a byte order mark, CRLF.
    desk.write(
        "rows.csv",
        format!("\u{feff}{}\r\n{}\r\n,,\r\n", headings.join(","), row.join(",")),
    );
    let wrong = format!("issue many.toml {WITH} --out-jsonl out.jsonl");
    desk.refused(&wrong, 65, "template.invalid");
    desk.write(
        "rows.csv",
        format!(
            "\u{feff}{}\r\n{}\r\n{}\r\n",
            headings.join(","),
            row.join(","),
            ",".repeat(cells.len() - 1)
        ),
    );
    issue(&desk, "--out-jsonl out.jsonl");
    let license = serde_json::to_value(&licenses(&desk, "out.jsonl")[0]).unwrap();
    for (heading, cell, member) in cells.iter().filter(|(.., member)| !member.is_empty()) {
        let pointer = format!("/{}", member.replace('.', "/"));
        let found = license.pointer(&pointer);
        if *cell == "-" {
            assert_eq!(found, None, "{heading}");
            continue;
        }
        let found = found.unwrap_or_else(|| panic!("{heading}: {license}"));
        let text = match found {
            Value::String(text) => text.clone(),
            Value::Array(items) => items[0].as_str().unwrap().to_owned(),
            other => other.to_string(),
        };
        let unquoted = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
        let meant = unquoted.unwrap_or(cell).replace("\"\"", "\"");
        assert_eq!(text, meant, "{heading}");
    }
}

#[test]
fn a_renewal_of_all_keeps_the_contracts_and_takes_the_next_serials() {
    let desk = desk_with(&table(50));
    issue(&desk, "--out-jsonl first.jsonl");
    desk.write("many.toml", template().replace("2027-12-31", "2028-12-31"));
    let done = issue(&desk, "--out-jsonl second.jsonl");
    assert_eq!(done["issued"], 50);
    let (first, second) = (licenses(&desk, "first.jsonl"), licenses(&desk, "second.jsonl"));
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(first.license_id, second.license_id, "by tenant and product");
        assert_eq!(second.serial.as_u64(), 2);
    }
    // One more customer: only that one is issued.
    desk.write("rows.csv", table(51));
    let third = issue(&desk, "--out-jsonl third.jsonl");
    assert_eq!((&third["issued"], &third["finished"]), (&1.into(), &50.into()));
}

#[test]
fn several_licenses_of_one_customer_are_told_apart_by_their_ids() {
    let id = |number: u8| format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d00{number:02x}");
    let row = |number: u8| format!("{},{},Site {number},{number}\n", id(number), tenant(1));
    let rows =
        format!("license_id,tenant_id,issued_to,limits.courses.publish\n{}{}", row(1), row(2));
    let desk = desk_with(&rows);
    issue(&desk, "--out-jsonl out.jsonl");
    let serials: Vec<u64> =
        licenses(&desk, "out.jsonl").iter().map(|license| license.serial.as_u64()).collect();
    assert_eq!(serials, [1, 2], "one line, no serial twice");
    desk.write("rows.csv", rows.replace(&id(2), &id(1)));
    let again = format!("issue many.toml {WITH} --out-jsonl x.jsonl");
    let said = desk.refused(&again, 65, "template.invalid");
    assert!(said.contains("is the same license as line 2"), "{said}");
    desk.write(
        "rows.csv",
        format!("tenant_id,issued_to,limits.courses.publish\n{},Site 3,3\n", tenant(1)),
    );
    let said = desk.refused(&again, 65, "template.invalid");
    assert!(said.contains("say which one as license_id"), "{said}");
    desk.write("rows.csv", rows.replace(&tenant(1), &tenant(2)));
    let said = desk.refused(&again, 65, "template.invalid");
    assert!(said.contains("column license_id: is the contract of another"), "{said}");
}

#[test]
fn a_rehearsal_reads_everything_and_signs_nothing() {
    let desk = desk_with(&table(10));
    let dry = desk
        .done("issue many.toml --csv rows.csv --ledger ledger --root root.json --dry-run --json");
    assert_eq!((&dry["rows"], &dry["to_issue"]), (&10.into(), &10.into()));
    assert_eq!(ledger(&desk).head().seq, 1);
    desk.write("rows.csv", table(10).replace("Customer 3", ""));
    desk.refused(
        "issue many.toml --csv rows.csv --ledger ledger --root root.json --dry-run",
        65,
        "template.invalid",
    );
}

#[test]
fn two_keys_sign_every_row_where_the_root_asks_for_two() {
    let desk = desk_with(&table(5));
    desk.keygen("license-b");
    desk.root_init("root.json.2", &["--license-key", "license-b.key", "--license-threshold", "2"]);
    fs::rename(desk.path("root.json.2"), desk.path("root.json")).unwrap();
    fs::remove_file(desk.path("ledger")).unwrap();
    desk.done("ledger begin ledger --root root.json");
    desk.refused(&format!("issue many.toml {WITH} --out-dir out"), 5, "signature.threshold");
    assert_eq!(ledger(&desk).head().seq, 1, "what no site would take is not entered");
    issue(&desk, "--key license-b.key --out-jsonl out.jsonl");
    assert_eq!(licenses(&desk, "out.jsonl").len(), 5);
}

#[test]
fn moves_beyond_the_budget_are_mistakes_of_their_rows() {
    let desk = Desk::new();
    desk.done("ledger begin ledger --root root.json");
    desk.write("many.toml", format!("rehosts_per_year = 0\n{}", template()));
    let rows = |device: &str| format!("tenant_id,issued_to,binding\n{},A,{device}\n", tenant(1));
    desk.write("rows.csv", rows(&desk.keygen("a")));
    issue(&desk, "--out-jsonl 1.jsonl");
    desk.write("rows.csv", rows(&desk.keygen("b")));
    let said = desk.refused(
        &format!("issue many.toml {WITH} --out-jsonl 2.jsonl"),
        65,
        "template.invalid",
    );
    assert!(said.contains("column binding:") && said.contains("0 a year"), "{said}");
}

#[test]
fn a_first_table_can_be_issued_as_it_is() {
    let desk = Desk::new();
    desk.done("ledger begin ledger --root root.json");
    desk.done("new many.toml --csv rows.csv --yes --feature courses.publish --feature labs.run");
    issue(&desk, "--out-jsonl out.jsonl");
    assert_eq!(licenses(&desk, "out.jsonl").len(), 1);
}

#[test]
fn a_semicolon_separates_where_the_spreadsheet_says_so() {
    let desk = desk_with(&table(3).replace(',', ";"));
    assert_eq!(issue(&desk, "--out-jsonl out.jsonl")["issued"], 3);
}

#[test]
fn what_a_row_says_does_not_depend_on_the_row_before_it() {
    let rows = |order: &[usize]| {
        let mut table = "tenant_id,issued_to,metadata.order,ladder.grace\n".to_owned();
        for &number in order {
            let cells = [("PO 1", "P1D"), ("-", "-"), ("PO 3", ""), ("", "P4D")][number];
            let tenant = tenant(number + 1);
            table.push_str(&format!("{tenant},Customer {number},{},{}\n", cells.0, cells.1));
        }
        table
    };
    let alone: Vec<Value> = (0..4)
        .map(|number| {
            let desk = desk_with(&rows(&[number]));
            issue(&desk, "--out-jsonl out.jsonl");
            serde_json::to_value(&licenses(&desk, "out.jsonl")[0]).unwrap()
        })
        .collect();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]] {
        let desk = desk_with(&rows(&order));
        issue(&desk, "--out-jsonl out.jsonl");
        for (license, number) in licenses(&desk, "out.jsonl").iter().zip(order) {
            let license = serde_json::to_value(license).unwrap();
            for member in ["metadata", "ladder", "issued_to", "entitlements"] {
                assert_eq!(license.get(member), alone[number].get(member), "{member} of {number}");
            }
        }
    }
}
