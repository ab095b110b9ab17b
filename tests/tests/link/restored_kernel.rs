//! A Kernel restored from an older backup: sites send again what they still have, go on after what
//! nobody has any more, and that is told.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{TENANT, Vendor, eventually},
};

use crate::stage::Stage;

/// A stage whose site removes what was confirmed a second ago.
fn that_keeps_little() -> Stage {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    let license = vendor.license(|l| l.managed().feature("exams").keeping("PT1S"));
    kernel.has_tenant(TENANT).holds(&license);
    let site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
    site.is_ready();
    let courses = site.runtime_of(TENANT, Courses).registered();
    site.comes_online(&courses, "exams");
    Stage { vendor, kernel, license, site, courses }
}

/// The files of the Kernel's database, which is closed.
fn database(data: &Path) -> Vec<PathBuf> {
    let names = ["kernel.db", "kernel.db-wal", "kernel.db-shm"];
    names.iter().map(|name| data.join(name)).filter(|file| file.exists()).collect()
}

fn backed_up(stage: &mut Stage) -> PathBuf {
    stage.kernel.stopped();
    let backup = stage.kernel.path("backup");
    fs::create_dir(&backup).unwrap();
    for file in database(&stage.kernel.data()) {
        fs::copy(&file, backup.join(file.file_name().unwrap())).unwrap();
    }
    stage.kernel.started();
    backup
}

fn set_back(stage: &mut Stage, backup: &Path) {
    stage.kernel.stopped();
    let data = stage.kernel.data();
    database(&data).iter().for_each(|file| fs::remove_file(file).unwrap());
    for file in database(backup) {
        fs::copy(&file, data.join(file.file_name().unwrap())).unwrap();
    }
    stage.kernel.started();
}

/// The site's chain, as the Kernel finds it.
fn chain(stage: &Stage) -> Value {
    let agent = stage.site.agent_id();
    let found = stage.kernel.verifies().into_iter().find(|chain| chain["agent_id"] == agent);
    found.expect("the site's chain")
}

/// The first record that the site still has.
fn first_kept(stage: &Stage) -> u64 {
    let audit = stage.site.audit();
    audit.last_seq() + 1 - u64::try_from(audit.len()).unwrap()
}

fn tells(stage: &Stage, events: usize) {
    for _ in 0..events {
        stage.courses.tells(&stage.courses.event("login")).answer().ok();
    }
    stage.site.drains();
}

#[test]
fn what_a_site_still_has_is_sent_again_to_a_kernel_set_back() {
    let mut stage = Stage::set();
    tells(&stage, 5);
    let backup = backed_up(&mut stage);
    tells(&stage, 30);
    set_back(&mut stage, &backup);
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    eventually("it has all of it again", || {
        let kept = stage.site.audit().events().len();
        stage.kernel.audit(TENANT).handed_over().len() >= kept
    });
    stage.kernel_has_all_of_it_once();
    assert!(chain(&stage).get("missing").is_none());
    assert_eq!(stage.kernel.alert_codes(), Vec::<String>::new());
}

#[test]
fn what_a_site_has_pruned_is_crossed_by_its_receipt_told_once_and_named_by_verify() {
    let mut stage = that_keeps_little();
    tells(&stage, 5);
    let backup = backed_up(&mut stage);
    let held = chain(&stage)["heads"][0]["seq"].as_u64().unwrap();
    tells(&stage, 30);
    // What a tick prunes; the last one of a run comes without a wait.
    eventually("what was confirmed is pruned", || {
        stage.site.stopped();
        stage.site.started();
        first_kept(&stage) > held + 30
    });
    stage.site.drains();

    stage.site.expecting("the Kernel lacks records that are no longer kept here");
    set_back(&mut stage, &backup);
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    eventually("the chain goes on there", || chain(&stage).get("missing").is_some());
    stage.site.drains();
    tells(&stage, 3);

    let found = chain(&stage);
    let missing = found["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 1, "{found:#}");
    let (from, to) = (missing[0]["from"].as_u64().unwrap(), missing[0]["to"].as_u64().unwrap());
    let first = first_kept(&stage);
    assert_eq!(from, held + 1, "{found:#}");
    // Only from a head that is known a chain goes on: the first record kept may be one too early.
    assert!(to >= held + 30 && to <= first, "{to} of {first}: {found:#}");
    assert_eq!(found["branches"], 0, "{found:#}");
    let alerts = stage.kernel.alerts();
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    assert_eq!((&alerts[0]["code"], &alerts[0]["count"]), (&json!("events.missing"), &json!(1)));
    let detail = &alerts[0]["detail"];
    assert_eq!((&detail["from"], &detail["to"]), (&json!(from), &json!(to)), "{detail}");
    assert_eq!(detail["receipted"], true);
    let told = stage.kernel.command(["audit", "verify"]).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains(&format!("records {from} to {to}. A receipt of ")), "{told}");

    // Everything after it is there, once.
    let taken = stage.kernel.audit(TENANT);
    assert!(taken.ids().values().all(|times| *times == 1));
    let handed: Vec<String> = taken.handed_over().iter().map(Value::to_string).collect();
    let events = stage.site.audit().events();
    assert!(events.len() > 4, "{events:#?}");
    for (seq, event) in (first_kept(&stage)..).zip(&events) {
        assert!(seq <= to || handed.contains(&event.to_string()), "record {seq}: {event:#}");
    }
}
