//! Preview: what an import would do, said before it is done; and that it works in any state.

use std::thread;

use serde_json::Value;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, Vendor, day, start_of};

fn named<'a>(list: &'a Value, member: &str, name: &str) -> &'a Value {
    list.as_array()
        .unwrap()
        .iter()
        .find(|one| one[member] == name)
        .unwrap_or_else(|| panic!("{name} is not in {list:#}"))
}

#[test]
fn a_dry_run_says_old_and_new_and_what_would_stop_working() {
    let vendor = Vendor::new();
    let old = vendor.license(|l| {
        l.feature("export").quota(10).feature("exams").feature("labs").flag("theme", "\"light\"")
    });
    let site = Site::new(&vendor).trusting().holding(&old);
    let courses = site.runtime(Courses).registered();
    let idle = vendor.license(|l| l.renewing(&old).feature("export"));
    let new = vendor.license(|l| {
        l.renewing(&old)
            .feature("export")
            .quota(25)
            .feature("exams")
            .feature("proctoring")
            .flag("theme", "\"dark\"")
            .flag("beta", "true")
    });
    assert_eq!(idle.payload()["serial"], new.payload()["serial"]);

    let told = site.previews(&new);
    assert_eq!(told["applied"], false);
    let line = &told["changes"]["lines"][0];
    assert_eq!((&line["before"]["serial"], &line["after"]["serial"]), (&1.into(), &2.into()));
    let export = named(&line["entitlements"], "feature", "export");
    assert_eq!((&export["before"]["quota"], &export["after"]["quota"]), (&10.into(), &25.into()));
    let labs = named(&line["entitlements"], "feature", "labs");
    assert_eq!((labs["before"].is_null(), labs["after"].is_null()), (false, true), "{labs}");
    let proctoring = named(&line["entitlements"], "feature", "proctoring");
    assert!(proctoring["before"].is_null(), "{proctoring}");
    let theme = named(&line["flags"], "key", "theme");
    assert_eq!(
        (&theme["before"]["value"], &theme["after"]["value"]),
        (&"light".into(), &"dark".into())
    );
    assert!(named(&line["flags"], "key", "beta")["before"].is_null());
    assert_eq!(told["changes"]["runtimes"], 1);
    let stop = named(&told["changes"]["stops"], "feature", "labs");
    assert_eq!(stop["after"]["code"], "feature.not_granted");
    assert_eq!(stop["runtimes"][0], courses.id());

    courses.check("labs").allowed();
    courses.check("proctoring").denied(Code::FeatureNotGranted);
    site.imports(&new).done();
    courses.check("labs").denied(Code::FeatureNotGranted);
    courses.check("proctoring").allowed();
}

#[test]
fn only_the_bundle_that_was_looked_at_is_applied() {
    let vendor = Vendor::new();
    let (first, other) =
        (vendor.license(|l| l.feature("export")), vendor.license(|l| l.feature("export")));
    let site = Site::new(&vendor).trusting();
    let seen = site.previews(&first)["bundle_sha256"].as_str().unwrap().to_owned();
    let expecting = |document: &Document, sha256: &str| {
        site.verb(["import", document.path().to_str().unwrap(), "--expect", sha256])
    };
    expecting(&other, &seen).refused(Code::BundleUnexpected);
    assert!(site.licenses().is_empty(), "nothing was changed");
    assert!(!site.suffers("bundle_rejected"), "it says nothing of the one that is wanted");
    expecting(&first, "abc").refused(Code::UsageInvalid);
    // What a tool hashes is the same, in either case of its letters.
    let own = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(first.bytes()));
    assert_eq!(own, seen);
    expecting(&first, &seen.to_ascii_uppercase()).done();
    assert_eq!(site.licenses().len(), 1);
}

#[test]
fn a_renewal_is_taken_in_whatever_state_the_license_is() {
    let vendor = Vendor::new();
    let ended = |last_day: i64| {
        vendor.license(|l| {
            l.issued(&start_of(-400))
                .begins(&start_of(-400))
                .last_day(&day(last_day))
                .ladder("P10D", "P14D", "P30D")
                .feature("export")
        })
    };
    let standings: [(&str, Document, Option<Document>); 5] = [
        ("grace", ended(-5), None),
        ("restricted", ended(-25), None),
        ("stopped", ended(-90), None),
        ("not_begun", vendor.license(|l| l.begins(&start_of(30)).feature("export")), None),
        {
            let license = vendor.license(|l| l.feature("export"));
            let revocations = vendor.revokes(&[&license]);
            ("revoked", license, Some(revocations))
        },
    ];
    for (phase, license, then) in standings {
        let mut site = Site::new(&vendor).trusting().holding(&license);
        if let Some(then) = then {
            site.imports(&then).done();
        }
        assert_eq!(site.licenses()[0]["phase"], phase);
        let renewal = vendor.license(|l| l.serial(2).feature("export"));
        site.imports(&renewal).done();
        site.runtime(Courses).registered().check("export").allowed();
        site.killed().started();
        site.runtime(Courses).registered().check("export").allowed();
    }
}

#[test]
fn where_nothing_stands_the_agent_need_not_even_run() {
    let vendor = Vendor::new();
    let mut site = Site::prepared(&vendor, |plan| plan).trusting();
    let license = vendor.license(|l| l.feature("export"));
    assert_eq!(site.previews(&license)["changes"]["lines"][0]["after"]["serial"], 1);
    assert!(site.licenses().is_empty());
    site.imports(&license).done();
    site.started();
    site.runtime(Courses).registered().check("export").allowed();
}

#[test]
fn imports_at_once_are_taken_one_by_one_and_the_highest_serial_decides() {
    let vendor = Vendor::new();
    let first = vendor.license(|l| l.feature("export"));
    let mut serials = vec![first.clone()];
    for _ in 1..6 {
        let last = serials.last().unwrap();
        serials.push(vendor.license(|l| l.renewing(last).feature("export")));
    }
    let mut site = Site::new(&vendor).trusting();
    let site_ref = &site;
    thread::scope(|scope| {
        for license in &serials {
            scope.spawn(move || {
                let ran = site_ref.imports(license);
                let told: Value = serde_json::from_str(&ran.stdout).unwrap();
                let fine = ran.exit == 0 || told["code"] == "bundle.superseded";
                assert!(fine, "{}", ran.stdout);
            });
        }
    });
    let deciding = |site: &Site| {
        let licenses = site.licenses();
        let one = licenses.iter().find(|license| license["in_force"] == true).unwrap();
        one["serial"].as_u64().unwrap()
    };
    assert_eq!(deciding(&site), 6);
    site.killed().started();
    assert_eq!(deciding(&site), 6);
    site.verb(["audit", "verify"]).done();
}

#[test]
fn a_whole_bundle_comes_by_standard_input_too() {
    let vendor = Vendor::new();
    let first = vendor.license(|l| l.feature("export"));
    let root = vendor.changes_root("renew");
    let bundle = vendor.bundle(&[&root, &first]);
    let site = Site::new(&vendor).trusting();
    assert_eq!(site.pasted(&bundle.bytes()).done()["lines"].as_array().unwrap().len(), 2);
    // White space is dropped in the typed form alone: a bundle that a mail program wrapped is none.
    let wrapped = String::from_utf8(first.bytes()).unwrap().replace("\",\"", "\",\r\n\"");
    let ran = site.pasted(wrapped.as_bytes());
    assert_eq!(ran.exit, 65, "{}", ran.stdout);
}
