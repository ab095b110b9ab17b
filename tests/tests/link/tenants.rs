//! Two organizations at one Kernel: neither sees the other by any call.

use std::thread;

use serde_json::{Value, json};

use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::{
    http::Answer,
    kernel_process::{Kernel, LinkedSite},
    net::Tunnel,
    site::{Runtime, TENANT, TENANT_B, Vendor, ids},
};

/// One organization: its site, its product at the Kernel, and what only it may see.
struct Organization {
    tenant: &'static str,
    site: LinkedSite,
    product: Runtime,
    agent: String,
    at_site: Runtime,
    event: String,
    feature: String,
}

/// Somebody who calls: what he shows, and whose he is.
struct Caller {
    name: String,
    owner: Option<&'static str>,
    tunnel: Tunnel,
    token: Option<String>,
}

impl Organization {
    fn new(
        vendor: &Vendor,
        kernel: &Kernel,
        tenant: &'static str,
        feature: &str,
        direct: &Tunnel,
    ) -> Self {
        kernel
            .has_tenant(tenant)
            .holds(&vendor.license(|l| l.managed().tenant(tenant).feature(feature).quota(100)));
        let site = LinkedSite::new(vendor).enrolled(kernel, &[tenant]);
        site.is_ready();
        let at_site = site.runtime_of(tenant, Courses).registered();
        site.comes_online(&at_site, feature);
        let product = kernel.runtime(&direct.door(), tenant, Courses).registered();
        product.check(feature).consume(1).allowed();
        let event = product.event("login");
        product.tells(&event).answer().ok();
        let agent = site.agent_id();
        site.drains();
        let feature = feature.to_owned();
        Self { tenant, site, product, agent, at_site, event: event.id(), feature }
    }

    /// Texts that nobody else may read.
    fn own(&self) -> [&str; 5] {
        [&self.agent, self.product.id(), self.at_site.id(), &self.event, &self.feature]
    }

    fn callers(&self, kernel: &Kernel) -> [Caller; 2] {
        let identity = self.site.identity();
        [
            Caller {
                name: format!("the product of {}", self.feature),
                owner: Some(self.tenant),
                tunnel: kernel.tunnel(None),
                token: Some(self.product.token().to_owned()),
            },
            Caller {
                name: format!("the agent of {}", self.feature),
                owner: Some(self.tenant),
                tunnel: kernel.tunnel(Some(&identity)),
                token: None,
            },
        ]
    }
}

/// One call in every variant: the tenant and the runtime of path, header and body.
struct Said<'s> {
    header_tenant: Option<&'s str>,
    header_runtime: Option<&'s str>,
    body_tenant: &'s str,
    runtime: &'s str,
    feature: &'s str,
}

impl Said<'_> {
    fn calls(&self) -> Vec<(&'static str, String, Option<Value>)> {
        let Self { body_tenant, runtime, feature, .. } = self;
        let event = json!({
            "event_id": ids::v7(), "tenant_id": body_tenant, "runtime_id": runtime,
            "actor_type": "user", "actor_id": "mallory", "type": "login",
            "timestamp": "2026-11-22T07:00:00Z", "correlation_id": "c-1", "payload": {},
        });
        let question = json!({"tenant_id": body_tenant, "runtime_id": runtime, "feature": feature});
        let statement = json!({
            "tenant_id": body_tenant, "runtime_type": "courses", "deployment_mode": "on_prem",
            "version": "1.0.0", "capabilities": [], "runtime_id": runtime,
        });
        let identity = json!({"tenant_id": body_tenant, "external_token": "a.b.c"});
        vec![
            ("GET", "/kernel/contract".to_owned(), None),
            ("POST", "/kernel/entitlements/check".to_owned(), Some(question)),
            ("POST", "/kernel/audit/events".to_owned(), Some(json!({"event": event}))),
            ("POST", "/kernel/audit/events".to_owned(), Some(json!({"events": [event]}))),
            (
                "POST",
                format!("/kernel/runtimes/{runtime}/heartbeat"),
                Some(json!({"status": "healthy"})),
            ),
            ("POST", "/kernel/identity/resolve".to_owned(), Some(identity)),
            ("POST", "/kernel/runtimes/register".to_owned(), Some(statement)),
            ("GET", format!("/kernel/agents/{runtime}/bundle"), None),
            ("POST", format!("/kernel/agents/{runtime}/certificate"), Some(json!({}))),
            ("POST", "/kernel/audit/batches".to_owned(), Some(json!({}))),
            ("GET", "/kernel/admin/tenants".to_owned(), None),
            ("GET", format!("/kernel/admin/tenants/{body_tenant}/audit/events"), None),
        ]
    }

    fn ask(&self, caller: &Caller, call: &(&str, String, Option<Value>)) -> Answer {
        let (method, target, body) = call;
        let bearer = caller.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = vec![("x-contract-version", "v0.2"), ("x-correlation-id", "c-1")];
        headers.extend(self.header_tenant.map(|tenant| ("x-tenant-id", tenant)));
        headers.extend(self.header_runtime.map(|runtime| ("x-runtime-id", runtime)));
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let body = body.as_ref().map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        caller.tunnel.door().call(method, target, &headers, body.as_bytes()).unwrap()
    }
}

#[test]
fn neither_organization_sees_or_changes_anything_of_the_other_by_any_call() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    let direct = kernel.tunnel(None);
    let ours = Organization::new(&vendor, &kernel, TENANT, "export", &direct);
    let theirs = Organization::new(&vendor, &kernel, TENANT_B, "telepathy", &direct);
    let view = |tenant: &str| {
        let events = kernel.audit(tenant).handed_over();
        let logins = events.iter().filter(|event| event["type"] == "login").count();
        let mallory = events.iter().filter(|event| event["actor_id"] == "mallory").count();
        (logins, mallory)
    };
    assert_eq!((view(TENANT).0, view(TENANT_B).0), (1, 1));

    let nobody = || Caller {
        name: "nobody".to_owned(),
        owner: None,
        tunnel: kernel.tunnel(None),
        token: None,
    };
    let made_up = || Caller {
        name: "a made-up token".to_owned(),
        owner: None,
        tunnel: kernel.tunnel(None),
        token: Some(format!("fhr_{}", "0".repeat(64))),
    };
    let ([product, agent], [their_product, their_agent]) =
        (ours.callers(&kernel), theirs.callers(&kernel));
    let (asked, let_through) = thread::scope(|scope| {
        let (ours, theirs) = (&ours, &theirs);
        let trying = [
            scope.spawn(move || tries_everything(&[product, nobody()], ours, theirs)),
            scope.spawn(move || tries_everything(&[agent, made_up()], ours, theirs)),
            scope.spawn(move || tries_everything(&[their_product], theirs, ours)),
            scope.spawn(move || tries_everything(&[their_agent], theirs, ours)),
        ];
        let tried = trying.map(|it| it.join().unwrap());
        tried.into_iter().fold((0, 0), |all, some| (all.0 + some.0, all.1 + some.1))
    });
    println!("{asked} calls, {let_through} of them about the caller's own");
    assert_eq!(view(TENANT), (1, view(TENANT).1));
    for (organization, mallory) in [(&ours, view(TENANT).1), (&theirs, view(TENANT_B).1)] {
        assert_eq!(mallory, 0, "an event of somebody else's under {}", organization.feature);
        organization.product.check(&organization.feature).allowed().used(1);
        organization.at_site.check(&organization.feature).allowed();
    }
    let codes = kernel.alert_codes();
    assert!(codes.iter().all(|code| code == "tenant.mismatch"), "{codes:?}");
    assert!(!codes.is_empty(), "somebody tried");
}

/// Asks every call in every variant that names one organization here and another there; how many
/// were asked, and how many were about the caller's own.
fn tries_everything(callers: &[Caller], from: &Organization, to: &Organization) -> (usize, usize) {
    let (mut asked, mut let_through) = (0, 0);
    for caller in callers {
        for header_tenant in [None, Some(from.tenant), Some(to.tenant)] {
            for header_runtime in [None, Some(from.product.id()), Some(to.product.id())] {
                for (body_tenant, runtime) in [
                    (from.tenant, to.at_site.id()),
                    (to.tenant, from.product.id()),
                    (to.tenant, to.product.id()),
                    (to.tenant, to.agent.as_str()),
                ] {
                    let feature = &to.feature;
                    let said =
                        Said { header_tenant, header_runtime, body_tenant, runtime, feature };
                    for call in said.calls() {
                        let answer = said.ask(caller, &call);
                        asked += 1;
                        let_through += usize::from(answer.status < 300);
                        is_refused_or_harmless(caller, &said, &call, &answer, to);
                    }
                }
            }
        }
    }
    (asked, let_through)
}

/// Nothing of the other one is told, and nothing that named it was done.
fn is_refused_or_harmless(
    caller: &Caller,
    said: &Said<'_>,
    call: &(&str, String, Option<Value>),
    answer: &Answer,
    to: &Organization,
) {
    let text = String::from_utf8_lossy(&answer.body);
    let asked = format!(
        "{} {} by {} with X-Tenant-Id {:?}, X-Runtime-Id {:?}, {}",
        call.0,
        call.1,
        caller.name,
        said.header_tenant,
        said.header_runtime,
        call.2.as_ref().map(Value::to_string).unwrap_or_default()
    );
    // What the caller sent himself may be repeated to him; nothing else.
    let sent = format!("{asked}{}", said.runtime);
    for own in to.own() {
        assert!(!text.contains(own) || sent.contains(own), "{asked}\n{} {text}", answer.status);
    }
    let each_refused = answer.json().is_ok_and(|answer| {
        let results = answer["results"].as_array();
        results.is_some_and(|results| results.iter().all(|result| result["code"].is_string()))
    });
    if answer.status < 300 && !each_refused {
        let names_other = said.header_tenant == Some(to.tenant)
            || said.header_runtime.is_some_and(|id| to.own().contains(&id))
            || call.2.as_ref().is_some_and(|body| body.to_string().contains(to.tenant));
        let is_versions = call.1 == "/kernel/contract";
        assert!(!names_other || is_versions && caller.owner.is_some(), "{asked}\n{text}");
        assert!(caller.owner.is_some(), "{asked}\n{text}");
        if call.1.contains("check") {
            let answer: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(answer["allowed"], false, "{asked}");
        }
        assert!(!call.1.contains(to.product.id()), "{asked}\n{text}");
        assert!(!call.1.contains(&to.agent), "{asked}\n{text}");
    }
}
