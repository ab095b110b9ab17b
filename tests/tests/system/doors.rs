//! Two doors, two sets of routes, and nothing between them; and what a hostile caller sends.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::{
    http::Address,
    schema::{Operation, Specs, Surface},
    site::{Call, Site, TENANT_B, Vendor, ids},
};

fn operations(file: &'static str) -> Vec<Operation<'static>> {
    Operation::all(Specs::shared(), file)
}

/// A concrete path of a template.
fn concrete(path: &str) -> String {
    path.replace("{token_id}", &ids::v7()).replace("{runtime_id}", &ids::v7())
}

#[test]
fn no_admin_route_exists_at_a_runtimes_door() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let courses = site.runtime(Courses);
    let operations = operations("openapi/admin.json");
    assert!(operations.len() > 10);
    for door in site.doors() {
        for operation in &operations {
            for method in ["GET", "POST", "DELETE"] {
                let call = courses.call(method, &concrete(operation.path)).at(&door);
                call.answer().refused(Code::RequestNotFound);
            }
        }
    }
}

#[test]
fn no_route_of_the_contract_exists_at_the_admin_door() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let courses = site.runtime(Courses);
    let documents =
        ["openapi/kernel-v0.1.json", "openapi/kernel-v0.2.json", "openapi/local-v0.2.json"];
    for operation in documents.into_iter().flat_map(operations) {
        if operation.path.starts_with("/kernel/") {
            let call = courses.call(&operation.method.to_uppercase(), &concrete(operation.path));
            call.at_admin(&site.admin_socket()).answer().refused(Code::RequestNotFound);
        }
    }
}

#[test]
fn every_route_of_the_documents_exists_at_its_door_and_the_kernels_own_do_not() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let courses = site.runtime(Courses);
    // PATCH is no method of any route: a path that exists says so, one that does not is not found.
    for operation in operations("openapi/admin.json") {
        let call = site.admin("PATCH", &concrete(operation.path));
        call.answer().refused(Code::RequestMethod);
    }
    let documents =
        ["openapi/kernel-v0.1.json", "openapi/kernel-v0.2.json", "openapi/local-v0.2.json"];
    for operation in documents.into_iter().flat_map(operations) {
        let the_kernels = operation.path.starts_with("/kernel/agents/")
            || operation.path == "/kernel/audit/batches";
        let code = if the_kernels { Code::RequestNotFound } else { Code::RequestMethod };
        courses.call("PATCH", &concrete(operation.path)).answer().refused(code);
    }
}

#[test]
fn a_path_that_only_looks_like_a_route_is_none() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let courses = site.runtime(Courses);
    for door in site.doors() {
        for path in [
            "/",
            "/admin",
            "/admin/",
            "//admin/tokens",
            "/kernel/../admin/tokens",
            "/kernel/%2e%2e/admin/tokens",
            "/%61dmin/tokens",
            "/admin%2ftokens",
            "/./admin/tokens",
            "/kernel/entitlements/check/",
            "/kernel/entitlements//check",
            "/kernel/entitlements/check%00",
            "/kernel/entitlements/check;x=1",
            "/Kernel/Entitlements/Check",
            "/kernel/entitlements/check/../../../admin/tokens",
            "/kernel/runtimes/x/../../audit/events",
            "http://localhost/admin/tokens",
        ] {
            for method in ["GET", "POST"] {
                courses.call(method, path).at(&door).answer().refused(Code::RequestNotFound);
            }
        }
    }
}

#[test]
fn a_body_of_another_kind_or_size_is_refused_before_it_is_read() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    for door in site.doors() {
        let check = courses.check("export").call().at(&door);
        let body = |kind: &str, bytes: &[u8]| check.clone().body(kind, bytes).answer();
        body("application/json", &vec![b' '; 10 << 20]).refused(Code::RequestTooLarge);
        let event = courses.tells(&courses.event("login")).at(&door);
        let event = event.body("application/json", vec![b' '; 10 << 20]);
        event.answer().refused(Code::RequestTooLarge);
        body("text/plain", b"{}").refused(Code::RequestMediaType);
        check.clone().without("content-type").answer().refused(Code::RequestMediaType);
        for malformed in
            ["", "[]", "null", "{", "{} {}", "{\"feature\":1}", "\u{feff}{}", "{\"a\":1,}"]
        {
            body("application/json", malformed.as_bytes()).refused(Code::RequestMalformed);
        }
        body("application/json", &[b'{', 0xff, b'}']).refused(Code::RequestMalformed);
        check.answer().ok();
    }
    let admin = |path: &str, most: usize| {
        let kind = if path == "/admin/tokens" { "application/json" } else { "application/jsonl" };
        site.admin("POST", path).body(kind, vec![b' '; most])
    };
    admin("/admin/import", (16 << 20) + 1).answer().refused(Code::BundleTooLarge);
    admin("/admin/tokens", 1 << 20).answer().refused(Code::RequestTooLarge);
}

#[test]
fn a_root_too_large_is_an_envelope_too_large() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let root = site.admin("POST", &format!("/admin/trust?sha256={}", "0".repeat(64)));
    let root = root.body("application/json", vec![b' '; (4 << 20) + 1]);
    root.answer().refused(Code::EnvelopeTooLarge);
}

#[test]
fn a_wrong_parameter_at_the_admin_door_is_refused() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    for (method, target) in [
        ("GET", "/admin/audit/tail?count=x"),
        ("GET", "/admin/audit/tail?count=-1"),
        ("GET", "/admin/audit/tail?count=1&count=2"),
        ("POST", "/admin/export?from=x"),
        ("POST", "/admin/import?dry_run=perhaps"),
        ("POST", "/admin/trust"),
        ("POST", "/admin/trust?sha256=xyz"),
        ("DELETE", "/admin/tokens/not-an-id"),
    ] {
        site.admin(method, target).answer().refused(Code::UsageInvalid);
    }
    let tokens =
        |body: &str| site.admin("POST", "/admin/tokens").body("application/json", body).answer();
    let long = format!(r#"{{"runtime_type":"courses","name":"{}"}}"#, "x".repeat(129));
    tokens(&long).refused(Code::UsageInvalid);
    tokens(r#"{"runtime_type":"toaster"}"#).refused(Code::RequestMalformed);
    tokens(r#"{"runtime_type":"courses","tenant_id":"x"}"#).refused(Code::RequestMalformed);
    let other = format!(r#"{{"runtime_type":"courses","tenant_id":"{TENANT_B}"}}"#);
    tokens(&other).refused(Code::TenantMismatch);
    assert_eq!(site.verb(["token", "list"]).done()["tokens"], serde_json::json!([]));
}

#[test]
fn a_null_is_no_way_to_leave_a_name_out() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let call = site.admin("POST", "/admin/tokens");
    let call = call.body("application/json", r#"{"runtime_type":"courses","name":null}"#);
    call.answer().refused(Code::RequestMalformed);
}

#[test]
fn a_refusal_is_counted_as_one_also_under_a_key() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(1));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(1).key("a").allowed();
    courses.check("export").consume(1).key("b").denied(Code::QuotaExhausted);
    let metrics = site.admin("GET", "/metrics").answer();
    let text = String::from_utf8_lossy(metrics.bytes()).into_owned();
    assert!(text.contains("farhold_checks_allowed_total 1\n"), "{text}");
    assert!(text.contains("farhold_checks_denied_total 1\n"), "{text}");
}

#[test]
fn a_slow_caller_is_told_and_holds_nobody_up() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let courses = site.runtime(Courses);
    let head = format!(
        "POST /kernel/runtimes/register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         x-contract-version: v0.2\r\nx-correlation-id: slow\r\nauthorization: Bearer {}\r\n\
         x-tenant-id: {}\r\ncontent-length: 100\r\n\r\n{{",
        courses.token(),
        courses.tenant(),
    );
    let mut half_a_body = connected(&site);
    half_a_body.write_all(head.as_bytes()).unwrap();
    let mut half_a_head = connected(&site);
    half_a_head.write_all(&head.as_bytes()[..40]).unwrap();

    let mut answer = String::new();
    half_a_body.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(Code::RequestTimeout.as_str()), "{answer}");
    let mut rest = Vec::new();
    half_a_head.read_to_end(&mut rest).unwrap();
    courses.registers().answer().refused(Code::LicenseMissing);
}

#[test]
fn idle_connections_shut_nobody_out() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let courses = site.runtime(Courses);
    let idle: Vec<UnixStream> = (0..600).map(|_| connected(&site)).collect();
    courses.registers().answer().refused(Code::LicenseMissing);
    site.status();
    drop(idle);
}

#[test]
fn probes_answer_anyone_at_every_door() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor);
    let [unix, tcp] = site.doors();
    let doors = [
        (unix, Surface::Runtimes),
        (tcp, Surface::Runtimes),
        (Address::Unix(site.admin_socket()), Surface::Admin),
    ];
    let ask = |path: &str, status: u16| {
        for (door, surface) in &doors {
            let answered = Call::new(door.clone(), *surface, "GET", path).answer();
            assert_eq!(answered.answer.status, status, "{path}");
        }
    };
    ask("/livez", 200);
    ask("/metrics", 200);
    ask("/readyz", 503);
    let site = site.trusting().holding(&license);
    ask("/readyz", 200);
    let metrics = site.admin("GET", "/metrics").answer();
    let text = String::from_utf8_lossy(metrics.bytes()).into_owned();
    assert!(text.contains("farhold_license_expires_in_seconds "), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

fn connected(site: &Site) -> UnixStream {
    let Address::Unix(path) = site.unix_door() else { unreachable!("a Unix door") };
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}
