//! Claims about what is said to be otherwise after an import.

use std::sync::Arc;

use farhold_bundle::payload::{Entitlement, Flag, FlagValue, License, Revocations};
use farhold_contract::{Code, mode::Mode, model::RuntimeType};
use farhold_policy::{
    Changes, ContentChange, LineStanding, Link, Loss, Phase, PolicyAt, PolicyState, RuntimeFacts,
    Scope, TermChange,
};

use crate::support::*;

const MIDYEAR: &str = "2027-06-15T12:00:00Z";

fn between(before: &PolicyState, after: &PolicyState, runtimes: &[RuntimeFacts]) -> Changes {
    let now = now(MIDYEAR);
    let side = |policy| PolicyAt { policy, now: &now, link: Link::Offline };
    let runtimes: Vec<_> = runtimes.iter().map(|r| (tenant(1), r.clone())).collect();
    Changes::between(&side(before), &side(after), &runtimes)
}

fn numbered(number: u64, kind: RuntimeType) -> RuntimeFacts {
    RuntimeFacts { runtime_id: runtime_id(number), runtime_type: kind, ..runtime() }
}

fn term<'c>(content: &'c ContentChange, name: &str) -> Option<&'c TermChange> {
    content.terms.iter().find(|term| term.name == name)
}

fn flag(key: &str, value: FlagValue) -> Flag {
    Flag { key: key.to_owned(), value, versions: None }
}

fn in_force(serial: u64, phase: Phase) -> LineStanding {
    LineStanding::InForce { license_id: license_id(1), serial: positive(serial), phase }
}

#[test]
fn a_first_license_brings_everything_and_takes_nothing() {
    let changes = between(&state(&[]), &state(&[license(1)]), &[runtime()]);
    let line = &changes.lines[0];
    assert_eq!((line.before, line.after), (LineStanding::NoLine, in_force(1, Phase::InForce)));
    let content = line.content.as_ref().unwrap();
    assert_eq!(content.entitlements[0].before, None);
    assert!(content.entitlements[0].after.is_some());
    assert!(changes.stops.is_empty());
    let begins = &changes.begins[0];
    assert_eq!((&*begins.feature, &*begins.runtimes), ("lab", &[runtime_id(1)][..]));
    assert_eq!((begins.before, begins.after), (Err(Code::LicenseMissing), Ok(Mode::Offline)));
}

#[test]
fn the_next_serial_shows_old_and_new_of_everything_that_differs() {
    let until = Some(at("2027-09-30T00:00:00Z"));
    let before = License {
        entitlements: vec![
            metered("lab", 100, Some("P1D")),
            entitlement("exam"),
            entitlement("same"),
            entitlement("film"),
        ],
        flags: vec![
            flag("dark", FlagValue::Bool(true)),
            flag("theme", FlagValue::String("red".to_owned())),
            flag("same", FlagValue::Bool(true)),
        ],
        ..license(1)
    };
    let after = License {
        expires_on: Some(day("2028-06-30")),
        entitlements: vec![
            metered("lab", 250, Some("P1D")),
            entitlement("same"),
            Entitlement { ladder: Some(ladder("P7D", "")), ..entitlement("film") },
            Entitlement { valid_until: until, ..entitlement("quiz") },
        ],
        flags: vec![
            flag("dark", FlagValue::Bool(false)),
            flag("same", FlagValue::Bool(true)),
            flag("beta", FlagValue::Bool(true)),
        ],
        ..license(2)
    };
    let changes =
        between(&state(std::slice::from_ref(&before)), &state(&[before, after]), &[runtime()]);
    let line = &changes.lines[0];
    assert_eq!(line.before, in_force(1, Phase::InForce));
    assert_eq!(line.after, in_force(2, Phase::InForce));
    assert!(line.later.is_empty() && line.lost.is_empty());
    let content = line.content.as_ref().unwrap();
    let expected = TermChange {
        name: "expires_on".to_owned(),
        before: Some("2027-12-31".to_owned()),
        after: Some("2028-06-30".to_owned()),
    };
    assert_eq!(term(content, "expires_on"), Some(&expected));
    for other in ["license_id", "flags", "entitlements"] {
        assert_eq!(term(content, other), None);
    }
    let shown: Vec<_> = content
        .entitlements
        .iter()
        .map(|change| {
            let quota = |side: &Option<farhold_policy::EntitlementTerms>| {
                side.as_ref().map(|terms| terms.limits.quota)
            };
            (&*change.feature, change.scope, quota(&change.before), quota(&change.after))
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("exam", Scope::Everyone, Some(None), None),
            ("film", Scope::Everyone, Some(None), Some(None)),
            ("lab", Scope::Everyone, Some(Some(100)), Some(Some(250))),
            ("quiz", Scope::Everyone, None, Some(None)),
        ]
    );
    let film = content.entitlements[1].after.as_ref().unwrap();
    assert_eq!(film.ladder, Some(ladder("P7D", "")));
    assert_eq!(content.entitlements[3].after.as_ref().unwrap().valid_until, until);
    let flags: Vec<_> = content
        .flags
        .iter()
        .map(|change| (&*change.key, change.before.is_some(), change.after.is_some()))
        .collect();
    assert_eq!(flags, [("beta", false, true), ("dark", true, true), ("theme", true, false)]);

    assert_eq!(changes.stops.len(), 1);
    assert_eq!(
        (&*changes.stops[0].feature, changes.stops[0].after),
        ("exam", Err(Code::FeatureNotGranted))
    );
    assert_eq!((changes.begins.len(), &*changes.begins[0].feature), (1, "quiz"));
}

#[test]
fn every_limit_that_differs_is_seen() {
    let limited = |overage: u64, concurrency: u64, window: &str| {
        let limits = farhold_bundle::payload::LicenseLimits {
            overage: Some(positive(overage)),
            concurrency: Some(positive(concurrency)),
            ..metered("lab", 10, Some(window)).limits
        };
        Entitlement { limits, ..entitlement("lab") }
    };
    let held = |serial, own| License { entitlements: vec![own], ..license(serial) };
    let before = state(&[held(1, limited(1, 1, "P1D"))]);
    let differ = |own| {
        let changes = between(&before, &state(&[held(2, own)]), &[]);
        changes.lines[0].content.as_ref().unwrap().entitlements.len()
    };
    assert_eq!(differ(limited(1, 1, "P1D")), 0);
    for other in [limited(2, 1, "P1D"), limited(1, 2, "P1D"), limited(1, 1, "P1M")] {
        assert_eq!(differ(other), 1);
    }
}

#[test]
fn a_renewal_imported_early_changes_nothing_yet_and_says_when_it_will() {
    let next = License {
        not_before: at("2028-01-01T00:00:00Z"),
        expires_on: Some(day("2028-12-31")),
        entitlements: vec![entitlement("lab"), entitlement("exam")],
        ..license(2)
    };
    let changes = between(&state(&[license(1)]), &state(&[license(1), next]), &[runtime()]);
    let line = &changes.lines[0];
    assert_eq!((line.before, line.content.as_ref()), (line.after, None));
    let later = &line.later[0];
    assert_eq!((later.serial, later.instead_of), (positive(2), Some(positive(1))));
    assert_eq!(later.at, at("2028-01-01T00:00:00Z"));
    assert_eq!(&*later.content.entitlements[0].feature, "exam");
    assert!(changes.stops.is_empty() && changes.begins.is_empty());
}

#[test]
fn a_renewal_that_waits_already_is_not_told_again() {
    let next = |serial: u64, begins: &str| License {
        not_before: at(begins),
        expires_on: Some(day("2029-12-31")),
        ..license(serial)
    };
    let second = next(2, "2028-01-01T00:00:00Z");
    let third = next(3, "2029-01-01T00:00:00Z");
    let before = state(&[license(1), second.clone()]);
    let changes = between(&before, &state(&[license(1), second, third]), &[]);
    let later = &changes.lines[0].later;
    assert_eq!(
        later.iter().map(|l| (l.serial, l.instead_of)).collect::<Vec<_>>(),
        [(positive(3), Some(positive(2)))]
    );
}

#[test]
fn a_revocation_says_what_stops_and_for_whom() {
    let list = revocations(&[license_id(1)], &[]);
    let before = state(&[license(1)]);
    let after = state_with(&[license(1)], Some(&list));
    let runtimes = [numbered(1, RuntimeType::Labs), numbered(2, RuntimeType::Labs)];
    let changes = between(&before, &after, &runtimes);
    let line = &changes.lines[0];
    assert_eq!(line.after, LineStanding::Nothing(Code::LicenseRevoked));
    assert_eq!((line.lost[0].serial, line.lost[0].why), (positive(1), Loss::Revoked));
    let stops = &changes.stops[0];
    assert_eq!(&*stops.runtimes, [runtime_id(1), runtime_id(2)]);
    assert_eq!((stops.before, stops.after), (Ok(Mode::Offline), Err(Code::LicenseRevoked)));
    assert!(changes.begins.is_empty());
}

#[test]
fn a_fallen_license_gives_way_to_the_serial_below() {
    let before =
        state(&[license(1), License { entitlements: vec![entitlement("exam")], ..license(9) }]);
    let changes = between(&before, &state(&[license(1)]), &[runtime()]);
    let line = &changes.lines[0];
    assert_eq!(
        (line.before, line.after),
        (in_force(9, Phase::InForce), in_force(1, Phase::InForce))
    );
    assert_eq!((line.lost[0].serial, line.lost[0].why), (positive(9), Loss::Gone));
    assert_eq!((&*changes.stops[0].feature, &*changes.begins[0].feature), ("exam", "lab"));
}

#[test]
fn a_license_that_would_be_barred_says_so() {
    let after = state_barring(&[(license(1), Some(Code::LicenseBinding))], None);
    let changes = between(&state(&[license(1)]), &after, &[runtime()]);
    assert_eq!(changes.lines[0].after, LineStanding::Nothing(Code::LicenseBinding));
    assert_eq!(changes.lines[0].lost[0].why, Loss::Barred(Code::LicenseBinding));
    assert_eq!(changes.stops[0].after, Err(Code::LicenseBinding));
}

#[test]
fn a_runtime_that_an_entitlement_names_is_asked_by_itself() {
    let own = Entitlement { runtime_id: Some(runtime_id(2)), ..entitlement("lab") };
    let before = License { entitlements: vec![entitlement("lab")], ..license(1) };
    let after = License { entitlements: vec![own], ..license(2) };
    let runtimes: Vec<_> = (1..4).map(|n| numbered(n, RuntimeType::Labs)).collect();
    let changes = between(&state(&[before]), &state(&[after]), &runtimes);
    assert_eq!(changes.stops.len(), 1);
    assert_eq!(&*changes.stops[0].runtimes, [runtime_id(1), runtime_id(3)]);
}

#[test]
fn a_reason_that_only_one_runtime_is_told_is_told_of_it_alone() {
    // A revoked license names runtime 1: it says more to that one than "not begun" does.
    let own = Entitlement { runtime_id: Some(runtime_id(1)), ..entitlement("exam") };
    let revoked = License { entitlements: vec![own], ..license(1) };
    let studio = License {
        product: "studio".to_owned(),
        license_id: license_id(2),
        not_before: at("2027-06-01T00:00:00Z"),
        entitlements: vec![entitlement("exam")],
        ..license(1)
    };
    let policy = state_with(&[revoked, studio], Some(&revocations(&[license_id(1)], &[])));
    let (in_june, in_may) = (now(MIDYEAR), now("2027-05-31T00:00:00Z"));
    let side = |now| PolicyAt { policy: &policy, now, link: Link::Offline };
    let runtimes = [1, 2].map(|n| (tenant(1), numbered(n, RuntimeType::Labs)));
    let changes = Changes::between(&side(&in_june), &side(&in_may), &runtimes);
    let mut told: Vec<_> = changes.stops.iter().map(|c| (c.runtimes[0], c.after)).collect();
    told.sort_by_key(|(runtime, _)| *runtime);
    assert_eq!(
        told,
        [(runtime_id(1), Err(Code::LicenseRevoked)), (runtime_id(2), Err(Code::LicenseNotBegun)),]
    );
}

#[test]
fn versions_decide_for_whom_it_stops() {
    let after = License { versions: Some(">=3".parse().unwrap()), ..license(2) };
    let new = RuntimeFacts { version: "3.0.0".to_owned(), ..numbered(2, RuntimeType::Labs) };
    let changes = between(&state(&[license(1)]), &state(&[after]), &[runtime(), new]);
    assert_eq!(&*changes.stops[0].runtimes, [runtime_id(1)]);
    assert_eq!(changes.stops[0].after, Err(Code::LicenseVersion));
}

#[test]
fn the_same_documents_at_two_instants_show_what_a_date_changes() {
    let policy = state(&[License { ladder: ladder("P14D", ""), ..license(1) }]);
    let (today, grace, later) =
        (now(MIDYEAR), now("2028-01-05T00:00:00Z"), now("2028-01-15T00:00:00Z"));
    let side = |now| PolicyAt { policy: &policy, now, link: Link::Offline };
    let runtimes = [(tenant(1), runtime())];
    let changes = Changes::between(&side(&today), &side(&grace), &runtimes);
    assert_eq!(changes.lines[0].after, in_force(1, Phase::Grace));
    assert!(changes.lines[0].content.is_none() && changes.stops.is_empty());
    let changes = Changes::between(&side(&today), &side(&later), &runtimes);
    assert_eq!(changes.stops[0].after, Err(Code::LicenseExpired));
}

#[test]
fn ten_thousand_features_that_stop_share_one_list_of_runtimes() {
    let entitlements = (0..10_000).map(|n| entitlement(&format!("lab-{n}"))).collect();
    let before = state(&[License { entitlements, ..license(1) }]);
    let list: Revocations = revocations(&[license_id(1)], &[]);
    let entitlements = (0..10_000).map(|n| entitlement(&format!("lab-{n}"))).collect();
    let after = state_with(&[License { entitlements, ..license(1) }], Some(&list));
    let runtimes: Vec<_> = (1..301).map(|n| numbered(n, RuntimeType::Labs)).collect();
    let changes = between(&before, &after, &runtimes);
    assert_eq!(changes.stops.len(), 10_000);
    let first = &changes.stops[0].runtimes;
    assert_eq!(first.len(), 300);
    assert!(changes.stops.iter().all(|change| Arc::ptr_eq(&change.runtimes, first)));
}

#[test]
fn two_documents_are_compared_whoever_signed_them() {
    let next = License {
        issued_to: "Another School".to_owned(),
        entitlements: vec![metered("lab", 5, None)],
        ..license(2)
    };
    let content = ContentChange::between(Some(&license(1)), Some(&next));
    let names: Vec<_> = content.terms.iter().map(|term| &*term.name).collect();
    assert_eq!(names, ["issued_to", "serial"]);
    assert_eq!(content.entitlements.len(), 1);
    assert!(ContentChange::between(Some(&next), Some(&next)).is_empty());
    let gone = ContentChange::between(Some(&license(1)), None);
    assert_eq!((gone.entitlements.len(), gone.entitlements[0].after.is_none()), (1, true));
    // The same difference, of documents that stand.
    let changes = between(&state(&[license(1)]), &state(std::slice::from_ref(&next)), &[]);
    assert_eq!(changes.lines[0].content.as_ref(), Some(&content));
}
