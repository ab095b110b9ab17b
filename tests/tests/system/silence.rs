//! A detached site is silent: the kernel's own record of what the agent asked of it.

use std::{fs, process::Command};

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Site, Vendor};

/// The agent under a tracer of its network calls, through a whole day of work; the trace.
///
/// `None` where this machine lets nobody trace.
fn traced(tcp: bool) -> Option<String> {
    if !can_trace() {
        eprintln!("SKIPPED: strace can't trace here; whether the agent is silent was not tested");
        return None;
    }
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(5));
    let plan = |plan: farhold_tests::site::Plan| if tcp { plan } else { plan.without_tcp() };
    let mut site = Site::prepared(&vendor, plan);
    let trace = site.path("trace");
    let run = site.command(["run"]);
    // With -D the agent is the child and the tracer its grandchild: signals reach the agent.
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "-e", "trace=network", "-o"]).arg(&trace);
    command.arg(run.get_program()).args(run.get_args());
    command.current_dir(site.path("")).env_clear();
    site.started_by(command);

    let mut site = site.trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let doors = if tcp { site.doors().to_vec() } else { vec![site.unix_door()] };
    for door in &doors {
        courses.check("export").consume(1).at(door).allowed();
        courses.check("exams").at(door).denied(Code::FeatureNotGranted);
        courses.tells(&courses.event("login")).at(door).answer().ok();
    }
    site.imports(&vendor.receipt(&site.export())).done();
    site.status();
    site.stopped();
    Some(fs::read_to_string(trace).unwrap())
}

fn can_trace() -> bool {
    let tried = Command::new("strace").args(["-D", "-qq", "-e", "trace=none", "true"]).output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// Lines of calls by this name.
fn calls<'t>(trace: &'t str, name: &str) -> Vec<&'t str> {
    let call = format!(" {name}(");
    trace.lines().filter(|line| line.contains(&call)).collect()
}

#[test]
fn without_local_tcp_no_internet_socket_is_ever_made() {
    let Some(trace) = traced(false) else { return };
    assert!(!calls(&trace, "socket").is_empty(), "the tracer saw its sockets: {trace}");
    assert!(!trace.contains("AF_INET"), "{trace}");
    assert!(!trace.contains("AF_NETLINK"), "{trace}");
    // The service manager is told by a Unix socket; nothing else is ever connected to.
    for connect in calls(&trace, "connect") {
        assert!(connect.contains("AF_UNIX") && connect.contains("/notify"), "{connect}");
    }
}

#[test]
fn with_local_tcp_there_is_one_bound_to_loopback() {
    let Some(trace) = traced(true) else { return };
    let sockets: Vec<_> =
        calls(&trace, "socket").into_iter().filter(|call| call.contains("AF_INET")).collect();
    assert_eq!(sockets.len(), 1, "{sockets:?}");
    let binds: Vec<_> =
        calls(&trace, "bind").into_iter().filter(|call| call.contains("AF_INET")).collect();
    assert_eq!(binds.len(), 1, "{binds:?}");
    assert!(binds[0].contains("inet_addr(\"127.0.0.1\")"), "{}", binds[0]);
    for connect in calls(&trace, "connect") {
        assert!(connect.contains("AF_UNIX") && connect.contains("/notify"), "{connect}");
    }
}
