//! Copies: a machine's image, its state or all of it exists twice, or is made anew.

use std::fs;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, machine};

use crate::binding::{Bound, bound, holding, on, restarts};

/// A golden image: two machines with everything of the installation in common, and no part.
#[test]
fn a_license_bound_to_one_machines_parts_is_refused_at_its_clone_on_other_hardware() {
    let Some(first) = machine::new("a_license_bound_to_one_machines_parts") else { return };
    let Bound { vendor, license, mut site, .. } = bound(&first);
    let clone = machine::new("the clone").unwrap();
    clone.has_card("eth0", "3c:22:fb:11:11:11");
    clone.has_card("eth1", "3c:22:fb:22:22:22");
    clone.has_disk("ANOTHERDISK0001");
    clone.has_board("4c4c4544-0042-3510-8051-111111111112");
    let other = on(&clone, Site::prepared(&vendor, |plan| plan)).trusting();
    other.imports(&license).refused(Code::LicenseBinding);

    // The state carried along, salt and all: the parts say that it is another machine.
    site.stopped();
    let mut carried = Site::prepared(&vendor, |plan| plan);
    fs::create_dir_all(carried.state()).unwrap();
    for entry in fs::read_dir(site.state()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), carried.state().join(entry.file_name())).unwrap();
    }
    fs::set_permissions(carried.state(), fs::metadata(site.state()).unwrap().permissions())
        .unwrap();
    let command = clone.runs(&carried.command(["run"]));
    carried.started_by(command);
    assert_eq!(carried.status()["ready"], false);
    let courses = carried.runtime(Courses);
    courses.registers().answer().refused(Code::LicenseBinding);
    assert_eq!(holding(&carried), (1, 3, false), "the installation alone is the same");
    let command = first.runs(&site.command(["run"]));
    site.started_by(command);
    site.runtime(Courses).registered().check("export").allowed();
}

/// A virtual machine cloned with all its parts: what it is bound to is the same, and its key is not.
#[test]
fn both_halves_of_a_cloned_machine_hold_its_parts_and_only_one_its_key() {
    let Some(machine) = machine::new("both_halves_of_a_cloned_machine") else { return };
    let Bound { vendor, site, license, courses } = bound(&machine);
    let other = on(&machine, Site::prepared(&vendor, |plan| plan)).trusting();
    // Another salt: the same parts can't be compared by who sees both files.
    let parts = |site: &Site| Document::at(site.requests(&[])).payload()["fingerprint"].clone();
    assert_ne!(parts(&site)["machine_id"], parts(&other)["machine_id"]);
    other.imports(&license).refused(Code::LicenseBinding);
    let to_key =
        vendor.license(|l| l.product("library").bound_to(&site.device_key()).feature("loans"));
    site.imports(&to_key).done();
    other.imports(&to_key).refused(Code::LicenseBinding);
    courses.check("export").allowed();
}

/// What a container keeps is its volume: the agent's key is on it.
#[test]
fn a_container_made_anew_on_its_old_volume_keeps_a_license_bound_to_its_key() {
    let Some(machine) = machine::new("a_container_made_anew") else { return };
    let Bound { vendor, mut site, license, courses } = bound(&machine);
    let to_key = vendor.license(|l| {
        l.renewing(&license).bound_to(&site.device_key()).feature("export").feature("exams")
    });
    site.imports(&to_key).done();
    let another = machine::new("the container made anew").unwrap();
    another.has_machine_id("0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    another.has_card("eth0", "3c:22:fb:33:33:33");
    another.loses_card("eth1");
    another.has_disk("ANOTHERDISK0002");
    another.has_board("4c4c4544-0042-3510-8051-222222222223");
    restarts(&mut site, &another);
    courses.check("exams").allowed();
    site.runtime(Courses).registered().check("export").allowed();
    assert!(!site.suffers("fingerprint_drift"), "nothing hangs on its parts");
}
