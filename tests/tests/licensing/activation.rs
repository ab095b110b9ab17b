//! Activation by hand: a request goes out, a license comes back; by file, by paste, by camera.

use std::{path::Path, process::Command};

use serde_json::Value;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, LicenseDraft, Ran, Site, Vendor, qr};

/// What a QR code of version 25 holds at level M.
const QR_25_M: usize = 1_451;

fn five_features(l: LicenseDraft) -> LicenseDraft {
    ["export", "exams", "labs", "proctoring", "certificates"]
        .into_iter()
        .fold(l, |l, feature| l.feature(feature).quota(500).per("P1M").overage(50))
}

/// A template whose contract has no id yet.
fn template(vendor: &Vendor) -> String {
    let template = vendor.template(|l| five_features(l).moving(2));
    format!("--template {} --new-id", template.path().display())
}

/// What a verb draws or says, without JSON.
#[track_caller]
fn shown(command: &mut Command) -> String {
    let ran = Ran::command(command);
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// As a mail program hands a text on: short lines, each with a blank and a CRLF at its end.
fn wrapped(text: &str) -> String {
    let letters: Vec<char> = text.trim_end().chars().collect();
    let lines = letters.chunks(61).map(|line| line.iter().collect::<String>());
    lines.fold(String::from("\r\n  "), |all, line| all + &line + " \r\n\t")
}

fn serves_all_five(site: &Site) {
    let courses = site.runtime(Courses).registered();
    for feature in ["export", "exams", "labs", "proctoring", "certificates"] {
        courses.check(feature).consume(1).allowed().remaining(549);
    }
}

#[test]
fn by_file_a_site_is_activated_and_bound_to_its_key() {
    let vendor = Vendor::new();
    let mut site = Site::new(&vendor).trusting();
    let request = site.requests(&[]);
    let answer = vendor.answers(&request, &format!("{} --bind device", template(&vendor)));
    let bundle = answer.done();
    assert_eq!(bundle.payload()["binding"]["device_key"], site.device_key());
    site.imports(&bundle).done();
    serves_all_five(&site);
    site.killed().started();
    let stranger = Site::new(&vendor).trusting();
    stranger.imports(&bundle).refused(Code::LicenseBinding);
    assert_eq!(vendor.says("ledger verify ledger.jsonl")["verified"], true);
}

#[test]
fn what_was_pasted_with_line_wraps_and_blanks_is_taken() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let typed = site.verb(["request"]).done()["typed_form"].as_str().unwrap().to_owned();
    // The request travels by mail to the vendor, who pastes it.
    let line = format!(
        "answer - {} --bind device --key license.key --root root.json --ledger {} --typed",
        template(&vendor),
        vendor.ledger().display()
    );
    let mut command = vendor.command(line.split(' '));
    let answered = Ran::fed(&mut command, wrapped(&typed).as_bytes());
    assert_eq!(answered.exit, 0, "{}{}", answered.stdout, answered.stderr);
    let license = answered.stdout.lines().find(|line| line.starts_with("FH1:")).unwrap();
    // And back: by mail to the site, who pastes it.
    let pasted = wrapped(license);
    let told = site.pasted(pasted.as_bytes()).done();
    assert_eq!(told["applied"], true);
    serves_all_five(&site);
    // A letter that was lost on the way is missed.
    let broken = license.replacen(&license[300..301], "", 1);
    assert_ne!(site.pasted(broken.as_bytes()).exit, 0);
}

#[test]
fn request_and_license_of_five_entitlements_each_go_through_one_qr_code() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let drawn = shown(site.command(["request", "--qr", "--invert"]).env("NO_COLOR", "1"));
    let request = qr::scanned(&drawn);
    assert!(request.len() <= QR_25_M, "{} characters", request.len());
    let file = Document::written(vendor.next("scanned"), request.as_bytes());

    let line = format!(
        "answer {} {} --bind device --key license.key --root root.json --ledger {} --qr --invert",
        file.path().display(),
        template(&vendor),
        vendor.ledger().display(),
    );
    let drawn = shown(vendor.command(line.split(' ')).env("NO_COLOR", "1"));
    let license = qr::scanned(code_of(&drawn));
    assert!(license.len() <= QR_25_M, "{} characters", license.len());
    site.pasted(license.as_bytes()).done();
    serves_all_five(&site);
}

/// The drawing among what else is said.
fn code_of(said: &str) -> &str {
    let is_drawn = |line: &&str| line.chars().any(|one| ['█', '▀', '▄'].contains(&one));
    let first = said.lines().find(is_drawn).expect("a code was drawn");
    let last = said.lines().rfind(is_drawn).expect("a code was drawn");
    let start = first.as_ptr() as usize - said.as_ptr() as usize;
    let end = last.as_ptr() as usize - said.as_ptr() as usize + last.len();
    &said[start..end]
}

#[test]
fn a_request_that_was_changed_on_the_way_is_not_answered() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let request = Document::at(site.requests(&[]));
    let mark = request.payload()["mark"].as_str().unwrap().to_owned();
    let request = request.saying(&mark, &mark.replace("20", "21"));
    let answering = vendor.answers(request.path(), &format!("{} --bind device", template(&vendor)));
    answering.ran.refused(Code::SignatureInvalid);
    assert!(!answering.bundle.path().exists());
    let ledger = vendor.says("ledger list ledger.jsonl");
    assert_eq!(count(&ledger), 0, "{ledger:#}");
}

fn count(ledger: &Value) -> usize {
    ledger["licenses"].as_array().map_or(usize::MAX, Vec::len)
}

/// The keys stay with the vendor, and what the site shows goes to the vendor alone.
#[test]
fn a_request_carries_no_raw_value_of_the_machine() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let request = Document::at(site.requests(&[])).payload().to_string();
    for file in ["/etc/machine-id", "/proc/sys/kernel/hostname"] {
        let Ok(value) = std::fs::read_to_string(Path::new(file)) else { continue };
        let value = value.trim();
        assert!(value.len() < 4 || !request.contains(value), "{file} is in {request}");
    }
}

#[test]
fn a_request_says_what_was_used_and_under_which_root_the_site_stands() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(10).feature("exams").quota(5));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(3).allowed();
    let request = Document::at(site.requests(&[])).payload();
    assert_eq!(request["root"]["sha256"], vendor.root_sha256());
    assert_eq!(request["licenses"][0]["license_id"], license.payload()["license_id"]);
    let usage = request["usage"].as_array().unwrap();
    let told: Vec<_> = usage.iter().map(|one| (&one["feature"], &one["used"])).collect();
    assert_eq!(told, [(&"export".into(), &3.into())], "{request:#}");
}
