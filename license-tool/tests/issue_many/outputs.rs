//! Where the licenses of a table go: over nothing, into nothing, and by one run at a time.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
};

use farhold_contract::Code;

use super::{WITH, desk_with, issue, ledger, licenses, table, template};
use crate::desk::{Desk, names};

const LINES: &str = "--out-jsonl out.jsonl";

/// The table once more, so that every license has a next serial, and its name can be foreseen.
fn renewal() -> (Desk, String) {
    let desk = desk_with(&table(3));
    issue(&desk, "--out-dir out");
    desk.write("many.toml", template().replace("2027-12-31", "2028-12-31"));
    let contract = ledger(&desk).contracts().next().unwrap().license_id;
    (desk, format!("out/.{contract}.2.json.partial"))
}

fn mkfifo(desk: &Desk, name: &str) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    mknodat(CWD, desk.path(name), FileType::Fifo, Mode::RWXU, 0).unwrap();
}

/// Puts something under a name, runs into it, and sees that neither it nor the ledger changed.
fn refused(desk: &Desk, out: &str, put: impl FnOnce(), exit: i32, code: Code) -> String {
    let before = (desk.read("kernel.key"), desk.read("ledger"));
    put();
    let said = desk.refused(&format!("issue many.toml {WITH} {out}"), exit, code.as_str());
    assert!((desk.read("kernel.key"), desk.read("ledger")) == before, "{said}");
    said
}

#[test]
fn outputs_are_never_written_over_another_file() {
    let desk = desk_with(&table(3));
    desk.write("taken", "precious");
    desk.refused(&format!("issue many.toml {WITH} --out-jsonl taken"), 73, "output.exists");
    desk.refused(&format!("issue many.toml {WITH} --out-jsonl ledger"), 2, "usage.invalid");
    desk.refused(&format!("issue many.toml {WITH} --out-jsonl kernel.key"), 73, "output.is_key");
    desk.refused(&format!("issue many.toml {WITH}"), 2, "usage.invalid");
    issue(&desk, "--out-dir out");
    let name = names(&desk.path("out")).remove(1);
    desk.write(&format!("out/{name}"), "something else\n");
    desk.refused(&format!("issue many.toml {WITH} --out-dir out"), 73, "output.exists");
    assert_eq!(desk.read(&format!("out/{name}")), b"something else\n");
    assert_eq!(desk.read("taken"), b"precious");
}

#[test]
fn a_key_or_the_ledger_under_the_hidden_name_of_the_lines_is_not_written_into() {
    type Put = fn(&Desk, &str);
    let cases: [(Put, i32, Code, &str); 6] = [
        (
            |desk, to| symlink(desk.path("kernel.key"), desk.path(to)).unwrap(),
            73,
            Code::OutputIsKey,
            "is a private key",
        ),
        (
            |desk, to| fs::hard_link(desk.path("kernel.key"), desk.path(to)).unwrap(),
            73,
            Code::OutputIsKey,
            "is a private key",
        ),
        (
            |desk, to| symlink(desk.path("ledger"), desk.path(to)).unwrap(),
            2,
            Code::UsageInvalid,
            "is the input ledger",
        ),
        (
            |desk, to| fs::hard_link(desk.path("ledger"), desk.path(to)).unwrap(),
            73,
            Code::OutputUnwritable,
            "has another name as well",
        ),
        (
            |desk, to| symlink("nowhere", desk.path(to)).unwrap(),
            73,
            Code::OutputUnwritable,
            "is a link to something else",
        ),
        (|desk, to| mkfifo(desk, to), 73, Code::OutputUnwritable, "is no regular file"),
    ];
    for (put, exit, code, told) in cases {
        let desk = desk_with(&table(3));
        let said = refused(&desk, LINES, || put(&desk, ".out.jsonl.partial"), exit, code);
        assert!(said.contains(told), "{said}");
        assert!(!desk.exists("out.jsonl") && !desk.exists("nowhere"));
        // Told before anyone types a passphrase.
        let rehearsed = format!("issue many.toml {WITH} {LINES} --dry-run");
        desk.refused(&rehearsed, exit, code.as_str());
    }
}

#[test]
fn what_lies_under_the_hidden_name_of_a_license_is_not_written_into() {
    let (desk, hidden) = renewal();
    let (out, code) = ("--out-dir out", Code::OutputUnwritable);
    for name in ["kernel.key", "ledger"] {
        refused(&desk, out, || symlink(desk.path(name), desk.path(&hidden)).unwrap(), 73, code);
        fs::remove_file(desk.path(&hidden)).unwrap();
        refused(
            &desk,
            out,
            || fs::hard_link(desk.path(name), desk.path(&hidden)).unwrap(),
            73,
            code,
        );
        fs::remove_file(desk.path(&hidden)).unwrap();
    }
    let copy = || desk.write(&hidden, desk.read("kernel.key"));
    refused(&desk, out, copy, 73, Code::OutputIsKey);
    assert_eq!(desk.read(&hidden), desk.read("kernel.key"), "a key is not taken away either");
    fs::remove_file(desk.path(&hidden)).unwrap();
    refused(&desk, out, || mkfifo(&desk, &hidden), 73, code);
    fs::remove_file(desk.path(&hidden)).unwrap();
    // A piece that an interrupted run has left goes.
    desk.write(&hidden, "{\"payl");
    assert_eq!(issue(&desk, out)["issued"], 3);
    let names = names(&desk.path("out"));
    assert_eq!(names.len(), 6, "{names:?}");
    assert!(names.iter().all(|name| licenses(&desk, &format!("out/{name}")).len() == 1));
}

#[test]
fn a_pipe_in_the_place_of_a_license_is_not_waited_for() {
    let (desk, hidden) = renewal();
    let name = hidden.replace("/.", "/").replace(".2.json.partial", ".1.json");
    desk.write("many.toml", template());
    fs::remove_file(desk.path(&name)).unwrap();
    refused(&desk, "--out-dir out", || mkfifo(&desk, &name), 73, Code::OutputExists);
}

#[test]
fn two_runs_with_one_output_are_one_too_many() {
    let desk = desk_with(&table(3));
    for (out, locked) in [(LINES, ".out.jsonl.partial"), ("--out-dir out", "out")] {
        match out {
            LINES => desk.write(locked, ""),
            _ => fs::create_dir(desk.path(locked)).unwrap(),
        }
        let other_run = File::open(desk.path(locked)).unwrap();
        other_run.lock().unwrap();
        let said = refused(&desk, out, || (), 73, Code::OutputUnwritable);
        assert!(said.contains("another run is writing to out"), "{said}");
        drop(other_run);
        issue(&desk, out);
    }
}

#[test]
fn a_pipe_under_the_name_of_a_torn_piece_is_not_waited_for() {
    let desk = desk_with(&table(1));
    let torn = b"{\"seq\":2,\"at\"";
    desk.write("ledger", [desk.read("ledger"), torn.to_vec()].concat());
    mkfifo(&desk, "ledger.torn-after-1");
    issue(&desk, LINES);
    assert_eq!(desk.read("ledger.torn-after-1.2"), torn);
}
