//! What products tell the audit: kept once, by their own bytes, and never in the agent's name.

use serde_json::json;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Runtime, Site, TENANT_B, Vendor, ids};

fn site() -> (Vendor, Site, Runtime) {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    (vendor, site, courses)
}

#[test]
fn a_retry_is_a_duplicate_and_other_bytes_under_the_same_id_a_conflict() {
    let (_vendor, mut site, courses) = site();
    let event = courses.event("login").payload(json!({"provider": "saml"}));
    let kept = courses.tells(&event).answer().ok();
    assert_eq!(kept, json!({"event_id": event.id()}));
    let again = json!({"event_id": event.id(), "duplicate": true});
    for door in site.doors() {
        assert_eq!(courses.tells(&event).at(&door).answer().ok(), again);
    }
    site.killed().started();
    assert_eq!(courses.tells(&event).answer().ok(), again);
    let other = event.clone().saying("actor_id", json!("eva"));
    courses.tells(&other).answer().refused(Code::EventConflict);
    assert_eq!(site.audit().only("login"), event.to_json());
}

#[test]
fn what_is_not_a_runtimes_to_say_is_refused() {
    let (_vendor, site, courses) = site();
    let before = site.audit().len();
    for reserved in ["agent.started", "agent.anything", "kernel.suspended"] {
        courses.tells(&courses.event(reserved)).answer().refused(Code::EventRefused);
    }
    let login = || courses.event("login");
    let system = login().saying("actor_type", json!("system"));
    courses.tells(&system).answer().refused(Code::EventRefused);
    let long = login().payload(json!({"text": "x".repeat(70_000)}));
    courses.tells(&long).answer().refused(Code::EventRefused);
    let foreign = login().saying("tenant_id", json!(TENANT_B));
    courses.tells(&foreign).answer().refused(Code::TenantMismatch);
    let others = login().saying("runtime_id", json!(ids::v7()));
    courses.tells(&others).answer().refused(Code::RuntimeMismatch);
    for (member, value) in [
        ("event_id", json!("01939b6e-3c5f-4a31-8b53-0f6f1c2d3e4f")),
        ("event_id", json!(1)),
        ("timestamp", json!("yesterday")),
        ("timestamp", json!("2026-11-22T07:00:00+01:00")),
        ("type", json!("")),
        ("type", json!("Not A Type")),
        ("actor_id", json!("")),
        ("correlation_id", json!("two words")),
        ("payload", json!([])),
        ("payload", json!(null)),
    ] {
        let event = login().saying(member, value.clone());
        let answered = courses.tells(&event).answer();
        assert_eq!(answered.answer.status, 422, "{member} {value}");
        answered.refused(Code::EventRefused);
    }
    assert_eq!(site.audit().len(), before, "nothing of it was kept");
}

#[test]
fn each_of_many_is_judged_for_itself() {
    let (_vendor, site, courses) = site();
    let old = courses.event("login");
    courses.tells(&old).answer().ok();
    let good = courses.event("session.start");
    let answer = courses
        .tells_all(&[
            old.clone(),
            courses.event("agent.started"),
            good.clone(),
            old.clone().saying("actor_id", json!("eva")),
            courses.event("course.completed"),
        ])
        .answer()
        .ok();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results[0], json!({"event_id": old.id(), "duplicate": true}));
    assert_eq!(results[1]["code"], "event.refused");
    assert_eq!(results[2], json!({"event_id": good.id()}));
    assert_eq!(results[3]["code"], "event.conflict");
    assert!(results[4]["event_id"].is_string());
    let kept = site.audit();
    assert_eq!((kept.only("session.start"), kept.only("login")), (good.to_json(), old.to_json()));

    courses.tells_all(&[]).answer().refused(Code::RequestMalformed);
    let many: Vec<_> = (0..1_001).map(|_| courses.event("login")).collect();
    courses.tells_all(&many).answer().refused(Code::RequestMalformed);
    let answer = courses.tells_all(&many[..1_000]).answer().ok();
    assert_eq!(answer["results"].as_array().unwrap().len(), 1_000);
}

#[test]
fn one_event_twice_in_one_call_is_kept_once() {
    let (_vendor, site, courses) = site();
    let event = courses.event("login");
    let answer = courses.tells_all(&[event.clone(), event.clone()]).answer().ok();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results[0], json!({"event_id": event.id()}));
    assert_eq!(results[1], json!({"event_id": event.id(), "duplicate": true}));
    site.audit().only("login");
}

#[test]
fn what_a_license_redacts_is_never_kept() {
    let vendor = Vendor::new();
    let license = vendor
        .license(|l| l.redacting(&["/payload/email", "/payload/person/name"]).feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let event = courses.event("login").payload(json!({
        "email": "ana@example.com",
        "person": {"name": "Ana Torres", "role": "teacher"},
    }));
    courses.tells(&event).answer().ok();
    let kept = site.audit().only("login");
    assert_eq!(
        kept["payload"],
        json!({"email": {"redacted": true}, "person": {"name": {"redacted": true}, "role": "teacher"}})
    );
    assert_eq!(courses.tells(&event).answer().ok()["duplicate"], true, "a retry is still one");
    let export = String::from_utf8(site.export().bytes()).unwrap();
    assert!(!export.contains("ana@example.com") && !export.contains("Ana Torres"));
    let database = std::fs::read(site.state().join("agent.db")).unwrap();
    let log = std::fs::read(site.state().join("agent.db-wal")).unwrap_or_default();
    for bytes in [database, log] {
        assert!(!String::from_utf8_lossy(&bytes).contains("ana@example.com"));
    }
}

#[test]
fn the_agent_tells_what_it_did_itself() {
    let (vendor, mut site, courses) = site();
    courses.check("exams").denied(Code::FeatureNotGranted);
    site.verb(["token", "revoke", courses.token_id()]).done();
    site.imports(&vendor.receipt(&site.export())).done();
    site.stopped().started();
    let events = site.audit().events();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "agent.started",
            "agent.trust.installed",
            "agent.bundle.imported",
            "agent.token.created",
            "agent.runtime.registered",
            "agent.decision.denied",
            "agent.token.revoked",
            "agent.bundle.imported",
            "agent.receipt.imported",
            "agent.stopped",
            "agent.started",
        ]
    );
    for event in events {
        assert_eq!(
            (&event["actor_type"], &event["actor_id"]),
            (&json!("system"), &json!("farhold"))
        );
    }
}
