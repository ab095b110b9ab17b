//! Verify: what a site that stands at one root would make of a bundle.

use farhold_bundle::{
    ImportPlan, ImportRefusal, LineOutcome, PlannedLine, Standing, TrustRoot,
    payload::DocumentType, plan_import,
};
use farhold_contract::{Code, Timestamp};
use farhold_policy::{LicenseView, Now, Phase, PolicyState};

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

/// Why a bundle is refused, with the line that is the reason.
pub fn refuse_import(refusal: ImportRefusal) -> Refusal {
    let code: Code = refusal.code();
    let reason = Refusal::from_error(code, &refusal.reason);
    match refusal.line {
        Some(line) => Refusal::new(code, format!("line {line}: {}", reason.what())),
        None => reason,
    }
}

/// Where every license stands at one time, by line and rising serial: as a site that admits them
/// all would say.
pub fn licenses_at(standing: &Standing, at: Timestamp) -> Vec<LicenseView> {
    let policy = PolicyState::new(standing.licenses(), standing.revocations());
    let lines = policy.lines(&Now::exactly(at)).into_iter();
    lines.flat_map(|line| line.licenses.into_iter().rev()).collect()
}

/// Where a license stands, in one word or few.
pub fn word(license: &LicenseView) -> &'static str {
    match license.phase {
        _ if license.revoked => "revoked",
        Phase::NotBegun => Phase::NotBegun.as_str(),
        _ if !license.in_force => "superseded",
        phase => phase.as_str(),
    }
}
