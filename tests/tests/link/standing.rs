//! What the Kernel takes away stays away until it, or a license issued later, gives it back.

use std::time::SystemTime;

use farhold_contract::Code;
use farhold_tests::site::{Runtime, TENANT, eventually};

use crate::stage::Stage;

fn becomes_denied(runtime: &Runtime, feature: &str, code: Code) {
    eventually("it is denied", || runtime.check(feature).answer().ok()["allowed"] == false);
    runtime.check(feature).denied(code);
}

fn becomes_allowed(runtime: &Runtime, feature: &str) {
    eventually("it is allowed", || runtime.check(feature).answer().ok()["allowed"] == true);
}

#[test]
fn a_suspended_runtime_stays_suspended_through_a_restart_and_an_outage_until_it_is_resumed() {
    let mut stage = Stage::set();
    stage.kernel.suspends(&stage.courses);
    becomes_denied(&stage.courses, "exams", Code::RuntimeSuspended);
    assert!(stage.site.suffers("runtime_suspended"));
    stage.kernel.killed();
    stage.site.killed().started();
    stage.courses.check("exams").denied(Code::RuntimeSuspended);
    stage.courses.check("export").consume(1).denied(Code::RuntimeSuspended);
    stage.kernel.started();
    stage.courses.check("exams").denied(Code::RuntimeSuspended);
    stage.kernel.resumes(&stage.courses);
    becomes_allowed(&stage.courses, "exams");
    eventually("it is over", || !stage.site.suffers("runtime_suspended"));
}

#[test]
fn a_license_issued_later_gives_back_what_a_kernel_that_never_returns_took() {
    let mut stage = Stage::set();
    stage.kernel.suspends_tenant(TENANT);
    becomes_denied(&stage.courses, "exams", Code::RuntimeSuspended);
    stage.kernel.killed();
    stage.site.imports(&stage.license);
    stage.courses.check("exams").denied(Code::RuntimeSuspended);
    // Licenses are issued to the second; the Kernel's word was given in one before.
    let second = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let word = second();
    eventually("a later second", || second() > word);
    let renewed = stage.vendor.license(|l| l.managed().renewing(&stage.license).feature("exams"));
    stage.site.imports(&renewed).done();
    stage.courses.check("exams").allowed();
    stage.site.killed().started();
    stage.courses.check("exams").allowed();
    stage.kernel.started();
}

#[test]
fn a_feature_switched_off_at_the_kernel_is_off_at_the_site_and_the_others_are_not() {
    let stage = Stage::set();
    stage.kernel.denies_tenant(TENANT, "exams");
    becomes_denied(&stage.courses, "exams", Code::FeatureDenied);
    stage.courses.check("export").allowed();
    stage.kernel.resumes_tenant(TENANT);
    becomes_allowed(&stage.courses, "exams");
}

#[test]
fn another_runtime_of_the_site_goes_on_while_one_is_suspended() {
    let stage = Stage::set();
    let labs =
        stage.site.runtime_of(TENANT, farhold_contract::model::RuntimeType::Labs).registered();
    eventually("the Kernel knows it", || stage.kernel.runtimes(TENANT).len() == 2);
    stage.kernel.suspends(&labs);
    becomes_denied(&labs, "exams", Code::RuntimeSuspended);
    stage.courses.check("exams").allowed();
}

#[test]
fn a_suspended_agent_hands_nothing_over_and_all_of_it_once_it_is_resumed() {
    let stage = Stage::set();
    stage.site.drains();
    let agent = stage.site.agent_id();
    stage.kernel.verb(["agent", "suspend", &agent]).done();
    becomes_denied(&stage.courses, "exams", Code::RuntimeSuspended);
    let event = stage.courses.event("login");
    stage.courses.tells(&event).answer().ok();
    assert!(stage.kernel.audit_of_type(TENANT, "login").is_empty());
    stage.kernel.verb(["agent", "resume", &agent]).done();
    becomes_allowed(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.audit(TENANT).of_type("login"), [event.to_json()]);
}
