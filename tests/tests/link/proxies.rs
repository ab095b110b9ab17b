//! What stands between a site and the internet: proxies that let it out, and those that read.

use std::{fs, os::unix::fs::PermissionsExt};

use farhold_contract::Code;
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    net::{Authority, Behavior, ConnectProxy, Interceptor},
    site::{TENANT, Vendor, eventually},
};

use crate::stage::Stage;

const NAME: &str = "kernel.example";
const PASSWORD: &str = "canary-proxy-5d1e";

/// A Kernel under a name that the proxies here find on this machine, and no resolver anywhere:
/// loopback itself is never reached through a proxy.
fn kernel_beyond(vendor: &Vendor) -> Kernel {
    Kernel::planned(vendor, |plan| plan.called(NAME))
}

/// With a user, and the password in a file.
fn with_password(site: LinkedSite, password: &str) -> LinkedSite {
    let file = site.path("proxy.password");
    fs::write(&file, format!("{password}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let file = format!("{:?}", file.display().to_string());
    site.with("link.proxy_user", "\"ana\"").with("link.proxy_password_file", &file)
}

#[test]
fn a_site_behind_a_proxy_with_a_password_works_as_any_other() {
    let proxy = ConnectProxy::for_one("ana", PASSWORD);
    let vendor = Vendor::new();
    let kernel = kernel_beyond(&vendor);
    let stage = Stage::around(vendor, kernel, |site| {
        with_password(site.through(proxy.address()), PASSWORD)
    });
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.kernel_has_all_of_it_once();
    let asked = proxy.asked();
    assert!(asked.iter().any(|asked| asked.status == 200), "{asked:?}");
    let port = stage.kernel.address().port().to_string();
    assert!(asked.iter().all(|asked| asked.target.ends_with(&port)), "{asked:?}");
}

#[test]
fn a_proxy_that_refuses_the_password_is_told_apart_from_a_kernel_that_is_away() {
    let proxy = ConnectProxy::for_one("ana", PASSWORD);
    let vendor = Vendor::new();
    let kernel = kernel_beyond(&vendor);
    kernel.has_tenant(TENANT);
    let mut site = with_password(LinkedSite::prepared(&vendor).through(proxy.address()), "another");
    site.started();
    let ran = site.enrolls(&kernel.enrollment_token(&[TENANT]));
    let said = ran.refused(Code::KernelUnreachable).to_string();
    assert!(said.contains("407") || said.to_lowercase().contains("proxy"), "{said}");
    assert!(!said.contains("another"), "{said}");
    assert!(proxy.asked().iter().all(|asked| asked.status == 407));
    assert!(kernel.agents().is_empty());
}

#[test]
fn the_environment_names_a_proxy_and_the_hosts_that_need_none() {
    let proxy = ConnectProxy::for_one("ana", PASSWORD);
    let url = format!("http://ana:{PASSWORD}@{}", proxy.address());
    let vendor = Vendor::new();
    let kernel = kernel_beyond(&vendor);
    let stage = Stage::around(vendor, kernel, |site| site.in_environment("HTTPS_PROXY", &url));
    stage.site.drains();
    assert!(proxy.asked().iter().any(|asked| asked.status == 200));
    assert!(!stage.site.log().contains(PASSWORD));

    // Without the proxy nobody here finds the name.
    let Stage { mut site, kernel, vendor, .. } = stage;
    site.stopped();
    let before = proxy.asked().len();
    let mut direct = LinkedSite::prepared(&vendor)
        .in_environment("HTTPS_PROXY", &url)
        .in_environment("NO_PROXY", ".internal.example,kernel.example");
    direct.started();
    direct.enrolls(&kernel.enrollment_token(&[TENANT])).refused(Code::KernelUnreachable);
    assert_eq!(proxy.asked().len(), before);
}

#[test]
fn a_kernel_on_the_same_machine_is_reached_without_the_proxy() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    let stage = Stage::around(vendor, kernel, |site| {
        site.in_environment("HTTPS_PROXY", "http://127.0.0.1:9")
    });
    stage.kernel_has_all_of_it_once();
}

#[test]
fn a_proxy_that_opens_what_passes_hears_nothing_and_is_named() {
    let (stage, network) = Stage::behind_a_network();
    let theirs = Authority::new("Campus Inspection");
    let inspector = Interceptor::inspecting(&theirs, "127.0.0.1");
    network.leads_to(inspector.address());
    network.turns(Behavior::Refuse);
    network.turns(Behavior::Pass);
    eventually("it is named", || stage.site.suffers("proxy_intercepts"));
    stage.courses.check("export").consume(1).allowed();
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    eventually("it was met more than once", || inspector.connections() > 1);
    assert_eq!(inspector.overheard(), b"");
    let told = stage.site.status().to_string();
    assert!(told.contains("Campus Inspection"), "whoever reads it can find the proxy: {told}");

    network.leads_to(stage.kernel.address());
    network.turns(Behavior::Refuse);
    network.turns(Behavior::Pass);
    stage.site.comes_online(&stage.courses, "exams");
    eventually("it is over", || !stage.site.suffers("proxy_intercepts"));
    stage.kernel_has_all_of_it_once();
}

#[test]
fn an_enrollment_through_a_proxy_that_opens_it_gives_no_secret_away() {
    let vendor = Vendor::new();
    let kernel = kernel_beyond(&vendor);
    kernel.has_tenant(TENANT);
    let theirs = Authority::new("Campus Inspection");
    let inspector = Interceptor::inspecting(&theirs, NAME);
    let mut site = LinkedSite::prepared(&vendor).through(inspector.address());
    site.started();
    let said = site.enrolls(&kernel.enrollment_token(&[TENANT])).refused(Code::KernelUntrusted);
    assert!(said.to_string().contains("Campus Inspection"), "{said}");
    assert_eq!(inspector.overheard(), b"");
    assert!(inspector.connections() > 0);
}

#[test]
fn a_captive_portal_is_not_taken_for_a_kernel() {
    let (stage, network) = Stage::behind_a_network();
    let portal = Interceptor::plain();
    network.leads_to(portal.address());
    network.turns(Behavior::Refuse);
    network.turns(Behavior::Pass);
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.site.goes_offline(&stage.courses, "exams");
    assert!(portal.connections() > 0);
    stage.courses.check("export").consume(1).allowed();
    assert!(stage.site.waiting() > 0, "nothing was handed to the portal");
    network.leads_to(stage.kernel.address());
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
}

#[test]
fn a_portal_with_the_kernels_own_key_and_a_page_for_an_answer_changes_nothing() {
    // Nobody but the Kernel has its key; this is what a broken gateway before it would do.
    let (stage, network) = Stage::behind_a_network();
    let key = fs::read_to_string(stage.kernel.data().join("ca.key")).unwrap();
    let gateway = Interceptor::inspecting(&Authority::of(&stage.kernel.ca(), &key), "127.0.0.1");
    let before = stage.site.status()["trust"].clone();
    network.leads_to(gateway.address());
    network.turns(Behavior::Refuse);
    network.turns(Behavior::Pass);
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.site.goes_offline(&stage.courses, "exams");
    stage.courses.check("export").consume(1).allowed();
    assert_eq!(stage.site.status()["trust"], before);
    assert!(stage.site.waiting() > 0);
    network.leads_to(stage.kernel.address());
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
}

#[test]
fn a_gateway_that_answers_nonsense_in_the_kernels_name_is_never_believed() {
    let (stage, network) = Stage::behind_a_network();
    let key = fs::read_to_string(stage.kernel.data().join("ca.key")).unwrap();
    let gateway = Interceptor::inspecting(&Authority::of(&stage.kernel.ca(), &key), "127.0.0.1");
    let elsewhere = Interceptor::plain();
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\n{more}\r\n\r\n");
    let json = "Content-Type: application/json\r\nConnection: close";
    let nonsense = [
        (
            "a redirect",
            head(
                "307 Temporary Redirect",
                &format!("Location: https://{}/\r\nContent-Length: 0", elsewhere.address()),
            ),
        ),
        ("an empty object", head("200 OK", &format!("{json}\r\nContent-Length: 2")) + "{}"),
        ("half an object", head("200 OK", &format!("{json}\r\nContent-Length: 9")) + "{\"status\""),
        ("less than it promised", head("200 OK", &format!("{json}\r\nContent-Length: 900")) + "{"),
        (
            "more than anyone takes",
            head("200 OK", &format!("{json}\r\nContent-Length: 9000000")) + &" ".repeat(9_000_000),
        ),
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n".to_owned()),
    ];
    for (name, answer) in nonsense {
        gateway.says(answer);
        let before = gateway.overheard().len();
        network.leads_to(gateway.address());
        network.turns(Behavior::Refuse);
        network.turns(Behavior::Pass);
        stage.courses.tells(&stage.courses.event("login")).answer().ok();
        eventually(&format!("{name} was met"), || gateway.overheard().len() > before);
        stage.courses.check("export").consume(1).allowed();
        assert!(stage.site.waiting() > 0, "{name} is no receipt");
        network.leads_to(stage.kernel.address());
        network.turns(Behavior::Refuse);
        network.turns(Behavior::Pass);
        stage.site.drains();
    }
    assert_eq!(elsewhere.connections(), 0, "nobody followed");
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}
