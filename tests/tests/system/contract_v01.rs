//! A v0.1 caller sees exactly v0.1, at the same agent and the same door as everyone else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Runtime, Site, Vendor};

#[test]
fn every_call_answers_v01_and_not_a_member_more() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(3).per("P1D"));
    let site = Site::new(&vendor).trusting().holding(&license);
    for door in site.doors() {
        let old = site.runtime(Courses).speaking("v0.1").at(&door);
        let registered = old.registers().answer().ok();
        assert_eq!(members(&registered), ["policies_applied", "runtime_id", "status"]);
        let old = old.registered();

        let allowed = old.check("export").answer().ok();
        assert_eq!(allowed, json!({"allowed": true, "limits": {"quota": 3, "time_window": "P1D"}}));
        let denied = old.check("exams").answer().ok();
        assert_eq!(members(&denied), ["allowed"]);

        assert_eq!(old.heartbeat().answer().ok(), json!({}));
        let event = old.event("login");
        assert_eq!(old.tells(&event).answer().ok(), json!({}));
        assert_eq!(old.tells(&event).answer().ok(), json!({}), "a retry too");
        old.tells_all(&[old.event("login")]).answer().refused(Code::RequestMalformed);
        resolves(&old).refused(Code::IdentityUnavailableOffline);
    }
}

#[test]
fn what_v02_adds_to_requests_has_no_meaning_in_v01() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(1));
    let site = Site::new(&vendor).trusting().holding(&license);
    let old = site.runtime(Courses).speaking("v0.1").registered();
    for _ in 0..3 {
        old.check("export").consume(1).allowed();
    }
    for _ in 0..2 {
        let answered = old.check("export").consume(1).key("k").answer();
        assert_eq!(answered.header("idempotency-replayed"), None);
        answered.ok();
    }
    let mut statement = old.statement();
    statement["runtime_id"] = json!("not an id at all");
    old.post("/kernel/runtimes/register", &statement).answer().ok();

    let new = site.runtime(Courses).registered();
    new.check("export").allowed().used(0);
}

fn resolves(runtime: &Runtime) -> farhold_tests::site::Answered {
    let body = json!({"tenant_id": runtime.tenant(), "external_token": "of-some-provider"});
    runtime.post("/kernel/identity/resolve", &body).answer()
}

fn members(answer: &Value) -> Vec<&str> {
    let names: BTreeSet<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    names.into_iter().collect()
}
