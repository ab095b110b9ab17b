//! What an import changes, as policy and the documents say it.

use std::time::Duration;

use farhold_bundle::Positive;
use farhold_contract::{Timestamp, id::TenantId};
use farhold_policy::{
    Changes, ContentChange, EntitlementChange, EntitlementTerms, FeatureChange, FlagChange,
    LaterChange, LineChange, LineStanding, Link, Loss, LostLicense, Now, PolicyAt, RuntimeFacts,
    TermChange,
};

use crate::{
    admin::{
        answer::{
            changes::{
                ChangesAnswer, ContentChangeAnswer, EntitlementChangeAnswer, FlagAnswer,
                FlagChangeAnswer, GenerationsAnswer, LaterAnswer, LineChangeAnswer,
                LineStandingAnswer, LostAnswer, TermChangeAnswer, TermsAnswer,
            },
            decision::FeatureChangeAnswer,
        },
        answer_of::policy,
    },
    importer::{Imported, Stand},
};

use super::trust_change;

/// The tolerance of every rule about clocks (`bundle.md` §5): what is farther is worth a word.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// What an import changes; works on every entitlement, so keep it off the event loop.
pub(super) fn of(imported: &Imported, link: Link) -> ChangesAnswer {
    let Imported { plan, before, after, registry, .. } = imported;
    let runtimes: Vec<(TenantId, RuntimeFacts)> = registry
        .runtimes()
        .map(|(row, facts)| (row.tenant_id, RuntimeFacts::clone(facts)))
        .collect();
    let Changes { lines, stops, begins } =
        Changes::between(&deciding(before, link), &deciding(after, link), &runtimes);
    let (old, new) = (&before.documents.standing, &after.documents.standing);
    ChangesAnswer {
        trust: trust_change::between(old, new),
        revocations: generations(generation(old), generation(new)),
        clock_reset: plan.clock_reset.as_ref().map(|reset| reset.time),
        judged_by: judged_by(before, after),
        lines: lines.into_iter().map(line).collect(),
        runtimes: runtimes.len(),
        stops: stops.into_iter().map(feature).collect(),
        begins: begins.into_iter().map(feature).collect(),
    }
}

/// Where a document is dated ahead of both clocks, its date is the time from then on
/// (`bundle.md` §5): a wrong one ends licenses that hold.
fn judged_by(before: &Stand, after: &Stand) -> Option<Timestamp> {
    let Now { instant, wall, mark, floor, .. } = after.now;
    let is_ahead = floor.saturating_since(wall.max(mark)) > FAR && instant > before.now.instant;
    is_ahead.then_some(instant)
}

fn deciding(stand: &Stand, link: Link) -> PolicyAt<'_> {
    PolicyAt { policy: &stand.documents.policy, now: &stand.now, link }
}

fn generation(standing: &farhold_bundle::Standing) -> u64 {
    standing.revocations().map_or(0, |revocations| revocations.generation.as_u64())
}

fn generations(before: u64, after: u64) -> Option<GenerationsAnswer> {
    (before != after).then_some(GenerationsAnswer { before, after })
}

fn line(change: LineChange) -> LineChangeAnswer {
    let LineChange { tenant_id, product, before, after, content: said, later: waits, lost: fell } =
        change;
    LineChangeAnswer {
        tenant_id,
        product: product.to_string(),
        before: standing(before),
        after: standing(after),
        content: said.map(content).unwrap_or_default(),
        later: waits.into_iter().map(later).collect(),
        lost: fell.into_iter().map(lost).collect(),
    }
}

fn standing(standing: LineStanding) -> LineStandingAnswer {
    match standing {
        LineStanding::InForce { license_id, serial, phase } => LineStandingAnswer {
            license_id: Some(license_id),
            serial: Some(serial.as_u64()),
            phase: Some(phase.as_str().to_owned()),
            code: None,
        },
        LineStanding::Nothing(code) => {
            LineStandingAnswer { code: Some(code), ..LineStandingAnswer::default() }
        }
        LineStanding::NoLine => LineStandingAnswer::default(),
    }
}

fn content(change: ContentChange) -> ContentChangeAnswer {
    let ContentChange { terms, entitlements, flags } = change;
    ContentChangeAnswer {
        terms: terms.into_iter().map(term).collect(),
        entitlements: entitlements.into_iter().map(entitlement).collect(),
        flags: flags.into_iter().map(flag).collect(),
    }
}

fn term(change: TermChange) -> TermChangeAnswer {
    let TermChange { name, before, after } = change;
    TermChangeAnswer { name: name.to_owned(), before, after }
}

fn entitlement(change: EntitlementChange) -> EntitlementChangeAnswer {
    let EntitlementChange { feature, scope, before, after } = change;
    EntitlementChangeAnswer {
        feature: feature.to_string(),
        scope: policy::scope(scope),
        before: before.map(terms),
        after: after.map(terms),
    }
}

fn terms(terms: EntitlementTerms) -> TermsAnswer {
    let EntitlementTerms { limits, valid_until, ladder } = terms;
    TermsAnswer { limits: policy::limits(limits), valid_until, ladder }
}

fn flag(change: FlagChange) -> FlagChangeAnswer {
    let FlagChange { key, before, after } = change;
    let answer = |flag: farhold_bundle::payload::Flag| FlagAnswer {
        value: serde_json::to_value(&flag.value).unwrap_or_default(),
        versions: flag.versions.map(|versions| versions.to_string()),
    };
    FlagChangeAnswer { key, before: before.map(answer), after: after.map(answer) }
}

fn later(change: LaterChange) -> LaterAnswer {
    let LaterChange { license_id, serial, at, instead_of, content: said } = change;
    LaterAnswer {
        license_id,
        serial: serial.as_u64(),
        at,
        instead_of: instead_of.map(Positive::as_u64),
        content: content(said),
    }
}

fn lost(lost: LostLicense) -> LostAnswer {
    let LostLicense { license_id, serial, why } = lost;
    let (why, code) = match why {
        Loss::Revoked => ("revoked", None),
        Loss::Barred(code) => ("barred", Some(code)),
        Loss::Gone => ("gone", None),
    };
    LostAnswer { license_id, serial: serial.as_u64(), why: why.to_owned(), code }
}

fn feature(change: FeatureChange) -> FeatureChangeAnswer {
    let FeatureChange { tenant_id, feature, runtimes, before, after } = change;
    FeatureChangeAnswer {
        tenant_id,
        feature: feature.to_string(),
        runtimes: runtimes.to_vec(),
        before: policy::verdict(before),
        after: policy::verdict(after),
    }
}
