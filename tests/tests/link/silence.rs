//! Whom a site speaks to: the kernel of its machine writes it down.

use std::{fs, process::Command};

use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{Site, TENANT, Vendor},
};

/// The same command, under a tracer of its network calls.
///
/// `None`, said loudly, where this machine lets nobody trace.
fn traced(site: &Site, run: Command) -> Option<Command> {
    let tried = Command::new("strace").args(["-D", "-qq", "-e", "trace=none", "true"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        eprintln!("SKIPPED: strace can't trace here; whom a site speaks to was not tested");
        return None;
    }
    // With -D the agent is the child and the tracer its grandchild: signals reach the agent.
    let mut command = Command::new("strace");
    command.env_clear();
    command.args(["-D", "-f", "-qq", "-e", "trace=network", "-o"]).arg(site.path("trace"));
    command.arg(run.get_program()).args(run.get_args()).current_dir(site.path(""));
    for (name, value) in run.get_envs() {
        value.map(|value| command.env(name, value));
    }
    Some(command)
}

fn trace_of(site: &Site) -> String {
    fs::read_to_string(site.path("trace")).unwrap()
}

/// Every call that reaches for an address of the internet.
fn reached(trace: &str) -> Vec<&str> {
    let calls = ["connect(", "sendto(", "sendmsg(", "sendmmsg("];
    trace
        .lines()
        .filter(|line| calls.iter().any(|call| line.contains(call)))
        .filter(|line| line.contains("AF_INET"))
        .collect()
}

#[test]
fn a_site_that_is_not_enrolled_speaks_to_nobody() {
    let vendor = Vendor::new();
    let mut site = LinkedSite::prepared(&vendor);
    let Some(command) = traced(&site, site.command(["run"])) else { return };
    site.started_by(command);
    assert!(site.suffers("not_enrolled"));
    site.verb(["check"]);
    site.stopped();
    let trace = trace_of(&site);
    assert!(!trace.is_empty(), "the tracer saw it");
    assert_eq!(reached(&trace), [""; 0]);
}

#[test]
fn an_enrolled_site_speaks_to_its_kernel_and_to_nobody_else() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT).holds(&vendor.license(|l| l.managed().feature("export")));
    let mut site = LinkedSite::prepared(&vendor);
    let Some(command) = traced(&site, site.command(["run"])) else { return };
    site.started_by(command);
    let mut site = site.enrolled(&kernel, &[TENANT]);
    site.is_ready();
    let courses = site.runtime_of(TENANT, Courses).registered();
    site.comes_online(&courses, "export");
    courses.tells(&courses.event("login")).answer().ok();
    site.drains();
    site.stopped();
    let trace = trace_of(&site);
    let reached = reached(&trace);
    let port = format!("htons({})", kernel.address().port());
    assert!(!reached.is_empty(), "{trace}");
    for call in reached {
        assert!(call.contains(&port) && call.contains("127.0.0.1"), "{call}");
    }
}

#[test]
fn a_detached_site_takes_no_hint_from_a_proxy_in_its_environment() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let mut site = Site::prepared(&vendor, |plan| plan.without_tcp());
    let mut run = site.command(["run"]);
    run.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "nowhere");
    let Some(command) = traced(&site, run) else { return };
    site.started_by(command);
    let mut site = site.trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    site.stopped();
    let trace = trace_of(&site);
    assert!(!trace.contains("AF_INET") && !trace.contains("AF_NETLINK"), "{trace}");
}
