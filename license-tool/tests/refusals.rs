//! Every way to be refused, with its exit code and its code word, on the real tool.
#![allow(clippy::unwrap_used)]

mod desk;

use std::fs;

use farhold_bundle::{Envelope, PublicKey, Signer, TrustRoot, Unsigned, payload::License};
use farhold_contract::Code;

use desk::{Desk, ISSUED_AT, LICENSE, MADE_AT, names};

const ISSUE: &str = "issue acme.toml --key license.key --root root.json --serial 1 \
                     --at 2026-11-22T07:00:00Z --out out.json";

#[cfg(unix)]
#[test]
fn a_secret_that_others_may_read_is_refused_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new();
    desk.write_secret("pass", "correct horse");
    desk.done("keygen sealed.key --passphrase-file pass");
    let open = |name: &str| {
        let mode = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(desk.path(name), mode).unwrap();
    };
    let line = "issue acme.toml --root root.json --serial 1 --out x.json --key";
    open("pass");
    let passphrase = format!("{line} sealed.key --passphrase-file pass");
    desk.refused(&passphrase, 65, "key.unreadable");
    open("license.key");
    let key = format!("{line} license.key");
    desk.refused(&key, 65, "key.unreadable");
    for (line, name) in [(passphrase, "pass"), (key, "license.key")] {
        let said = desk.run(&line).stderr;
        assert!(said.contains(&format!("  try: chmod 600 {name}")), "{said}");
        assert!(!said.contains("PKCS#8"), "{said}");
    }
}

#[test]
fn what_exists_is_never_overwritten() {
    let desk = Desk::new();
    desk.issue(1, "license.json");
    desk.export("audit", "root", 1, 2);
    desk.write("taken", "precious");
    let init = format!(
        "root init --issuer A --root-key root.key --license-key license.key \
         --revocation-key revocation.key --kernel-key kernel.key --at {MADE_AT} --out taken"
    );
    for line in [
        "keygen taken --unencrypted",
        "new taken --yes",
        &init,
        &ISSUE.replace("out.json", "taken"),
        "bundle license.json --root root.json --out taken",
        "receipt audit --key kernel.key --out taken",
    ] {
        desk.refused(line, 73, "output.exists");
        assert_eq!(desk.read("taken"), b"precious", "{line}");
    }
}

#[test]
fn no_output_comes_near_a_key() {
    let desk = Desk::new();
    desk.issue(1, "license.json");
    desk.export("audit", "root", 1, 2);
    let before = desk.read("license.key");
    #[cfg(unix)]
    std::os::unix::fs::symlink("license.key", desk.path("alias")).unwrap();
    for line in [
        ISSUE.replace("out.json", "license.key"),
        ISSUE.replace("out.json", "./license.key"),
        // Whoever's key it is: none of the inputs.
        ISSUE.replace("out.json", "kernel.key"),
        #[cfg(unix)]
        ISSUE.replace("out.json", "alias"),
        format!(
            "root init --issuer A --root-key root.key --license-key license.key \
             --revocation-key revocation.key --kernel-key kernel.key --at {MADE_AT} \
             --out license.key"
        ),
        "receipt audit --key kernel.key --out kernel.key".to_owned(),
    ] {
        desk.refused(&line, 73, "output.is_key");
    }
    for (line, input) in [
        (ISSUE.replace("out.json", "acme.toml"), "acme.toml"),
        (ISSUE.replace("out.json", "root.json"), "root.json"),
        ("bundle license.json --root root.json --out license.json".to_owned(), "license.json"),
    ] {
        let said = desk.refused(&line, 2, "usage.invalid");
        assert!(said.ends_with(&format!("is the input {input}")), "{said}");
    }
    assert_eq!(desk.read("license.key"), before);
}

#[test]
fn an_output_that_cannot_be_written_is_said() {
    let desk = Desk::new();
    desk.refused("keygen no/folder.key --unencrypted", 73, "output.unwritable");
    desk.refused(&ISSUE.replace("out.json", "no/folder.json"), 73, "output.unwritable");
    desk.refused("new no/folder.toml --yes", 73, "output.unwritable");
}

#[test]
fn keys_are_refused_for_what_they_are() {
    let desk = Desk::new();
    desk.write_secret("right", "the right one\n");
    desk.write_secret("wrong", "a wrong one\n");
    desk.write_secret("empty", "\n");
    desk.done("keygen sealed.key --passphrase-file right");
    let issue = |more: &str| ISSUE.replace("--key license.key", more);
    desk.refused(&issue("--key sealed.key --passphrase-file wrong"), 4, "key.passphrase");
    desk.refused(&issue("--key sealed.key --passphrase-file empty"), 65, "input.unreadable");
    desk.refused(&issue("--key sealed.key --passphrase-file none"), 65, "input.unreadable");
    // Whichever passphrase fits is used; the key itself has no role.
    desk.refused(
        &issue("--key sealed.key --passphrase-file wrong --passphrase-file right"),
        5,
        "signature.key_unknown",
    );
    desk.refused(&issue("--key missing.key"), 65, "key.unreadable");
    desk.refused(&issue("--key acme.toml"), 65, "key.unreadable");
    desk.refused(&issue("--key root.key"), 5, "signature.wrong_role");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(desk.path("sealed.key"), fs::Permissions::from_mode(0o644)).unwrap();
        let said = desk.refused(&issue("--key sealed.key"), 65, "key.unreadable");
        assert!(said.contains("0644"), "{said}");
    }
    desk.refused(
        "keygen x.key --passphrase-file right --passphrase-file wrong",
        2,
        "usage.invalid",
    );
    desk.refused("keygen x.key --passphrase-file empty", 65, "input.unreadable");
    assert!(!desk.exists("x.key") && !desk.exists("out.json"));
}

#[cfg(unix)]
#[test]
fn a_passphrase_or_pin_that_others_may_read_is_refused_as_a_key_is() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new();
    desk.write_secret("right", "the right one\n");
    desk.done("keygen sealed.key --passphrase-file right");
    for mode in [0o640, 0o604, 0o602] {
        fs::set_permissions(desk.path("right"), fs::Permissions::from_mode(mode)).unwrap();
        for given in ["--passphrase-file right", "--pin-file right"] {
            let line = format!("keygen x.key {given}");
            let said = desk.refused(&line, 65, "key.unreadable");
            assert!(said.contains("make it 0600"), "{said}");
        }
        assert!(!desk.exists("x.key"));
    }
}

#[test]
fn without_a_terminal_a_passphrase_must_be_given() {
    if fs::File::open("/dev/tty").is_ok() {
        eprintln!("SKIPPED: this process has a terminal, on which the tool would ask");
        return;
    }
    let desk = Desk::empty();
    desk.refused("keygen a.key", 4, "key.passphrase");
    assert!(names(&desk.path(".")).is_empty());
}

#[test]
fn without_a_terminal_new_asks_nobody() {
    let desk = Desk::empty();
    desk.refused("new a.toml", 2, "usage.invalid");
    desk.refused("new a.toml --yes --product two\u{a0}words", 65, "template.invalid");
    assert!(names(&desk.path(".")).is_empty());
}

#[test]
fn a_root_that_contradicts_itself_is_not_made() {
    let desk = Desk::new();
    let init = |more: &str| {
        format!(
            "root init --issuer A --license-key license.key --revocation-key revocation.key \
             --at {MADE_AT} --out new.json {more}"
        )
    };
    let public = desk.keygen("far");
    for (more, exit, code) in [
        ("--root-key root.key --kernel-key license.key", 2, "usage.invalid"),
        ("--root-key root.key --root-key root.key --kernel-key kernel.key", 2, "usage.invalid"),
        (&format!("--root-key {public} --kernel-key kernel.key"), 5, "signature.threshold"),
        (
            &format!(
                "--root-key root.key --root-key {public} --root-threshold 2 --kernel-key kernel.key"
            ),
            5,
            "signature.threshold",
        ),
        ("--root-key root.key --kernel-key kernel.key --license-threshold 2", 2, "usage.invalid"),
        (
            "--root-key root.key --kernel-key \
             0100000000000000000000000000000000000000000000000000000000000000",
            5,
            "key.weak",
        ),
        (
            "--root-key root.key --kernel-key kernel.key --expires 2026-10-31",
            65,
            "payload.malformed",
        ),
        ("--root-key root.key --kernel-key kernel.key --expires 9999-12-31", 2, "usage.invalid"),
        ("--root-key root.key --kernel-key missing.key", 65, "key.unreadable"),
    ] {
        desk.refused(&init(more), exit, code);
        assert!(!desk.exists("new.json"), "{more}");
    }
}

#[test]
fn a_root_is_shown_for_what_it_is() {
    let desk = Desk::new();
    desk.issue(1, "license.json");
    let other = "0".repeat(64);
    desk.refused(&format!("root show root.json --sha256 {other}"), 5, "trust.hash_mismatch");
    desk.refused("root show license.json", 65, "payload.type_unknown");
    desk.refused("root show acme.toml", 65, "bundle.malformed");
    desk.refused("root show missing.json", 65, "input.unreadable");
    desk.write("torn.json", &desk.read("root.json")[..200]);
    desk.refused("root show torn.json", 65, "envelope.malformed");
}

#[test]
fn a_license_that_makes_no_sense_is_not_issued() {
    let desk = Desk::new();
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    let (head, _) = template.split_once("[[entitlements]]").unwrap();
    for (name, text, said) in [
        (
            "ended",
            template
                .replace("2027-12-31", "2026-11-20")
                .replace("expires_on", "not_before = 2026-01-01T00:00:00Z\nexpires_on"),
            "line 6: expires_on has passed",
        ),
        (
            "grants-nothing",
            head.replace("expires_on", "entitlements = []\nexpires_on"),
            "entitlements are empty",
        ),
        (
            "unknown-key",
            template.replace("quota", "qouta"),
            "line 17: entitlements[0].limits.qouta is not known; did you mean quota?",
        ),
        ("needs", format!("{template}\n[needs]\nroot = 2\n"), "line 20: needs.root is above"),
        ("not-toml", template.replace("\"company\"", "company"), "line 9: "),
        ("no-id", template.replace("license_id", "# license_id"), "license_id is missing"),
    ] {
        desk.write("acme.toml", &text);
        let message = desk.refused(ISSUE, 65, "template.invalid");
        assert!(message.starts_with("acme.toml: ") && message.contains(said), "{name}: {message}");
    }
    desk.write(
        "acme.toml",
        template
            .replace("[tenant]", "[binding]\ndevice_key = \"KEY\"\n[tenant]")
            .replace("KEY", &desk.keygen("device")),
    );
    desk.refused(&format!("{ISSUE} --unbound"), 2, "usage.invalid");
    desk.refused(&format!("{ISSUE} --new-id"), 2, "usage.invalid");
    desk.write("acme.toml", [0xff, 0xfe]);
    desk.refused(ISSUE, 65, "template.invalid");
    desk.refused(&ISSUE.replace("acme.toml", "none.toml"), 65, "input.unreadable");
    assert!(!desk.exists("out.json"));
}

#[test]
fn an_ended_root_issues_and_takes_nothing_new() {
    let desk = Desk::new();
    desk.root_init("old.json", &["--expires", "2026-11-20"]);
    desk.refused(&ISSUE.replace("root.json", "old.json"), 5, "trust.root_expired");
    // Issued in time, but it is not today that a site would take it.
    let in_time = ISSUE.replace("root.json", "old.json").replace(ISSUED_AT, "2026-11-10T00:00:00Z");
    desk.done(&in_time);
    desk.refused("verify out.json --root old.json", 5, "trust.root_expired");
}

#[test]
fn what_does_not_verify_is_refused_by_verify_and_bundle() {
    let desk = Desk::new();
    desk.issue(1, "license.json");
    let line = desk.read("license.json");
    let with = |at: usize, byte: u8| {
        let mut line = line.clone();
        line[at] = byte;
        line
    };
    let text = String::from_utf8(line.clone()).unwrap();
    let signature_at = text.find("\"sig\":\"").unwrap() + 7;
    let flipped = if line[signature_at] == b'A' { b'B' } else { b'A' };
    desk.write("flipped", with(signature_at, flipped));
    desk.write("truncated", &line[..line.len() - 1]);
    desk.write("crlf", text.replace('\n', "\r\n"));
    desk.write("bom", format!("\u{feff}{text}"));
    desk.write("blank", format!("{text}\n"));
    desk.write("empty", "");
    desk.write("typed", "FH1:NOT/WHOLE");
    desk.request("request", "root", |request| request.release = Some(LICENSE.parse().unwrap()));
    for (name, exit, code) in [
        ("flipped", 5, "signature.invalid"),
        ("truncated", 65, "bundle.malformed"),
        ("crlf", 65, "envelope.malformed"),
        ("bom", 65, "envelope.malformed"),
        ("empty", 65, "bundle.malformed"),
        ("typed", 65, "typed_form.malformed"),
        ("request", 65, "payload.type_unknown"),
        ("missing", 65, "input.unreadable"),
    ] {
        desk.refused(&format!("verify {name} --root root.json"), exit, code);
        desk.refused(&format!("bundle {name} --root root.json --out site.bundle"), exit, code);
        assert!(!desk.exists("site.bundle"), "{name}");
    }
    desk.refused("verify blank --root root.json", 65, "bundle.malformed");

    // Another vendor's root, a wrong hash, a root that is no root.
    let other = Desk::new();
    desk.write("other.json", other.read("root.json"));
    desk.refused("verify license.json --root other.json", 5, "signature.key_unknown");
    desk.refused(
        "bundle license.json --root other.json --out site.bundle",
        5,
        "signature.key_unknown",
    );
    let hash = "0".repeat(64);
    desk.refused(
        &format!("verify license.json --root root.json --sha256 {hash}"),
        5,
        "trust.hash_mismatch",
    );
    desk.refused("verify license.json --root license.json", 65, "payload.type_unknown");
    desk.refused("bundle root.json --root root.json --out site.bundle", 2, "usage.invalid");
}

#[test]
fn one_serial_given_twice_refuses_the_bundle() {
    let desk = Desk::new();
    desk.issue(1, "a.json");
    let template = String::from_utf8(desk.read("acme.toml")).unwrap();
    desk.write("acme.toml", template.replace("quota = 500", "quota = 501"));
    desk.issue(1, "b.json");
    desk.refused("bundle a.json b.json --root root.json --out site.bundle", 4, "bundle.conflict");
    assert!(!desk.exists("site.bundle"));
}

#[test]
fn an_export_that_is_not_whole_gets_no_receipt() {
    let desk = Desk::new();
    let device = desk.keygen("device");
    desk.keygen("other");
    desk.export("good", "device", 1, 4);
    desk.export("later", "device", 3, 4);
    desk.export("none", "device", 1, 0);
    let export = String::from_utf8(desk.read("good")).unwrap();
    let lines: Vec<&str> = export.split_inclusive('\n').collect();
    desk.write("changed", export.replacen("c-2", "c-X", 1));
    desk.write("truncated", lines[..3].concat());
    desk.write("cut", &export[..export.len() - 1]);
    desk.write("reordered", [lines[0], lines[2], lines[1], lines[3], lines[4]].concat());
    desk.write("surplus", format!("{export}{}", lines[4]));
    desk.write("headless", lines[1..].concat());
    desk.write("empty", "");
    for (name, exit, code) in [
        ("changed", 5, "chain.broken"),
        ("truncated", 65, "audit.gap"),
        ("cut", 65, "audit.gap"),
        ("reordered", 65, "audit.gap"),
        ("surplus", 5, "chain.broken"),
        ("headless", 65, "envelope.malformed"),
        ("empty", 65, "envelope.malformed"),
        ("missing", 65, "input.unreadable"),
    ] {
        desk.refused(&format!("audit verify {name}"), exit, code);
        desk.refused(&format!("receipt {name} --key kernel.key --out r.json"), exit, code);
        assert!(!desk.exists("r.json"), "{name}");
    }
    let foreign = desk.signer("other").public_key().to_string();
    desk.refused(&format!("audit verify good --device-key {foreign}"), 5, "signature.key_unknown");
    desk.done(&format!("audit verify good --device-key {device}"));

    desk.refused("receipt none --key kernel.key --out r.json", 4, "export.empty");
    desk.refused("receipt later --key kernel.key --out r.json", 65, "audit.gap");
    desk.refused(
        "receipt good --key license.key --root root.json --out r.json",
        5,
        "signature.wrong_role",
    );
    desk.export("others", "other", 1, 2);
    desk.done("receipt others --key kernel.key --out others.json");
    desk.refused(
        "receipt later --key kernel.key --after others.json --out r.json",
        4,
        "receipt.foreign",
    );
    desk.export("short", "device", 1, 2);
    desk.done("receipt short --key license.key --out forged.json");
    desk.refused(
        "receipt later --key kernel.key --after forged.json --out r.json",
        5,
        "signature.key_unknown",
    );
    desk.done("receipt short --key kernel.key --out short.json");
    desk.done("receipt later --key kernel.key --after short.json --out r.json");
}

#[test]
fn inspect_shows_what_it_can_and_marks_every_line() {
    let desk = Desk::new();
    desk.issue(1, "license.json");
    desk.export("audit", "root", 1, 2);
    for name in ["license.json", "root.json", "audit"] {
        let ran = desk.run(&format!("inspect {name}"));
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        assert!(ran.stdout.lines().count() > 2);
        assert!(ran.stdout.lines().all(|line| line.starts_with("UNVERIFIED  ")), "{}", ran.stdout);
    }
    let mut mixed = desk.read("license.json");
    mixed.extend_from_slice(b"not an envelope\n");
    desk.write("mixed", mixed);
    desk.refused("inspect mixed", 65, "envelope.malformed");
    let ran = desk.run("inspect mixed --json");
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["claims"][0]["type"], "license");
    assert_eq!(json["claims"][1]["code"], "envelope.malformed");
    desk.write("empty", "");
    desk.refused("inspect empty", 65, "envelope.malformed");
    desk.refused("inspect missing", 65, "input.unreadable");
    // A changed document looks as good as a true one: that is why it is marked.
    let text = String::from_utf8(desk.read("license.json")).unwrap();
    desk.write("flipped", text.replacen("sig\":\"", "sig\":\"AAAA", 1).replacen("AAAA", "", 1));
    assert_eq!(desk.run("inspect flipped").exit, 0);
}

#[test]
fn a_signature_that_does_not_hold_is_found_before_anything_is_written() {
    /// A token that signs something else than it was given.
    struct Liar(farhold_keys::FileSigner);

    impl Signer for Liar {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }

        fn sign(&self, _: &[u8]) -> Result<[u8; 64], Unsigned> {
            self.0.sign(b"something else")
        }
    }

    let desk = Desk::new();
    desk.issue(1, "license.json");
    let root = TrustRoot::install(desk.read("root.json").trim_ascii_end(), None).unwrap();
    let envelope = Envelope::open(desk.read("license.json").trim_ascii_end()).unwrap();
    let license = root.verify::<License>(envelope).unwrap();
    let issue = |signer: &dyn Signer| license_tool::issue::issue(&root, &license, &[signer]);
    // What `issue` and `answer` write is what this returns.
    let signed = issue(&desk.signer("license")).unwrap();
    assert_eq!(signed.line(), desk.read("license.json").trim_ascii_end());
    let refused = issue(&Liar(desk.signer("license"))).unwrap_err();
    assert_eq!(refused.code(), Code::SignatureInvalid);
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused_in_the_house_form() {
    let desk = Desk::new();
    for (line, says) in [
        ("isue", "unrecognized subcommand 'isue'"),
        ("issue", "required arguments were not provided"),
        (
            "issue acme.toml --key license.key --root root.json --serial 0 --out a.json",
            "not a whole number from 1",
        ),
        (
            "issue acme.toml --key license.key --root root.json --serial 9007199254740992 --out a.json",
            "not a whole number from 1",
        ),
        ("keygen a.key --unencrypted --passphrase-fd 3", "cannot be used with"),
        ("verify root.json --root root.json --at soon", "neither a date like"),
        ("root init --issuer A --years 101", "--years"),
        ("audit verify a --device-key zz", "--device-key"),
        ("verify --rot root.json", "--rot"),
        ("lint root.json --allow nothing-of-the-kind", "not a finding"),
        ("ledger verify ledger --head 2", "SEQ:HASH"),
        ("\u{202e}isue\u{1b}[2J", "isue"),
    ] {
        let said = desk.refused(line, 2, "usage.invalid");
        assert!(said.contains(says) && !said.contains('\n'), "{line}: {said}");
        let ran = desk.run(line);
        assert!(ran.stdout.is_empty(), "{line}: data alone is on standard output");
        assert_eq!(ran.stderr.lines().count(), 2, "{line}: {}", ran.stderr);
        assert!(!ran.stderr.contains(['\u{202e}', '\u{1b}']), "{line}");
    }
    let tried = desk.run("simulat");
    assert!(
        tried.stderr.contains("  try: A similar subcommand exists: 'simulate'."),
        "{}",
        tried.stderr
    );
    let tried = desk.run("issue");
    assert!(tried.stderr.contains("  try: Read license-tool --help"), "{}", tried.stderr);
}

#[test]
fn a_missing_verb_shows_the_verbs_and_help_is_no_mistake() {
    let desk = Desk::empty();
    for line in ["", "ledger"] {
        desk.refused(line, 2, "usage.invalid");
        let ran = desk.run(line);
        assert!(ran.stdout.is_empty(), "{line}");
        assert!(
            ran.stderr.contains("Usage: ") && ran.stderr.contains("a verb is missing"),
            "{line}"
        );
        let json = desk.run(&format!("{line} --json"));
        assert_eq!(json.stderr.lines().count(), 2, "programs have no use for it: {}", json.stderr);
    }
    for line in ["--help", "issue --help", "--version", "issue --help --json"] {
        let ran = desk.run(line);
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{line}");
        assert!(!ran.stdout.is_empty(), "{line}");
    }
}
