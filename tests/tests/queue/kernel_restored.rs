//! A Kernel restored from a backup: the sites bring back what it lost.

use std::{fs, path::Path};

use farhold_tests::site::{EventDraft, TENANT, eventually};

use crate::stage::{Stage, tells_many};

/// Events before the backup, and after it.
const BEFORE: usize = 300;
const AFTER: usize = 2_500;

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

fn tells(stage: &Stage, count: usize) -> Vec<String> {
    let events: Vec<EventDraft> =
        (0..count).map(|_| stage.courses.event("course.completed")).collect();
    tells_many(&stage.courses, &stage.site.unix_door(), &events);
    events.iter().map(EventDraft::id).collect()
}

#[test]
fn a_kernel_restored_from_yesterdays_backup_has_everything_once_again() {
    let mut stage = Stage::set();
    let mut ids = tells(&stage, BEFORE);
    stage.site.drains();
    stage.kernel.stopped();
    let (data, backup) = (stage.kernel.data(), stage.kernel.path("backup"));
    copy(&data, &backup);
    stage.kernel.started();
    ids.extend(tells(&stage, AFTER));
    stage.site.drains();
    stage.kernel.killed();
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&backup, &data).unwrap();

    stage.kernel.started();
    // What is new finds no place after what the Kernel has.
    ids.extend(tells(&stage, 1));
    eventually("everything is there again", || {
        stage.kernel.audit_of_type(TENANT, "course.completed").len() == ids.len()
    });
    stage.kernel.audit_of_type(TENANT, "course.completed").has_each_once(&ids);
    stage.site.drains();
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.alert_codes(), [""; 0], "a backup is nobody's fault");
}
