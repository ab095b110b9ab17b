//! Init: nothing is overwritten, what is missing is made.

use std::{fs, os::unix::fs::PermissionsExt};

use farhold_kernel::{
    clock::SystemClock,
    config::Config,
    data_dir::DataDir,
    init::{InitError, initialize},
    open,
};
use std::sync::Arc;

#[tokio::test]
async fn a_second_init_makes_nothing_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::new(folder.path().join("data"));
    let hosts = ["kernel.example".to_owned(), "192.0.2.7".to_owned()];
    let first = initialize(data.clone(), &hosts, &SystemClock).await.unwrap();
    assert_eq!(first.url, "https://kernel.example:7443");
    assert!(first.made.len() >= 8, "{:?}", first.made);
    let before = contents(&data);
    for (name, _) in before.iter().filter(|(name, _)| name.ends_with(".key")) {
        let mode = fs::metadata(data.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    let again =
        initialize(data.clone(), &["other.example".to_owned()], &SystemClock).await.unwrap();
    assert!(again.made.is_empty(), "{:?}", again.made);
    assert_eq!(again.url, first.url);
    assert_eq!(
        (again.receipt_key, again.ca_sha256, again.internal_tenant_id),
        (first.receipt_key, first.ca_sha256, first.internal_tenant_id)
    );
    assert_eq!(contents(&data), before);
}

#[tokio::test]
async fn a_half_finished_init_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let whole = DataDir::new(folder.path().join("whole"));
    initialize(whole.clone(), &[], &SystemClock).await.unwrap();
    let names: Vec<String> = contents(&whole).into_iter().map(|(name, _)| name).collect();
    // Interrupted after each file in turn: what is there stays, what is missing comes.
    for kept in ["kernel.toml", "trust-domain", "ca.key", "ca.pem", "receipt.key", "admin.token"] {
        let data = DataDir::new(folder.path().join(format!("only-{kept}")));
        data.make().unwrap();
        fs::copy(whole.path().join(kept), data.path().join(kept)).unwrap();
        if kept == "ca.pem" {
            // A certificate without its key is of no use: said, not papered over.
            let refused = initialize(data.clone(), &[], &SystemClock).await;
            assert!(matches!(refused, Err(InitError::Authority(_))));
            continue;
        }
        initialize(data.clone(), &[], &SystemClock).await.unwrap();
        let made: Vec<String> = contents(&data).into_iter().map(|(name, _)| name).collect();
        assert_eq!(made, names, "after {kept}");
        let same = |data: &DataDir| fs::read(data.path().join(kept)).unwrap();
        assert_eq!(same(&data), same(&whole));
        let config = Config::load(data, None).unwrap();
        let plane = open::open(config, Arc::new(SystemClock)).await.unwrap();
        let token = fs::read_to_string(plane.config.data_dir.admin_token()).unwrap();
        assert!(token.starts_with("fhr_") && token.trim().len() == 68);
        assert!(plane.storage.tenant(plane.internal_tenant).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_folder_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = initialize(DataDir::new(&data), &[], &SystemClock).await;
    assert!(matches!(refused, Err(InitError::DataDir(_))));
    assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
}

#[tokio::test]
async fn a_host_that_is_none_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::new(folder.path().join("data"));
    let refused = initialize(data.clone(), &["not a host".to_owned()], &SystemClock).await;
    assert!(matches!(refused, Err(InitError::Config(_))));
    assert!(contents(&data).is_empty());
    initialize(data.clone(), &["kernel.example".to_owned()], &SystemClock).await.unwrap();
}

/// Every file but the database's, by name.
fn contents(data: &DataDir) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(data.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| !name.starts_with("kernel.db"))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}
