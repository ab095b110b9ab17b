//! Consumption: decided, counted and recorded in one transaction.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::json;

use farhold_api::{CheckReply, Idempotency, Refusal};
use farhold_audit::OwnKind;
use farhold_bundle::payload::{DecisionRecord, WhenFull};
use farhold_contract::{
    Code,
    call::check::CheckResponse,
    id::{DecisionId, RuntimeId, TenantId},
};
use farhold_policy::{DenialKey, Link, Question, Refused, Resolution};
use farhold_store::{IdempotentAnswer, StoreError, StoredAnswer};

use crate::{cap::FULL_PERCENT, denials::SharedDenials, own_event::Draft, random};

use super::{deny::Deny, group::Group, work::Operation};

/// How long an answer is kept for its retries, in the agent's own time.
const ANSWER_LIFE: Duration = Duration::from_secs(60 * 60);

/// Checks and consumes units of a feature.
pub struct Consume {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// What it uses.
    pub feature: String,
    /// How many units.
    pub units: u64,
    /// What makes it safe to repeat.
    pub idempotency: Option<Idempotency>,
    /// The call.
    pub correlation_id: Box<str>,
    /// How the site is linked.
    pub link: Link,
    /// Refusals of the last minute.
    pub denials: Arc<SharedDenials>,
    /// The refusal that this consumption was the first to meet: to be forgotten if its group is
    /// not kept.
    pub told: Arc<OnceLock<DenialKey>>,
}

impl Operation for Consume {
    type Answer = Result<CheckReply, Refusal>;
    const DRAWS_ON_RESERVE: bool = true;

    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError> {
        let mark = group.now.mark;
        if let Some(Idempotency { key, body_sha256 }) = &self.idempotency {
            match group.txn.idempotent(
                self.tenant_id,
                self.runtime_id,
                key.as_str(),
                *body_sha256,
                mark,
            )? {
                IdempotentAnswer::New => {}
                IdempotentAnswer::Replay(body) => {
                    return Ok(Ok(CheckReply::Stored { body, replayed: true }));
                }
                IdempotentAnswer::Conflict => return Ok(Err(Code::IdempotencyConflict.into())),
                IdempotentAnswer::TooMany => {
                    return Ok(Err(
                        Refusal::from(Code::IdempotencyTooMany).after(Duration::from_secs(60))
                    ));
                }
            }
        }
        let response = self.decide(group)?;
        let Some(Idempotency { key, body_sha256 }) = &self.idempotency else {
            return Ok(Ok(CheckReply::Decision(response)));
        };
        let body = serde_json::to_vec(&response).expect("an answer of ours has only text keys");
        let stored = StoredAnswer {
            tenant_id: self.tenant_id,
            runtime_id: self.runtime_id,
            key: key.as_str(),
            body_sha256: *body_sha256,
            answer: &body,
            expires_at: mark + ANSWER_LIFE,
        };
        group.txn.keep_answer(&stored, mark)?;
        Ok(Ok(CheckReply::Stored { body, replayed: false }))
    }
}

impl Consume {
    fn decide(&self, group: &mut Group<'_>) -> Result<CheckResponse, StoreError> {
        let decision_id = DecisionId::from_uuid(random::id_v7(group.now.instant)).ok();
        let documents = Arc::clone(group.documents());
        let Some(runtime) = group.registry().runtime(self.runtime_id).cloned() else {
            return Ok(Refused::without_license(Code::RuntimeNotRegistered).answer(decision_id));
        };
        let question = Question {
            tenant_id: self.tenant_id,
            runtime: &runtime,
            feature: &self.feature,
            consume: Some(self.units),
        };
        let restraints = group.word().restraints(self.tenant_id, self.runtime_id);
        let grant = match documents.policy.resolve(&question, &restraints, &group.now, self.link) {
            Resolution::Granted(grant) => grant,
            Resolution::Refused(refusal) => {
                if refusal.records {
                    self.keep_refusal(group, refusal.reason)?;
                }
                return Ok(refusal.answer(decision_id));
            }
        };
        // Only a license that says so refuses here; by default consumption goes on and is recorded.
        if grant.audit.when_full == WhenFull::Refuse && group.is_full(FULL_PERCENT) {
            return Ok(Refused::without_license(Code::AuditFull).answer(decision_id));
        }
        let key = grant.counter.as_ref().map(|metered| metered.key.to_key_text());
        let counter = key.as_deref().and_then(|key| group.txn.counter(key));
        let (decision, changed) = grant.decide(counter, Some(self.units));
        match (decision.reason, key, changed) {
            (Some(code), ..) if grant.audit.records(DecisionRecord::Denied) => {
                self.keep_refusal(group, code)?
            }
            (None, key, changed) => {
                if let (Some(key), Some(counter)) = (key, changed) {
                    group.txn.set_counter(self.tenant_id, key, counter);
                }
                if grant.audit.records(DecisionRecord::Consumed) {
                    let payload = json!({
                        "decision_id": decision_id,
                        "feature": self.feature,
                        "units": self.units,
                        "license_id": grant.license_id,
                        "used": decision.usage.map(|usage| usage.used),
                    });
                    let draft = Draft::new(OwnKind::DecisionConsumed, payload)
                        .of_call(Some(self.runtime_id), &self.correlation_id);
                    group.append_own(self.tenant_id, draft)?;
                }
            }
            _ => {}
        }
        Ok(decision.answer(decision_id))
    }

    fn keep_refusal(&self, group: &mut Group<'_>, code: Code) -> Result<(), StoreError> {
        let key = DenialKey {
            tenant_id: self.tenant_id,
            runtime_id: self.runtime_id,
            feature: self.feature.clone(),
            code,
        };
        if !self.denials.held().is_first(&key, group.now.instant) {
            return Ok(());
        }
        // Set before the append: whatever becomes of it, this was the first.
        let _ = self.told.set(key.clone());
        let correlation_id = self.correlation_id.to_string();
        Deny { key, correlation_id, denials: Arc::clone(&self.denials) }.apply(group)
    }
}
