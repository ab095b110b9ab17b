//! Certificates that are wrong, that end, and that are renewed.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use farhold_tests::{
    http::Address,
    kernel_process::Kernel,
    net::{Authority, Behavior, Hostile, Interceptor, Tunnel},
    site::{Vendor, eventually},
};

use crate::stage::Stage;

/// Somebody else stands where the Kernel stood.
fn is_replaced_by(network: &Hostile, other: &Interceptor) {
    network.leads_to(other.address());
    network.turns(Behavior::Refuse);
    network.turns(Behavior::Pass);
}

fn ca_of(kernel: &Kernel) -> Authority {
    let key = fs::read_to_string(kernel.data().join("ca.key")).unwrap();
    Authority::of(&kernel.ca(), &key)
}

#[test]
fn another_kernel_at_the_same_address_is_told_nothing() {
    let (stage, network) = Stage::behind_a_network();
    let stranger = Vendor::new();
    let other = Kernel::start(&stranger);
    network.leads_to(other.address());
    network.turns(Behavior::Refuse);
    network.turns(Behavior::Pass);
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.site.goes_offline(&stage.courses, "exams");
    stage.courses.check("export").consume(1).allowed();
    assert!(other.agents().is_empty());
    assert!(stage.site.waiting() > 0);
    network.leads_to(stage.kernel.address());
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
}

#[test]
fn a_kernel_whose_certificate_has_ended_is_told_nothing() {
    let (stage, network) = Stage::behind_a_network();
    let ended = Interceptor::presenting(ca_of(&stage.kernel).ended_server("127.0.0.1"));
    is_replaced_by(&network, &ended);
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.site.goes_offline(&stage.courses, "exams");
    eventually("it was tried", || ended.connections() > 0);
    assert_eq!(ended.overheard(), b"");
    stage.courses.check("export").consume(1).allowed();
    network.leads_to(stage.kernel.address());
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
}

#[test]
fn a_certificate_for_another_host_is_told_nothing() {
    let (stage, network) = Stage::behind_a_network();
    let other = Interceptor::inspecting(&ca_of(&stage.kernel), "other.example");
    is_replaced_by(&network, &other);
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.site.goes_offline(&stage.courses, "exams");
    eventually("it was tried", || other.connections() > 0);
    assert_eq!(other.overheard(), b"");
    network.leads_to(stage.kernel.address());
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
}

#[test]
fn a_certificate_that_ended_while_the_site_slept_is_renewed_by_the_device_key() {
    let vendor = Vendor::new();
    let kernel = Kernel::planned(&vendor, |plan| plan.certificates_for("6s"));
    let mut stage = Stage::around(vendor, kernel, |site| site);
    stage.site.drains();
    stage.site.stopped();
    let (before, agent) = (stage.site.identity(), stage.site.agent_id());
    let tunnel = stage.kernel.tunnel(Some(&before));
    let target = format!("/kernel/agents/{agent}/bundle");
    let headers = [
        ("x-tenant-id", farhold_tests::site::TENANT),
        ("x-runtime-id", &agent),
        ("x-contract-version", "v0.2"),
        ("x-correlation-id", "c-asleep"),
    ];
    let is_taken = || {
        let answer = tunnel.door().call("GET", &target, &headers, b"");
        answer.is_ok_and(|answer| answer.status == 200)
    };
    let mut kept = Kept::open(&tunnel);
    assert_eq!(kept.asks(&target, &headers), 200);
    eventually("its certificate has ended", || !is_taken());
    assert_eq!(kept.asks(&target, &headers), 403, "a connection outlives no certificate");
    stage.site.started();
    stage.courses.check("exams").allowed();
    stage.site.comes_online(&stage.courses, "exams");
    assert_ne!(stage.site.identity().certificate, before.certificate);
    assert_eq!(stage.site.agent_id(), agent);
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

#[test]
fn a_certificate_is_renewed_before_it_ends_and_nobody_notices() {
    let vendor = Vendor::new();
    let kernel = Kernel::planned(&vendor, |plan| plan.certificates_for("15s"));
    let stage = Stage::around(vendor, kernel, |site| site);
    let before = stage.site.identity().certificate;
    let mut offline = 0;
    eventually("it is renewed", || {
        offline += u32::from(stage.site.mode(&stage.courses, "exams") != "online");
        stage.site.identity().certificate != before
    });
    assert_eq!(offline, 0, "nobody noticed");
    assert!(!stage.site.suffers("certificate_expired"));
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.kernel_has_all_of_it_once();
}

/// A connection that is kept for one call after another.
struct Kept(BufReader<TcpStream>);

impl Kept {
    fn open(tunnel: &Tunnel) -> Self {
        let Address::Tcp(address) = tunnel.door() else { unreachable!("a tunnel is on loopback") };
        Self(BufReader::new(TcpStream::connect(address).unwrap()))
    }

    /// Asks and reads the whole answer; its status.
    fn asks(&mut self, target: &str, headers: &[(&str, &str)]) -> u16 {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("GET {target} HTTP/1.1\r\nhost: kernel\r\n{headers}\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut length) = (0, 0);
        for line in self.0.by_ref().lines() {
            let line = line.unwrap().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        status
    }
}
