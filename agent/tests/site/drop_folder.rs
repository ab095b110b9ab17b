//! The drop folder: what is taken, what is refused and why, and what is never touched.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use farhold_agent::{
    drop_folder::{DropFolder, Watch, examine},
    importer::{Imported, Offer, Way},
};
use farhold_api::Refusal;
use farhold_bundle::LIMITS;
use farhold_contract::Code;
use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Ground, Vendor};

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// A folder as it should be.
struct Place {
    folder: TempDir,
    watched: DropFolder,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let watched = DropFolder::new(folder.path().to_owned(), own_uid());
        Self { folder, watched }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Looks so often that whatever stands still is taken; everything offered is refused so.
    fn looks(&mut self, code: Code) -> Vec<Vec<u8>> {
        let mut offered = Vec::new();
        for _ in 0..4 {
            self.watched.look(&mut |bundle| {
                offered.push(bundle);
                Err(code.into())
            });
        }
        offered
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn reason(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }
}

#[test]
fn a_refused_bundle_is_kept_with_the_reason_beside_it() {
    let mut folder = Place::new();
    folder.put("site.bundle", b"what was offered");
    assert_eq!(folder.looks(Code::LicenseMode), [b"what was offered"]);
    assert_eq!(folder.names("refused"), ["site.bundle", "site.bundle.reason.txt"]);
    assert_eq!(fs::read(folder.at("refused/site.bundle")).unwrap(), b"what was offered");
    let reason = folder.reason("refused/site.bundle.reason.txt");
    for part in [
        "license.mode_mismatch",
        Code::LicenseMode.sentence(),
        Code::LicenseMode.action(),
        "the vendor",
    ] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    for made in ["done", "refused"] {
        assert_eq!(fs::metadata(folder.at(made)).unwrap().mode() & 0o7777, 0o700);
    }
}

#[test]
fn nothing_is_ever_overwritten() {
    let mut folder = Place::new();
    for content in ["one", "two", "three"] {
        folder.put("site.bundle", content.as_bytes());
        assert_eq!(folder.looks(Code::LicenseMode), [content.as_bytes()]);
    }
    fs::write(folder.at("refused/site-4.bundle.reason.txt"), "somebody's").unwrap();
    folder.put("site.bundle", b"four");
    folder.looks(Code::LicenseMode);
    let kept = |name: &str| folder.reason(&format!("refused/{name}"));
    assert_eq!(
        ["site.bundle", "site-2.bundle", "site-3.bundle", "site-5.bundle"].map(kept),
        ["one", "two", "three", "four"]
    );
    assert_eq!(kept("site-4.bundle.reason.txt"), "somebody's");
}

#[test]
fn what_was_superseded_is_done() {
    let mut folder = Place::new();
    folder.put("site.bundle", b"known");
    folder.looks(Code::BundleSuperseded);
    assert_eq!(folder.names("done"), ["site.bundle", "site.bundle.reason.txt"]);
    assert!(folder.reason("done/site.bundle.reason.txt").starts_with("bundle.superseded: "));
}

#[test]
fn a_file_still_being_written_waits_until_it_stands_still() {
    let mut folder = Place::new();
    let path = folder.put("site.bundle", b"ha");
    let mut offered = Vec::new();
    let mut look = |watched: &mut DropFolder| {
        let mut taken = Vec::new();
        watched.look(&mut |bundle| {
            taken.push(bundle);
            Err(Code::LicenseMode.into())
        });
        offered.extend(taken.iter().cloned());
        taken.len()
    };
    let Place { folder: _keep, watched } = &mut folder;
    assert_eq!([look(watched), look(watched)], [0, 0]);
    fs::write(&path, b"half of it").unwrap();
    assert_eq!([look(watched), look(watched)], [0, 0], "it has grown");
    assert_eq!(look(watched), 1);
    assert_eq!(offered, [b"half of it"]);
}

#[test]
fn only_files_named_like_bundles_are_touched() {
    let mut folder = Place::new();
    for name in ["site.bundle.part", "readme.txt", ".site.bundle", "bundle", "site.BUNDLE"] {
        folder.put(name, b"mine");
    }
    assert!(folder.looks(Code::LicenseMode).is_empty());
    for name in ["site.bundle.part", "readme.txt", ".site.bundle", "bundle", "site.BUNDLE"] {
        assert!(folder.at(name).exists(), "{name}");
    }
    assert!(folder.names("refused").is_empty() && folder.names("done").is_empty());
}

#[test]
fn links_pipes_and_folders_are_refused_without_being_read() {
    let mut folder = Place::new();
    let secret = folder.put("secret", b"not for import");
    symlink(&secret, folder.at("link.bundle")).unwrap();
    fs::create_dir(folder.at("folder.bundle")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.at("pipe.bundle"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(folder.looks(Code::LicenseMode).is_empty(), "nothing of them was read");
    for name in ["link", "folder", "pipe"] {
        let reason = folder.reason(&format!("refused/{name}.bundle.reason.txt"));
        assert!(
            reason.starts_with("input.unreadable") && reason.contains("regular file"),
            "{reason}"
        );
    }
    assert!(folder.at("refused/link.bundle").symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read(&secret).unwrap(), b"not for import");
}

#[test]
fn a_file_that_others_may_write_to_or_that_is_too_long_is_refused() {
    let mut folder = Place::new();
    let open = folder.put("open.bundle", b"x");
    fs::set_permissions(open, fs::Permissions::from_mode(0o666)).unwrap();
    let long = folder.put("long.bundle", b"x");
    fs::File::options()
        .write(true)
        .open(long)
        .unwrap()
        .set_len(LIMITS.bundle_bytes as u64 + 1)
        .unwrap();
    assert!(folder.looks(Code::LicenseMode).is_empty());
    let reason = folder.reason("refused/open.bundle.reason.txt");
    assert!(reason.contains("0666") && reason.contains("chmod go-w"), "{reason}");
    assert!(folder.reason("refused/long.bundle.reason.txt").starts_with("bundle.too_large"));
}

#[test]
fn somebody_elses_file_and_somebody_elses_folder_are_not_taken() {
    let mut folder = Place::new();
    let path = folder.put("site.bundle", b"x");
    if chown(&path, Some(12_345), None).is_err() {
        // Only root gives files away; the folder's owner is judged in the same way.
        eprintln!("SKIPPED: this user can't give a file away");
    } else {
        assert!(folder.looks(Code::LicenseMode).is_empty());
        assert!(folder.reason("refused/site.bundle.reason.txt").contains("user 12345"));
    }
    let foreign = folder.folder.path();
    let told = examine(foreign, own_uid() + 1).unwrap_err();
    assert_eq!(told.action(), format!("chown {} {}", own_uid() + 1, foreign.display()));
    let mut watched = DropFolder::new(foreign.to_owned(), own_uid() + 1);
    folder.put("another.bundle", b"x");
    for _ in 0..4 {
        watched.look(&mut |_| panic!("nothing is taken from it"));
    }
    assert!(folder.at("another.bundle").exists());
}

#[test]
fn a_folder_that_is_missing_open_or_a_link_is_told_and_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("drop");
    let mut watched = DropFolder::new(path.clone(), own_uid());
    let mut look = |path: &Path| {
        let _ = path;
        watched.look(&mut |_| Err(Code::LicenseMode.into()))
    };
    assert!(look(&path) > Duration::ZERO);
    assert!(examine(&path, own_uid()).is_err());
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(examine(&path, own_uid()).unwrap_err().to_string().contains("0777"));
    look(&path);
    assert!(!path.join("done").exists(), "nothing is made in a folder that isn't safe");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    examine(&path, own_uid()).unwrap();
    assert!(!path.join("done").exists(), "examining makes nothing");
    look(&path);
    assert!(path.join("done").exists() && path.join("refused").exists());
    let link = place.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(examine(&link, own_uid()).is_err(), "no link is followed");
}

#[test]
fn a_folder_inside_that_the_agent_does_not_use_is_told_by_the_doctor_too() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("drop");
    for inside in ["done", "refused"] {
        fs::create_dir_all(path.join(inside)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(path.join(inside), fs::Permissions::from_mode(0o775)).unwrap();
        let told = examine(&path, own_uid()).unwrap_err();
        assert_eq!(told.action(), format!("chmod go-w {}", path.join(inside).display()));
        fs::remove_dir(path.join(inside)).unwrap();
        symlink(place.path(), path.join(inside)).unwrap();
        assert!(examine(&path, own_uid()).is_err(), "no link is followed");
        fs::remove_file(path.join(inside)).unwrap();
        fs::write(path.join(inside), "").unwrap();
        assert!(examine(&path, own_uid()).is_err(), "a file is no folder");
        fs::remove_file(path.join(inside)).unwrap();
        examine(&path, own_uid()).unwrap();
    }
}

#[test]
fn a_disk_that_fails_leaves_the_bundle_for_later() {
    let mut folder = Place::new();
    folder.put("site.bundle", b"good");
    let offered = folder.looks(Code::StoreUnavailable);
    assert_eq!(offered, [b"good"], "it is not offered again at once");
    assert!(folder.at("site.bundle").exists());
    let mut again = 0;
    for _ in 0..20 {
        folder.watched.look(&mut |_| {
            again += 1;
            Err(Code::LicenseMode.into())
        });
    }
    assert_eq!(again, 1);
    assert_eq!(folder.names("refused"), ["site.bundle", "site.bundle.reason.txt"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_in_the_folder_comes_into_force_by_the_one_path() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    let folder = Place::new();
    folder.put("02.bundle", &vendor.license(json!({"serial": 2})));
    folder.put("01.bundle", &vendor.license(json!({})));
    folder.put("03.bundle", &vendor.license(json!({"serial": 2})));
    let (importer, runtime) = (Arc::clone(&stage.importer), tokio::runtime::Handle::current());
    let mut watched = DropFolder::new(folder.folder.path().to_owned(), own_uid());
    tokio::task::spawn_blocking(move || {
        let mut import = |bundle: Vec<u8>| -> Result<Imported, Refusal> {
            runtime.block_on(importer.import(Offer::by(Way::DropFolder, bundle)))
        };
        for _ in 0..4 {
            watched.look(&mut import);
        }
    })
    .await
    .unwrap();
    let licenses = stage.get("/admin/licenses").await;
    assert_eq!(licenses["licenses"][1]["in_force"], true, "{licenses}");
    assert_eq!(folder.names("done").len(), 6, "in the order of their names, none is too late");
    assert!(folder.names("refused").is_empty());
    let reason = folder.reason("done/02.bundle.reason.txt");
    assert!(
        reason.starts_with("Imported.\nSHA-256: ") && reason.contains("serial 2: new"),
        "{reason}"
    );
    assert!(folder.reason("done/03.bundle.reason.txt").starts_with("bundle.superseded"));
    assert_eq!(stage.events("agent.bundle.imported").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_takes_what_is_renamed_into_place_and_ends_when_told() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    let folder = Place::new();
    let mut imported = stage.importer.imported.subscribe();
    let watch = Watch::start(folder.folder.path().to_owned(), &stage.importer).unwrap();
    let part = folder.put("site.bundle.part", &vendor.license(json!({})));
    fs::rename(part, folder.at("site.bundle")).unwrap();
    tokio::time::timeout(Duration::from_secs(60), imported.changed()).await.unwrap().unwrap();
    watch.stop().await;
    assert_eq!(folder.names("done"), ["site.bundle", "site.bundle.reason.txt"]);
    stage.stop();
}
