//! A Kernel that says no to the agent itself: it is said, and the product is served.

use std::{fs, path::Path};

use farhold_contract::{mode::Mode, model::RuntimeType::Courses};
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{TENANT, Vendor, eventually},
};

/// The Kernel's database as it is, in a folder of its own.
fn kept(kernel: &Kernel, name: &str) {
    let folder = kernel.path(name);
    fs::create_dir(&folder).unwrap();
    for file in database(&kernel.data()) {
        fs::copy(kernel.data().join(&file), folder.join(&file)).unwrap();
    }
}

/// The database from such a folder, and nothing else.
fn restored(kernel: &Kernel, name: &str) {
    for file in database(&kernel.data()) {
        fs::remove_file(kernel.data().join(file)).unwrap();
    }
    for file in database(&kernel.path(name)) {
        fs::copy(kernel.path(name).join(&file), kernel.data().join(&file)).unwrap();
    }
}

fn database(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("kernel.db")).collect()
}

#[test]
fn an_agent_that_a_restored_kernel_does_not_know_says_so_and_serves_on() {
    let vendor = Vendor::new();
    let mut kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT).holds(&vendor.license(|l| l.managed().feature("export")));
    kernel.stopped();
    kept(&kernel, "before");
    kernel.started();
    let mut site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
    site.is_ready();
    let courses = site.runtime_of(TENANT, Courses).registered();
    site.comes_online(&courses, "export");
    site.drains();
    site.expecting("the Kernel refuses this agent");
    kernel.stopped();
    kept(&kernel, "after");
    restored(&kernel, "before");
    kernel.started();

    let event = courses.event("login");
    courses.tells(&event).answer().ok();
    eventually("it is said", || site.suffers("auth_rejected"));
    courses.check("export").allowed();
    site.goes_offline(&courses, "export");
    assert!(site.waiting() > 0);
    assert!(kernel.agents().is_empty());

    kernel.stopped();
    restored(&kernel, "after");
    kernel.started();
    // It asks hourly now; whoever restarts it need not wait.
    site.stopped().started();
    site.comes_online(&courses, "export");
    courses.check("export").allowed().mode(Mode::Online);
    assert!(!site.suffers("auth_rejected"));
    site.drains();
    assert_eq!(kernel.audit(TENANT).of_type("login"), [event.to_json()]);
    kernel.verifies();
}
