//! Verbs answer the same with a running agent and without one, and failing ones say which code.

use serde_json::Value;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Ran, Site, Vendor};

/// What a verb answers, without what time alone changes.
fn answers(site: &Site, line: &str) -> Value {
    let mut answer = site.verb(line.split_ascii_whitespace()).done();
    if let Some(members) = answer.as_object_mut() {
        members.remove("now");
        members.remove("bytes");
    }
    answer
}

#[test]
fn reading_verbs_answer_the_same_with_and_without_an_agent() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(3));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(1).allowed();
    let lines = ["license show", "trust show", "token list"];
    let with_agent: Vec<Value> = lines.iter().map(|line| answers(&site, line)).collect();
    site.stopped();
    let without: Vec<Value> = lines.iter().map(|line| answers(&site, line)).collect();
    assert_eq!(with_agent, without);
    for line in ["queue stats", "audit verify", "audit tail"] {
        let without = answers(&site, line);
        // What a start and its end add is theirs; the chain up to there is the same.
        assert_eq!(answers(&site, line), without, "a verb that reads changes nothing");
    }
    let status = answers(&site, "status");
    assert_eq!((&status["runtimes"], &status["ready"]), (&1.into(), &true.into()));
    site.started();
    courses.check("export").allowed().used(1);
}

#[test]
fn a_whole_day_without_an_agent_is_there_when_it_starts() {
    let vendor = Vendor::new();
    let mut site = Site::prepared(&vendor, |plan| plan).trusting();
    let license = vendor.license(|l| l.feature("export"));
    site.imports(&license.tampered()).refused(Code::SignatureInvalid);
    site.imports(&license).done();
    let courses = site.runtime(Courses);
    vendor
        .verifies_export(&site.export(), answers(&site, "status")["device_key"].as_str().unwrap());
    site.started();
    courses.registered().check("export").allowed();
    let kinds = ["agent.trust.installed", "agent.bundle.imported", "agent.token.created"];
    kinds.iter().for_each(|kind| drop(site.audit().only(kind)));
}

#[test]
fn failing_verbs_say_their_code() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let verb = |line: &str| -> Ran { site.verb(line.split_ascii_whitespace()) };
    verb("export --from 1000").refused(Code::ExportEmpty);
    verb("token revoke 01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f").refused(Code::RequestNotFound);
    verb("token create --type toaster").refused(Code::UsageInvalid);
    verb("nonsense").refused(Code::UsageInvalid);
    verb("license explain license.nonsense").refused(Code::UsageInvalid);
    std::fs::write(site.path("there"), "precious").unwrap();
    verb("export --out there").refused(Code::OutputExists);
    assert_eq!(std::fs::read_to_string(site.path("there")).unwrap(), "precious");
    verb("export --out no/such/folder").refused(Code::OutputUnwritable);
    verb("check").refused(Code::CheckFailed);
    for code in Code::ALL {
        let told = verb(&format!("license explain {code}")).done();
        assert_eq!(told["sentence"], code.sentence());
    }
}

#[test]
fn an_agent_that_is_not_there_is_no_license_to_fail_silently() {
    let vendor = Vendor::new();
    let site = Site::prepared(&vendor, |plan| plan);
    site.verb(["check", "--live"]).refused(Code::AgentUnreachable);
}
