//! The state directory: one owner, and what damage, loss and mistakes do to it.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use rustix::process::Signal;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, OldKey, Runtime, Site, TENANT, TENANT_B, Vendor, eventually};

fn site() -> (Vendor, Site, Runtime) {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(5));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(1).allowed();
    (vendor, site, courses)
}

/// SQLite's.
const PAGE_BYTES: usize = 4096;

fn overwrite(file: &Path, at: u64, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_second_agent_on_one_state_directory_refuses_and_disturbs_nobody() {
    let (_vendor, site, courses) = site();
    let second = site.verb(["run"]);
    assert_eq!(second.exit, 75, "{}", second.stderr);
    courses.check("export").allowed().used(1);
    assert!(site.admin_socket().exists());
}

#[test]
fn a_directory_that_can_not_be_used_ends_the_start() {
    let vendor = Vendor::new();
    for wrong in ["/proc/farhold", "/dev/null/farhold", "/etc/hostname"] {
        let mut site = Site::prepared(&vendor, |plan| plan);
        let state = format!("{}/state", site.path("").display()).replace("//", "/");
        site.configured(&site.configuration().replace(&state, wrong));
        site.refuses_to_start(Code::StateUnusable);
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let (_vendor, mut site, _courses) = site();
    site.stopped();
    let database = site.state().join("agent.db");
    // SQLite keeps a database's user version at byte 60.
    let own = fs::read(&database).unwrap()[60..64].to_vec();
    overwrite(&database, 60, &99_u32.to_be_bytes());
    let before = fs::read(&database).unwrap();
    site.refuses_to_start(Code::StateNewerSchema);
    site.verb(["status"]).refused(Code::StateNewerSchema);
    assert_eq!(fs::read(&database).unwrap(), before);
    overwrite(&database, 60, &own);
    site.started();
}

#[test]
fn a_damaged_database_is_moved_aside_and_licenses_are_served_from_the_second_copy() {
    let (_vendor, mut site, old) = site();
    site.expecting("the database was damaged").stopped();
    overwrite(&site.state().join("agent.db"), 0, &[0xAA; 2048]);
    site.started();
    assert!(site.suffers("store_recovered"));
    let mut kept = fs::read_dir(site.state()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("agent.db.damaged-")
    });
    assert!(kept.next().is_some(), "the damaged file is kept");
    old.check("export").refused(Code::AuthInvalid);
    site.runtime(Courses).registered().check("export").allowed();
    site.stopped().started();
    assert!(!site.suffers("store_recovered"), "it is told once");
}

/// Whichever page is torn: the agent starts and its license is served.
#[test]
fn a_torn_page_anywhere_takes_no_license_away() {
    let (_vendor, mut site, courses) = site();
    // Whatever it finds torn it tells.
    site.expecting("").stopped();
    let database = site.state().join("agent.db");
    let good = fs::read(&database).unwrap();
    for page in 0..good.len() / PAGE_BYTES {
        for file in ["agent.db-wal", "agent.db-shm"] {
            let _ = fs::remove_file(site.state().join(file));
        }
        fs::write(&database, &good).unwrap();
        overwrite(&database, (page * PAGE_BYTES) as u64, &[0xAA; PAGE_BYTES]);
        site.started();
        let ready = site.admin("GET", "/readyz").answer();
        assert_eq!(ready.answer.status, 200, "page {page}");
        let answered = courses.check("export").answer();
        match answered.answer.status {
            200 => assert_eq!(answered.ok()["allowed"], true, "page {page}"),
            // Tokens were lost with the page: a new one serves.
            _ => drop(site.runtime(Courses).registered().check("export").allowed()),
        }
        site.killed();
    }
    site.started();
}

#[test]
fn another_device_key_is_seen_and_makes_no_chain_that_verifies_nowhere() {
    let (_vendor, mut site, courses) = site();
    site.stopped();
    let key = site.state().join("device.key");
    let away = site.path("device.key");
    fs::rename(&key, &away).unwrap();
    site.refuses_to_start(Code::StateUnusable);
    let _ = fs::remove_file(&key);
    fs::rename(&away, &key).unwrap();
    site.started();
    courses.check("export").allowed();
}

#[test]
fn a_second_copy_that_cannot_be_written_is_told_and_not_fatal() {
    let (_vendor, mut site, courses) = site();
    site.expecting("the second copy of the documents could not be written").stopped();
    let copy = site.state().join("current.bundle");
    fs::remove_file(&copy).unwrap();
    fs::create_dir(&copy).unwrap();
    site.started();
    courses.check("export").allowed();
}

#[test]
fn a_deleted_database_loses_no_license() {
    let (_vendor, mut site, _old) = site();
    site.stopped();
    for file in ["agent.db", "agent.db-wal", "agent.db-shm"] {
        let _ = fs::remove_file(site.state().join(file));
    }
    site.started();
    site.runtime(Courses).registered().check("export").allowed();
}

#[test]
fn a_second_copy_that_is_wrong_changes_nothing() {
    let (vendor, mut site, courses) = site();
    let copy = site.state().join("current.bundle");
    let good = fs::read(&copy).unwrap();
    for wrong in [&b""[..], b"garbage\n", &good[..good.len() / 2]] {
        site.stopped();
        fs::write(&copy, wrong).unwrap();
        site.expecting("a stored document no longer verifies").started();
        courses.check("export").allowed().used(1);
        site.stopped();
        assert_eq!(fs::read(&copy).unwrap(), good, "it is written anew");
        site.started();
    }
    site.stopped();
    fs::remove_file(&copy).unwrap();
    site.started();
    assert_eq!(fs::read(&copy).unwrap(), good);
    assert_eq!(site.status()["trust"]["issuer_id"], vendor.issuer());
}

#[test]
fn a_second_copy_of_another_vendor_never_takes_the_site_over() {
    let (vendor, mut site, courses) = site();
    let stranger = Vendor::new();
    let foreign = stranger.license(|l| l.serial(9).feature("export").feature("everything"));
    let chain = stranger.root().and(&[&stranger.next_root(OldKey::RotatedOut), &foreign]);
    site.expecting("a stored document no longer verifies").stopped();
    fs::write(site.state().join("current.bundle"), chain.bytes()).unwrap();
    site.started();
    assert_eq!(site.status()["trust"]["issuer_id"], vendor.issuer());
    courses.check("everything").denied(Code::FeatureNotGranted);
    courses.check("export").allowed();
}

#[test]
fn a_mistake_in_the_configuration_ends_the_start_and_names_itself() {
    let vendor = Vendor::new();
    let mut site = Site::prepared(&vendor, |plan| plan);
    let good = site.configuration();
    for (wrong, named) in [
        (good.replace("tenant_id", "tenent_id"), "tenant_id"),
        (good.replace("detached", "detatched"), "detached"),
        (good.replace("127.0.0.1:", "0.0.0.0:"), "loopback"),
        (format!("{good}\nstate_dir = \"twice\"\n"), "duplicate key"),
    ] {
        site.configured(&wrong);
        site.refuses_to_start(Code::ConfigInvalid);
        assert!(site.log().contains(named), "{}", site.log());
        site.verb(["status"]).refused(Code::ConfigInvalid);
    }
    site.configured(&good);
    site.started();
}

#[test]
fn a_license_that_is_no_longer_for_the_site_is_shown_and_decides_nothing() {
    let (vendor, mut site, courses) = site();
    site.stopped();
    site.configured(&site.configuration().replace(TENANT, TENANT_B));
    site.started();
    let shown = site.admin("GET", "/admin/licenses").answer().ok();
    let license = &shown["licenses"][0];
    assert_eq!((&license["in_force"], &license["phase"]), (&false.into(), &"not_admitted".into()));
    assert!(
        license["not_admitted"].as_str().unwrap().starts_with("tenant.mismatch: "),
        "{license}"
    );
    assert_eq!(site.status()["ready"], false);
    courses.check("export").denied(Code::TenantMismatch);
    let own = vendor.license(|l| l.tenant(TENANT_B).feature("export"));
    site.imports(&own).done();
    assert_eq!(site.status()["ready"], true);
    courses.check("export").denied(Code::TenantMismatch);

    site.stopped();
    site.configured(&site.configuration());
    site.started();
    courses.check("export").allowed().used(1);
}

#[test]
fn a_reload_with_a_mistake_keeps_serving_and_says_so() {
    let (_vendor, mut site, courses) = site();
    let good = site.configuration();
    site.expecting("the changed configuration is wrong");
    site.configured(&good.replace("tenant_id", "tenent_id"));
    site.agent().signal(Signal::HUP);
    eventually("config_rejected stands", || site.suffers("config_rejected"));
    courses.check("export").allowed();
    site.configured(&good);
    site.agent().signal(Signal::HUP);
    eventually("config_rejected is over", || !site.suffers("config_rejected"));
}

#[test]
fn a_file_in_the_place_of_a_socket_is_not_taken_away() {
    let vendor = Vendor::new();
    let mut site = Site::prepared(&vendor, |plan| plan);
    fs::create_dir_all(site.path("run")).unwrap();
    let precious = Document::written(site.admin_socket(), b"precious");
    let ran = site.verb(["run"]);
    assert_ne!(ran.exit, 0);
    assert_eq!(precious.bytes(), b"precious");
    fs::remove_file(precious.path()).unwrap();
    site.started();
}
