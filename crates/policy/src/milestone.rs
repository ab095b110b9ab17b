//! Milestones: what will change in what is in force, and when.

use std::{collections::BTreeMap, fmt, sync::Arc};

use farhold_bundle::Positive;
use farhold_contract::{
    Date, Timestamp,
    id::{LicenseId, TenantId},
};

use crate::{
    granted::Granted,
    ladder::{Phase, Timeline},
    line::Line,
    reign::Reign,
    scope::Scope,
    state::PolicyState,
};

/// One change of one license, or of some of its entitlements, while it is the one in force.
///
/// What never comes to be is none: of a license that is superseded before its end, the takeover
/// counts and not the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    /// The first instant of what follows.
    pub at: Timestamp,
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: Arc<str>,
    /// The license.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: Positive,
    /// What happens.
    pub step: Step,
    /// To which entitlements: those that go another way than their license are told of in full.
    /// Empty: to the license as a whole, and every entitlement that goes with it.
    pub entitlements: Vec<(Arc<str>, Scope)>,
    /// Where everything stops: what was released before this day stays covered without end, as
    /// far as no entitlement has an end of its own.
    pub kept_before: Option<Date>,
}

/// What happens at a milestone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The serial is the one in force from here on.
    Begins {
        /// The serial that it replaces.
        instead_of: Option<Positive>,
    },
    /// Its end is said to be near.
    Warns,
    /// The signed end.
    Ends {
        /// What follows at once: grace, the restricted time, or the stop.
        then: Phase,
    },
    /// The grace is over; the restricted time begins.
    Restricts,
    /// Grace and restricted time are over.
    Stops,
}

impl PolicyState {
    /// What the documents that stand will bring after an instant, in order of time; after
    /// [`Timestamp::MIN`], what they ever brought or will bring.
    pub fn milestones(&self, after: Timestamp) -> Vec<Milestone> {
        let lines = self.tenants.iter().flat_map(|(id, lines)| lines.iter().map(|l| (*id, l)));
        let mut found: Vec<_> =
            lines.flat_map(|(tenant_id, line)| line.milestones(tenant_id)).collect();
        found.retain(|milestone| milestone.at > after);
        found.sort_by_key(|milestone| milestone.at);
        found
    }
}

impl Line {
    fn milestones(&self, tenant_id: TenantId) -> Vec<Milestone> {
        let mut found = Vec::new();
        let mut before = None;
        for reign in self.reigns() {
            let license = reign.license;
            let milestone = |at, step, entitlements, kept_before| Milestone {
                at,
                tenant_id,
                product: self.product.clone(),
                license_id: license.license_id,
                serial: license.serial,
                step,
                entitlements,
                kept_before,
            };
            let begins = Step::Begins { instead_of: before };
            found.push(milestone(reign.from, begins, Vec::new(), None));
            for (at, step) in steps(&license.timeline, &reign) {
                let kept = license.released_before.filter(|_| step.stops_all());
                found.push(milestone(at, step, Vec::new(), kept));
            }
            let mut own: BTreeMap<_, Vec<_>> = BTreeMap::new();
            let goes_its_own_way = |granted: &&Granted| granted.timeline != license.timeline;
            for granted in license.entitlements.iter().filter(goes_its_own_way) {
                for step in steps(&granted.timeline, &reign) {
                    own.entry(step).or_default().push((granted.feature.clone(), granted.scope));
                }
            }
            let own = own.into_iter();
            found.extend(own.map(|((at, step), which)| milestone(at, step, which, None)));
            before = Some(license.serial);
        }
        found
    }
}

/// Every change of phase within a reign: where the phase is another than just before.
fn steps(timeline: &Timeline, reign: &Reign<'_>) -> Vec<(Timestamp, Step)> {
    let Timeline { begins: _, warns_at, ends, grace_ends, restrict_ends } = *timeline;
    let bounds = [Some(reign.from), warns_at, ends, grace_ends, restrict_ends];
    let mut steps = Vec::new();
    let mut before = Phase::InForce;
    for at in bounds.into_iter().flatten().filter(|at| reign.holds_at(*at)) {
        let phase = timeline.phase_at(at);
        if let Some(step) = Step::into_phase(before, phase) {
            steps.push((at, step));
        }
        before = phase;
    }
    steps
}

impl Step {
    /// The step in one word, as programs are told it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begins { .. } => "begins",
            Self::Warns => "warns",
            Self::Ends { .. } => "ends",
            Self::Restricts => "restricts",
            Self::Stops => "stops",
        }
    }

    /// Whether nothing of the license is left after it.
    pub const fn stops_all(self) -> bool {
        matches!(self, Self::Stops | Self::Ends { then: Phase::Stopped })
    }

    fn into_phase(before: Phase, phase: Phase) -> Option<Self> {
        if phase == before {
            return None;
        }
        match phase {
            Phase::NotBegun | Phase::InForce => None,
            Phase::Expiring => Some(Self::Warns),
            _ if before < Phase::Grace => Some(Self::Ends { then: phase }),
            Phase::Grace | Phase::Restricted => Some(Self::Restricts),
            Phase::Stopped => Some(Self::Stops),
        }
    }
}

/// The step as the rest of a sentence about a license or an entitlement.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begins { instead_of: None } => f.write_str("begins"),
            Self::Begins { instead_of: Some(serial) } => {
                write!(f, "begins and takes the place of serial {serial}")
            }
            Self::Warns => f.write_str("is near its end"),
            Self::Ends { then: Phase::Grace } => f.write_str("ends; its grace begins"),
            Self::Ends { then: Phase::Restricted } => f.write_str("ends; restricted from here on"),
            Self::Ends { .. } => f.write_str("ends and stops"),
            Self::Restricts => f.write_str("leaves its grace; restricted from here on"),
            Self::Stops => f.write_str("stops"),
        }
    }
}
