//! A check at the site: from the snapshot alone, or, where something is used up, by the owner.

use std::sync::{Arc, OnceLock};

use farhold_api::{Call, CheckQuestion, CheckReply, Refusal};
use farhold_audit::OwnKind;
use farhold_bundle::payload::DecisionRecord;
use farhold_contract::{Code, call::check::CheckResponse, id::DecisionId};
use farhold_policy::{DenialKey, Question, Refused, Resolution};

use crate::{
    own_event::Draft,
    owner::{AppendOwn, Consume, Deny},
    random,
    snapshot::Snapshot,
};

use super::LocalKernel;

/// What a decision leaves behind.
enum Record {
    Nothing,
    Denied(Code),
    Allowed,
}

impl LocalKernel {
    /// A look-only check: from the snapshot alone, without a lock and without the disk.
    pub(super) async fn look(&self, call: Call, feature: &str) -> Result<CheckResponse, Refusal> {
        let (response, record) = {
            let snapshot = self.owner.snapshot();
            self.decide(&snapshot, &call, feature)
        };
        match record {
            Record::Nothing => {}
            Record::Denied(code) => self.deny(&call, feature, code).await?,
            Record::Allowed => {
                let payload =
                    serde_json::json!({"decision_id": response.decision_id, "feature": feature});
                let draft = Draft::new(OwnKind::DecisionAllowed, payload)
                    .of_call(call.runtime_id, &call.correlation_id);
                self.owner.submit(AppendOwn { tenant_id: call.tenant_id, draft }).await?;
            }
        }
        Ok(response)
    }

    fn decide(&self, snapshot: &Snapshot, call: &Call, feature: &str) -> (CheckResponse, Record) {
        let reading = self.clock.read();
        let now = snapshot.now(&reading);
        let decision_id = DecisionId::from_uuid(random::id_v7(now.wall)).ok();
        let Some(runtime) = call.runtime_id.and_then(|id| snapshot.registry.runtime(id)) else {
            let refused = Refused::without_license(Code::RuntimeNotRegistered);
            return (refused.answer(decision_id), Record::Nothing);
        };
        let question = Question { tenant_id: call.tenant_id, runtime, feature, consume: None };
        let policy = &snapshot.documents.policy;
        let restraints = snapshot.word.restraints(call.tenant_id, runtime.runtime_id);
        let grant =
            match policy.resolve(&question, &restraints, &now, self.link(reading.boottime_ms)) {
                Resolution::Granted(grant) => grant,
                Resolution::Refused(refusal) => {
                    let record = if refusal.records {
                        Record::Denied(refusal.reason)
                    } else {
                        Record::Nothing
                    };
                    return (refusal.answer(decision_id), record);
                }
            };
        let counter = grant
            .counter
            .as_ref()
            .and_then(|metered| snapshot.usage.read(&metered.key.to_key_text()));
        let (decision, _) = grant.decide(counter, None);
        let record = match decision.reason {
            Some(code) if grant.audit.records(DecisionRecord::Denied) => Record::Denied(code),
            None if grant.audit.all => Record::Allowed,
            _ => Record::Nothing,
        };
        (decision.answer(decision_id), record)
    }

    pub(super) async fn consume(
        &self,
        call: Call,
        question: CheckQuestion,
        units: u64,
    ) -> Result<CheckReply, Refusal> {
        let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
        let told = Arc::<OnceLock<DenialKey>>::default();
        let consume = Consume {
            tenant_id: call.tenant_id,
            runtime_id,
            feature: question.request.feature,
            units,
            idempotency: question.idempotency,
            correlation_id: call.correlation_id,
            link: self.link(self.clock.read().boottime_ms),
            denials: Arc::clone(&self.denials),
            told: Arc::clone(&told),
        };
        let kept = self.owner.submit(consume).await;
        // What was told with the group that failed is told again.
        kept.inspect_err(|_| {
            if let Some(key) = told.get() {
                self.denials.held().forget(key);
            }
        })?
    }

    /// The first refusal of its kind is durable before the answer; repeats are counted.
    async fn deny(&self, call: &Call, feature: &str, code: Code) -> Result<(), Refusal> {
        let Some(runtime_id) = call.runtime_id else { return Ok(()) };
        let key =
            DenialKey { tenant_id: call.tenant_id, runtime_id, feature: feature.to_owned(), code };
        let now = self.owner.snapshot().now(&self.clock.read());
        if !self.denials.held().is_first(&key, now.instant) {
            return Ok(());
        }
        let deny = Deny {
            key: key.clone(),
            correlation_id: call.correlation_id.to_string(),
            denials: Arc::clone(&self.denials),
        };
        self.owner.submit(deny).await.inspect_err(|_| self.denials.held().forget(&key))
    }
}
