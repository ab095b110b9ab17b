//! What a refusal leaves behind: durable before it is told, and repeats counted, not piled up.

use std::collections::BTreeSet;

use farhold_contract::{Code, mode::Mode, model::RuntimeType::Courses};
use farhold_tests::site::{Site, Vendor};

const DENIED: &str = "agent.decision.denied";

#[test]
fn the_first_refusal_is_durable_before_its_answer() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(1));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("exams").denied(Code::FeatureNotGranted).mode(Mode::None);
    site.killed().started();
    let denied = site.audit().only(DENIED);
    assert_eq!(denied["payload"]["feature"], "exams");
    assert_eq!(denied["payload"]["code"], "feature.not_granted");
    assert_eq!(denied["payload"]["count"], 1);
    assert_eq!(denied["runtime_id"], courses.id());
    assert_eq!(denied["actor_type"], "system");

    courses.check("export").consume(1).allowed();
    courses.check("export").consume(1).denied(Code::QuotaExhausted);
    site.killed().started();
    let denied = site.audit().of_type(DENIED);
    assert_eq!(denied.len(), 2, "{denied:#?}");
    assert_eq!(denied[1]["payload"]["code"], "quota.exhausted");
}

#[test]
fn repeats_are_counted_and_written_as_one() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    for _ in 0..50 {
        courses.check("exams").denied(Code::FeatureNotGranted);
    }
    courses.check("labs").denied(Code::FeatureNotGranted);
    assert_eq!(site.audit().of_type(DENIED).len(), 2, "one a feature");
    site.stopped().started();
    let denied = site.audit().of_type(DENIED);
    let counts: u64 = denied
        .iter()
        .filter(|event| event["payload"]["feature"] == "exams")
        .map(|event| event["payload"]["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counts, 50);
    assert_eq!(denied.len(), 3);
}

#[test]
fn a_license_says_which_decisions_are_kept() {
    let vendor = Vendor::new();
    let all = vendor.license(|l| l.recording(&["all"]).feature("export").quota(9));
    let site = Site::new(&vendor).trusting().holding(&all);
    let courses = site.runtime(Courses).registered();
    let looked = courses.check("export").allowed().answer;
    let consumed = courses.check("export").consume(2).allowed().answer;
    let audit = site.audit();
    let allowed = audit.only("agent.decision.allowed");
    assert_eq!(allowed["payload"]["decision_id"], looked["decision_id"]);
    let used = audit.only("agent.decision.consumed");
    assert_eq!(used["payload"]["decision_id"], consumed["decision_id"]);
    assert_eq!(used["payload"]["units"], 2);

    let nothing = vendor.license(|l| l.renewing(&all).recording(&[]).feature("export").quota(9));
    site.imports(&nothing).done();
    courses.check("export").consume(1).allowed();
    courses.check("export").consume(9).denied(Code::QuotaExhausted);
    courses.check("export").allowed();
    let kinds: BTreeSet<String> = site
        .audit()
        .events()
        .into_iter()
        .skip(audit.len())
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["agent.bundle.imported".to_owned()]));
}
