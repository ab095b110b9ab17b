//! Flags at a site: set by what was imported, without a link and without a restart.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod stage;

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use serde_json::{Value, json};

use stage::{Running, TENANT, Vendor};

/// A detached agent that trusts a vendor.
struct Site {
    agent: Running,
    vendor: Vendor,
}

/// An answer: status, tag, body.
struct Answer {
    status: u16,
    tag: String,
    body: String,
}

impl Site {
    fn start() -> Self {
        // The clock is the machine's own.
        let vendor = Vendor::with_roots_until("2199-01-01T00:00:00Z");
        Self { agent: Running::start_trusting(&vendor.first_root()), vendor }
    }

    /// Issues a license with these flags, and imports it.
    fn imports(&self, serial: u64, flags: Value) {
        let changed = json!({"serial": serial, "expires_on": "2150-12-31", "flags": flags});
        let license = self.vendor.license(changed);
        fs::write(self.agent.at().join("next.bundle"), license).unwrap();
        let output = self.agent.run(&["import", "next.bundle"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn token(&self) -> String {
        let output = self.agent.run(&["token", "create", "--type", "courses"]);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn call(&self, head: &str, more: &str, body: &str) -> Answer {
        let mut door = UnixStream::connect(self.agent.at().join("run/agent.sock")).unwrap();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: site\r\nConnection: close\r\nX-Tenant-Id: {TENANT}\r\n\
             X-Correlation-Id: c-1\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{more}\r\n{body}",
            body.len()
        );
        door.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        door.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: "));
        Answer {
            status: head[9..12].parse().unwrap(),
            tag: tag.unwrap_or_default().to_owned(),
            body: body.to_owned(),
        }
    }
}

#[test]
fn a_kill_switch_reaches_a_site_without_a_link_by_an_import_and_no_restart() {
    let site = Site::start();
    let beta = json!({"key": "beta", "value": true, "versions": ">=2"});
    site.imports(1, json!([{"key": "live", "value": true}, beta]));
    let headers = format!("X-Contract-Version: v0.2\r\nAuthorization: Bearer {}\r\n", site.token());
    let register = json!({
        "tenant_id": TENANT, "runtime_type": "courses", "deployment_mode": "on_prem",
        "version": "1.4.0", "capabilities": [],
    });
    let call = "POST /kernel/runtimes/register";
    let registered = site.call(call, &headers, &register.to_string());
    assert_eq!(registered.status, 200, "{}", registered.body);
    let registered: Value = serde_json::from_str(&registered.body).unwrap();
    let runtime_id = registered["runtime_id"].as_str().unwrap();
    let headers = format!("{headers}X-Runtime-Id: {runtime_id}\r\n");

    let flags = |more: &str| site.call("GET /kernel/flags", &format!("{headers}{more}"), "");
    let first = flags("");
    let expected = r#"{"flags":[{"product":"campus","key":"live","value":true}]}"#;
    assert_eq!((first.status, first.body.as_str()), (200, expected));
    let known = format!("If-None-Match: {}\r\n", first.tag);
    let again = flags(&known);
    assert_eq!((again.status, again.tag, again.body.as_str()), (304, first.tag, ""));

    site.imports(2, json!([{"key": "live", "value": false}]));
    let after = flags(&known);
    let expected = r#"{"flags":[{"product":"campus","key":"live","value":false}]}"#;
    assert_eq!((after.status, after.body.as_str()), (200, expected));

    let old = site.call("GET /kernel/flags", &headers.replace("v0.2", "v0.1"), "");
    assert_eq!(old.status, 400);
    assert!(old.body.contains("contract.unsupported_version"), "{}", old.body);
}
