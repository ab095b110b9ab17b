//! The Kernel's door for agents and runtimes: what is not there, and what holds nobody up.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::{
    http::Address,
    kernel_process::Kernel,
    net::Tunnel,
    schema::{Operation, Specs},
    site::{Runtime, TENANT, Vendor, ids},
};

use crate::{files, stage::Stage};

/// Connections that the Kernel of a test takes, and how many more come.
const TAKEN: usize = 500;
const COME: usize = 4_000;
/// Of a connection through a tunnel, three ends are the test's.
const FILES: u64 = 3 * COME as u64 + 500;

/// A Kernel and a product that speaks to it.
fn kernel(settings: &str) -> (Kernel, Tunnel, Runtime) {
    let vendor = Vendor::new();
    let kernel = Kernel::planned(&vendor, |plan| plan.with(settings));
    let license = vendor.license(|l| l.managed().feature("export"));
    kernel.has_tenant(TENANT).holds(&license);
    let tunnel = kernel.tunnel(None);
    let courses = kernel.runtime(&tunnel.door(), TENANT, Courses).registered();
    (kernel, tunnel, courses)
}

/// A concrete path of a template.
fn concrete(path: &str) -> String {
    let ids = |text: String, _| match (text.find('{'), text.find('}')) {
        (Some(from), Some(to)) => text[..from].to_owned() + &ids::v7() + &text[to + 1..],
        _ => text,
    };
    (0..4).fold(path.to_owned(), ids)
}

#[test]
fn no_admin_route_exists_at_the_door_for_agents_whoever_asks() {
    let stage = Stage::set();
    let agents = stage.kernel.tunnel(Some(&stage.site.identity()));
    let direct = stage.kernel.tunnel(None);
    let courses = stage.kernel.runtime(&direct.door(), TENANT, Courses).registered();
    let operations = Operation::all(Specs::shared(), "openapi/kernel-admin.json");
    let governing = operations.iter().filter(|it| it.path.starts_with("/kernel/admin/"));
    let paths: Vec<String> = governing.map(|operation| concrete(operation.path)).collect();
    assert!(paths.len() > 20, "{paths:?}");
    for path in &paths {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            for door in [direct.door(), agents.door()] {
                courses.call(method, path).at(&door).answer().refused(Code::RequestNotFound);
            }
        }
    }
}

#[test]
fn what_is_an_agents_alone_says_so_to_everybody_else() {
    let (kernel, tunnel, courses) = kernel("");
    let id = ids::v7();
    let bearer = format!("Bearer {}", courses.token());
    let headers = [
        ("x-tenant-id", TENANT),
        ("x-runtime-id", courses.id()),
        ("x-contract-version", "v0.2"),
        ("x-correlation-id", "c-1"),
        ("authorization", &bearer),
    ];
    for (method, path) in [
        ("GET", format!("/kernel/agents/{id}/bundle")),
        ("GET", format!("/kernel/agents/{}/bundle", courses.id())),
        ("POST", "/kernel/audit/batches".to_owned()),
    ] {
        let answer = tunnel.door().call(method, &path, &headers, b"").unwrap();
        let code = answer.json().unwrap()["code"].clone();
        assert_eq!(code, Code::CertificateMissing.as_str(), "{method} {path}");
        assert_eq!(answer.status, Code::CertificateMissing.status(), "{method} {path}");
    }
    assert_eq!(kernel.alert_codes(), [""; 0]);
}

#[test]
fn a_path_that_only_looks_like_a_route_is_none() {
    let (_kernel, _tunnel, courses) = kernel("");
    for path in [
        "/",
        "/kernel/admin",
        "/kernel/admin/",
        "//kernel/admin/tenants",
        "/kernel/../kernel/admin/tenants",
        "/kernel/%2e%2e/kernel/admin/tenants",
        "/kernel/%61dmin/tenants",
        "/kernel/admin%2ftenants",
        "/./kernel/admin/tenants",
        "/kernel/entitlements/check/",
        "/kernel/entitlements//check",
        "/kernel/entitlements/check%00",
        "/kernel/entitlements/check;x=1",
        "/Kernel/Entitlements/Check",
        "/kernel/entitlements/check/../../admin/tenants",
        "/kernel/runtimes/x/../../audit/events",
        "http://localhost/kernel/admin/tenants",
    ] {
        for method in ["GET", "POST"] {
            courses.call(method, path).answer().refused(Code::RequestNotFound);
        }
    }
}

#[test]
fn a_body_of_ten_mebibytes_is_refused_and_its_sender_reads_why() {
    let (_kernel, _tunnel, courses) = kernel("");
    let large = vec![b' '; 10 << 20];
    for call in [
        courses.check("export").call(),
        courses.tells(&courses.event("login")),
        courses.heartbeat(),
        courses.registers(),
    ] {
        let sent = call.body("application/json", large.clone());
        sent.answer().refused(Code::RequestTooLarge);
    }
    courses.check("export").allowed();
}

#[test]
fn a_batch_of_ten_mebibytes_is_refused_and_its_agent_serves_on() {
    let stage = Stage::set();
    let agents = stage.kernel.tunnel(Some(&stage.site.identity()));
    let id = stage.site.agent_id();
    let headers = [
        ("x-tenant-id", TENANT),
        ("x-runtime-id", &id),
        ("x-contract-version", "v0.2"),
        ("x-correlation-id", "c-1"),
        ("content-type", "application/x-ndjson"),
        ("content-encoding", "zstd"),
    ];
    let large = vec![0x55; 10 << 20];
    let answer = agents.door().call("POST", "/kernel/audit/batches", &headers, &large).unwrap();
    let problem = answer.json().unwrap();
    assert_eq!(problem["code"], Code::RequestTooLarge.as_str(), "{problem}");
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.kernel_has_all_of_it_once();
}

#[test]
fn a_slow_caller_is_told_and_holds_nobody_up() {
    let (_kernel, tunnel, courses) = kernel("");
    let head = format!(
        "POST /kernel/entitlements/check HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         x-contract-version: v0.2\r\nx-correlation-id: slow\r\nauthorization: Bearer {}\r\n\
         x-tenant-id: {TENANT}\r\nx-runtime-id: {}\r\ncontent-length: 100\r\n\r\n{{",
        courses.token(),
        courses.id(),
    );
    let mut half_a_body = connected(&tunnel);
    half_a_body.write_all(head.as_bytes()).unwrap();
    let mut half_a_head = connected(&tunnel);
    half_a_head.write_all(&head.as_bytes()[..40]).unwrap();
    courses.check("export").allowed();

    let mut answer = String::new();
    half_a_body.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(Code::RequestTimeout.as_str()), "{answer}");
    let mut rest = Vec::new();
    half_a_head.read_to_end(&mut rest).unwrap();
    courses.check("export").allowed();
}

#[test]
fn thousands_of_connections_that_ask_nothing_shut_nobody_out() {
    if !files::are_allowed("thousands_of_connections_that_ask_nothing_shut_nobody_out", FILES) {
        return;
    }
    let (kernel, tunnel, courses) = kernel(&format!("[limits]\nconnections = {TAKEN}\n"));
    let idle: Vec<TcpStream> = (0..COME).map(|_| connected(&tunnel)).collect();
    is_answered_soon(&courses);
    assert_eq!(kernel.agents().len(), 0, "the administrator is answered too");
    drop(idle);
}

#[test]
fn thousands_of_connections_that_do_not_even_greet_shut_nobody_out() {
    if !files::are_allowed("thousands_of_connections_that_do_not_even_greet_shut_nobody_out", FILES)
    {
        return;
    }
    let (kernel, _tunnel, courses) = kernel(&format!("[limits]\nconnections = {TAKEN}\n"));
    let mute: Vec<TcpStream> =
        (0..COME).map(|_| TcpStream::connect(kernel.address()).unwrap()).collect();
    is_answered_soon(&courses);
    assert_eq!(kernel.agents().len(), 0, "the administrator is answered too");
    drop(mute);
}

#[test]
fn thousands_of_connections_do_not_keep_an_agents_audit_out() {
    if !files::are_allowed("thousands_of_connections_do_not_keep_an_agents_audit_out", FILES) {
        return;
    }
    let vendor = Vendor::new();
    let settings = format!("[limits]\nconnections = {TAKEN}\n");
    let kernel = Kernel::planned(&vendor, |plan| plan.with(&settings));
    let stage = Stage::around(vendor, kernel, |site| site);
    let tunnel = stage.kernel.tunnel(None);
    let idle: Vec<TcpStream> = (0..COME).map(|_| connected(&tunnel)).collect();
    let event = stage.courses.event("login");
    stage.courses.tells(&event).answer().ok();
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.audit_of_type(TENANT, "login").len(), 1);
    drop(idle);
}

/// Behind all who came before, within what a caller waits.
fn is_answered_soon(courses: &Runtime) {
    let began = Instant::now();
    courses.check("export").allowed();
    println!("answered after {:?} beside {COME} others", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

fn connected(tunnel: &Tunnel) -> TcpStream {
    let Address::Tcp(address) = tunnel.door() else { unreachable!("a tunnel's door is TCP") };
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}
