//! Decision: the answer, and what is known before usage is weighed.

use std::sync::Arc;

use farhold_bundle::Positive;
use farhold_contract::{
    Code, Timestamp,
    call::check::{CheckResponse, Usage},
    id::{DecisionId, LicenseId},
    mode::Mode,
    model::Limits,
};

use crate::{counter::Counter, grant::Grant};

/// What the documents say to a question, before usage is weighed.
#[derive(Debug, Clone)]
pub enum Resolution {
    /// No, whatever has been used.
    Refused(Refused),
    /// Yes, as far as the quota reaches.
    Granted(Grant),
}

/// Why it may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The reason.
    pub reason: Code,
    /// Always none: no verified document speaks for it, or the Kernel took it away.
    pub mode: Mode,
    /// The product whose license the reason is about, if there is one.
    pub product: Option<Arc<str>>,
    /// The license that the reason is about, if there is one.
    pub license_id: Option<LicenseId>,
    /// Its serial.
    pub serial: Option<Positive>,
    /// Whether the refusal leaves an event: as that license says, else yes.
    pub records: bool,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may.
    pub allowed: bool,
    /// Why not; absent when it may.
    pub reason: Option<Code>,
    /// How fresh and whole the word behind it is.
    pub mode: Mode,
    /// How much the license gives; empty where none does.
    pub limits: Limits,
    /// What has been used, this decision's own units included; absent where nothing is counted.
    pub usage: Option<Usage>,
    /// The signed end, never the grace; absent: none.
    pub valid_until: Option<Timestamp>,
}

impl Resolution {
    /// Weighs usage where there is any: see [`Grant::decide`]. A refusal counts nothing.
    pub fn decide(
        &self,
        counter: Option<Counter>,
        consume: Option<u64>,
    ) -> (Decision, Option<Counter>) {
        match self {
            Self::Refused(refused) => (refused.decision(), None),
            Self::Granted(grant) => grant.decide(counter, consume),
        }
    }
}

impl Decision {
    /// The decision as a check is answered, under the name that it has in the audit.
    pub fn answer(self, decision_id: Option<DecisionId>) -> CheckResponse {
        let Self { allowed, reason, mode, limits, usage, .. } = self;
        CheckResponse {
            allowed,
            limits: Some(limits),
            reason,
            mode: Some(mode),
            usage,
            decision_id,
        }
    }
}

impl Refused {
    /// A refusal that no license can be named for; it leaves an event.
    pub const fn without_license(reason: Code) -> Self {
        Self {
            reason,
            mode: Mode::None,
            product: None,
            license_id: None,
            serial: None,
            records: true,
        }
    }

    /// The refusal as an answer.
    pub const fn decision(&self) -> Decision {
        Decision {
            allowed: false,
            reason: Some(self.reason),
            mode: self.mode,
            limits: Limits { quota: None, time_window: None },
            usage: None,
            valid_until: None,
        }
    }
    /// The refusal as a check is answered. It names no limits: no license stands behind it.
    pub const fn answer(&self, decision_id: Option<DecisionId>) -> CheckResponse {
        CheckResponse {
            allowed: false,
            limits: None,
            reason: Some(self.reason),
            mode: Some(self.mode),
            usage: None,
            decision_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_a_license_stands_behind_names_limits() {
        let refused = Refused::without_license(Code::RuntimeNotRegistered);
        let answer = refused.answer(None);
        assert_eq!((answer.allowed, answer.mode), (false, Some(Mode::None)));
        assert_eq!((answer.reason, answer.limits), (Some(Code::RuntimeNotRegistered), None));
        let limits = Limits { quota: Some(3), time_window: None };
        let decided = Decision { allowed: true, reason: None, limits, ..refused.decision() };
        assert_eq!(decided.clone().answer(None).limits, Some(decided.limits));
    }
}
