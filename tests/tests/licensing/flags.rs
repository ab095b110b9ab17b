//! Flags and kill switches: set by a license, at once, for some versions, for one organization.

use serde_json::{Value, json};

use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::site::{Runtime, Site, Vendor};

/// What a runtime is told: each key with its value.
fn flags(runtime: &Runtime) -> Value {
    let answer = runtime.flags().answer().ok();
    let pair = |flag: &Value| (flag["key"].as_str().unwrap().to_owned(), flag["value"].clone());
    answer["flags"].as_array().unwrap().iter().map(pair).collect()
}

#[test]
fn a_switch_is_thrown_by_an_import_and_without_a_restart() {
    let vendor = Vendor::new();
    let on = vendor.license(|l| l.feature("export").flag("live_labs", "true").flag("limit", "2.5"));
    let mut site = Site::new(&vendor).trusting().holding(&on);
    let courses = site.runtime(Courses).registered();
    let before = courses.flags().answer();
    let tag = before.header("etag").expect("a tag").to_owned();
    assert_eq!(flags(&courses), json!({"live_labs": true, "limit": 2.5}));
    let same = courses.flags().with("if-none-match", &tag).answer();
    assert_eq!((same.answer.status, same.bytes().len()), (304, 0));

    let off = vendor.license(|l| l.renewing(&on).feature("export").flag("live_labs", "false"));
    site.imports(&off).done();
    let changed = courses.flags().with("if-none-match", &tag).answer();
    assert_eq!(changed.answer.status, 200);
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
    assert_eq!(flags(&courses), json!({"live_labs": false}));
    site.killed().started();
    assert_eq!(flags(&courses), json!({"live_labs": false}));
}

#[test]
fn a_bad_version_alone_is_switched_off() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| {
        l.feature("export").flag_for("exams", "false", ">=4.2.0, <4.2.5").flag("theme", "\"dark\"")
    });
    let site = Site::new(&vendor).trusting().holding(&license);
    let at = |version: &str| flags(&site.runtime(Courses).of_version(version).registered());
    assert_eq!(at("4.1.9"), json!({"theme": "dark"}));
    assert_eq!(at("4.2.3"), json!({"exams": false, "theme": "dark"}));
    assert_eq!(at("4.2.5"), json!({"theme": "dark"}));
}

#[test]
fn flags_end_with_their_license_and_wait_with_it() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").flag("beta", "true"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let next = vendor.license(|l| {
        l.renewing(&license)
            .begins(&farhold_tests::site::start_of(30))
            .feature("export")
            .flag("beta", "false")
    });
    site.imports(&next).done();
    assert_eq!(flags(&courses), json!({"beta": true}), "next year's waits");
    site.imports(&vendor.revokes(&[&license])).done();
    assert_eq!(flags(&courses), json!({}));
}
