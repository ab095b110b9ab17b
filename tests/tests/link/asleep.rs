//! Asleep: what a linked site finds when it wakes, and what it keeps of its own will.

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, OldKey, TENANT, eventually};

use crate::stage::Stage;

/// More roots than one import takes.
const ROTATIONS: usize = 70;
const AN_IMPORT: usize = 64;

#[test]
fn a_site_that_slept_through_seventy_roots_catches_up_by_itself() {
    let mut stage = Stage::set();
    stage.site.drains();
    stage.site.stopped();
    let mut roots: Vec<Document> =
        (1..ROTATIONS).map(|_| stage.vendor.changes_root("renew")).collect();
    roots.push(stage.vendor.next_root(OldKey::RotatedOut));
    let renewal =
        stage.vendor.license(|l| l.managed().renewing(&stage.license).feature("proctoring"));
    roots.push(renewal);
    for part in roots.chunks(AN_IMPORT) {
        stage.kernel.holds(&part[0].and(&part[1..].iter().collect::<Vec<_>>()));
    }
    stage.site.started();
    eventually("it has the newest license", || {
        stage.courses.check("proctoring").answer().ok()["allowed"] == true
    });
    assert_eq!(stage.site.status()["trust"]["version"], 1 + ROTATIONS as u64);
    assert!(!stage.site.suffers("bundle_rejected"));
    stage.kernel_has_all_of_it_once();
}

/// What a site has given up its Kernel does not know, and sends it on.
#[test]
fn a_license_given_up_at_a_linked_site_stays_given_up_and_the_link_goes_on() {
    let mut stage = Stage::set();
    let id = stage.license.payload()["license_id"].as_str().unwrap().to_owned();
    stage.site.verb(["request", "--yes", "--release", &id]).done();
    stage.courses.check("exams").denied(Code::LicenseReleased);
    let other = stage.vendor.license(|l| l.managed().product("library").feature("loans"));
    stage.kernel.holds(&other);
    eventually("news arrive", || stage.courses.check("loans").answer().ok()["allowed"] == true);
    stage.courses.check("exams").denied(Code::LicenseReleased);
    stage.site.killed().started();
    stage.site.comes_online(&stage.courses, "loans");
    stage.courses.check("exams").denied(Code::LicenseReleased);
    assert!(!stage.site.suffers("bundle_rejected"));
    // The next serial is a new word.
    let again = stage.vendor.license(|l| l.managed().renewing(&stage.license).feature("exams"));
    stage.kernel.holds(&again);
    eventually("it is served again", || {
        stage.courses.check("exams").answer().ok()["allowed"] == true
    });
    stage.site.runtime_of(TENANT, Courses).registered();
    stage.kernel_has_all_of_it_once();
}
