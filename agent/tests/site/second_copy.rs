//! `current.bundle`: written after each import, verified on opening, and what serves when the
//! database is torn or older.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::stage::{Ground, Stage, Vendor};

fn database(stage_dir: &std::path::Path) -> Vec<(PathBuf, Vec<u8>)> {
    ["agent.db", "agent.db-wal", "agent.db-shm"]
        .into_iter()
        .map(|name| stage_dir.join(name))
        .filter(|path| path.exists())
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

async fn serial_in_force(stage: &Stage) -> u64 {
    let licenses = stage.get("/admin/licenses").await;
    let all = licenses["licenses"].as_array().unwrap();
    all.iter().find(|one| one["in_force"] == true).map_or(0, |one| one["serial"].as_u64().unwrap())
}

/// A site that was stopped while a license stood: its state directory, and the second copy.
async fn stopped_with_a_license(ground: &Ground, vendor: &Vendor) -> (PathBuf, Vec<u8>) {
    let stage = ground.start().trusting(vendor).await;
    stage.imports(&vendor.license(json!({}))).await;
    let found = (stage.state_dir.clone(), stage.second_copy());
    stage.stop();
    found
}

#[tokio::test]
async fn each_import_replaces_it_whole_and_nothing_else_does() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start();
    assert!(stage.second_copy().is_empty());
    let stage = stage.trusting(&vendor).await;
    assert_eq!(stage.second_copy(), vendor.first_root(), "the first root is in it");
    let license = vendor.license(json!({}));
    stage.imports(&license).await;
    let copy = stage.second_copy();
    assert_eq!(copy, [vendor.first_root(), license.clone()].concat());
    let (_, refused) = stage.post("/admin/import", &license).await;
    assert_eq!(refused["code"], "bundle.superseded");
    let (_, refused) = stage.post("/admin/import", b"{}\n").await;
    assert_eq!(refused["code"], "envelope.malformed");
    assert_eq!(stage.second_copy(), copy);
    stage.importer.import(vendor.license(json!({"serial": 2}))).await.unwrap();
    assert!(stage.second_copy().len() > copy.len(), "whoever imports, it follows");
    assert!(!stage.state_dir.join("current.bundle.new").exists());
}

#[tokio::test]
async fn a_database_that_is_older_than_the_copy_is_brought_up_to_it() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    stage.imports(&vendor.license(json!({}))).await;
    let state_dir = stage.state_dir.clone();
    stage.stop();
    let older = database(&state_dir);
    let stage = ground.start();
    stage.imports(&vendor.license(json!({"serial": 2}))).await;
    let copy = stage.second_copy();
    stage.stop();
    for (path, _) in database(&state_dir) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in older {
        fs::write(path, bytes).unwrap();
    }
    let stage = ground.start();
    assert_eq!(serial_in_force(&stage).await, 2, "the higher number wins");
    stage.stop();
    fs::remove_file(state_dir.join("current.bundle")).unwrap();
    let stage = ground.start();
    assert_eq!(serial_in_force(&stage).await, 2, "the database has it now");
    assert_eq!(stage.second_copy(), copy, "and the copy is made anew");
}

#[tokio::test]
async fn a_copy_is_verified_before_it_serves_and_a_forged_line_is_left_out() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let (state_dir, honest) = stopped_with_a_license(&ground, &vendor).await;
    let stranger = Vendor::new();
    let forged = stranger.license(json!({"serial": 9}));
    fs::write(state_dir.join("current.bundle"), [honest.clone(), forged].concat()).unwrap();
    let stage = ground.start();
    assert_eq!(serial_in_force(&stage).await, 1);
    stage.stop();

    for (path, _) in database(&state_dir) {
        fs::remove_file(path).unwrap();
    }
    let mut flipped = honest.clone();
    let last = flipped.len() - 10;
    flipped[last] ^= 1;
    fs::write(state_dir.join("current.bundle"), flipped).unwrap();
    let stage = ground.start();
    assert_eq!(serial_in_force(&stage).await, 0, "a flipped bit is no license");
    assert_eq!(stage.get("/admin/trust").await["version"], 1, "the root still verifies");
    stage.stop();
}

#[tokio::test]
async fn it_serves_alone_when_the_database_is_torn() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    stage
        .imports(&[vendor.license(json!({})), vendor.license(json!({"serial": 2}))].concat())
        .await;
    let state_dir = stage.state_dir.clone();
    stage.stop();
    for (path, bytes) in database(&state_dir) {
        fs::write(path, vec![0xAA; bytes.len().min(4096)]).unwrap();
    }
    let stage = ground.start();
    assert_eq!(serial_in_force(&stage).await, 2);
    assert!(stage.condition("store_recovered").await.is_some());
    assert_eq!(stage.get("/admin/licenses").await["licenses"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_copy_that_does_not_go_on_from_the_root_in_force_is_nobodys() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let (state_dir, honest) = stopped_with_a_license(&ground, &vendor).await;
    // Another root under the same issuer's name, standing higher.
    let stranger = Vendor::new();
    let foreign = [stranger.first_root(), stranger.license(json!({"serial": 9}))].concat();
    fs::write(state_dir.join("current.bundle"), foreign).unwrap();
    let stage = ground.start();
    assert_eq!(serial_in_force(&stage).await, 1);
    assert_eq!(stage.second_copy(), honest, "and the copy is made anew");
}

#[tokio::test]
async fn a_copy_with_a_license_that_no_import_takes_is_nobodys() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let (state_dir, honest) = stopped_with_a_license(&ground, &vendor).await;
    let needing = vendor.license(json!({"serial": 2, "needs": {"root": 9, "revocations": 9}}));
    fs::write(state_dir.join("current.bundle"), [honest, needing].concat()).unwrap();
    assert_eq!(serial_in_force(&ground.start()).await, 1);
}

#[tokio::test]
async fn a_copy_that_serves_over_a_database_is_told() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let (state_dir, honest) = stopped_with_a_license(&ground, &vendor).await;
    let newer = vendor.license(json!({"serial": 2}));
    fs::write(state_dir.join("current.bundle"), [honest, newer].concat()).unwrap();
    let stage = ground.start();
    assert_eq!(serial_in_force(&stage).await, 2);
    assert!(stage.place().by_second_copy);
    stage.stop();
    assert!(!ground.start().place().by_second_copy, "once");
}

#[tokio::test]
async fn a_pipe_in_its_place_holds_no_start_up() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let (state_dir, _) = stopped_with_a_license(&ground, &vendor).await;
    let copy = state_dir.join("current.bundle");
    fs::remove_file(&copy).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &copy, rustix::fs::Mode::RUSR).unwrap();
    let stage = ground.start();
    assert_eq!(serial_in_force(&stage).await, 1);
    assert!(fs::metadata(&copy).unwrap().is_file(), "and the copy is made anew");
}
