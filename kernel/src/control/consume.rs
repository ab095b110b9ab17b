//! Consumption: decided, counted and recorded in one transaction (contract v0.2 §4).

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use farhold_api::{Call, CheckQuestion, CheckReply, Idempotency, Refusal};
use farhold_bundle::payload::DecisionRecord;
use farhold_contract::{
    Code, Timestamp,
    call::check::CheckResponse,
    id::{DecisionId, RuntimeId},
};
use farhold_policy::{DenialKey, Refused, Resolution};

use crate::{
    control_plane::ControlPlane,
    refusal::stored,
    storage::{IdempotentAnswer, Ledger, StorageError, StoredAnswer},
};

use super::{check::resolve, decision_event, denials::SharedDenials, standing};

/// How long an answer is kept for its retries.
const ANSWER_LIFE: Duration = Duration::from_secs(60 * 60);
/// After how long a runtime with too many keys is worth another try: some of them expire.
const TOO_MANY_PAUSE: Duration = Duration::from_secs(60);

/// Checks and consumes units of a feature.
///
/// # Errors
/// `agent.suspended`, `idempotency.conflict`, `idempotency.too_many`, `server.overloaded`,
/// `store.unavailable`.
pub(super) async fn consume(
    plane: &ControlPlane,
    call: &Call,
    question: CheckQuestion,
    units: u64,
) -> Result<CheckReply, Refusal> {
    standing::agent_may_call(plane, call)?;
    let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
    let feature = question.request.feature;
    let consumption = Consumption {
        resolved: resolve(plane, call, &feature),
        call: call.clone(),
        runtime_id,
        feature,
        units,
        idempotency: question.idempotency,
        decision_id: plane.new_id(),
        denials: Arc::clone(&plane.control.denials),
        told: Arc::default(),
        now: plane.now(),
    };
    let told = Arc::clone(&consumption.told);
    plane.storage.decide(move |ledger| consumption.decide_once(ledger)).await.map_err(|error| {
        // What was told with the group that failed is told again.
        if let Some(key) = told.get() {
            plane.control.denials.held().forget(key);
        }
        stored(error)
    })?
}

/// Everything a consumption depends on but the counter.
struct Consumption {
    resolved: Option<Resolution>,
    call: Call,
    runtime_id: RuntimeId,
    feature: String,
    units: u64,
    idempotency: Option<Idempotency>,
    decision_id: DecisionId,
    denials: Arc<SharedDenials>,
    /// The refusal that this consumption was the first to meet.
    told: Arc<OnceLock<DenialKey>>,
    now: Timestamp,
}

impl Consumption {
    /// Decides, or returns what was decided under the same key. On the writer: nothing comes
    /// between the look at the counter and its change.
    fn decide_once(
        self,
        ledger: &mut Ledger<'_, '_>,
    ) -> Result<Result<CheckReply, Refusal>, StorageError> {
        let Some(Idempotency { key, body_sha256 }) = &self.idempotency else {
            return Ok(Ok(CheckReply::Decision(self.decide(ledger)?)));
        };
        let (tenant_id, runtime_id) = (self.call.tenant_id, self.runtime_id);
        match ledger.idempotent(tenant_id, runtime_id, key.as_str(), *body_sha256, self.now)? {
            IdempotentAnswer::New => {}
            IdempotentAnswer::Replay(body) => {
                return Ok(Ok(CheckReply::Stored { body, replayed: true }));
            }
            IdempotentAnswer::Conflict => return Ok(Err(Code::IdempotencyConflict.into())),
            IdempotentAnswer::TooMany => {
                return Ok(Err(Refusal::from(Code::IdempotencyTooMany).after(TOO_MANY_PAUSE)));
            }
        }
        let response = self.decide(ledger)?;
        let body = serde_json::to_vec(&response).expect("an answer of ours has only text keys");
        ledger.keep_answer(&StoredAnswer {
            tenant_id,
            runtime_id,
            key: key.as_str().to_owned(),
            body_sha256: *body_sha256,
            answer: body.clone(),
            expires_at: self.now + ANSWER_LIFE,
        })?;
        Ok(Ok(CheckReply::Stored { body, replayed: false }))
    }

    fn decide(&self, ledger: &mut Ledger<'_, '_>) -> Result<CheckResponse, StorageError> {
        let decision_id = Some(self.decision_id);
        let grant = match &self.resolved {
            None => {
                return Ok(Refused::without_license(Code::RuntimeNotRegistered).answer(decision_id));
            }
            Some(Resolution::Granted(grant)) => grant,
            Some(Resolution::Refused(no)) => {
                if no.records {
                    self.keep_refusal(ledger, no.reason)?;
                }
                return Ok(no.answer(decision_id));
            }
        };
        let counter = match &grant.counter {
            Some(metered) => ledger.counter(&metered.key)?,
            None => None,
        };
        let (decision, changed) = grant.decide(counter, Some(self.units));
        if let (Some(metered), Some(counter)) = (&grant.counter, changed) {
            ledger.put_counter(&metered.key, counter)?;
        }
        let reason = decision.reason;
        let response = decision.answer(decision_id);
        match reason {
            Some(code) if grant.audit.records(DecisionRecord::Denied) => {
                self.keep_refusal(ledger, code)?;
            }
            None if grant.audit.records(DecisionRecord::Consumed) => {
                let (call, units) = (&self.call, self.units);
                let event = decision_event::consumed(
                    call,
                    &response,
                    &self.feature,
                    units,
                    grant.license_id,
                );
                ledger.append(event.record(self.now))?;
            }
            _ => {}
        }
        Ok(response)
    }

    fn keep_refusal(&self, ledger: &mut Ledger<'_, '_>, code: Code) -> Result<(), StorageError> {
        let Some(key) = decision_event::denial_of(&self.call, &self.feature, code) else {
            return Ok(());
        };
        if self.denials.held().is_first(&key, self.now) {
            let event = decision_event::denied(&key, &self.call.correlation_id, 1);
            // Set before the append: whatever becomes of it, this was the first.
            let _ = self.told.set(key);
            ledger.append(event.record(self.now))?;
        }
        Ok(())
    }
}
