//! Outlook: one timeline of what will be in force when, and what would be at another time.

use std::time::Duration;

use serde_json::Value;

use farhold_contract::{Code, mode::Mode, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, Vendor, day, sleep, start_of};

/// A license that ends in 30 days, with two weeks of grace and a month of restriction.
fn this_year(vendor: &Vendor) -> Document {
    vendor.license(|l| {
        l.issued(&start_of(-10))
            .begins(&start_of(-10))
            .last_day(&day(30))
            .ladder("P7D", "P14D", "P30D")
            .feature("export")
    })
}

fn next_year(vendor: &Vendor, license: &Document) -> Document {
    vendor.license(|l| l.renewing(license).begins(&start_of(25)).feature("export").feature("exams"))
}

fn steps(shown: &Value) -> Vec<(String, u64)> {
    let step =
        |one: &Value| (one["step"].as_str().unwrap().to_owned(), one["serial"].as_u64().unwrap());
    shown["timeline"].as_array().unwrap().iter().map(step).collect()
}

fn what_if(site: &Site, words: &str) -> Value {
    let words = ["license", "what-if"].into_iter().chain(words.split_ascii_whitespace());
    site.verb(words).done()
}

fn phase(told: &Value) -> &str {
    told["lines"][0]["phase"].as_str().unwrap_or_else(|| panic!("{told:#}"))
}

#[test]
fn the_next_serial_waits_and_one_timeline_says_what_will_be_in_force_when() {
    let vendor = Vendor::new();
    let license = this_year(&vendor);
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let alone = site.verb(["license", "show"]).done();
    let climb = ["warns", "ends", "restricts", "stops"].map(|step| (step.to_owned(), 1));
    assert_eq!(steps(&alone), climb, "{alone:#}");

    let next = next_year(&vendor, &license);
    let told = site.previews(&next);
    assert_eq!(told["changes"]["lines"][0]["later"][0]["serial"], 2, "{told:#}");
    assert!(told["changes"]["stops"].as_array().unwrap().is_empty(), "{told:#}");
    site.imports(&next).done();
    courses.check("exams").denied(Code::FeatureNotGranted);
    let both = site.verb(["license", "show"]).done();
    let expected = [("warns".to_owned(), 1), ("begins".to_owned(), 2)];
    assert_eq!(steps(&both)[..2], expected, "{both:#}");
    let begins = &both["timeline"][1];
    assert_eq!((&begins["instead_of"], &begins["at"]), (&1.into(), &start_of(25).into()));
    assert!(!steps(&both)[2..].iter().any(|(_, serial)| *serial == 1), "it is replaced by then");
    let one = |serial: u64| {
        let licenses = both["licenses"].as_array().unwrap();
        licenses.iter().find(|license| license["serial"] == serial).unwrap().clone()
    };
    assert_eq!(one(1)["in_force_until"], start_of(25));
    assert_eq!(
        (&one(2)["in_force_from"], &one(2)["phase"]),
        (&start_of(25).into(), &"not_begun".into())
    );
}

#[test]
fn what_if_says_grace_restricted_and_stopped_and_changes_nothing() {
    let vendor = Vendor::new();
    let license = this_year(&vendor);
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let on = |days: i64| what_if(&site, &format!("--at {}", day(days)));
    assert_eq!(phase(&on(0)), "in_force");
    assert_eq!(phase(&on(27)), "expiring");
    let grace = on(35);
    assert_eq!((phase(&grace), &grace["lines"][0]["mode"]), ("grace", &"grace".into()));
    assert!(grace["refused"].as_array().unwrap().is_empty(), "{grace:#}");
    let restricted = on(60);
    assert_eq!(phase(&restricted), "restricted");
    assert_eq!(restricted["otherwise"][0]["after"]["mode"], "restricted", "{restricted:#}");
    let stopped = on(120);
    assert_eq!(
        (phase(&stopped), &stopped["lines"][0]["code"]),
        ("stopped", &"license.expired".into())
    );
    let refused = &stopped["refused"][0];
    assert_eq!(
        (&refused["feature"], &refused["runtimes"][0]),
        (&"export".into(), &courses.id().into())
    );
    courses.check("export").allowed().mode(Mode::Offline);
    assert!(site.status()["conditions"].as_array().unwrap().is_empty());
}

#[test]
fn a_clock_set_back_gains_nothing_and_denies_nothing() {
    let vendor = Vendor::new();
    let license = this_year(&vendor);
    let site = Site::new(&vendor).trusting().holding(&license);
    site.runtime(Courses).registered();
    let back = what_if(&site, "--clock-back 2d");
    assert_eq!(phase(&back), "in_force");
    assert!(back["refused"].as_array().unwrap().is_empty(), "{back:#}");
    let noticed = back["noticed"].as_array().unwrap();
    assert!(noticed.iter().any(|one| one["change"] == "rolled_back"), "{back:#}");
    // Whoever sets it back on the day of the end is still past it.
    let late = what_if(&site, &format!("--at {} --clock-back 100d", day(120)));
    assert_eq!(phase(&late), "stopped");
    assert!(
        what_if(&site, "--clock-back 23h")["noticed"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["change"] != "rolled_back")
    );
    site.verb(["license", "what-if", "--clock-back", "soon"]).refused(Code::UsageInvalid);
    site.verb(["license", "what-if", "--without", "eth77"]).refused(Code::UsageInvalid);
}

/// The vendor's `simulate` and the site's `what-if` have one state machine.
#[test]
fn the_vendor_can_simulate_what_the_site_will_say() {
    let vendor = Vendor::new();
    let license = this_year(&vendor);
    let site = Site::new(&vendor).trusting().holding(&license);
    let shown = site.verb(["license", "show"]).done();
    let told = vendor.says(&format!(
        "simulate {} --root root.json --mode detached --runtime courses:4.2.0",
        license.path().display()
    ));
    let text = told.to_string();
    for step in shown["timeline"].as_array().unwrap() {
        let at = step["at"].as_str().unwrap();
        assert!(text.contains(at), "{step} is not in {told:#}");
    }
}

#[test]
fn the_last_day_ends_in_the_zone_of_the_license() {
    let vendor = Vendor::new();
    let last: jiff::civil::Date = day(30).to_string().parse().unwrap();
    let next = last.tomorrow().unwrap();
    for (zone, ends) in [(Some("America/Lima"), "05:00:00Z"), (None, "12:00:00Z")] {
        let license = vendor.license(|l| {
            let l = l.issued(&start_of(-10)).begins(&start_of(-10)).last_day(&day(30));
            let l = l.feature("export");
            zone.map_or(l.clone(), |zone| l.in_zone(zone))
        });
        let site = Site::new(&vendor).trusting().holding(&license);
        assert_eq!(site.licenses()[0]["ends"], format!("{next}T{ends}"), "{zone:?}");
        let at = |time: &str| phase(&what_if(&site, &format!("--at {next}T{time}"))).to_owned();
        let (before, after) = match zone {
            Some(_) => ("04:59:59Z", "05:00:00Z"),
            None => ("11:59:59Z", "12:00:00Z"),
        };
        assert_eq!((at(before).as_str(), at(after).as_str()), ("expiring", "stopped"), "{zone:?}");
    }
}

/// What was released in time is covered for good: no clock says otherwise.
#[test]
fn a_license_by_release_date_needs_no_clock() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| {
        l.issued(&start_of(-10))
            .begins(&start_of(-10))
            .released_before("2026-06-30")
            .feature("export")
    });
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let older = site.runtime(Courses).released_on("2026-06-29").registered();
    let newer = site.runtime(Courses).released_on("2026-06-30").registered();
    older.check("export").allowed();
    newer.check("export").denied(Code::LicenseVersion);
    if !sleep::is_possible("a_license_by_release_date_needs_no_clock") {
        return;
    }
    site.stopped();
    let asleep = sleep::after(&site.command(["run"]), Duration::from_secs(20 * 365 * 24 * 60 * 60));
    site.started_by(asleep);
    older.check("export").allowed();
    newer.check("export").denied(Code::LicenseVersion);
}
