//! Bound: a license that hangs on one machine's parts reaches the site on that machine alone.

use std::collections::BTreeMap;

use serde_json::Value;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{TENANT, Vendor, eventually},
};

/// A site whose machine has a part that every machine can be given.
fn site(vendor: &Vendor, kernel: &Kernel, cluster: &str) -> LinkedSite {
    let mut site =
        LinkedSite::prepared(vendor).with("machine.cluster_id", &format!("\"{cluster}\""));
    site.started();
    site.enrolled(kernel, &[TENANT])
}

fn part(site: &LinkedSite, name: &str) -> BTreeMap<String, String> {
    let told = site.verb(["fingerprint"]).done();
    let is_it = |one: &&Value| one["name"] == name;
    let found = told["components"].as_array().unwrap().iter().find(is_it).unwrap().clone();
    BTreeMap::from([(name.to_owned(), found["hash"].as_str().unwrap().to_owned())])
}

#[test]
fn a_license_bound_to_parts_is_sent_to_the_site_it_fits_and_to_no_other() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    let common = vendor.license(|l| l.managed().product("library").feature("loans"));
    kernel.has_tenant(TENANT).holds(&common);
    let home = site(&vendor, &kernel, "6f1c2d3e-4f01-4b53-8a31-3c5f01939b6e");
    let other = site(&vendor, &kernel, "6f1c2d3e-4f01-4b53-8a31-3c5f01939bff");
    home.is_ready();
    other.is_ready();
    let (at_home, elsewhere) = (
        home.runtime_of(TENANT, Courses).registered(),
        other.runtime_of(TENANT, Courses).registered(),
    );
    elsewhere.check("loans").allowed();

    let parts = part(&home, "cluster_id");
    let bound = vendor.license(|l| l.managed().bound_to_parts(1, &parts).feature("exams"));
    kernel.holds(&bound);
    let may = |runtime: &farhold_tests::site::Runtime| {
        runtime.check("exams").answer().ok()["allowed"] == true
    };
    eventually("it is where it fits", || may(&at_home));
    let listed = kernel.verb(["license", "list", "--tenant", TENANT]).done();
    let id = bound.payload()["license_id"].clone();
    let row = listed["licenses"].as_array().unwrap().iter().find(|row| row["license_id"] == id);
    assert_eq!(row.unwrap()["sent_to"], 1, "{listed:#}");
    // The other goes on with what it has, and takes in what else comes.
    let more = vendor.license(|l| l.managed().product("library").renewing(&common).feature("maps"));
    kernel.holds(&more);
    eventually("news for both arrive", || elsewhere.check("maps").answer().ok()["allowed"] == true);
    elsewhere.check("exams").denied(Code::FeatureNotGranted);
    assert!(!other.suffers("bundle_rejected"), "nothing was sent that it would refuse");
    assert!(!other.licenses().iter().any(|license| license["license_id"] == id));
    at_home.check("exams").allowed();
}
