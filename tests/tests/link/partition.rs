//! Two hosts, and what happens to the cable between them.

use std::sync::Arc;

use farhold_contract::{mode::Mode, model::RuntimeType::Courses};
use farhold_tests::{
    kernel_process::Kernel,
    net::namespace::{Host, Network, network},
    site::{TENANT, Vendor, eventually},
};

use crate::stage::Stage;

/// A Kernel and a site, each on a host of its own.
struct Hosts {
    kernel: Arc<Host>,
    site: Arc<Host>,
    stage: Stage,
    _network: Network,
}

/// `None`, said loudly, where the machine has no namespaces.
fn hosts(test: &str) -> Option<Hosts> {
    let network = network(test)?;
    let (kernel, site) = (Arc::new(network.host("kernel")), Arc::new(network.host("site")));
    let vendor = Vendor::new();
    let running = Kernel::planned(&vendor, |plan| plan.on(&kernel));
    let stage = Stage::around(vendor, running, |it| it.on(&site));
    Some(Hosts { kernel, site, stage, _network: network })
}

#[test]
fn a_site_cut_off_serves_on_and_hands_everything_over_when_the_cable_is_back() {
    let Some(hosts) = hosts("a_site_cut_off") else { return };
    let stage = &hosts.stage;
    hosts.site.cut();
    for _ in 0..10 {
        stage.courses.check("export").consume(1).allowed();
        stage.courses.tells(&stage.courses.event("login")).answer().ok();
    }
    stage.site.goes_offline(&stage.courses, "exams");
    stage.courses.check("exams").allowed().mode(Mode::Offline);
    hosts.site.healed();
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.audit(TENANT).of_type("login").len(), 10);
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

#[test]
fn a_route_that_is_missing_and_one_that_swallows_are_both_survived() {
    let Some(hosts) = hosts("a_route_that_is_missing") else { return };
    let stage = &hosts.stage;
    for breaks in [Host::has_no_way_to, Host::black_hole_at] {
        breaks(&hosts.site, &hosts.kernel);
        stage.site.goes_offline(&stage.courses, "exams");
        stage.courses.tells(&stage.courses.event("login")).answer().ok();
        hosts.site.has_a_way_to(&hosts.kernel);
        stage.site.comes_online(&stage.courses, "exams");
    }
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

#[test]
fn two_sites_of_one_kernel_are_cut_and_heal_each_for_itself() {
    let Some(network) = network("two_sites_of_one_kernel") else { return };
    let kernel = Arc::new(network.host("kernel"));
    let (one, two) = (Arc::new(network.host("one")), Arc::new(network.host("two")));
    let vendor = Vendor::new();
    let running = Kernel::planned(&vendor, |plan| plan.on(&kernel));
    let stage = Stage::around(vendor, running, |it| it.on(&one));
    let mut other = farhold_tests::kernel_process::LinkedSite::prepared(&stage.vendor).on(&two);
    other.started();
    let other = other.enrolled(&stage.kernel, &[TENANT]);
    other.is_ready();
    let labs = other.runtime_of(TENANT, Courses).registered();
    other.comes_online(&labs, "exams");
    one.cut();
    stage.site.goes_offline(&stage.courses, "exams");
    labs.check("exams").allowed().mode(Mode::Online);
    one.healed();
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.agents().len(), 2);
    // The license is for one site: that is told, and never a cut.
    assert_eq!(stage.kernel.alert_codes(), ["license.over_sites"]);
}

#[test]
fn a_name_that_can_not_be_resolved_for_a_while_is_survived() {
    let Some(network) = network("a_name_that_can_not_be_resolved") else { return };
    let (kernel, site) = (Arc::new(network.host("kernel")), Arc::new(network.host("site")));
    let vendor = Vendor::new();
    site.resolves(&[("kernel.example", kernel.address())]);
    let running = Kernel::planned(&vendor, |plan| plan.on(&kernel).called("kernel.example"));
    let mut stage = Stage::around(vendor, running, |it| it.on(&site));
    site.resolves(&[]);
    stage.kernel.killed().started();
    stage.site.goes_offline(&stage.courses, "exams");
    eventually("it is said", || stage.site.suffers("kernel_unreachable"));
    stage.courses.check("export").consume(1).allowed();
    site.resolves(&[("kernel.example", kernel.address())]);
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
}
