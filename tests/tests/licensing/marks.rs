//! Marks: what a site knows is deleted, half deleted, copied from elsewhere, restored from before.

use std::{fs, path::Path};

use rusqlite::Connection;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Runtime, Site, Vendor};

/// The database and what SQLite keeps beside it.
const DATABASE: [&str; 3] = ["agent.db", "agent.db-wal", "agent.db-shm"];

/// A site whose first license is revoked and whose second holds.
struct Revised {
    vendor: Vendor,
    site: Site,
    first: Document,
    revocations: Document,
    second: Document,
    courses: Runtime,
}

fn revised() -> Revised {
    let vendor = Vendor::new();
    let first = vendor.license(|l| l.feature("export").feature("gold"));
    let site = Site::new(&vendor).trusting().holding(&first);
    let courses = site.runtime(Courses).registered();
    let revocations = vendor.revokes(&[&first]);
    let second = vendor.license(|l| l.serial(2).feature("export").needing_revocations(1));
    site.imports(&revocations.and(&[&second])).done();
    Revised { vendor, site, first, revocations, second, courses }
}

fn removes(site: &Site, files: &[&str]) {
    files.iter().for_each(|file| drop(fs::remove_file(site.state().join(file))));
}

/// The documents of the database, gone; everything else is there.
fn forgets_documents(site: &Site) {
    let database = Connection::open(site.state().join("agent.db")).unwrap();
    assert!(database.execute("DELETE FROM document", []).unwrap() > 0);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
}

fn is_where_it_was(site: &Site, courses: &Runtime) {
    courses.check("gold").denied(Code::FeatureNotGranted);
    courses.check("export").allowed();
    assert_eq!(site.status()["trust"]["version"], 1);
}

#[test]
fn marks_half_deleted_are_made_whole_from_the_other_copy() {
    let Revised { vendor: _vendor, mut site, first, courses, .. } = revised();
    // The database forgets its documents, the second copy has them.
    site.stopped();
    forgets_documents(&site);
    site.started();
    is_where_it_was(&site, &courses);
    // The second copy is gone, the database has them.
    site.stopped();
    removes(&site, &["current.bundle"]);
    site.started();
    is_where_it_was(&site, &courses);
    // The whole database is gone: runtimes register anew, what is licensed stays.
    site.stopped();
    removes(&site, &DATABASE);
    site.started();
    let again = site.runtime(Courses).registered();
    is_where_it_was(&site, &again);
    let refused = site.imports(&first);
    assert_eq!(refused.exit, 4, "{}", refused.stdout);
    again.check("gold").denied(Code::FeatureNotGranted);
}

#[test]
fn marks_deleted_altogether_leave_a_site_that_trusts_nobody() {
    let Revised { vendor: _vendor, mut site, first, revocations, second, .. } = revised();
    site.stopped();
    removes(&site, &DATABASE);
    removes(&site, &["current.bundle"]);
    site.started();
    site.imports(&second).refused(Code::TrustMissing);
    let site = site.trusting();
    // What needs the revocations is not in force without them, and with them nothing old is.
    site.imports(&second).refused(Code::BundleIncomplete);
    site.imports(&revocations.and(&[&second])).done();
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    assert_ne!(site.imports(&first).exit, 0);
    courses.check("gold").denied(Code::FeatureNotGranted);
}

#[test]
fn marks_restored_from_a_snapshot_rise_again_with_the_first_import() {
    let vendor = Vendor::new();
    let first = vendor.license(|l| l.feature("export").feature("gold"));
    let mut site = Site::new(&vendor).trusting().holding(&first);
    let courses = site.runtime(Courses).registered();
    site.stopped();
    let snapshot = site.path("snapshot");
    copy(&site.state(), &snapshot);
    site.started();
    let revocations = vendor.revokes(&[&first]);
    let second = vendor.license(|l| l.serial(2).feature("export").needing_revocations(1));
    let bundle = revocations.and(&[&second]);
    site.imports(&bundle).done();
    courses.check("gold").denied(Code::FeatureNotGranted);
    site.stopped();
    fs::remove_dir_all(site.state()).unwrap();
    copy(&snapshot, &site.state());
    site.started();
    // Nothing on an offline machine can know (bundle.md §5.6): short licenses bound it.
    courses.check("gold").allowed();
    site.imports(&bundle).done();
    courses.check("gold").denied(Code::FeatureNotGranted);
    // The second copy alone restored: the higher number of the two wins.
    site.stopped();
    fs::copy(snapshot.join("current.bundle"), site.state().join("current.bundle")).unwrap();
    site.started();
    courses.check("gold").denied(Code::FeatureNotGranted);
    // The database alone restored, from before: the second copy's number wins.
    site.stopped();
    removes(&site, &DATABASE);
    DATABASE.iter().for_each(|file| drop(fs::copy(snapshot.join(file), site.state().join(file))));
    site.started();
    courses.check("gold").denied(Code::FeatureNotGranted);
    courses.check("export").allowed();
}

#[test]
fn marks_copied_from_another_host_bring_no_license_that_is_not_for_this_one() {
    let vendor = Vendor::new();
    let (mut site, other) = (Site::new(&vendor).trusting(), Site::new(&vendor).trusting());
    let common = vendor.license(|l| l.feature("export"));
    site.imports(&common).done();
    let courses = site.runtime(Courses).registered();
    let others = vendor.license(|l| {
        l.renewing(&common).bound_to(&other.device_key()).feature("export").feature("gold")
    });
    other.imports(&others).done();
    site.stopped();
    fs::copy(other.state().join("current.bundle"), site.state().join("current.bundle")).unwrap();
    site.started();
    courses.check("export").allowed();
    courses.check("gold").denied(Code::FeatureNotGranted);
    assert_eq!(site.licenses().len(), 1, "a copy that is another machine's is no copy");
    // The copy is written anew, and the vendor's next word is taken as ever.
    site.killed().started();
    courses.check("export").allowed();
    let own =
        vendor.license(|l| l.renewing(&others).bound_to(&site.device_key()).feature("export"));
    site.imports(&own).done();
    courses.check("export").allowed();
    courses.check("gold").denied(Code::FeatureNotGranted);
}

/// The clock's mark is a row of the database: without it the agent starts from the wall.
#[test]
fn a_mark_that_is_lost_or_garbage_costs_nothing() {
    let Revised { mut site, courses, .. } = revised();
    for change in [
        "DELETE FROM own WHERE name = 'clock'",
        "UPDATE own SET value = '{}' WHERE name = 'clock'",
        "UPDATE own SET value = '' WHERE name = 'clock'",
    ] {
        site.expecting("").stopped();
        let database = Connection::open(site.state().join("agent.db")).unwrap();
        assert_eq!(database.execute(change, []).unwrap(), 1, "{change}");
        drop(database);
        site.started();
        is_where_it_was(&site, &courses);
    }
}
