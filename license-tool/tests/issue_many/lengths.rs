//! Licenses that no site could read are never signed.

use farhold_bundle::{Envelope, LIMITS};
use farhold_contract::Code;

use super::{WITH, desk_with, issue, ledger, tenant};
use crate::desk::Desk;

fn desk_with_note(bytes: usize) -> Desk {
    desk_with(&rows(bytes))
}

fn rows(bytes: usize) -> String {
    let note = "x".repeat(bytes);
    format!(
        "tenant_id,issued_to,metadata.note,#own\n{},A,x,\n{},B,{note},{note}\n",
        tenant(1),
        tenant(2)
    )
}

#[test]
fn a_row_whose_license_is_longer_than_a_line_may_be_is_a_mistake_before_anything_is_signed() {
    let desk = desk_with_note(3_200_000);
    let line = format!("issue many.toml {WITH} --out-dir out");
    let said = desk.refused(&line, 65, Code::TemplateInvalid.as_str());
    assert!(said.contains("line 3, column metadata.note: makes the license"), "{said}");
    assert!(!desk.exists("out"));
    assert_eq!(ledger(&desk).head().seq, 1);
    let rehearsed = "issue many.toml --csv rows.csv --ledger ledger --root root.json --dry-run";
    desk.refused(rehearsed, 65, Code::TemplateInvalid.as_str());
}

#[test]
fn a_template_that_is_too_long_is_told_of_every_row() {
    let desk = desk_with(&super::table(2));
    let note = format!("[metadata]\nnote = \"{}\"\n", "x".repeat(3_200_000));
    desk.write("many.toml", format!("{}{note}", super::template()));
    let line = format!("issue many.toml {WITH} {}", "--out-jsonl out.jsonl");
    let said = desk.refused(&line, 65, Code::TemplateInvalid.as_str());
    assert!(said.contains("line 2: is a license") && said.contains("1 mistake more"), "{said}");
}

#[test]
fn the_longest_license_that_is_issued_is_one_that_is_read() {
    const BEGIN: usize = 3_200_000;
    let desk = desk_with_note(BEGIN);
    let line = format!("issue many.toml {WITH} --out-jsonl out.jsonl");
    let said = desk.refused(&line, 65, Code::TemplateInvalid.as_str());
    let excess = said.split("makes the license ").nth(1).unwrap().split(' ').next().unwrap();
    let longest = BEGIN - excess.parse::<usize>().unwrap();
    desk.write("rows.csv", rows(longest + 1));
    let said = desk.refused(&line, 65, Code::TemplateInvalid.as_str());
    assert!(said.contains("makes the license 1 bytes too long"), "{said}");
    desk.write("rows.csv", rows(longest));
    issue(&desk, "--out-jsonl out.jsonl");
    let all = desk.read("out.jsonl");
    let line = all.trim_ascii_end().split(|&byte| byte == b'\n').nth(1).unwrap();
    Envelope::open(line).unwrap();
    let unused = LIMITS.envelope_bytes - line.len();
    assert!(unused < 512, "{unused} bytes more would have been read as well");
}
