//! The main job of a managed site: enroll, pull, answer, hand over.

use farhold_contract::{Code, mode::Mode, model::RuntimeType::Courses};
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{TENANT, Vendor, eventually},
};

use crate::stage::Stage;

#[test]
fn a_site_enrolls_pulls_its_license_answers_online_and_hands_its_audit_over() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    let license = vendor.license(|l| l.managed().feature("export").quota(5));
    kernel.has_tenant(TENANT).holds(&license);
    let site = LinkedSite::new(&vendor);
    assert!(site.suffers("not_enrolled"));
    let site = site.enrolled(&kernel, &[TENANT]);
    site.is_ready();
    assert!(!site.suffers("not_enrolled"));

    let courses = site.runtime_of(TENANT, Courses).registered();
    site.comes_online(&courses, "export");
    courses.check("export").consume(2).allowed().mode(Mode::Online).used(2).remaining(3);
    courses.check("exams").denied(Code::FeatureNotGranted);
    let event = courses.event("login");
    courses.tells(&event).answer().ok();
    site.drains();
    assert_eq!(kernel.audit(TENANT).of_type("login"), [event.to_json()]);
    eventually("the Kernel knows the runtime", || {
        kernel.runtimes(TENANT).iter().any(|runtime| runtime["runtime_id"] == courses.id())
    });
    let agents = kernel.agents();
    assert_eq!(agents.len(), 1, "{agents:#?}");
    assert_eq!(agents[0]["runtime_id"], site.agent_id());
    assert_eq!(kernel.alert_codes(), [""; 0]);
}

#[test]
fn a_license_uploaded_later_reaches_the_site_by_itself() {
    let stage = Stage::set();
    stage.courses.check("telepathy").denied(Code::FeatureNotGranted);
    let renewed = stage.vendor.license(|l| {
        l.managed().renewing(&stage.license).feature("export").quota(1_000).feature("telepathy")
    });
    stage.kernel.holds(&renewed);
    eventually("the new license is in force", || {
        stage.courses.check("telepathy").answer().ok()["allowed"] == true
    });
    stage.courses.check("exams").denied(Code::FeatureNotGranted);
}

#[test]
fn a_product_moves_between_agent_and_kernel_by_its_base_url_alone() {
    let stage = Stage::set();
    let tunnel = stage.kernel.tunnel(None);
    let labs = stage.kernel.runtime(&tunnel.door(), TENANT, Courses).registered();
    labs.check("export").consume(1).allowed().mode(Mode::Online);
    let event = labs.event("login");
    labs.tells(&event).answer().ok();
    labs.heartbeat().answer().ok();
    assert_eq!(stage.kernel.audit_of_type(TENANT, "login").events(), [event.to_json()]);
    // The other way round: the same product, at the agent.
    let at_agent = stage.site.runtime_of(TENANT, Courses).registered();
    at_agent.check("export").consume(1).allowed().mode(Mode::Online);
}

#[test]
fn a_runtime_registered_while_the_kernel_was_away_keeps_its_id_there() {
    let mut stage = Stage::set();
    stage.kernel.killed();
    let labs = stage.site.runtime_of(TENANT, Courses).registered();
    labs.check("exams").allowed();
    stage.kernel.started();
    eventually("the Kernel knows it by its id", || {
        stage.kernel.runtimes(TENANT).iter().any(|runtime| runtime["runtime_id"] == labs.id())
    });
    assert_eq!(labs.registers().answer().ok()["runtime_id"], labs.id());
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

#[test]
fn two_organizations_of_one_site_each_have_their_own() {
    const OTHER: &str = farhold_tests::site::TENANT_B;
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT).holds(&vendor.license(|l| l.managed().feature("export")));
    kernel
        .has_tenant(OTHER)
        .holds(&vendor.license(|l| l.managed().tenant(OTHER).feature("telepathy")));
    let site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT, OTHER]);
    site.is_ready();
    let ours = site.runtime_of(TENANT, Courses).registered();
    let theirs = site.runtime_of(OTHER, Courses).registered();
    site.comes_online(&ours, "export");
    site.comes_online(&theirs, "telepathy");
    ours.check("telepathy").denied(Code::FeatureNotGranted);
    theirs.check("export").denied(Code::FeatureNotGranted);
    let (one, two) = (ours.event("login"), theirs.event("login"));
    ours.tells(&one).answer().ok();
    theirs.tells(&two).answer().ok();
    site.drains();
    assert_eq!(kernel.audit(TENANT).of_type("login"), [one.to_json()]);
    assert_eq!(kernel.audit(OTHER).of_type("login"), [two.to_json()]);
    kernel.verifies();
}
