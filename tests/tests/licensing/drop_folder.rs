//! Drop folder: what somebody puts there is imported, or refused with the reason beside it.

use std::{
    fs,
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::site::{Document, Site, Vendor, eventually};

/// A site that watches a folder, and the folder.
fn watching(vendor: &Vendor) -> (Site, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let site = Site::planned(vendor, |plan| plan.with("import.drop_folder", &path)).trusting();
    (site, folder)
}

/// Copies it there as a careful carrier does: under its name only when it is whole.
fn drops(folder: &Path, document: &Document, name: &str) {
    let part = folder.join(format!("{name}.part"));
    fs::write(&part, document.bytes()).unwrap();
    fs::rename(part, folder.join(name)).unwrap();
}

#[test]
fn every_bundle_dropped_is_taken_or_refused_with_its_reason() {
    let vendor = Vendor::new();
    let (mut site, dropped) = watching(&vendor);
    let folder = dropped.path();
    let license = vendor.license(|l| l.feature("export"));
    let reason = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    drops(folder, &license, "a.bundle");
    eventually("it is taken", || folder.join("done/a.bundle").exists());
    eventually("and told", || reason("done/a.bundle.reason.txt").starts_with("Imported."));
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    assert!(!folder.join("a.bundle").exists());

    // All of these at once: one look has them all.
    let precious = site.path("precious");
    let renewal = vendor.license(|l| l.renewing(&license).feature("exams"));
    fs::write(&precious, renewal.bytes()).unwrap();
    symlink(&precious, folder.join("link.bundle")).unwrap();
    fs::create_dir(folder.join("folder.bundle")).unwrap();
    drops(folder, &license.tampered(), "bent.bundle");
    drops(folder, &license, "again.bundle");
    drops(folder, &renewal, "writable.bundle");
    fs::set_permissions(folder.join("writable.bundle"), fs::Permissions::from_mode(0o666)).unwrap();
    drops(folder, &renewal, "letter.txt");
    let foreign = std::os::unix::fs::chown(folder.join("letter.txt"), Some(0), None).is_ok();
    if foreign {
        drops(folder, &renewal, "foreign.bundle");
        std::os::unix::fs::chown(folder.join("foreign.bundle"), Some(65_534), None).unwrap();
    } else {
        eprintln!("SKIPPED: a bundle of another user: only root gives files away");
    }
    eventually("what stood already is done", || folder.join("done/again.bundle").exists());
    assert!(reason("done/again.bundle.reason.txt").starts_with("bundle.superseded"));
    eventually("the changed one is refused", || folder.join("refused/bent.bundle").exists());
    let told = reason("refused/bent.bundle.reason.txt");
    assert!(told.starts_with("signature.invalid") && told.contains("What to do:"), "{told}");
    for name in ["writable.bundle"].into_iter().chain(foreign.then_some("foreign.bundle")) {
        eventually(name, || folder.join("refused").join(name).exists());
        assert!(reason(&format!("refused/{name}.reason.txt")).starts_with("input.unreadable"));
    }
    eventually("the link is refused", || {
        fs::symlink_metadata(folder.join("refused/link.bundle")).is_ok()
    });
    assert!(reason("refused/link.bundle.reason.txt").contains("not a regular file"));
    assert_eq!(fs::read(&precious).unwrap(), renewal.bytes(), "what it led to is untouched");
    assert!(folder.join("letter.txt").exists(), "other names are none of its business");
    assert_eq!(site.licenses().len(), 1, "none of them came in");

    // The agent takes up where it was.
    site.killed();
    drops(folder, &renewal, "next.bundle");
    site.started();
    eventually("it is taken", || folder.join("done/next.bundle").exists());
    courses.check("exams").allowed();
}

#[test]
fn a_bundle_that_is_still_being_written_waits_and_keeps_no_other_from_coming_in() {
    let vendor = Vendor::new();
    let (site, dropped) = watching(&vendor);
    let folder = dropped.path();
    let license = vendor.license(|l| l.feature("export"));
    let bytes = license.bytes();
    let (head, tail) = bytes.split_at(100);
    let mut slow = fs::File::create(folder.join("a-slow.bundle")).unwrap();
    slow.write_all(head).unwrap();
    let other = vendor.license(|l| l.product("library").feature("loans"));
    drops(folder, &other, "b-whole.bundle");
    // It grows between any two looks at the folder.
    let (mut written, mut at) = (0, Instant::now());
    eventually("the whole one is taken", || {
        if at.elapsed() >= Duration::from_millis(100) {
            slow.write_all(&tail[written..=written]).unwrap();
            (written, at) = (written + 1, Instant::now());
        }
        folder.join("done/b-whole.bundle").exists()
    });
    assert!(folder.join("a-slow.bundle").exists(), "half a bundle is none");
    assert_eq!(site.licenses().len(), 1);
    slow.write_all(&tail[written..]).unwrap();
    drop(slow);
    eventually("it is whole and taken", || folder.join("done/a-slow.bundle").exists());
    assert_eq!(site.licenses().len(), 2);
}

#[test]
fn a_folder_that_others_may_write_to_is_not_watched_and_said() {
    let vendor = Vendor::new();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let site = Site::planned(&vendor, |plan| plan.with("import.drop_folder", &path)).trusting();
    drops(folder.path(), &vendor.license(|l| l.feature("export")), "a.bundle");
    site.logs("the drop folder is not watched");
    let checked = site.verb(["check"]);
    assert!(checked.stdout.contains("chmod go-w"), "{}", checked.stdout);
    assert!(folder.path().join("a.bundle").exists());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    eventually("it is watched again", || folder.path().join("done/a.bundle").exists());
}
