//! Any bytes as a bundle for a site that stands somewhere.

use std::sync::LazyLock;

use farhold_bundle::{
    Envelope, ImportPlan, LineOutcome, PlannedLine, SetAside, SiteFacts, Standing,
    payload::{DocumentType, Role},
    plan_import,
};
use farhold_policy::{Link, Now, PolicyState};

use super::{
    DEVICE, ROOT, VENDOR,
    support::{Key, after, bundle, license_id, now, raw_line, site_facts},
};

/// Most lines that are signed again: what is tested does not grow with them.
const MOST_LINES: usize = 48;

/// As it is, and with every line signed again by the keys that its type needs, so that what is
/// behind the signatures is reached.
pub fn import(bytes: &[u8]) {
    plan(&STANDING, bytes, Some(&SITE));
    if let Some(signed) = sign_again(bytes) {
        plan(&STANDING, &signed, None);
        plan(&STANDING, &signed, Some(&SITE));
        plan(&Standing::with_trust(ROOT.clone()), &signed, None);
    }
}

static SITE: LazyLock<SiteFacts> = LazyLock::new(site_facts);

/// Root 1, revocations of another license, and two serials.
static STANDING: LazyLock<Standing> = LazyLock::new(|| {
    let lines = [
        VENDOR.revocations_line(3, &[license_id(9)]),
        VENDOR.license_line(2),
        VENDOR.license_line(5),
    ];
    after(&Standing::with_trust(ROOT.clone()), &lines)
});

/// Plans an import, and holds the plan to what every plan must be.
fn plan(standing: &Standing, bytes: &[u8], site: Option<&SiteFacts>) {
    let before = standing.to_bundle();
    let planned = plan_import(standing, bytes, site, now());
    assert_eq!(standing.to_bundle(), before, "a plan changes nothing");
    let Ok(plan) = planned else { return };
    reloads(&plan);
    settles(&plan, bytes, site);
    decides(&plan.standing);
}

/// What would stand can be verified again from what is written of it.
fn reloads(plan: &ImportPlan) {
    let (again, refused) = Standing::reload(plan.standing.lines());
    assert!(refused.is_empty(), "what stands does not verify again: {refused:?}");
    assert_eq!(again.height(), plan.standing.height());
    assert_eq!(again.to_bundle(), plan.standing.to_bundle());
}

/// The same bundle brings nothing a second time.
fn settles(plan: &ImportPlan, bytes: &[u8], site: Option<&SiteFacts>) {
    if let Ok(second) = plan_import(&plan.standing, bytes, site, now()) {
        // Receipts and clock resets don't stand: whoever applies them judges them.
        let stands = |kind| !matches!(kind, DocumentType::Receipt | DocumentType::ClockReset);
        let is_new =
            |line: &&PlannedLine| line.outcome == LineOutcome::New && stands(line.document);
        let twice = second.lines.iter().find(is_new);
        assert!(twice.is_none(), "the same bundle brings something twice: {twice:?}");
        assert_eq!(second.standing.to_bundle(), plan.standing.to_bundle());
    }
}

/// What would stand can be decided by, now and whenever something changes.
fn decides(standing: &Standing) {
    let policy = PolicyState::new(standing.licenses(), standing.revocations());
    let floor = standing.floor(&SetAside::new());
    for at in policy.milestones(floor).iter().map(|milestone| milestone.at).take(32) {
        let now = Now::exactly(at);
        policy.outlook(&now, Link::Detached);
        policy.conditions(&now);
    }
}

/// Every line that is an envelope, signed by whoever may; none if there is none.
fn sign_again(bytes: &[u8]) -> Option<Vec<u8>> {
    let lines = bytes.split(|byte| *byte == b'\n').take(MOST_LINES);
    let signed: Vec<Vec<u8>> = lines
        .filter_map(|line| Envelope::open(line).ok())
        .map(|envelope| {
            let (kind, payload) = (envelope.kind(), envelope.danger_unverified_payload());
            raw_line(kind, payload, &keys(kind))
        })
        .collect();
    (!signed.is_empty()).then(|| bundle(&signed))
}

fn keys(kind: DocumentType) -> Vec<Key> {
    match kind.signed_by() {
        Role::Device => vec![DEVICE.clone()],
        role => VENDOR.group(role).keys.clone(),
    }
}
