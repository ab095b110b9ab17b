//! Keys in a token, on the real tool and SoftHSM.
#![allow(clippy::unwrap_used)]

mod desk;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use desk::{Desk, ISSUED_AT, MADE_AT, Ran, TEMPLATE, names};

/// Where packages put the module.
const MODULES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

const PIN: &str = "271828";

/// A desk with tokens of its own.
struct Hsm {
    desk: Desk,
    module: &'static str,
}

#[test]
fn a_vendor_whose_keys_are_all_in_a_token_signs_roots_licenses_and_receipts() {
    let Some(hsm) = Hsm::new(&["vendor"]) else { return };
    let mut ids = Vec::new();
    for role in ["root", "license", "revocation", "kernel"] {
        let uri = hsm.uri("vendor", role);
        let made = hsm.done(&format!("keygen --pkcs11 {uri} --pin-file pin --json"));
        assert_eq!((&made["token"], &made["object"]), (&"vendor".into(), &role.into()));
        assert_eq!(made["extractable"], false);
        ids.push(made["key_id"].clone());
    }
    let key = |role| hsm.uri("vendor", role);
    let root = hsm.done(&format!(
        "root init --issuer ACME --root-key {} --license-key {} --revocation-key {} \
         --kernel-key {} --expires 9000-01-01 --at {MADE_AT} --pin-file pin --out root.json --json",
        key("root"),
        key("license"),
        key("revocation"),
        key("kernel")
    ));
    assert_eq!(root["root"]["roles"]["root"]["key_ids"][0], ids[0]);
    assert_eq!(root["root"]["roles"]["license"]["key_ids"][0], ids[1]);
    assert_eq!(root["root"]["keys"][1]["name"], "license", "the object's label, not the URI");

    hsm.desk.write("acme.toml", TEMPLATE);
    hsm.done(&hsm.issue("license", 1, "--pin-file pin"));
    let verified = hsm.done("verify 1.json --root root.json --json");
    assert_eq!(verified["licenses"][0]["serial"], 1);

    hsm.desk.keygen("device");
    hsm.desk.export("export.jsonl", "device", 1, 3);
    let receipt = hsm.done(&format!(
        "receipt export.jsonl --key {} --root root.json --pin-file pin --out receipt.json --json",
        key("kernel")
    ));
    assert_eq!(receipt["receipt"]["seq"], 3);

    // A key of another role is refused as one from a file is.
    let refused = hsm.refused(&hsm.issue("kernel", 2, "--pin-file pin"), 5, "signature.wrong_role");
    assert!(refused.contains("role kernel"), "{refused}");
}

#[test]
fn a_token_key_can_not_leave_its_token_and_is_never_made_over_another() {
    let Some(hsm) = Hsm::new(&["vendor"]) else { return };
    let uri = hsm.uri("vendor", "license");
    let made = hsm.done(&format!("keygen --pkcs11 {uri} --pin-file pin --json"));
    let private = hsm.dump_of_private_objects();
    assert_eq!(private.len(), 1);
    for (attribute, wanted) in
        [("CKA_EXTRACTABLE", "FALSE"), ("CKA_SENSITIVE", "TRUE"), ("CKA_PRIVATE", "TRUE")]
    {
        let at = private[0].find(attribute).unwrap();
        let value = private[0][at..].lines().nth(2).unwrap();
        assert!(value.contains(wanted), "{attribute}: {value}");
    }

    let again = hsm.refused(&format!("keygen --pkcs11 {uri} --pin-file pin"), 73, "output.exists");
    assert!(again.contains("never overwritten"), "{again}");
    assert_eq!(hsm.dump_of_private_objects(), private, "nothing was added or changed");

    // By another label under the same id as well; by another of both it is a second key.
    let by_id = |label: &str, id: &str| hsm.uri("vendor", &format!("{label};id={id}"));
    hsm.done(&format!("keygen --pkcs11 {} --pin-file pin --json", by_id("two", "%02")));
    let same_id = format!("keygen --pkcs11 {} --pin-file pin", by_id("three", "%02"));
    hsm.refused(&same_id, 73, "output.exists");
    let two = hsm.done(&format!("keygen --pkcs11 {} --pin-file pin --json", by_id("4", "%03")));
    assert_ne!(two["key_id"], made["key_id"]);
}

#[test]
fn the_module_is_named_by_uri_option_or_variable_in_that_order() {
    let Some(hsm) = Hsm::new(&["vendor"]) else { return };
    hsm.done(&format!("keygen --pkcs11 {} --pin-file pin --json", hsm.uri("vendor", "a")));
    let bare = |label: &str| format!("keygen --pkcs11 pkcs11:token=vendor;object={label}");
    let none = hsm.refused(&format!("{} --pin-file pin", bare("b")), 69, "key.module_unusable");
    assert!(none.contains("no PKCS#11 module"), "{none}");
    let module = hsm.module;
    hsm.done(&format!("{} --pin-file pin --pkcs11-module {module} --json", bare("c")));
    let by_variable = hsm
        .command(&format!("{} --pin-file pin", bare("d")))
        .env("LICENSE_TOOL_PKCS11_MODULE", module)
        .output()
        .unwrap();
    assert!(by_variable.status.success(), "{by_variable:?}");
    let option_first = hsm
        .command(&format!("{} --pin-file pin --pkcs11-module {module}", bare("e")))
        .env("LICENSE_TOOL_PKCS11_MODULE", "/nowhere.so")
        .output()
        .unwrap();
    assert!(option_first.status.success(), "{option_first:?}");
    let uri_first = format!("keygen --pkcs11 {} --pin-file pin", hsm.uri("vendor", "f"));
    hsm.done(&format!("{uri_first} --pkcs11-module /nowhere.so --json"));
}

#[test]
fn what_can_not_be_used_says_what_to_do() {
    let Some(hsm) = Hsm::new(&["vendor", "spare"]) else { return };
    hsm.done(&format!("keygen --pkcs11 {} --pin-file pin --json", hsm.uri("vendor", "license")));
    hsm.desk.write("acme.toml", TEMPLATE);
    for key in ["root", "license", "revocation", "kernel"] {
        hsm.desk.keygen(key);
    }
    hsm.desk.root_init("root.json", &[]);
    let with = |uri: &str| {
        format!(
            "issue acme.toml --key {uri} --root root.json --serial 1 --at {ISSUED_AT} \
             --out 1.json --pin-file pin"
        )
    };
    let module = hsm.module;
    for (uri, says) in [
        (hsm.uri("vendor", "nobody"), "0 Ed25519 private keys"),
        (hsm.uri("nothing", "license"), "0 tokens"),
        (format!("pkcs11:object=license?module-path={module}"), "2 tokens"),
        ("pkcs11:token=vendor;object=license?module-path=/nowhere.so".to_owned(), "/nowhere.so"),
        ("pkcs11:token=vendor;object=license?module-path=acme.toml".to_owned(), "acme.toml"),
    ] {
        let said = hsm.refused(&with(&uri), 69, "key.module_unusable");
        assert!(said.contains(says), "{uri}: {said}");
    }
    let ran = hsm.run(&with(&hsm.uri("nothing", "license")));
    assert!(ran.stderr.contains("token=vendor") && ran.stderr.contains("token=spare"));
    for bad in ["pkcs11:token=vendor", "pkcs11:object=a;colour=red", "pkcs11:object"] {
        hsm.refused(&with(bad), 2, "usage.invalid");
    }
    let no_label = format!("keygen --pkcs11 pkcs11:token=vendor;id=%09?module-path={module}");
    let said = hsm.refused(&format!("{no_label} --pin-file pin"), 2, "usage.invalid");
    assert!(said.contains("no label"), "{said}");
    assert!(!hsm.desk.exists("1.json"), "nothing is written when the key does not sign");
}

#[test]
fn a_pin_is_tried_once_and_is_never_shown() {
    let Some(hsm) = Hsm::new(&["vendor"]) else { return };
    hsm.desk.write_secret("wrong", "314159\n");
    let uri = hsm.uri("vendor", "license");

    let said = hsm.refused(
        // The right one behind it is for another token: it is not tried on this one.
        &format!("keygen --pkcs11 {uri} --pin-file wrong --pin-file pin"),
        69,
        "key.module_unusable",
    );
    assert!(said.contains("does not take the PIN") && !said.contains("314159"), "{said}");

    let in_argv = format!("keygen --pkcs11 {uri}&pin-value={PIN}");
    let ran = hsm.run(&in_argv);
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("pin-value") && !ran.stderr.contains(PIN), "{}", ran.stderr);

    let nobody = hsm.refused(&format!("keygen --pkcs11 {uri}"), 69, "key.module_unusable");
    assert!(nobody.contains("needs its PIN"), "{nobody}");

    let piped = hsm
        .command(&format!("keygen --pkcs11 {uri} --pin-fd 0"))
        .stdin(fs::File::open(hsm.desk.path("pin")).unwrap())
        .output()
        .unwrap();
    assert!(piped.status.success(), "{piped:?}");
    let by_source = format!("{}&pin-source=file:pin", hsm.uri("vendor", "other"));
    hsm.done(&format!("keygen --pkcs11 {by_source} --json"));
}

#[test]
fn two_tokens_take_two_pins_and_each_is_logged_into_once() {
    let Some(hsm) = Hsm::new(&["safe", "desk"]) else { return };
    for (token, object) in [("safe", "root"), ("desk", "license"), ("desk", "kernel")] {
        hsm.done(&format!("keygen --pkcs11 {} --pin-file pin --json", hsm.uri(token, object)));
    }
    hsm.desk.keygen("revocation");
    let root = hsm.done(&format!(
        "root init --issuer ACME --root-key {} --license-key {} --kernel-key {} \
         --revocation-key revocation.key --expires 9000-01-01 --at {MADE_AT} --out root.json \
         --pin-file pin --pin-file pin --json",
        hsm.uri("safe", "root"),
        hsm.uri("desk", "license"),
        hsm.uri("desk", "kernel"),
    ));
    assert_eq!(root["root"]["keys"].as_array().unwrap().len(), 4);
}

impl Hsm {
    /// A desk with an initialized token of each label; none where SoftHSM is not installed.
    fn new(tokens: &[&str]) -> Option<Self> {
        let module = MODULES.into_iter().find(|path| Path::new(path).exists());
        let (Some(module), Ok(_)) = (module, Command::new("softhsm2-util").arg("-v").output())
        else {
            eprintln!(
                "SKIPPED: SoftHSM (Debian: softhsm2) is not here: keys in tokens are UNTESTED"
            );
            return None;
        };
        let hsm = Self { desk: Desk::empty(), module };
        fs::create_dir(hsm.desk.path("tokens")).unwrap();
        let folder = hsm.desk.path("tokens");
        hsm.desk.write(
            "softhsm2.conf",
            format!("directories.tokendir = {}\nlog.level = ERROR\n", folder.display()),
        );
        hsm.desk.write_secret("pin", &format!("{PIN}\n"));
        for token in tokens {
            let made = Command::new("softhsm2-util")
                .args(["--init-token", "--free", "--so-pin", "12345678", "--pin", PIN])
                .args(["--label", token])
                .env("SOFTHSM2_CONF", hsm.desk.path("softhsm2.conf"))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(made.status.success(), "{made:?}");
        }
        Some(hsm)
    }

    fn uri(&self, token: &str, object: &str) -> String {
        format!("pkcs11:token={token};object={object}?module-path={}", self.module)
    }

    fn issue(&self, object: &str, serial: u64, more: &str) -> String {
        format!(
            "issue acme.toml --key {} --root root.json --serial {serial} --at {ISSUED_AT} \
             --out {serial}.json {more}",
            self.uri("vendor", object)
        )
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.desk.command(line);
        command.env("SOFTHSM2_CONF", self.desk.path("softhsm2.conf"));
        command.env_remove("LICENSE_TOOL_PKCS11_MODULE");
        command
    }

    fn run(&self, line: &str) -> Ran {
        let output = self.command(line).output().unwrap();
        let ran = Ran {
            exit: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        // Whatever was asked and however it ended.
        assert!(!ran.stdout.contains(PIN) && !ran.stderr.contains(PIN), "{line}\n{ran:?}");
        ran
    }

    fn done(&self, line: &str) -> Value {
        let ran = self.run(line);
        assert_eq!(ran.exit, 0, "{line}\n{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap_or(Value::Null)
    }

    /// What was said of a run that must be refused.
    fn refused(&self, line: &str, exit: i32, code: &str) -> String {
        let ran = self.run(&format!("{line} --json"));
        assert_eq!(ran.exit, exit, "{line}\n{}", ran.stderr);
        let json: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(json["error"]["code"], code, "{line}\n{}", ran.stderr);
        json["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Every private object of every token, as SoftHSM's own tool prints it.
    fn dump_of_private_objects(&self) -> Vec<String> {
        let tokens = self.desk.path("tokens");
        let mut dumps = Vec::new();
        for token in names(&tokens) {
            let folder: PathBuf = tokens.join(token);
            for object in names(&folder).iter().filter(|name| name.ends_with(".object")) {
                let dump =
                    Command::new("softhsm2-dump-file").arg(folder.join(object)).output().unwrap();
                let text = String::from_utf8_lossy(&dump.stdout).into_owned();
                if text.contains("CKA_EXTRACTABLE") {
                    dumps.push(text);
                }
            }
        }
        dumps
    }
}
