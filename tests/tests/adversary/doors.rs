//! Doors: who only stands in one does not keep the others out.

use std::{
    io::Write, net::TcpStream, os::unix::net::UnixStream, sync::mpsc, thread, time::Duration,
};

use serde_json::json;

use farhold_contract::model::RuntimeType::{Courses, Labs};
use farhold_tests::{
    http::Address,
    kernel_process::{Kernel, LinkedSite},
    net::Behavior,
    site::{TENANT, TENANT_B, Vendor},
};

/// How long somebody with every right waits at most: half of what a head may take.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn strangers_that_never_greet_do_not_keep_anybody_out() {
    let vendor = Vendor::new();
    let kernel = Kernel::planned(&vendor, |plan| plan.with("[limits]\nconnections = 16\n"));
    let strangers: Vec<TcpStream> =
        (0..32).map(|_| TcpStream::connect(kernel.address()).unwrap()).collect();
    let tunnel = kernel.tunnel(None);
    let door = tunnel.door();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(door.call("GET", "/livez", &[], b"").map(|a| a.status)));
    let answered = told.recv_timeout(SOON).is_ok_and(|status| status.is_ok_and(|it| it == 200));
    drop(strangers);
    assert!(answered, "sixteen silent connections keep the Kernel to themselves");
}

#[test]
fn one_organizations_logins_do_not_keep_anothers_products_out() {
    let vendor = Vendor::new();
    let (kernel, network) = Kernel::behind_a_network(&vendor, |plan| plan);
    for tenant in [TENANT, TENANT_B] {
        kernel.has_tenant(tenant).holds(&vendor.license(|l| {
            l.managed().tenant(tenant).feature(if tenant == TENANT { "exams" } else { "export" })
        }));
    }
    let site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT, TENANT_B]);
    site.is_ready();
    let ours = site.runtime_of(TENANT, Courses).registered();
    let theirs = site.runtime_of(TENANT_B, Labs).registered();
    site.comes_online(&theirs, "export");
    network.turns(Behavior::BlackHole);

    let Address::Unix(socket) = site.unix_door() else { panic!("a socket") };
    let body = json!({"tenant_id": TENANT, "external_token": "a.b.c"}).to_string();
    let request = format!(
        "POST /kernel/identity/resolve HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\
         content-type: application/json\r\nx-tenant-id: {TENANT}\r\nx-runtime-id: {}\r\n\
         x-contract-version: v0.2\r\nx-correlation-id: c-1\r\nauthorization: Bearer {}\r\n\r\n{body}",
        body.len(),
        ours.id(),
        ours.token(),
    );
    let logins: Vec<UnixStream> = (0..480)
        .map(|_| {
            let mut stream = UnixStream::connect(&socket).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    let answered = thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let theirs = &theirs;
        scope.spawn(move || {
            theirs.check("export").answer().ok();
            let _ = tell.send(());
        });
        let answered = told.recv_timeout(SOON).is_ok();
        drop(logins);
        answered
    });
    network.turns(Behavior::Pass);
    assert!(answered, "the products of {TENANT_B} wait for the logins of {TENANT}");
}
