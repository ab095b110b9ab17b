//! Verify: what a site that stands at one root would make of a bundle.

use farhold_bundle::{
    ImportPlan, ImportRefusal, LineKey, LineOutcome, PlannedLine, Positive, Standing, TrustRoot,
    payload::{DocumentType, License},
    plan_import,
};
use farhold_contract::{Code, Timestamp};
use farhold_policy::{Phase, Timeline};

use crate::refusal::Refusal;

/// What a verified file is.
#[derive(Debug)]
pub enum Finding {
    /// The trust root itself, and nothing else.
    TheRoot,
    /// Documents that hold under the root.
    Documents(Box<ImportPlan>),
}

/// Verifies every line of a bundle, or one document in typed form, in the order of import.
///
/// # Errors
/// As a site refuses it, with the line that is the reason.
pub fn verify(root: &TrustRoot, bundle: &[u8], now: Timestamp) -> Result<Finding, Refusal> {
    // By its payload: the file may carry signatures that installing it has set aside.
    let line = bundle.strip_suffix(b"\n").unwrap_or(bundle);
    if TrustRoot::install(line, Some(root.root().sha256())).is_ok() {
        return Ok(Finding::TheRoot);
    }
    let plan = plan_import(&Standing::with_trust(root.clone()), bundle, None, now)
        .map_err(refuse_import)?;
    match plan.lines.iter().find(|line| is_unchecked(line)) {
        // Its signers are in a root before the one given, which is not known here.
        Some(line) => Err(Refusal::usage(
            format!(
                "line {}: {} is older than the root given, and can't be verified by it",
                line.line, line.name
            ),
            "Give the oldest root of the file as --root.",
        )),
        None => Ok(Finding::Documents(Box::new(plan))),
    }
}

fn is_unchecked(line: &PlannedLine) -> bool {
    line.document == DocumentType::Root && line.outcome == LineOutcome::Superseded
}

fn refuse_import(refusal: ImportRefusal) -> Refusal {
    let code: Code = refusal.code();
    let reason = Refusal::from_error(code, &refusal.reason);
    match refusal.line {
        Some(line) => Refusal::new(code, format!("line {line}: {}", reason.what())),
        None => reason,
    }
}

/// Where one license stands at one time.
#[derive(Debug)]
pub struct LicensePhase<'a> {
    /// The license.
    pub license: &'a License,
    /// When it changes its phase.
    pub timeline: Timeline,
    /// Its phase, for itself.
    pub phase: Phase,
    /// Whether the revocations beside it take it out of force.
    pub revoked: bool,
    /// The serial of its line that is in force instead of it.
    pub superseded_by: Option<Positive>,
}

/// Where every license stands at one time, by line and serial.
pub fn phases(standing: &Standing, at: Timestamp) -> Vec<LicensePhase<'_>> {
    let licenses = standing.licenses();
    let of = |license| {
        let timeline = Timeline::of_license(license);
        // bundle.md §4: in force is the highest serial that has begun and is not revoked.
        let newer = licenses.iter().filter(|other| {
            LineKey::of(other) == LineKey::of(license)
                && other.serial > license.serial
                && other.not_before <= at
                && !standing.revokes(other)
        });
        LicensePhase {
            license,
            timeline,
            phase: timeline.phase_at(at),
            revoked: standing.revokes(license),
            superseded_by: newer.map(|other| other.serial).max(),
        }
    };
    licenses.iter().map(|license| of(license.content())).collect()
}

impl LicensePhase<'_> {
    /// Where it stands, in one word or few.
    pub fn word(&self) -> &'static str {
        if self.revoked {
            return "revoked";
        }
        if self.superseded_by.is_some() {
            return "superseded";
        }
        match self.phase {
            Phase::NotBegun => "not_begun",
            Phase::InForce => "in_force",
            Phase::Expiring => "expiring",
            Phase::Grace => "grace",
            Phase::Restricted => "restricted",
            Phase::Stopped => "stopped",
        }
    }
}
