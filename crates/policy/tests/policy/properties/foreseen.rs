//! What people are told of the future is what will be decided: outlook and milestones against
//! `resolve`, for any documents, instants and runtimes.

use proptest::{collection::vec, prelude::*, sample::select};

use farhold_bundle::payload::License;
use farhold_contract::{Code, Timestamp};
use farhold_policy::{
    Grant, LicenseOutlook, LineOutlook, Link, Milestone, Phase, PolicyState, Question, Resolution,
    Restraints, RuntimeFacts, Scope, Step, Timeline, Verdict,
};

use super::decisions::{FEATURES, any_held, any_revocations, any_runtime, instants};
use crate::support::*;

fn resolve(
    state: &PolicyState,
    runtime: &RuntimeFacts,
    feature: &str,
    instant: Timestamp,
    link: Link,
) -> Resolution {
    let question = Question { tenant_id: tenant(1), runtime, feature, consume: None };
    state.resolve(&question, &Restraints::default(), &now_at(instant), link)
}

/// The entitlement that speaks to a runtime, and what it says.
fn verdict_for<'o>(
    license: &'o LicenseOutlook,
    document: &License,
    runtime: &RuntimeFacts,
    feature: &str,
) -> Option<(Verdict, &'o farhold_policy::EntitlementLimits)> {
    let of = |scope: Scope| {
        let mut all = license.entitlements.iter();
        all.find(|own| &*own.feature == feature && own.scope == scope)
    };
    let speaks = of(Scope::Runtime(runtime.runtime_id))
        .or_else(|| of(Scope::Type(runtime.runtime_type)))
        .or_else(|| of(Scope::Everyone))?;
    let early = document
        .released_before
        .is_some_and(|before| runtime.released_on.is_some_and(|on| on < before));
    let verdict = if early { speaks.released? } else { speaks.verdict };
    Some((verdict, &speaks.limits))
}

fn document_of<'l>(
    licenses: &'l [License],
    line: &LineOutlook,
    license: &LicenseOutlook,
) -> &'l License {
    let of_line =
        |l: &&License| (l.tenant.tenant_id, &*l.product) == (line.tenant_id, &*line.product);
    licenses.iter().filter(of_line).find(|l| l.serial == license.serial).unwrap()
}

fn covers(document: &License, runtime: &RuntimeFacts) -> bool {
    document.versions.as_ref().is_none_or(|range| {
        semver::Version::parse(&runtime.version).is_ok_and(|version| range.matches(&version))
    })
}

/// What an outlook says to one question: the grant it foresees, or every reason it gives.
fn foreseen(
    lines: &[LineOutlook],
    licenses: &[License],
    runtime: &RuntimeFacts,
    feature: &str,
) -> Result<(Verdict, u64, Option<u64>), Vec<Code>> {
    let mut reasons = Vec::new();
    for line in lines.iter().filter(|line| line.tenant_id == tenant(1)) {
        let license = match &line.standing {
            Err(code) => {
                reasons.push(*code);
                continue;
            }
            Ok(license) => license,
        };
        let document = document_of(licenses, line, license);
        match verdict_for(license, document, runtime, feature) {
            None => reasons.push(Code::FeatureNotGranted),
            Some(_) if !covers(document, runtime) => reasons.push(Code::LicenseVersion),
            Some((verdict, limits)) => match verdict.answer {
                Ok(_) => return Ok((verdict, license.serial.as_u64(), limits.quota)),
                Err(code) => reasons.push(code),
            },
        }
    }
    if reasons.is_empty() {
        reasons.push(Code::LicenseMissing);
    }
    Err(reasons)
}

/// The license in force and its phase, by nothing but the milestones up to an instant.
fn replay(milestones: &[Milestone], product: &str, instant: Timestamp) -> Option<(u64, Phase)> {
    let mut standing = None;
    let own = milestones.iter().filter(|m| m.tenant_id == tenant(1) && &*m.product == product);
    for milestone in own.filter(|m| m.at <= instant && m.entitlements.is_empty()) {
        let phase = phase_after(milestone.step);
        standing = Some((milestone.serial.as_u64(), phase));
    }
    standing
}

/// The phase of one entitlement of the serial in force, likewise.
fn replay_own(
    milestones: &[Milestone],
    product: &str,
    serial: u64,
    of: (&str, Scope),
    instant: Timestamp,
) -> Phase {
    let mut own = milestones.iter().filter(|m| {
        m.tenant_id == tenant(1)
            && &*m.product == product
            && m.serial.as_u64() == serial
            && m.at <= instant
            && m.entitlements.iter().any(|(name, scope)| (&**name, *scope) == of)
    });
    own.next_back().map_or(Phase::InForce, |milestone| phase_after(milestone.step))
}

fn phase_after(step: Step) -> Phase {
    match step {
        Step::Begins { .. } => Phase::InForce,
        Step::Warns => Phase::Expiring,
        Step::Ends { then } => then,
        Step::Restricts => Phase::Restricted,
        Step::Stops => Phase::Stopped,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn the_outlook_says_what_resolve_says(
        held in any_held(),
        list in any_revocations(),
        runtime in any_runtime(),
        random_hours in vec(0_u64..2_600, 12),
        link in select(vec![Link::Detached, Link::Offline, Link::Online]),
    ) {
        let licenses: Vec<_> = held.iter().map(|(license, _)| license.clone()).collect();
        let state = state_barring(&held, Some(&list));
        for instant in instants(&licenses, &random_hours) {
            let lines = state.outlook(&now_at(instant), link);
            for feature in FEATURES {
                let expected = foreseen(&lines, &licenses, &runtime, feature);
                match (resolve(&state, &runtime, feature, instant, link), expected) {
                    (Resolution::Granted(grant), Ok((verdict, serial, quota))) => {
                        let Grant { mode, phase, valid_until, limits, .. } = grant;
                        let said = (verdict.answer, verdict.phase, verdict.ends);
                        prop_assert_eq!((Ok(mode), phase, valid_until), said);
                        prop_assert_eq!((grant.serial.as_u64(), limits.quota), (serial, quota));
                    }
                    (Resolution::Refused(refused), Err(reasons)) => {
                        prop_assert!(reasons.contains(&refused.reason), "{refused:?} {reasons:?}");
                    }
                    (actual, expected) => {
                        prop_assert!(false, "{feature} at {instant}: {actual:?}, {expected:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_milestones_replayed_are_what_is_in_force(
        held in any_held(),
        list in any_revocations(),
        random_hours in vec(0_u64..2_600, 12),
    ) {
        let licenses: Vec<_> = held.iter().map(|(license, _)| license.clone()).collect();
        let state = state_barring(&held, Some(&list));
        let milestones = state.milestones(Timestamp::MIN);
        for instant in instants(&licenses, &random_hours) {
            let lines = state.outlook(&now_at(instant), Link::Online);
            for line in lines.iter().filter(|line| line.tenant_id == tenant(1)) {
                let told = replay(&milestones, &line.product, instant);
                let license = line.standing.as_ref().ok();
                let stands = license.map(|l| (l.serial.as_u64(), l.verdict.phase));
                prop_assert_eq!(told, stands, "{} at {}", line.product, instant);
                let Some(license) = license else { continue };
                let serial = license.serial.as_u64();
                let document = document_of(&licenses, line, license);
                let whole = Timeline::of_license(document);
                for (own, entitlement) in license.entitlements.iter().zip(&document.entitlements) {
                    let of = (&*own.feature, own.scope);
                    let told = if Timeline::of_entitlement(document, entitlement) == whole {
                        license.verdict.phase
                    } else {
                        replay_own(&milestones, &line.product, serial, of, instant)
                    };
                    prop_assert_eq!(told, own.verdict.phase, "{:?} at {}", of, instant);
                }
            }
        }
    }

    #[test]
    fn the_metric_is_the_first_end_that_the_milestones_show(
        held in any_held(),
        list in any_revocations(),
        random_hours in vec(0_u64..2_600, 12),
    ) {
        let licenses: Vec<_> = held.iter().map(|(license, _)| license.clone()).collect();
        let state = state_barring(&held, Some(&list));
        let milestones = state.milestones(Timestamp::MIN);
        for instant in instants(&licenses, &random_hours) {
            let now = now_at(instant);
            let ends = state.lines(&now).into_iter().filter_map(|line| {
                let own = |m: &&Milestone| {
                    (m.tenant_id, &m.product) == (line.tenant_id, &line.product)
                        && m.entitlements.is_empty()
                };
                let begun = milestones.iter().filter(own).filter(|m| {
                    m.at <= instant && matches!(m.step, Step::Begins { .. })
                });
                let since = begun.map(|m| m.at).max()?;
                let mut after = milestones.iter().filter(own).filter(|m| m.at >= since);
                after.find(|m| matches!(m.step, Step::Ends { .. })).map(|m| m.at)
            });
            let seconds = |end: Timestamp| (end.as_ms() - instant.as_ms()).div_euclid(1000);
            prop_assert_eq!(state.expires_in(&now), ends.min().map(seconds), "{}", instant);
        }
    }
}
