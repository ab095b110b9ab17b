//! A disk that answers EIO: nothing is acknowledged that is not there.
//!
//! The fault is put between the agent and the system by `strace`, which needs no device and no
//! root; where it is not installed, or may not trace, the test says so.

use std::{fs, path::Path, process::Command};

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{EventDraft, Records, Runtime, Site, Vendor};

/// One fault in the middle of a run, and one that stays.
const FAULTS: [&str; 5] = [
    "fsync:error=EIO:when=40",
    "fsync:error=EIO:when=25+",
    "pwrite64:error=EIO:when=60",
    "pwrite64:error=EIO:when=61+3",
    "pwrite64:error=EIO:when=100+",
];

/// The same command, with a fault in what the system answers it.
fn with_fault(command: &Command, folder: &Path, fault: &str) -> Command {
    let mut traced = Command::new("strace");
    traced.env_clear().current_dir(folder);
    // The tracer is the one in the background: the process that was started is the agent.
    traced.args(["-D", "-f", "-qqq", "-o", "/dev/null", "--seccomp-bpf"]);
    let calls = fault.split(':').next().unwrap();
    traced.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={fault}")]);
    traced.arg(command.get_program()).args(command.get_args());
    traced
}

fn can_trace(test: &str) -> bool {
    let tried = with_fault(&Command::new("/bin/true"), Path::new("/"), FAULTS[0]).status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        eprintln!("SKIPPED: {test}: strace is not here, or may not trace");
    }
    can
}

/// Tells events one by one; the ids of those acknowledged, and whether any was refused.
fn tells(courses: &Runtime, count: usize) -> (Vec<EventDraft>, Vec<EventDraft>) {
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let event = courses.event("login");
        let answered = courses.tells(&event).answer();
        if answered.answer.status == 200 {
            kept.push(event);
        } else {
            answered.refused(Code::StoreUnavailable);
            refused.push(event);
        }
    }
    (kept, refused)
}

#[test]
fn whatever_write_or_sync_fails_nothing_acknowledged_is_lost() {
    if !can_trace("whatever_write_or_sync_fails") {
        return;
    }
    for fault in FAULTS {
        let vendor = Vendor::new();
        let license = vendor.license(|l| l.feature("export").quota(100));
        let mut site = Site::new(&vendor).trusting().holding(&license);
        let courses = site.runtime(Courses).registered();
        courses.check("export").consume(1).allowed();
        site.expecting("the database refuses changes").expecting("could not be written");
        site.stopped();
        let traced = with_fault(&site.command(["run"]), &site.path(""), fault);
        site.started_by(traced);
        let (kept, refused) = tells(&courses, 150);
        println!("{fault}: {} kept, {} refused", kept.len(), refused.len());
        assert!(!refused.is_empty(), "{fault} met nothing");
        courses.check("export").allowed().used(1);
        site.killed().started();
        courses.check("export").allowed().used(1);
        // Whether a refused one got through or not: it may be repeated, and is there once.
        for event in &refused {
            courses.tells(event).answer().ok();
        }
        let export = site.export();
        vendor.verifies_export(&export, &site.device_key());
        let logins = Records::of_export(&export.bytes()).of_type("login");
        let mut told: Vec<String> =
            logins.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
        told.sort();
        let mut expected: Vec<String> = kept.iter().chain(&refused).map(EventDraft::id).collect();
        expected.sort();
        assert_eq!(told, expected, "{fault}");
        let damaged = fs::read_dir(site.state())
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().contains("damaged"));
        assert!(!damaged, "{fault}: a failing write is no damage");
    }
}
