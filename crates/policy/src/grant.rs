//! Grant: an entitlement that holds now, and the decision on its quota.

use std::sync::Arc;

use farhold_bundle::{
    Positive,
    payload::{AuditRules, DecisionRecord, WhenFull},
};
use farhold_contract::{Code, Timestamp, id::LicenseId, mode::Mode, model::Limits};

use crate::{
    counter::{Counter, Metered},
    decision::Decision,
    ladder::Phase,
};

/// An entitlement that holds now.
#[derive(Debug, Clone)]
pub struct Grant {
    /// How fresh and whole the word behind it is.
    pub mode: Mode,
    /// The entitlement's phase, from which the mode comes.
    pub phase: Phase,
    /// The signed end, never the grace; absent: none.
    pub valid_until: Option<Timestamp>,
    /// How much the license gives, as the contract shows it.
    pub limits: Limits,
    /// The license that grants it.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: Positive,
    /// The product.
    pub product: Arc<str>,
    /// Its quota; absent: as many units as wanted, and none counted.
    pub counter: Option<Metered>,
    /// Which decisions leave an event.
    pub audit: AuditDuties,
}

/// Which decisions leave an event of the agent's own (`bundle.md` §4, `audit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditDuties {
    /// Refusals do.
    pub denied: bool,
    /// What uses up a quota does.
    pub consumed: bool,
    /// Every decision does.
    pub all: bool,
    /// What happens to consumption when the queue is full.
    pub when_full: WhenFull,
}

impl Grant {
    /// Weighs the quota. `counter` is what is stored under the grant's key; the second value is
    /// what to store instead, present exactly when units were consumed.
    ///
    /// A look is allowed while at least one unit is left; consuming needs all its units. Zero
    /// units are a look.
    pub fn decide(
        &self,
        counter: Option<Counter>,
        consume: Option<u64>,
    ) -> (Decision, Option<Counter>) {
        let Some(metered) = &self.counter else {
            return (self.answer(), None);
        };
        let units = consume.filter(|&units| units > 0);
        let mut open = metered.open(counter);
        let allowed = units.unwrap_or(1) <= metered.remaining(open.used);
        let consumed = units.filter(|_| allowed);
        open.used = open.used.saturating_add(consumed.unwrap_or(0));
        let decision = Decision {
            allowed,
            reason: (!allowed).then_some(Code::QuotaExhausted),
            usage: Some(metered.usage(open)),
            ..self.answer()
        };
        (decision, consumed.map(|_| open))
    }

    /// The answer as far as no quota speaks against it.
    fn answer(&self) -> Decision {
        Decision {
            allowed: true,
            reason: None,
            mode: self.mode,
            limits: self.limits.clone(),
            usage: None,
            valid_until: self.valid_until,
        }
    }
}

impl AuditDuties {
    /// Whether decisions of this kind leave an event.
    pub const fn records(&self, kind: DecisionRecord) -> bool {
        match kind {
            DecisionRecord::Denied => self.denied,
            DecisionRecord::Consumed => self.consumed,
            DecisionRecord::All => self.all,
        }
    }
}

impl From<&AuditRules> for AuditDuties {
    fn from(rules: &AuditRules) -> Self {
        Self {
            denied: rules.records(DecisionRecord::Denied),
            consumed: rules.records(DecisionRecord::Consumed),
            all: rules.records(DecisionRecord::All),
            when_full: rules.when_full,
        }
    }
}
