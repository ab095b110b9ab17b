//! The file of the agent's standing.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use farhold_agent::link::{ENROLLMENT_FILE, Enrollment, EnrollmentError};
use farhold_contract::Code;

use super::support::{Ca, Life, enrollment};

const URL: &str = "https://kernel.test:7443";

#[test]
fn what_is_saved_is_loaded_and_its_owner_s_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Enrollment::load(folder.path()).unwrap().is_none());
    let ca = Ca::new("Farhold Kernel CA");
    let first = enrollment(&ca, URL, Life::NOW);
    // A crash left its half behind.
    fs::write(folder.path().join(".enrollment.json.new"), b"{\"url\":").unwrap();
    first.save(folder.path()).unwrap();
    let second =
        Enrollment { previous: Some(first.current.clone()), ..enrollment(&ca, URL, Life::NOW) };
    second.save(folder.path()).unwrap();
    assert_eq!(Enrollment::load(folder.path()).unwrap().unwrap(), second);
    let metadata = fs::metadata(folder.path().join(ENROLLMENT_FILE)).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing lies beside it");
}

#[test]
fn a_damaged_file_says_so_and_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(ENROLLMENT_FILE);
    let ca = Ca::new("Farhold Kernel CA");
    let whole = enrollment(&ca, URL, Life::NOW);
    whole.save(folder.path()).unwrap();
    let bytes = fs::read_to_string(&path).unwrap();
    let other = enrollment(&ca, URL, Life::NOW);
    other.save(folder.path()).unwrap();
    let theirs: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let with = |member: &str, value: serde_json::Value| {
        let mut json: serde_json::Value = serde_json::from_str(&bytes).unwrap();
        *json.pointer_mut(member).unwrap() = value;
        json.to_string()
    };
    for damaged in [
        String::new(),
        bytes[..bytes.len() / 2].to_owned(),
        "x".repeat(300 * 1024),
        with("/url", "http://kernel.test".into()),
        with("/tenants", serde_json::json!([])),
        with("/ca", serde_json::json!([])),
        with("/ca/0", "-----BEGIN CERTIFICATE-----".into()),
        with("/current/key", theirs["current"]["key"].clone()),
        with("/current/certificate", "none".into()),
    ] {
        fs::write(&path, &damaged).unwrap();
        let error = Enrollment::load(folder.path()).unwrap_err();
        assert!(matches!(error, EnrollmentError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("licenses, queue and device key are not touched"));
        assert!(error.action().contains("enroll again"), "{}", error.action());
        assert_eq!(error.code(), Code::StateUnusable);
        assert!(!format!("{error} {error:?}").contains("PRIVATE KEY"), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
}

#[test]
fn a_previous_identity_that_is_spoilt_costs_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(ENROLLMENT_FILE);
    let standing = enrollment(&Ca::new("Farhold Kernel CA"), URL, Life::NOW);
    let standing = Enrollment { previous: Some(standing.current.clone()), ..standing };
    standing.save(folder.path()).unwrap();
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    json["previous"]["key"] = "spoilt".into();
    fs::write(&path, json.to_string()).unwrap();
    let loaded = Enrollment::load(folder.path()).unwrap().unwrap();
    assert!(loaded.previous.is_none() && loaded.current == standing.current);
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    enrollment(&Ca::new("Farhold Kernel CA"), URL, Life::NOW).save(folder.path()).unwrap();
    let path = folder.path().join(ENROLLMENT_FILE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = Enrollment::load(folder.path()).unwrap_err();
    assert!(matches!(error, EnrollmentError::Exposed { mode: 0o640, .. }), "{error:?}");
}

#[test]
fn a_standing_never_shows_its_keys() {
    let standing = enrollment(&Ca::new("Farhold Kernel CA"), URL, Life::NOW);
    let shown = format!("{standing:?}");
    assert!(!shown.contains("PRIVATE KEY") && shown.contains(URL), "{shown}");
}
