//! `inspect` of what is no signed document: it says what it is, which verb knows it, and never
//! passes for a verification.
#![allow(clippy::unwrap_used)]

mod desk;

use serde_json::Value;

use desk::Desk;

#[test]
fn what_is_no_document_is_named_with_the_verb_that_knows_it() {
    let desk = Desk::new();
    desk.done("ledger begin ledger.jsonl --root root.json --json");
    desk.done("root renew --root root.json --years 7 --out next.draft --json");
    desk.done(
        "issue acme.toml --key license.key --root root.json --serial 1 --break-glass --reason fire \
         --at 2026-11-22T07:00:00Z --out 1.json --json",
    );
    desk.write("some.toml", desk::TEMPLATE.trim_start());
    for (file, is, verb) in [
        ("ledger.jsonl", "a line of a ledger", "ledger verify"),
        ("next.draft", "a draft of a root", "root show"),
        ("1.json.slip", "the slip of a break-glass license", "ledger enter"),
        ("license.key", "a key", "stays where it is"),
        ("some.toml", "a template", "lint"),
    ] {
        let ran = desk.run(&format!("inspect {file}"));
        assert_eq!(ran.exit, 65, "{file}: {}", ran.stderr);
        assert!(ran.stdout.lines().all(|line| line.starts_with("UNVERIFIED  ")), "{file}");
        assert!(ran.stderr.contains(is) && ran.stderr.contains(verb), "{file}: {}", ran.stderr);
    }
    let key = desk.run("inspect license.key");
    assert!(!key.stdout.contains("MC4C"), "nothing of a key is shown: {}", key.stdout);
}

#[test]
fn a_request_is_shown_as_a_claim_with_the_verb_that_answers_it() {
    let desk = Desk::empty();
    desk.keygen("device");
    desk.request("site.request", "device", |_| {});
    let ran = desk.run("inspect site.request");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stdout.lines().all(|line| line.starts_with("UNVERIFIED  ")));
    assert!(ran.stdout.contains("claims to be a request; license-tool answer"), "{}", ran.stdout);
    let json: Value = desk.done("inspect site.request --json");
    assert_eq!(json["verified"], false);
    assert_eq!(json["claims"][0]["verified"], false);
}
