//! Secrets of the link, looked for in everything that either side writes or shows.

use std::{fs, os::unix::fs::PermissionsExt};

use farhold_contract::{call::enroll::EnrollToken, model::RuntimeType::Courses};
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    net::ConnectProxy,
    site::{TENANT, Vendor, eventually},
};

const PASSWORD: &str = "canary-proxy-91c2";

/// The secret part of a PEM file, or of a key file in PEM's form: its longest line.
fn heart(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('-')).max_by_key(|line| line.len()).unwrap().into()
}

#[test]
fn no_secret_of_the_link_reaches_a_log_an_error_a_metric_or_the_process_list() {
    let proxy = ConnectProxy::for_one("ana", PASSWORD);
    let vendor = Vendor::new();
    let kernel = Kernel::planned(&vendor, |plan| {
        plan.called("kernel.example").logging_everything().certificates_for("15s")
    });
    kernel.has_tenant(TENANT).holds(&vendor.license(|l| l.managed().feature("export")));
    let site = LinkedSite::prepared(&vendor).logging("trace").through(proxy.address());
    let file = site.path("proxy.password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let file = format!("{:?}", file.display().to_string());
    let mut site = site.with("link.proxy_user", "\"ana\"").with("link.proxy_password_file", &file);
    site.started();

    let token = kernel.enrollment_token(&[TENANT]);
    let enrolled = site.enrolls(&token);
    let again = site.enrolls(&token);
    let unused = kernel.enrollment_token(&[TENANT]);
    site.is_ready();
    let courses = site.runtime_of(TENANT, Courses).registered();
    site.comes_online(&courses, "export");
    let first = site.identity();
    let direct = kernel.runtime(&kernel.tunnel(None).door(), TENANT, Courses);
    courses.tells(&courses.event("login")).answer().ok();
    site.drains();
    // It is so short that every start renews it.
    site.stopped().started();
    eventually("a certificate is renewed", || site.identity().certificate != first.certificate);

    let read = |path: std::path::PathBuf| fs::read_to_string(path).unwrap();
    let secret = |text: &str| text.parse::<EnrollToken>().unwrap().secret;
    let secrets = [
        ("the proxy's password", PASSWORD.to_owned()),
        ("the enrollment token", token.text.clone()),
        ("its secret", secret(&token.text)),
        ("an unused token's secret", secret(&unused.text)),
        ("the runtime's token", courses.token().to_owned()),
        ("the Kernel's runtime token", direct.token().to_owned()),
        ("the first TLS key", heart(&first.key)),
        ("the TLS key now", heart(&site.identity().key)),
        ("the device key", heart(&read(site.state().join("device.key")))),
        ("the administrator's token", read(kernel.data().join("admin.token")).trim().to_owned()),
        ("the CA's key", heart(&read(kernel.data().join("ca.key")))),
        ("the server's key", heart(&read(kernel.data().join("server.key")))),
        ("the receipt key", heart(&read(kernel.data().join("receipt.key")))),
    ];
    let process = |id: u32, file: &str| {
        String::from_utf8_lossy(&fs::read(format!("/proc/{id}/{file}")).unwrap()).into_owned()
    };
    let metrics = site.admin("GET", "/metrics").answer();
    let (agent, control) = (site.agent().id(), kernel.process().id());
    let places = [
        ("the agent's log", site.log()),
        ("the Kernel's log", kernel.log()),
        ("enroll", format!("{}{}{}", enrolled.stdout, enrolled.stderr, enrolled.line)),
        ("enroll again", format!("{}{}", again.stdout, again.stderr)),
        ("status", site.status().to_string()),
        ("metrics", String::from_utf8_lossy(metrics.bytes()).into_owned()),
        ("tokens", site.verb(["token", "list"]).done().to_string()),
        ("configuration", site.verb(["config", "show"]).stdout),
        ("check", site.verb(["check"]).stdout),
        ("enroll tokens", kernel.verb(["enroll-token", "list"]).done().to_string()),
        (
            "runtime tokens",
            kernel.verb(["runtime-token", "list", "--tenant", TENANT]).done().to_string(),
        ),
        ("agents", format!("{:?}", kernel.agents())),
        ("the audit", format!("{:?}", kernel.audit(TENANT).events())),
        ("the agent's command line", process(agent, "cmdline")),
        ("the agent's environment", process(agent, "environ")),
        ("the Kernel's command line", process(control, "cmdline")),
        ("the Kernel's environment", process(control, "environ")),
    ];
    for (place, text) in &places {
        for (name, secret) in &secrets {
            assert!(secret.len() > 8, "{name}");
            let at = text.find(secret.as_str());
            assert!(at.is_none(), "{place} holds {name}: {}", around(text, at));
        }
    }
    assert!(site.log().contains("TRACE") || site.log().contains("DEBUG"), "everything is logged");
}

/// What stands around a place of a text.
fn around(text: &str, at: Option<usize>) -> String {
    let at = at.unwrap_or(0);
    text.chars().skip(at.saturating_sub(200)).take(400).collect()
}

#[test]
fn what_either_side_keeps_secret_is_its_owners_alone() {
    let stage = crate::stage::Stage::set();
    let private = |path: std::path::PathBuf| {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    };
    for file in ["enrollment.json", "device.key", "agent.db"] {
        private(stage.site.state().join(file));
    }
    for file in ["ca.key", "server.key", "receipt.key", "admin.token", "kernel.db"] {
        private(stage.kernel.data().join(file));
    }
}
