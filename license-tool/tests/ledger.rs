//! The ledger on the real tool: what is entered, in which order, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;

use std::{fs, process::Stdio};

use farhold_bundle::TrustRoot;
use farhold_contract::Code;
use farhold_ledger::{Head, Ledger, verify};
use license_tool::ledger::{self, LedgerFile, Repair};

use desk::{Desk, ISSUED_AT, LICENSE, TEMPLATE, TENANT};

const WITH: &str = "--ledger ledger --root root.json --key license.key";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.done("ledger begin ledger --root root.json --at 2026-11-01T00:00:00Z");
    desk
}

fn issue(desk: &Desk, template: &str, out: &str) -> serde_json::Value {
    desk.done(&format!("issue {template} {WITH} --at {ISSUED_AT} --out {out} --json"))
}

fn ledger(desk: &Desk) -> Ledger {
    Ledger::read(&desk.read("ledger")).unwrap()
}

#[test]
fn the_ledger_gives_the_serials_and_keeps_what_was_signed() {
    let desk = desk();
    assert_eq!(issue(&desk, "acme.toml", "1.json")["serial"], 1);
    desk.write("next.toml", TEMPLATE.replace("2027-12-31", "2028-12-31"));
    assert_eq!(issue(&desk, "next.toml", "2.json")["serial"], 2);
    let listed = desk.done("ledger list ledger --json");
    let license = &listed["licenses"][0];
    assert_eq!(license["license_id"], LICENSE);
    assert_eq!(license["serial"], 2);
    assert_eq!(license["next_serial"], 3);
    assert_eq!(license["expires_on"], "2028-12-31");
    assert_eq!(license["stops_at"], "2029-02-14T12:00:00Z", "P14D and P30D after the end");
    assert_eq!(license["tenant_id"], TENANT);
    let shown = desk.done(&format!("ledger show ledger {LICENSE} --json"));
    assert_eq!(shown["entries"].as_array().unwrap().len(), 2);
    assert_eq!(shown["entries"][1]["replaces"], 1);
    let inspected = desk.done("inspect 2.json --json");
    assert_eq!(shown["entries"][1]["sha256"], inspected["claims"][0]["sha256"]);
    assert_eq!(shown["entries"][1]["keys"], inspected["claims"][0]["key_ids"]);
    let said = desk.run(&format!("ledger show ledger {LICENSE}"));
    assert!(said.stdout.contains("entry 3") && said.stdout.contains("Universidad del Sur"));
    for (filter, found) in [
        ("--product acme-courses", 1),
        ("--product other", 0),
        ("--ends-before 2028-12-31", 0),
        ("--ends-before 2029-01-01", 1),
        (&format!("--tenant {TENANT}"), 1),
    ] {
        let listed = desk.done(&format!("ledger list ledger {filter} --json"));
        assert_eq!(listed["licenses"].as_array().unwrap().len(), found, "{filter}");
    }
    desk.refused(&format!("ledger show ledger {TENANT}"), 2, "usage.invalid");
}

#[test]
fn an_issue_that_was_interrupted_is_finished_by_the_same_words() {
    let desk = desk();
    let first = issue(&desk, "acme.toml", "1.json");
    assert_eq!(first["was_known"], false);
    // The power went between the entry and the file.
    fs::remove_file(desk.path("1.json")).unwrap();
    let again = desk.done(&format!("issue acme.toml {WITH} --out again.json --json"));
    assert_eq!((&again["serial"], &again["was_known"]), (&first["serial"], &true.into()));
    assert_eq!(again["sha256"], first["sha256"], "the very same license, whatever time it is");
    assert_eq!(ledger(&desk).head().seq, 2, "and no second entry");
}

#[test]
fn a_new_contract_that_was_interrupted_is_no_second_one() {
    let desk = desk();
    desk.write("new.toml", TEMPLATE.replace(&format!("license_id = \"{LICENSE}\""), ""));
    let new = format!("issue new.toml {WITH} --new-id --json --out");
    let first = desk.done(&format!("{new} 1.json"));
    let again = desk.done(&format!("{new} 2.json"));
    assert_eq!(first["license_id"], again["license_id"]);
    desk.write(
        "other.toml",
        fs::read_to_string(desk.path("new.toml")).unwrap().replace("500", "600"),
    );
    let other = desk.done(&format!("issue other.toml {WITH} --new-id --out 3.json --json"));
    assert_ne!(other["license_id"], first["license_id"]);
    assert_eq!(other["serial"], 2, "of one line, so that a site can hold both in turn");
}

#[test]
fn what_contradicts_the_ledger_is_refused_and_leaves_nothing() {
    let desk = desk();
    issue(&desk, "acme.toml", "1.json");
    desk.write("other.toml", TEMPLATE.replace("quota = 500", "quota = 600"));
    let given = |serial: u32| {
        format!("issue other.toml {WITH} --at {ISSUED_AT} --serial {serial} --out x.json")
    };
    desk.refused(&given(1), 4, "ledger.conflict");
    desk.done(&given(5).replace("x.json", "5.json"));
    desk.write("third.toml", TEMPLATE.replace("quota = 500", "quota = 700"));
    desk.refused(&given(4).replace("other", "third"), 4, "ledger.conflict");
    // A copied template whose license_id was left as it was.
    let other_tenant = TENANT.replace("3e4f", "3e5f");
    desk.write("copied.toml", TEMPLATE.replace(TENANT, &other_tenant));
    let copied = format!("issue copied.toml {WITH} --out x.json");
    let said = desk.refused(&copied, 4, "ledger.conflict");
    assert!(said.contains("another contract"), "{said}");
    assert!(!desk.exists("x.json"));
    assert_eq!(ledger(&desk).head().seq, 3);
}

#[test]
fn a_ledger_is_begun_once_and_is_one_issuers() {
    let desk = desk();
    desk.refused("ledger begin ledger --root root.json", 73, "output.exists");
    let said = desk.run(&format!(
        "issue acme.toml {} --out x.json",
        WITH.replace("--ledger ledger", "--ledger mistyped")
    ));
    assert_eq!(said.exit, 65, "{}", said.stderr);
    assert!(said.stderr.contains("ledger begin mistyped"), "{}", said.stderr);
    assert!(!desk.exists("mistyped") && !desk.exists("x.json"));
    desk.root_init("other.json", &[]);
    let foreign =
        format!("issue acme.toml {} --out x.json", WITH.replace("root.json", "other.json"));
    desk.refused(&foreign, 5, "trust.issuer_mismatch");
}

#[test]
fn a_changed_ledger_is_refused_by_everyone_who_reads_it() {
    let desk = desk();
    issue(&desk, "acme.toml", "1.json");
    let whole = String::from_utf8(desk.read("ledger")).unwrap();
    desk.write("ledger", whole.replace("Universidad del Sur", "Universidad del Mar"));
    for line in [
        "ledger verify ledger",
        "ledger list ledger",
        "ledger export ledger --out export",
        "ledger repair ledger",
        &format!("ledger show ledger {LICENSE}"),
        &format!("issue acme.toml {WITH} --out x.json"),
        "ledger enter ledger 1.json --root root.json",
    ] {
        let said = desk.refused(line, 5, "ledger.broken");
        assert!(said.contains("line 2 was changed"), "{said}");
    }
    assert!(!desk.exists("x.json") && !desk.exists("export"));
}

#[test]
fn a_head_known_from_before_shows_a_rewritten_ledger() {
    let desk = desk();
    issue(&desk, "acme.toml", "1.json");
    let verified = desk.done("ledger verify ledger --json");
    let head =
        format!("{}:{}", verified["head"]["seq"], verified["head"]["hash"].as_str().unwrap());
    desk.write("next.toml", TEMPLATE.replace("2027-12-31", "2028-12-31"));
    issue(&desk, "next.toml", "2.json");
    desk.done(&format!("ledger verify ledger --head {head}"));
    // Begun anew, with other licenses: whole as such.
    fs::remove_file(desk.path("ledger")).unwrap();
    desk.done("ledger begin ledger --root root.json --at 2026-11-01T00:00:00Z");
    desk.refused(&format!("ledger verify ledger --head {head}"), 5, "ledger.broken");
    issue(&desk, "next.toml", "3.json");
    let said = desk.refused(&format!("ledger verify ledger --head {head}"), 5, "ledger.broken");
    assert!(said.contains("another one"), "{said}");
    assert_eq!(desk.run("ledger verify ledger --head 2").exit, 2);
}

/// A ledger of one license, and the same with the next one's entry.
fn two_ledgers(desk: &Desk) -> (Vec<u8>, Vec<u8>) {
    issue(desk, "acme.toml", "1.json");
    let whole = desk.read("ledger");
    desk.write("next.toml", TEMPLATE.replace("2027-12-31", "2028-12-31"));
    issue(desk, "next.toml", "2.json");
    (whole, desk.read("ledger"))
}

/// The files beside the ledger that hold what was torn off.
fn pieces(desk: &Desk) -> Vec<String> {
    let names = desk::names(&desk.path(""));
    names.into_iter().filter(|name| name.starts_with("ledger.torn")).collect()
}

#[test]
fn a_torn_last_line_is_said_by_whoever_reads_and_repaired_when_asked() {
    let desk = desk();
    let (whole, longer) = two_ledgers(&desk);
    for cut in [whole.len() + 1, whole.len() + 100, longer.len() - 2] {
        desk.write("ledger", &longer[..cut]);
        for line in ["ledger verify ledger", "ledger list ledger", "ledger export ledger --out x"] {
            let said = desk.refused(line, 5, "ledger.broken");
            assert!(said.contains("line 3 is torn"), "{said}");
        }
        let verified = desk.run("ledger verify ledger");
        assert!(verified.stderr.contains("ledger repair ledger"), "{}", verified.stderr);
        assert_eq!(desk.read("ledger"), &longer[..cut], "reading changes nothing");
        let repaired = desk.done("ledger repair ledger --json");
        assert_eq!(repaired["repair"], "moved_out");
        let torn = repaired["torn"].as_str().unwrap();
        assert_eq!(desk.read(torn), &longer[whole.len()..cut], "the piece is kept");
        assert_eq!(desk.read("ledger"), whole);
        desk.done("ledger verify ledger");
    }
    assert_eq!(pieces(&desk).len(), 3, "no piece takes the place of another");
    // Repaired and interrupted before the ledger was cut: done again, it is the same file.
    desk.write("ledger", &longer[..whole.len() + 1]);
    desk.done("ledger repair ledger");
    assert_eq!(pieces(&desk).len(), 3);
    // Only the line feed is missing: the entry was whole.
    desk.write("ledger", &longer[..longer.len() - 1]);
    assert_eq!(desk.done("ledger repair ledger --json")["repair"], "completed");
    assert_eq!(desk.read("ledger"), longer);
    assert_eq!(desk.done("ledger repair ledger --json")["repair"], "whole");
    // The same words go on where they stopped.
    assert_eq!(issue(&desk, "next.toml", "again.json")["was_known"], true);
}

#[test]
fn whoever_issues_next_moves_a_torn_end_aside_and_goes_on() {
    let desk = desk();
    let (whole, longer) = two_ledgers(&desk);
    desk.write("ledger", &longer[..longer.len() - 40]);
    let issued = desk.done(&format!("issue next.toml {WITH} --at {ISSUED_AT} --out x.json --json"));
    assert_eq!((&issued["serial"], &issued["was_known"]), (&2.into(), &false.into()));
    assert!(issued["warnings"][0].as_str().unwrap().contains("ledger.torn-after-2"), "{issued}");
    assert_eq!(desk.read("ledger.torn-after-2"), &longer[whole.len()..longer.len() - 40]);
    let again = desk.read("ledger");
    assert_eq!(&again[..whole.len()], whole);
    assert_eq!(Ledger::read(&again).unwrap().head().seq, 3);
    // One line for people; also where the verb itself is refused.
    desk.write("ledger", &again[..again.len() - 30]);
    let refused = desk.run(&format!("issue next.toml {WITH} --serial 1 --out y.json"));
    assert_eq!(refused.exit, 4, "{}", refused.stderr);
    assert_eq!(refused.stderr.matches("warning: ").count(), 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("torn after entry 2"), "{}", refused.stderr);
    assert_eq!(desk.read("ledger"), whole);
    // A table and a slip go on as well.
    desk.write("ledger", &again[..again.len() - 20]);
    desk.write("rows.csv", format!("license_id,issued_to\n{LICENSE},Universidad del Norte\n"));
    let many = desk.done(&format!("issue acme.toml {WITH} --csv rows.csv --out-jsonl many --json"));
    assert!(many["warnings"][0].as_str().unwrap().contains("torn after entry 2"), "{many}");
    desk.write("ledger", &again[..again.len() - 10]);
    let entered = desk.done("ledger enter ledger x.json --root root.json --json");
    assert!(entered["warnings"][0].as_str().unwrap().contains("torn after entry 2"), "{entered}");
    // Of another issuer's ledger nothing is touched.
    desk.root_init("other.json", &[]);
    desk.write("ledger", &again[..again.len() - 10]);
    let foreign = format!("issue next.toml {} --out z", WITH.replace("root.json", "other.json"));
    desk.refused(&foreign, 5, "trust.issuer_mismatch");
    assert_eq!(desk.read("ledger"), &again[..again.len() - 10]);
}

#[test]
fn an_end_torn_at_any_byte_is_put_right_and_nothing_is_lost() {
    let desk = desk();
    let (whole, longer) = two_ledgers(&desk);
    let root = TrustRoot::install(desk.read("root.json").trim_ascii_end(), None).unwrap();
    let entry = farhold_ledger::verify(Head::START, &longer).unwrap().0.pop().unwrap();
    for cut in whole.len() + 1..longer.len() {
        desk.write("ledger", &longer[..cut]);
        assert_eq!(ledger::read(&desk.path("ledger")).unwrap_err().code(), Code::LedgerBroken);
        let mut file = LedgerFile::open(&desk.path("ledger"), &root).unwrap();
        match file.mended().cloned() {
            Some(Repair::MovedOut { to, bytes, head }) => {
                assert_eq!((head.seq, bytes), (2, cut - whole.len()));
                assert_eq!(fs::read(&to).unwrap(), &longer[whole.len()..cut], "at {cut}");
                assert_eq!(desk.read("ledger"), whole);
                // What was torn is entered again, as its run would have.
                file.enter(entry.at, entry.act.clone()).unwrap();
                fs::remove_file(to).unwrap();
            }
            Some(Repair::Completed(head)) => {
                assert_eq!((head.seq, cut), (3, longer.len() - 1), "the line feed alone");
            }
            other => panic!("at {cut}: {other:?}"),
        }
        drop(file);
        assert_eq!(desk.read("ledger"), longer, "at {cut}");
        assert!(LedgerFile::open(&desk.path("ledger"), &root).unwrap().mended().is_none());
    }
}

#[test]
fn an_end_that_no_interruption_leaves_is_an_error_until_a_person_decides() {
    let desk = desk();
    let (whole, longer) = two_ledgers(&desk);
    let text = String::from_utf8(longer.clone()).unwrap();
    let changed = text.replacen("2028-12-31", "2029-12-31", 1);
    assert_ne!(changed, text);
    let last = &longer[whole.len()..];
    let line = format!("issue next.toml {WITH} --out x.json");
    // Whole by its form without its line feed, and changed; or there twice.
    for torn in [changed.trim_end().as_bytes().to_vec(), [&longer, last.trim_ascii_end()].concat()]
    {
        desk.write("ledger", &torn);
        desk.refused(&line, 5, "ledger.broken");
        let tried = desk.run(&line);
        assert!(tried.stderr.contains("ledger repair ledger"), "{}", tried.stderr);
        assert_eq!(desk.read("ledger"), torn, "a refusal changes nothing");
        assert!(pieces(&desk).is_empty() && !desk.exists("x.json"));
    }
    // With their line feed they are no end at all, and stay as they are even for repair.
    let mut middle = longer.clone();
    middle[whole.len() - 5] ^= 1;
    let zeros = [longer.as_slice(), &[0; 40], b"\n"].concat();
    for broken in [changed.into_bytes(), [&longer, last].concat(), middle, zeros] {
        desk.write("ledger", &broken);
        desk.refused(&line, 5, "ledger.broken");
        desk.refused("ledger repair ledger", 5, "ledger.broken");
        assert_eq!(desk.read("ledger"), broken);
    }
    // A torn end behind a broken middle is not put right either.
    let mut both = longer[..longer.len() - 9].to_vec();
    both[whole.len() - 5] ^= 1;
    desk.write("ledger", &both);
    desk.refused(&line, 5, "ledger.broken");
    assert_eq!(desk.read("ledger"), both);
    // A beginning that is torn is no ledger.
    desk.write("ledger", &whole[..50]);
    desk.refused(&line, 5, "ledger.broken");
    assert_eq!(desk.read("ledger"), &whole[..50]);
    assert!(pieces(&desk).is_empty());
}

#[test]
fn a_last_line_that_nobody_can_read_is_moved_aside_when_a_person_asks() {
    let desk = desk();
    let (whole, longer) = two_ledgers(&desk);
    let line = format!("issue next.toml {WITH} --out x.json");
    // As a version wrote it that looked at no length: with its line feed, its hash and its license.
    for bytes in [64 * 1024, 200_000] {
        let long = [vec![b'x'; bytes], b"\n".to_vec()].concat();
        let broken = [whole.as_slice(), &long].concat();
        desk.write("ledger", &broken);
        for line in [line.as_str(), "ledger verify ledger", "ledger list ledger"] {
            let said = desk.refused(line, 5, "ledger.broken");
            assert!(said.contains("line 3") && said.contains("longer than 65536"), "{said}");
            assert!(desk.run(line).stderr.contains("ledger repair ledger"));
        }
        assert_eq!(desk.read("ledger"), broken, "nobody moves it unasked");
        let repaired = desk.done("ledger repair ledger --json");
        assert_eq!(repaired["repair"], "cut_off");
        assert_eq!(desk.read(repaired["torn"].as_str().unwrap()), long);
        assert_eq!(desk.read("ledger"), whole);
    }
    assert_eq!(pieces(&desk).len(), 2);
    // Without its line feed it was torn, however long it is, and with a line behind it is no end.
    desk.write("ledger", [whole.as_slice(), &vec![0; 200_000]].concat());
    assert_eq!(desk.done("ledger repair ledger --json")["repair"], "moved_out");
    assert_eq!(desk.read("ledger"), whole);
    let last = &longer[whole.len()..];
    let middle = [whole.as_slice(), &vec![b'x'; 100_000], b"\n", last].concat();
    desk.write("ledger", &middle);
    desk.refused("ledger repair ledger", 5, "ledger.broken");
    assert_eq!(desk.read("ledger"), middle);
}

#[test]
fn an_entry_dated_before_the_one_it_follows_is_told_by_verify_and_lint() {
    let desk = desk();
    issue(&desk, "acme.toml", "1.json");
    let verified = desk.done("ledger verify ledger --json");
    assert_eq!(verified["open"]["setbacks"], serde_json::json!([]));
    let (entries, _) = verify(Head::START, &desk.read("ledger")).unwrap();
    let (mut ledger, mut bytes) = (Ledger::empty(), Vec::new());
    for (entry, at) in entries.into_iter().zip(["2026-11-22T00:00:00Z", "2024-11-01T00:00:00Z"]) {
        bytes.extend(ledger.append(desk::at(at), entry.act).unwrap());
    }
    desk.write("ledger", bytes);
    let verified = desk.done("ledger verify ledger --json");
    assert_eq!(verified["open"]["setbacks"][0]["entry"], 2);
    let said = desk.run("ledger verify ledger").stderr;
    assert!(said.contains("entry 2 is dated 2024-11-01"), "{said}");
    let looked = desk.run("lint --ledger ledger --json");
    assert_eq!(looked.exit, 4, "{}", looked.stdout);
    assert!(looked.stdout.contains("\"ledger_dates\""), "{}", looked.stdout);
}

#[cfg(unix)]
#[test]
fn a_process_killed_inside_its_write_stops_nobody() {
    use std::os::unix::process::ExitStatusExt;

    let desk = desk();
    let before = desk.read("ledger");
    desk.write("acme.toml", TEMPLATE.replace("Universidad del Sur", &"Universidad ".repeat(20)));
    // Where a file would grow beyond 1,024 bytes the system writes what fits, then kills.
    let tool = env!("CARGO_BIN_EXE_license-tool");
    let line = format!("ulimit -c 0; ulimit -f 1; exec {tool} issue acme.toml {WITH} --out 1.json");
    let killed = std::process::Command::new("bash")
        .args(["-c", &line])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    assert!(killed.status.signal().is_some(), "{killed:?}");
    let torn = desk.read("ledger");
    assert!(torn.len() == 1024 && torn.starts_with(&before), "{} bytes", torn.len());
    assert!(!desk.exists("1.json"), "its license never left");
    desk.refused("ledger verify ledger", 5, "ledger.broken");

    let issued = desk.done(&format!("issue acme.toml {WITH} --out 1.json --json"));
    assert_eq!(issued["serial"], 1);
    assert_eq!(desk.read("ledger.torn-after-1"), &torn[before.len()..]);
    desk.done("ledger verify ledger");
    desk.done("verify 1.json --root root.json");
}

#[test]
fn two_people_cannot_write_at_once() {
    let desk = desk();
    let held = fs::File::open(desk.path("ledger")).unwrap();
    held.try_lock().unwrap();
    let ran = desk.run(&format!("issue acme.toml {WITH} --out x.json"));
    assert_eq!(ran.exit, 75);
    assert!(ran.stderr.contains("another process") && ran.stderr.contains("(ledger.locked)"));
    assert!(!desk.exists("x.json"));
    held.unlock().unwrap();
    issue(&desk, "acme.toml", "x.json");
}

#[test]
fn many_at_once_get_each_its_own_serial() {
    let desk = desk();
    let mut running = Vec::new();
    for number in 1..=6 {
        let template = TEMPLATE.replace("quota = 500", &format!("quota = {number}"));
        desk.write(&format!("{number}.toml"), template);
        let line = format!("issue {number}.toml {WITH} --out {number}.json");
        running
            .push(desk.command(&line).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
    }
    assert!(running.into_iter().all(|mut child| child.wait().unwrap().success()));
    let mut serials: Vec<u64> = (1..=6)
        .map(|number| {
            let claim = desk.done(&format!("inspect {number}.json --json"));
            claim["claims"][0]["payload"]["serial"].as_u64().unwrap()
        })
        .collect();
    serials.sort_unstable();
    assert_eq!(serials, [1, 2, 3, 4, 5, 6]);
    assert!(ledger(&desk).clashes().is_empty());
}

#[test]
fn a_license_by_break_glass_enters_by_its_slip() {
    let desk = desk();
    issue(&desk, "acme.toml", "1.json");
    desk.write("urgent.toml", TEMPLATE.replace("quota = 500", "quota = 900"));
    let glass = format!(
        "issue urgent.toml --root root.json --key license.key --at {ISSUED_AT} --serial 2 \
         --out urgent.json --break-glass"
    );
    let run = |reason: &str| {
        desk.command(&glass).arg("--reason").arg(reason).stdin(Stdio::null()).output().unwrap()
    };
    assert!(!run("").status.success() && !run("two\nlines").status.success());
    assert!(!desk.exists("urgent.json") && !desk.exists("urgent.json.slip"));
    let done = run("the office is flooded, the ledger is in it");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    desk.done("verify urgent.json --root root.json");

    // Nobody's ledger knows of it, and the slip beside it says so.
    let verified = desk.done("ledger verify ledger --slips . --json");
    assert_eq!(verified["open"]["slips"][0], "./urgent.json.slip");
    // The license alone is entered as open; then the slip closes it.
    desk.done("ledger enter ledger urgent.json --root root.json");
    let verified = desk.done("ledger verify ledger --slips . --json");
    assert_eq!(verified["open"]["break_glass"][0]["serial"], 2);
    assert!(verified["warnings"][0].as_str().unwrap().contains("slip has not come in"));
    let entered = desk.done("ledger enter ledger urgent.json.slip --root root.json --json");
    assert_eq!(entered["entered"][0]["kind"], "entered");
    let verified = desk.done("ledger verify ledger --slips . --json");
    assert_eq!(verified["open"]["slips"].as_array().unwrap().len(), 0);
    assert_eq!(verified["open"]["break_glass"].as_array().unwrap().len(), 0);
    let again =
        desk.done("ledger enter ledger urgent.json.slip urgent.json --root root.json --json");
    assert_eq!(again["entered"].as_array().unwrap().len(), 0, "once is enough");
    let shown = desk.run(&format!("ledger show ledger {LICENSE}"));
    assert!(shown.stdout.contains("because   the office is flooded"), "{}", shown.stdout);
    // The next serial is above it.
    desk.write("next.toml", TEMPLATE.replace("2027-12-31", "2028-12-31"));
    assert_eq!(issue(&desk, "next.toml", "3.json")["serial"], 3);
}

#[test]
fn a_serial_given_twice_in_need_is_entered_and_shown() {
    let desk = desk();
    desk.write("urgent.toml", TEMPLATE.replace("quota = 500", "quota = 900"));
    desk.done(&format!(
        "issue urgent.toml --root root.json --key license.key --at {ISSUED_AT} --serial 1 \
         --out urgent.json --break-glass --reason flood"
    ));
    issue(&desk, "acme.toml", "1.json");
    let entered = desk.done("ledger enter ledger urgent.json.slip --root root.json --json");
    assert!(entered["warnings"][0].as_str().unwrap().contains("two licenses"));
    let verified = desk.done("ledger verify ledger --json");
    assert_eq!(verified["open"]["clashes"][0]["entries"], serde_json::json!([2, 3]));
}

#[test]
fn what_is_entered_must_be_signed() {
    let desk = desk();
    desk.issue(1, "1.json");
    desk.keygen("thief");
    let mut slip = serde_json::json!({
        "farhold_slip": 1, "at": ISSUED_AT, "reason": "trust me",
        "license": String::from_utf8(desk.read("1.json")).unwrap().trim_end().replacen("eyJ", "eyK", 1),
    });
    desk.write("forged.slip", slip.to_string());
    let refused = desk.run("ledger enter ledger forged.slip --root root.json");
    assert_ne!(refused.exit, 0, "{}", refused.stderr);
    slip["farhold_slip"] = 2.into();
    desk.write("later.slip", slip.to_string());
    desk.refused("ledger enter ledger later.slip --root root.json", 65, "input.unreadable");
    assert_eq!(ledger(&desk).head().seq, 1);
}

#[test]
fn an_export_is_verified_against_what_one_has() {
    let desk = desk();
    issue(&desk, "acme.toml", "1.json");
    desk.write("next.toml", TEMPLATE.replace("2027-12-31", "2028-12-31"));
    issue(&desk, "next.toml", "2.json");
    desk.done("ledger export ledger --out all.jsonl");
    assert_eq!(desk.read("all.jsonl"), desk.read("ledger"));
    let tail = desk.done("ledger export ledger --since 2 --out tail.jsonl --json");
    assert_eq!(tail["entries"], 1);
    let lines = desk.read("ledger");
    let known = lines.split_inclusive(|&byte| byte == b'\n').take(2).collect::<Vec<_>>().concat();
    let (_, head) = verify(Head::START, &known).unwrap();
    let (entries, end) = verify(head, &desk.read("tail.jsonl")).unwrap();
    assert_eq!((entries.len(), end), (1, ledger(&desk).head()));
    desk.done("ledger export ledger --csv --out all.csv");
    let csv = String::from_utf8(desk.read("all.csv")).unwrap();
    assert!(csv.starts_with("seq,at,kind,") && csv.lines().count() == 4);
    desk.refused("ledger export ledger --since 9 --out x", 2, "usage.invalid");
    desk.refused("ledger export ledger --out ledger", 2, "usage.invalid");
}

#[test]
fn without_a_ledger_it_is_said_that_nobody_knows() {
    let desk = desk();
    let ran = desk.run(&format!(
        "issue acme.toml --root root.json --key license.key --serial 1 --at {ISSUED_AT} --out 1.json"
    ));
    assert_eq!(ran.exit, 0);
    assert!(ran.stderr.contains("it is in no ledger"), "{}", ran.stderr);
    assert_eq!(desk.run("issue acme.toml --root root.json --key license.key --out x").exit, 2);
}

#[test]
fn a_license_signed_again_by_another_key_is_entered_again() {
    let desk = desk();
    desk.keygen("license-b");
    desk.root_init("two.json", &["--license-key", "license-b.key"]);
    desk.done("ledger begin two --root two.json");
    let issue = |key: &str, out: &str| {
        desk.done(&format!(
            "issue acme.toml --ledger two --root two.json --key {key}.key --out {out} --json"
        ))
    };
    issue("license", "a.json");
    let again = issue("license-b", "b.json");
    assert_eq!((&again["serial"], &again["was_known"]), (&1.into(), &true.into()));
    let shown = desk.done(&format!("ledger show two {LICENSE} --json"));
    let keys: Vec<_> = shown["entries"].as_array().unwrap().iter().map(|e| &e["keys"]).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn more_moves_than_the_template_allows_need_a_reason() {
    let desk = desk();
    let mut devices = Vec::new();
    for name in ["a", "b", "c"] {
        let key = desk.keygen(name);
        desk.write(
            &format!("{name}.toml"),
            format!("rehosts_per_year = 1\nbinding = {{ device_key = \"{key}\" }}\n{TEMPLATE}"),
        );
        devices.push(key);
    }
    for (name, kind) in [("a", "issued"), ("b", "rehosted")] {
        issue(&desk, &format!("{name}.toml"), &format!("{name}.json"));
        let shown = desk.done(&format!("ledger show ledger {LICENSE} --json"));
        assert_eq!(shown["entries"].as_array().unwrap().last().unwrap()["kind"], kind);
    }
    let third = format!("issue c.toml {WITH} --at {ISSUED_AT} --out c.json");
    desk.refused(&third, 4, "ledger.rehosts_used_up");
    let ran =
        desk.command(&third).args(["--over-budget", "their data center burned"]).output().unwrap();
    assert!(ran.status.success());
    let listed = desk.done("ledger list ledger --json");
    assert_eq!(listed["licenses"][0]["device_key"], devices[2].as_str());
    assert_eq!(listed["licenses"][0]["rehosts_per_year"], 1);
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_leaves_the_ledger_whole_and_no_license() {
    let desk = desk();
    let before = desk.read("ledger");
    let tool = env!("CARGO_BIN_EXE_license-tool");
    // No file may grow beyond 1,024 bytes: a part of the entry fits.
    desk.write("acme.toml", TEMPLATE.replace("Universidad del Sur", &"Universidad ".repeat(20)));
    let line =
        format!("trap '' XFSZ; ulimit -f 1; exec {tool} issue acme.toml {WITH} --out 1.json");
    let output = std::process::Command::new("bash")
        .args(["-c", &line])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(73), "{said}");
    assert!(said.contains("the ledger ledger can't be written"), "{said}");
    assert_eq!(desk.read("ledger"), before, "nothing torn is left");
    assert!(!desk.exists("1.json"));
    issue(&desk, "acme.toml", "1.json");
}
