//! The planner: takes lines in their order, and knows what would stand after each.

use farhold_contract::{Code, Timestamp, id::IssuerId};

use super::{
    ImportPlan, ImportRefusal, LineOutcome, PlannedLine, SiteFacts, at_line, claim::Claim, features,
};
use crate::{
    envelope::Envelope,
    error::RefusalReason,
    limits::LIMITS,
    payload::{ClockReset, License, Receipt, Revocations},
    standing::{LineKey, Standing},
    trust::{TrustRoot, require_roles_kept},
    verified::Verified,
};

pub(super) struct Planner<'a> {
    site: Option<&'a SiteFacts>,
    now: Timestamp,
    plan: ImportPlan,
    new_licenses: Vec<(usize, LineKey, u64)>,
    root_steps: usize,
    /// The last root of the bundle that is older than the first one installed.
    older: Option<TrustRoot>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        before: &Standing,
        site: Option<&'a SiteFacts>,
        now: Timestamp,
    ) -> Result<Self, RefusalReason> {
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
        Ok(Self { site, now, plan, new_licenses: Vec::new(), root_steps: 0, older: None })
    }

    pub(super) fn take_all(
        &mut self,
        waiting: Vec<(Claim, usize, Envelope)>,
    ) -> Result<(), ImportRefusal> {
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
            require_roles_kept(self.plan.standing.roots(), next.root())?;
            self.root_steps += 1;
            self.plan.standing.push_root(next);
            return Ok(LineOutcome::New);
        }
        let outcome =
            if version == current.version() { LineOutcome::Known } else { LineOutcome::Superseded };
        let roots = self.plan.standing.roots();
        let Some(at) = roots.iter().position(|root| root.version() == version) else {
            self.take_older_root(envelope)?;
            return Ok(outcome);
        };
        if roots[at].root().line() != envelope.line() {
            let before =
                at.checked_sub(1).map(|before| &roots[before]).or(self.older_than(version));
            let again = match before {
                Some(before) => before.step(envelope)?,
                None => self.known_first(envelope.line())?,
            };
            require_same(roots[at].root(), again.root())?;
        }
        Ok(outcome)
    }

    /// A root older than the first one installed is skipped: nothing here can prove it. It is held
    /// to what it says itself, and to the one before it where the bundle has that, so that no bit
    /// of a line is free (`bundle.md` §3.5).
    fn take_older_root(&mut self, envelope: Envelope) -> Result<(), RefusalReason> {
        let claimed = TrustRoot::install(envelope.line(), None)?;
        self.require_issuer(claimed.root().issuer.id)?;
        let older = match self.older_than(claimed.version()) {
            Some(before) => before.step(envelope)?,
            None => claimed,
        };
        self.older = Some(older);
        Ok(())
    }

    fn older_than(&self, version: u64) -> Option<&TrustRoot> {
        self.older.as_ref().filter(|older| older.version() + 1 == version)
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

    /// Lets the vendor's word on the time, where the bundle brings it, be the time of this import:
    /// a mark that is years ahead would have ended the root that the word is proven by
    /// (`bundle.md` §5.6). The line itself is judged when its turn comes.
    pub(super) fn read_clock(&mut self, rest: &[(Claim, usize, Envelope)]) {
        let Some(site) = self.site else { return };
        let word = rest.iter().find(|(claim, ..)| *claim == Claim::ClockReset);
        let reset = word.and_then(|(.., envelope)| self.current().verify(envelope.clone()).ok());
        if let Some(reset) = reset.filter(|reset: &Verified<ClockReset>| site.awaits(reset)) {
            self.now = reset.time;
        }
    }

    /// After the last root: its end, and what falls with keys it revokes (`bundle.md` §3.3).
    pub(super) fn settle_roots(&mut self) -> Result<(), RefusalReason> {
        let root = self.current().root();
        if root.expires <= self.now {
            let detail = format!("root {} ended at {}", root.version, root.expires);
            return Err(RefusalReason::rule(Code::TrustRootExpired, detail));
        }
        if self.root_steps > 0 {
            self.plan.fallen.extend(self.plan.standing.drop_fallen());
            self.plan.standing.forget_roots();
        }
        Ok(())
    }

    fn take_revocations(
        &mut self,
        generation: u64,
        envelope: Envelope,
    ) -> Result<LineOutcome, RefusalReason> {
        let newest = self.plan.standing.revocations().map(|newest| newest.generation.as_u64());
        if newest.is_some_and(|newest| generation <= newest) {
            let again: Verified<Revocations> = self.plan.standing.stands(envelope)?;
            return match self.plan.standing.revocations_of(generation) {
                Some(standing) => require_same(standing, &again).map(|()| {
                    if newest == Some(generation) {
                        LineOutcome::Known
                    } else {
                        LineOutcome::Superseded
                    }
                }),
                None => Ok(LineOutcome::Superseded),
            };
        }
        let revocations: Verified<Revocations> = self.current().verify(envelope)?;
        self.require_issuer(revocations.issuer)?;
        self.plan.standing.add_revocations(revocations);
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

    fn require_issuer(&self, issuer: IssuerId) -> Result<(), RefusalReason> {
        let root = self.current().root();
        if issuer != root.issuer.id {
            let detail = format!("issued by {issuer}; the trust root is {}'s", root.issuer.id);
            return Err(RefusalReason::rule(Code::TrustIssuer, detail));
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ImportPlan, ImportRefusal> {
        let mut plan = self.plan;
        plan.lines.sort_by_key(|line| line.line);
        if let Some(site) = self.site {
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
            features::require_distinct(&plan.standing, self.site, self.now)?;
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
