//! Binding: a license that hangs on the machine's parts, on machines of the test's own.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{
    Document, Runtime, Site, Vendor,
    machine::{self, Machine},
    sleep,
};

/// A site on a machine of its own, with a license that asks for three of its five parts.
pub(crate) struct Bound {
    pub vendor: Vendor,
    pub site: Site,
    pub license: Document,
    pub courses: Runtime,
}

pub(crate) fn bound(machine: &Machine) -> Bound {
    let vendor = Vendor::new();
    let site = on(machine, Site::prepared(&vendor, |plan| plan)).trusting();
    let template = vendor.template(|l| l.feature("export"));
    let words = format!("--template {} --new-id --bind fingerprint:3", template.path().display());
    let license = vendor.answers(&site.requests(&[]), &words).done();
    site.imports(&license).done();
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    Bound { vendor, site, license, courses }
}

pub(crate) fn on(machine: &Machine, mut site: Site) -> Site {
    let command = machine.runs(&site.command(["run"]));
    site.started_by(command);
    site
}

/// Off, changed, and on again.
pub(crate) fn restarts(site: &mut Site, machine: &Machine) {
    site.stopped();
    let command = machine.runs(&site.command(["run"]));
    site.started_by(command);
}

fn explained(site: &Site) -> Value {
    site.verb(["fingerprint", "explain"]).done()
}

pub(crate) fn holding(site: &Site) -> (u64, u64, bool) {
    let told = explained(site);
    let license = &told["licenses"][0];
    let number = |name: &str| license[name].as_u64().unwrap_or_else(|| panic!("{told:#}"));
    (number("holding"), number("require"), license["holds"].as_bool().unwrap())
}

#[test]
fn parts_change_one_by_one_and_drift_is_told_long_before_anything_is_denied() {
    let Some(machine) = machine::new("parts_change_one_by_one") else { return };
    let Bound { mut site, courses, .. } = bound(&machine);
    assert_eq!(holding(&site), (5, 3, true));
    assert!(!site.suffers("fingerprint_drift"));
    // The network card, then the disk: as repairs do.
    machine.has_card("eth1", "3c:22:fb:0a:0b:0c");
    restarts(&mut site, &machine);
    courses.check("export").allowed();
    assert_eq!(holding(&site), (4, 3, true));
    assert!(site.suffers("fingerprint_drift"));
    machine.has_disk("S4EVNX0R654321");
    restarts(&mut site, &machine);
    courses.check("export").allowed();
    assert_eq!(holding(&site), (3, 3, true));
    let told = explained(&site);
    let disk = &told["licenses"][0]["components"]["disk.root"];
    assert_eq!(disk, "changed", "{told:#}");
    assert!(!told["licenses"][0]["next_change"].as_str().unwrap().is_empty());
    let changed = site.audit().of_type("agent.fingerprint.changed");
    assert_eq!(changed.len(), 2, "{changed:#?}");
    // What if the next one goes: the site says so before it does.
    let what_if = site.verb(["license", "what-if", "--without", "eth0"]).done();
    assert_eq!(what_if["not_admitted"][0]["code"], "license.binding_mismatch", "{what_if:#}");
    assert_eq!(what_if["refused"][0]["after"]["code"], "license.binding_mismatch");
    courses.check("export").allowed();

    machine.has_board("4c4c4544-0042-3510-8051-b7c04f4d9999");
    restarts(&mut site, &machine);
    assert_eq!(holding(&site), (2, 3, false));
    courses.check("export").denied(Code::LicenseBinding);
    site.runtime(Courses).registers().answer().refused(Code::LicenseBinding);
    assert_eq!(site.licenses()[0]["phase"], "not_admitted");
    // One that comes back is enough.
    machine.has_disk("S4EVNX0R123456");
    restarts(&mut site, &machine);
    assert_eq!(holding(&site), (3, 3, true));
    courses.check("export").allowed();
}

#[test]
fn a_machine_with_too_little_left_of_it_is_rehosted_by_request_and_answer() {
    let Some(machine) = machine::new("a_machine_with_too_little_left") else { return };
    let Bound { vendor, mut site, license, courses } = bound(&machine);
    machine.has_board("4c4c4544-0042-3510-8051-b7c04f4d9999");
    machine.has_disk("S4EVNX0R654321");
    machine.has_machine_id("0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    restarts(&mut site, &machine);
    courses.check("export").denied(Code::LicenseBinding);
    let words = format!("--from {} --bind fingerprint:3", license.path().display());
    let answer = vendor.answers(&site.requests(&[]), &words).done();
    site.imports(&answer).done();
    courses.check("export").allowed();
    assert_eq!(holding(&site), (5, 3, true));
    restarts(&mut site, &machine);
    courses.check("export").allowed();
}

#[test]
fn a_card_by_another_name_a_hidden_disk_and_another_hostname_are_no_change() {
    let Some(machine) = machine::new("a_card_by_another_name") else { return };
    let Bound { mut site, courses, .. } = bound(&machine);
    machine.renames_card("eth0", "enp1s0");
    machine.hides_disk();
    restarts(&mut site, &machine);
    assert_eq!(holding(&site), (5, 3, true));
    let told = explained(&site);
    assert_eq!(told["licenses"][0]["renamed"]["nic.eth0"], "nic.enp1s0", "{told:#}");
    let disk = told["components"].as_array().unwrap().iter().find(|one| one["name"] == "disk.root");
    assert_eq!(disk.unwrap()["state"], "unreadable", "{told:#}");
    assert!(!site.suffers("fingerprint_drift"), "unknown is not changed");
    courses.check("export").allowed();
    assert!(site.audit().of_type("agent.fingerprint.changed").is_empty());
}

#[test]
fn a_card_that_was_pulled_counts_as_gone_only_after_a_while() {
    let test = "a_card_that_was_pulled";
    let Some(machine) = machine::new(test) else { return };
    if !sleep::is_possible(test) {
        return;
    }
    let Bound { mut site, .. } = bound(&machine);
    machine.loses_card("eth1");
    restarts(&mut site, &machine);
    assert_eq!(holding(&site).0, 5, "its driver may be late");
    assert!(!site.suffers("fingerprint_drift"));
    site.stopped();
    let command = machine.runs(&site.command(["run"]));
    site.started_by(sleep::after(&command, Duration::from_secs(20 * 60)));
    assert_eq!(holding(&site).0, 4);
    assert!(site.suffers("fingerprint_drift"));
}

#[test]
fn a_shared_or_empty_machine_id_is_ignored_with_a_warning() {
    let Some(machine) = machine::new("a_shared_or_empty_machine_id") else { return };
    for shared in ["", "uninitialized", "d41d8cd98f00b204e9800998ecf8427e"] {
        machine.has_machine_id(shared);
        let vendor = Vendor::new();
        let site = on(&machine, Site::prepared(&vendor, |plan| plan)).trusting();
        let told = site.verb(["fingerprint"]).done();
        let components = told["components"].as_array().unwrap();
        let id = components.iter().find(|one| one["name"] == "machine_id").unwrap();
        assert_eq!(id["state"], "ignored", "{id}");
        assert!(!id["reason"].as_str().unwrap().is_empty());
        assert!(site.log().contains("machine_id"), "{}", site.log());
        let request = Document::at(site.requests(&[])).payload();
        let parts = request["fingerprint"].as_object().unwrap();
        assert!(!parts.contains_key("machine_id") && parts.len() == 4, "{parts:?}");
    }
}

/// On whatever machine the tests run: what it shows is what a license can be bound to.
#[test]
fn this_very_machines_parts_bind_and_one_that_no_machine_has_does_not() {
    let vendor = Vendor::new();
    let cluster = "6f1c2d3e-4f01-4b53-8a31-3c5f01939b6e";
    let site = Site::planned(&vendor, |plan| plan.with("machine.cluster_id", cluster)).trusting();
    let told = site.verb(["fingerprint"]).done();
    let components = told["components"].as_array().unwrap();
    let parts: BTreeMap<String, String> = components
        .iter()
        .filter(|one| one["state"] == "read")
        .map(|one| ["name", "hash"].map(|name| one[name].as_str().unwrap().to_owned()))
        .map(|[name, hash]| (name, hash))
        .collect();
    if parts.len() < 2 {
        return eprintln!("SKIPPED: this machine shows only {parts:?}");
    }
    let all = parts.len();
    let strict = vendor.license(|l| l.bound_to_parts(all, &parts).feature("export"));
    site.imports(&strict).done();
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    let mut foreign = parts.clone();
    foreign.insert("cluster_id".to_owned(), "0011223344556677".to_owned());
    let refused =
        vendor.license(|l| l.renewing(&strict).bound_to_parts(all, &foreign).feature("export"));
    site.imports(&refused).refused(Code::LicenseBinding);
    let lenient =
        vendor.license(|l| l.renewing(&strict).bound_to_parts(all - 1, &foreign).feature("export"));
    site.imports(&lenient).done();

    // The cluster is another one: the first license would be barred now, the second bears it.
    let mut site = site;
    site.stopped();
    let moved = site.configuration().replace(cluster, "6f1c2d3e-4f01-4b53-8a31-3c5f01939bff");
    site.configured(&moved);
    site.started();
    courses.check("export").allowed();
    assert!(site.suffers("fingerprint_drift"));
}

#[test]
fn a_license_barred_after_the_fact_says_binding_and_not_missing() {
    let vendor = Vendor::new();
    let cluster = "6f1c2d3e-4f01-4b53-8a31-3c5f01939b6e";
    let mut site =
        Site::planned(&vendor, |plan| plan.with("machine.cluster_id", cluster)).trusting();
    let told = site.verb(["fingerprint"]).done();
    let part = |one: &&Value| one["name"] == "cluster_id";
    let hash = told["components"].as_array().unwrap().iter().find(part).unwrap()["hash"].clone();
    let parts = BTreeMap::from([("cluster_id".to_owned(), hash.as_str().unwrap().to_owned())]);
    let license = vendor.license(|l| l.bound_to_parts(1, &parts).feature("export"));
    site.imports(&license).done();
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    site.stopped();
    site.configured(&site.configuration().replace(cluster, "6f1c2d3e-4f01-4b53-8a31-3c5f01939bff"));
    site.started();
    courses.check("export").denied(Code::LicenseBinding);
    assert_eq!(site.status()["ready"], false);
    // An offline machine's operator gets it back with the part.
    site.stopped();
    site.configured(&site.configuration());
    site.started();
    courses.check("export").allowed();
}
