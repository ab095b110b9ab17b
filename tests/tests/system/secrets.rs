//! Secrets planted everywhere, and looked for everywhere.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, Vendor};

const CANARY: &str = "canary-7f3a9c";

#[test]
fn nothing_secret_reaches_log_status_metrics_or_the_process_list() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(5));
    let mut site =
        Site::planned(&vendor, |plan| plan.logging_everything()).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let device_key = fs::read_to_string(site.state().join("device.key")).unwrap();
    let private: &str = device_key.lines().nth(1).unwrap();

    // Each is a way in which a secret meets the agent: taken, refused, malformed.
    let token = format!("fhr_{CANARY}");
    let unknown = courses.check("export").call();
    unknown.with("authorization", &format!("Bearer {token}")).answer().refused(Code::AuthInvalid);
    let resolve = json!({"tenant_id": courses.tenant(), "external_token": CANARY});
    courses
        .post("/kernel/identity/resolve", &resolve)
        .answer()
        .refused(Code::IdentityUnavailableOffline);
    for body in
        [format!("{{\"external_token\": {CANARY}}}"), format!("{{\"tenant_id\": \"{CANARY}\"}}")]
    {
        let problem = courses
            .call("POST", "/kernel/identity/resolve")
            .body("application/json", body)
            .answer()
            .refused(Code::RequestMalformed);
        assert!(!problem.to_string().contains(CANARY), "{problem}");
    }
    let told = courses.event("login").payload(json!({"password": CANARY}));
    courses.tells(&told).answer().ok();
    let refused = courses.event("agent.started").payload(json!({"password": CANARY}));
    courses.tells(&refused).answer().refused(Code::EventRefused);
    courses.check("export").consume(1).key(CANARY).allowed();
    site.imports(&Document::written(site.path("x"), CANARY.as_bytes()))
        .refused(Code::BundleMalformed);

    let process = |file: &str| {
        let path = format!("/proc/{}/{file}", site.agent().id());
        String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
    };
    let metrics = site.admin("GET", "/metrics").answer();
    let places = [
        ("status", site.status().to_string()),
        ("metrics", String::from_utf8_lossy(metrics.bytes()).into_owned()),
        ("tokens", site.verb(["token", "list"]).done().to_string()),
        ("command line", process("cmdline")),
        ("environment", process("environ")),
    ];
    site.killed().started();
    for (place, text) in
        places.iter().map(|(place, text)| (*place, text.clone())).chain([("log", site.log())])
    {
        assert!(!text.is_empty(), "{place}");
        for secret in [CANARY, courses.token(), private] {
            assert!(!text.contains(secret), "{place} holds a secret: {text}");
        }
    }
}

#[test]
fn a_passphrase_and_a_key_stay_where_they_are() {
    let vendor = Vendor::new();
    let canary = format!("{CANARY}\n");
    for (name, words) in [("passphrase", canary.as_str()), ("wrong", "another\n")] {
        let path = vendor.folder().join(name);
        Document::written(path.clone(), words.as_bytes());
        // One that others may read is refused.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let made = vendor.tool(["keygen", "sealed.key", "--passphrase-file", "passphrase"]);
    let file = fs::read_to_string(vendor.folder().join("sealed.key")).unwrap();
    let root = "root init --issuer X --root-key sealed.key --license-key license.key \
                --revocation-key revocation.key --kernel-key kernel.key --out other.json";
    let words =
        |more: &'static str| root.split_ascii_whitespace().chain(more.split_ascii_whitespace());
    let wrong = vendor.tool(words("--passphrase-file wrong"));
    let right = vendor.tool(words("--passphrase-file passphrase"));
    for ran in [&made, &wrong, &right] {
        for said in [&ran.line, &ran.stdout, &ran.stderr] {
            assert!(!said.contains(CANARY) && !said.contains(file.lines().nth(1).unwrap()));
        }
    }
    made.done();
    wrong.refused(Code::KeyPassphrase);
    right.done();
    let plain = fs::read_to_string(vendor.folder().join("license.key")).unwrap();
    vendor
        .tool(["inspect", "license.key"])
        .refused(Code::EnvelopeMalformed)
        .to_string()
        .contains(&plain);
}
