//! Import: one bundle against what stands, all or nothing, before anything is written.

mod claim;
mod features;
mod planner;
mod site;

use farhold_contract::{Code, Timestamp};

use crate::{
    envelope::Envelope,
    error::RefusalReason,
    lines,
    payload::{ClockReset, DocumentType, Receipt},
    standing::Standing,
    typed_form::{decode_typed_form, is_typed_form},
    verified::Verified,
};

use claim::Claim;
use planner::Planner;

pub use site::SiteFacts;

/// What an import would do; nothing has been done.
#[derive(Debug, Clone)]
pub struct ImportPlan {
    /// What would stand after it.
    pub standing: Standing,
    /// What each line is, in the bundle's order.
    pub lines: Vec<PlannedLine>,
    /// Documents that would fall with a revoked key, named for people.
    pub fallen: Vec<String>,
    /// Receipts for this agent; its chain must still agree with them.
    pub receipts: Vec<Verified<Receipt>>,
    /// The one clock reset that answers the open request.
    pub clock_reset: Option<Verified<ClockReset>>,
}

/// One line of a bundle, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLine {
    /// Its number in the bundle, from 1.
    pub line: usize,
    /// Its type.
    pub document: DocumentType,
    /// The document for people: type and number.
    pub name: String,
    /// What it brings.
    pub outcome: LineOutcome,
}

/// What a line brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOutcome {
    /// It would stand.
    New,
    /// It stands already.
    Known,
    /// A newer one stands.
    Superseded,
}

/// Why a bundle is refused, and which of its lines is the reason.
#[derive(Debug, thiserror::Error)]
#[error("the bundle is refused{}", .line.map_or(String::new(), |line| format!(" because of line {line}")))]
pub struct ImportRefusal {
    /// The line, from 1, if one line is the reason.
    pub line: Option<usize>,
    /// The reason.
    #[source]
    pub reason: RefusalReason,
}

impl ImportRefusal {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        self.reason.code()
    }
}

impl From<RefusalReason> for ImportRefusal {
    fn from(reason: RefusalReason) -> Self {
        Self { line: None, reason }
    }
}

impl ImportPlan {
    /// Whether any line is new to what stood; receipts and clock resets are judged when applied.
    pub fn brings_documents(&self) -> bool {
        self.lines.iter().any(|line| line.outcome == LineOutcome::New)
    }
}

/// Plans the import of a bundle, or of one document in typed form (`bundle.md` §3.5, §4.2).
///
/// With `site`, the checks that concern one site are made too; a vendor's tool leaves them out.
///
/// # Errors
/// [`ImportRefusal`]: one failure of one line refuses the whole bundle.
pub fn plan_import(
    standing: &Standing,
    bundle: &[u8],
    site: Option<&SiteFacts>,
    now: Timestamp,
) -> Result<ImportPlan, ImportRefusal> {
    let decoded;
    let lines = if is_typed_form(bundle) {
        decoded = decode_typed_form(bundle)?;
        vec![decoded.as_slice()]
    } else {
        lines::split(bundle)?
    };
    let mut waiting = Vec::with_capacity(lines.len());
    for (at, line) in lines.into_iter().enumerate() {
        let envelope = Envelope::open(line).map_err(|error| at_line(at + 1)(error.into()))?;
        let claim = Claim::of(&envelope)
            .map_err(|unreadable| signature_first(standing, &envelope, unreadable))
            .map_err(at_line(at + 1))?;
        waiting.push((claim, at + 1, envelope));
    }
    // bundle.md §3.5: roots, revocations, licenses, rest, whatever the order of the lines.
    let mut planner = Planner::new(standing, site, now)?;
    waiting.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let others = waiting.partition_point(|(claim, ..)| matches!(claim, Claim::Root { .. }));
    let rest = waiting.split_off(others);
    planner.take_all(waiting)?;
    planner.read_clock(&rest);
    planner.settle_roots()?;
    planner.take_all(rest)?;
    planner.finish()
}

fn at_line(line: usize) -> impl FnOnce(RefusalReason) -> ImportRefusal {
    move |reason| ImportRefusal { line: Some(line), reason }
}

/// A claim is read before its line's turn to be verified comes; where it can't be read, a
/// signature that does not hold is the truer reason.
fn signature_first(
    standing: &Standing,
    envelope: &Envelope,
    unreadable: RefusalReason,
) -> RefusalReason {
    let by_role =
        matches!(unreadable, RefusalReason::Payload(_)) && envelope.kind() != DocumentType::Root;
    match standing.root().filter(|_| by_role).map(|root| root.prove(envelope.clone())) {
        Some(Err(error)) => error.into(),
        _ => unreadable,
    }
}
