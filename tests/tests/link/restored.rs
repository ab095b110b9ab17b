//! A site restored from a snapshot: nothing is lost, and it is told once.

use std::{fs, path::Path};

use serde_json::Value;

use farhold_tests::site::{TENANT, eventually};

use crate::stage::Stage;

/// Tells one event after another until the chain is so long.
fn runs_on_to(stage: &Stage, records: u64) {
    let last = || stage.site.verb(["queue", "stats"]).done()["last_seq"].as_u64().unwrap();
    // What it has to say of its own start comes first.
    while last() < records {
        stage.courses.tells(&stage.courses.event("login")).answer().ok();
    }
    assert_eq!(last(), records);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
}

#[test]
fn a_snapshot_of_500_restored_at_600_ends_in_720_records_and_one_alert() {
    let mut stage = Stage::set();
    runs_on_to(&stage, 500);
    stage.site.drains();
    stage.site.killed();
    let (state, snapshot) = (stage.site.state(), stage.site.path("snapshot"));
    copy(&state, &snapshot);
    stage.site.started();
    runs_on_to(&stage, 600);
    stage.site.drains();
    stage.site.killed();
    fs::remove_dir_all(&state).unwrap();
    fs::rename(&snapshot, &state).unwrap();

    stage.site.started();
    runs_on_to(&stage, 620);
    stage.site.drains();
    stage.courses.check("export").consume(1).allowed();
    let chains = stage.kernel.verifies();
    let records = |chain: &Value| chain["records"].as_u64().unwrap();
    let agent = stage.site.agent_id();
    let of_the_site: Vec<_> =
        chains.iter().filter(|chain| chain["agent_id"] == agent.as_str()).collect();
    assert!(!of_the_site.is_empty(), "{chains:#?}");
    eventually("it is told", || !stage.kernel.alerts().is_empty());
    let alerts = stage.kernel.alerts();
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    let ids = stage.kernel.audit(TENANT).ids();
    assert!(ids.values().all(|times| *times == 1));
    let kept: u64 = of_the_site.into_iter().map(records).sum();
    // The consumption above is one more.
    stage.site.drains();
    assert!((720..=721).contains(&kept), "{chains:#?}");
}
