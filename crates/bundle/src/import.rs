//! Import: one bundle against what stands, all or nothing, before anything is written.

mod claim;
mod site;

use farhold_contract::{Code, Timestamp};

use crate::{
    envelope::Envelope,
    error::RefusalReason,
    limits::LIMITS,
    lines,
    payload::{ClockReset, DocumentType, License, Receipt, Revocations},
    standing::{LineKey, Standing},
    trust::TrustRoot,
    typed_form::{decode_typed_form, is_typed_form},
    verified::Verified,
};

use claim::Claim;

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
    let mut planner = Planner::new(standing, now)?;
    waiting.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let others = waiting.partition_point(|(claim, ..)| matches!(claim, Claim::Root { .. }));
    let rest = waiting.split_off(others);
    planner.take_all(waiting)?;
    planner.settle_roots()?;
    planner.take_all(rest)?;
    planner.finish(site)
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

struct Planner {
    now: Timestamp,
    plan: ImportPlan,
    new_licenses: Vec<(usize, LineKey, u64)>,
    root_steps: usize,
}

impl Planner {
    fn new(before: &Standing, now: Timestamp) -> Result<Self, RefusalReason> {
        // bundle.md §3.1: a bundle that brings its own first root proves nothing.
        if before.root().is_none() {
            return Err(RefusalReason::rule(Code::TrustMissing, "no trust root is installed"));
        }
        let plan = ImportPlan {
            standing: before.clone(),
            lines: Vec::new(),
            fallen: Vec::new(),
            receipts: Vec::new(),
            clock_reset: None,
        };
        Ok(Self { now, plan, new_licenses: Vec::new(), root_steps: 0 })
    }

    fn take_all(&mut self, waiting: Vec<(Claim, usize, Envelope)>) -> Result<(), ImportRefusal> {
        for (claim, line, envelope) in waiting {
            self.take(line, claim, envelope).map_err(at_line(line))?;
        }
        Ok(())
    }

    fn take(&mut self, line: usize, claim: Claim, envelope: Envelope) -> Result<(), RefusalReason> {
        let document = envelope.kind();
        let (name, outcome) = match claim {
            Claim::Root { version } => {
                (format!("root {version}"), self.take_root(version, envelope)?)
            }
            Claim::Revocations { generation } => (
                format!("revocations generation {generation}"),
                self.take_revocations(generation, envelope)?,
            ),
            Claim::License { serial, license_id, key } => (
                format!("license {license_id} serial {serial}"),
                self.take_license(line, serial, key, envelope)?,
            ),
            Claim::Receipt => {
                let receipt: Verified<Receipt> = self.current().verify(envelope)?;
                let name = format!("receipt to record {}", receipt.seq);
                self.plan.receipts.push(receipt);
                (name, LineOutcome::New)
            }
            Claim::ClockReset => {
                let reset: Verified<ClockReset> = self.current().verify(envelope)?;
                let name = format!("clock reset to {}", reset.time);
                if self.plan.clock_reset.replace(reset).is_some() {
                    return Err(RefusalReason::rule(
                        Code::ClockResetForeign,
                        "a bundle holds at most one clock reset",
                    ));
                }
                (name, LineOutcome::New)
            }
        };
        self.plan.lines.push(PlannedLine { line, document, name, outcome });
        Ok(())
    }

    fn take_root(
        &mut self,
        version: u64,
        envelope: Envelope,
    ) -> Result<LineOutcome, RefusalReason> {
        let current = self.current();
        if version > current.version() {
            if self.root_steps == LIMITS.root_steps {
                let detail =
                    format!("more than {} root steps; import in two bundles", LIMITS.root_steps);
                return Err(RefusalReason::rule(Code::BundleTooLarge, detail));
            }
            let next = current.step(envelope)?;
            self.root_steps += 1;
            self.plan.standing.push_root(next);
            return Ok(LineOutcome::New);
        }
        let outcome =
            if version == current.version() { LineOutcome::Known } else { LineOutcome::Superseded };
        let roots = self.plan.standing.roots();
        // Older than the first one installed: its signers are not known here, nor needed.
        let Some(at) = roots.iter().position(|root| root.version() == version) else {
            return Ok(outcome);
        };
        if roots[at].root().line() != envelope.line() {
            let again = match at.checked_sub(1).map(|before| &roots[before]) {
                Some(before) => before.step(envelope)?,
                None => self.known_first(envelope.line())?,
            };
            require_same(roots[at].root(), again.root())?;
        }
        Ok(outcome)
    }

    /// Only its own keys speak for a first root: another one of that number is unproven here.
    fn known_first(&self, line: &[u8]) -> Result<TrustRoot, RefusalReason> {
        let first = &self.plan.standing.roots()[0];
        let again = TrustRoot::install(line, None)?;
        if again.root().sha256() != first.root().sha256() {
            let detail = format!("another root {} is installed", first.version());
            return Err(RefusalReason::rule(Code::TrustConflict, detail));
        }
        Ok(again)
    }

    /// After the last root: its end, and what falls with keys it revokes (`bundle.md` §3.3).
    fn settle_roots(&mut self) -> Result<(), RefusalReason> {
        let root = self.current().root();
        if root.expires <= self.now {
            let detail = format!("root {} ended at {}", root.version, root.expires);
            return Err(RefusalReason::rule(Code::TrustRootExpired, detail));
        }
        if self.root_steps > 0 {
            self.plan.fallen.extend(self.plan.standing.drop_fallen());
        }
        Ok(())
    }

    fn take_revocations(
        &mut self,
        generation: u64,
        envelope: Envelope,
    ) -> Result<LineOutcome, RefusalReason> {
        let standing = self.plan.standing.revocations();
        if let Some(standing) = standing
            && generation <= standing.generation.as_u64()
        {
            let again: Verified<Revocations> = self.plan.standing.stands(envelope)?;
            if generation < standing.generation.as_u64() {
                return Ok(LineOutcome::Superseded);
            }
            return require_same(standing, &again).map(|()| LineOutcome::Known);
        }
        let revocations: Verified<Revocations> = self.current().verify(envelope)?;
        self.require_issuer(revocations.issuer)?;
        self.plan.standing.set_revocations(revocations);
        Ok(LineOutcome::New)
    }

    fn take_license(
        &mut self,
        line: usize,
        serial: u64,
        key: LineKey,
        envelope: Envelope,
    ) -> Result<LineOutcome, RefusalReason> {
        let same_line =
            self.plan.standing.licenses().iter().filter(|standing| standing.is_of(&key));
        let newest = same_line.clone().map(|standing| standing.serial.as_u64()).max();
        if newest.is_some_and(|newest| serial <= newest) {
            let again: Verified<License> = self.plan.standing.stands(envelope)?;
            let mut same_line = same_line;
            return match same_line.find(|standing| standing.serial.as_u64() == serial) {
                Some(standing) => require_same(standing, &again).map(|()| LineOutcome::Known),
                None => Ok(LineOutcome::Superseded),
            };
        }
        let license: Verified<License> = self.current().verify(envelope)?;
        self.require_issuer(license.issuer)?;
        self.plan.standing.add_license(license);
        self.new_licenses.push((line, key, serial));
        Ok(LineOutcome::New)
    }

    /// The root in force so far. New words are by its keys alone: a rotated key signs nothing new.
    fn current(&self) -> &TrustRoot {
        self.plan.standing.root().expect("trust was required before any line")
    }

    fn require_issuer(&self, issuer: farhold_contract::id::IssuerId) -> Result<(), RefusalReason> {
        let root = self.current().root();
        if issuer != root.issuer.id {
            let detail = format!("issued by {issuer}; the trust root is {}'s", root.issuer.id);
            return Err(RefusalReason::rule(Code::TrustIssuer, detail));
        }
        Ok(())
    }

    fn finish(self, site: Option<&SiteFacts>) -> Result<ImportPlan, ImportRefusal> {
        let mut plan = self.plan;
        plan.lines.sort_by_key(|line| line.line);
        if let Some(site) = site {
            for (line, key, serial) in &self.new_licenses {
                let added = plan
                    .standing
                    .licenses()
                    .iter()
                    .find(|license| license.is_of(key) && license.serial.as_u64() == *serial);
                if let Some(license) = added {
                    site.accepts(license, &plan.standing).map_err(at_line(*line))?;
                }
            }
            site.accepts_rest(&plan)?;
        }
        if !self.new_licenses.is_empty() {
            site::require_distinct_features(&plan.standing, self.now)?;
        }
        if !plan.brings_documents() {
            return Err(RefusalReason::rule(
                Code::BundleSuperseded,
                "every line is known or superseded",
            )
            .into());
        }
        Ok(plan)
    }
}

fn require_same<T>(standing: &Verified<T>, again: &Verified<T>) -> Result<(), RefusalReason> {
    if standing.sha256() == again.sha256() {
        return Ok(());
    }
    Err(RefusalReason::rule(Code::BundleConflict, "another document of this number stands already"))
}
