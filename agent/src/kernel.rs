//! The five calls, answered at the site.

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use farhold_api::{
    Call, CheckQuestion, CheckReply, Credentials, Holder, Kernel, Principal, Refusal,
};
use farhold_audit::{OwnKind, Redaction, inspect};
use farhold_bundle::payload::{DecisionRecord, SiteMode};
use farhold_contract::{
    Code, Sha256Digest,
    call::{
        check::CheckResponse,
        events::EventAccepted,
        heartbeat::{HeartbeatAnswer, HeartbeatRequest},
        register::{RegisterRequest, RegisterResponse},
        resolve::{ResolveRequest, ResolveResponse},
    },
    id::{DecisionId, EventId},
};
use farhold_policy::{Link, Question, Refused, Resolution};
use farhold_store::{Appended, Body};

use crate::{
    clock::Clock,
    denials::{DenialKey, Denials},
    heartbeats::Heartbeats,
    link::{LinkError, LinkFailure},
    link_board::LinkBoard,
    metrics::Metrics,
    own_event::Draft,
    owner::{AppendEvents, AppendOwn, Consume, Deny, Owner, Register},
    random,
    site::Place,
    snapshot::Snapshot,
    uplink::Line,
};

/// The site as runtimes see it: a Kernel that happens to be near.
pub struct LocalKernel {
    /// The one who changes state.
    pub owner: Owner,
    /// What never changes.
    pub place: Arc<Place>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Refusals of the last minute.
    pub denials: Arc<Denials>,
    /// How the runtimes said they are.
    pub heartbeats: Arc<Heartbeats>,
    /// How the link is.
    pub board: Arc<LinkBoard>,
    /// The link itself; none where the agent is not enrolled.
    pub line: Option<Arc<Line>>,
    /// How many identities are asked of the Kernel at once.
    pub resolving: Semaphore,
}

/// Most identities asked of the Kernel at once: a fraction of the doors' connections.
pub const RESOLVING_MAX: usize = 32;

impl Kernel for LocalKernel {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Principal, Refusal> {
        // Nobody shows a certificate at these doors.
        let Credentials::Token(token) = credentials else { return Err(Code::AuthInvalid.into()) };
        let hash = Sha256Digest::new(Sha256::digest(token).into());
        let principal = self.owner.snapshot().registry.principal(&hash).cloned();
        principal.ok_or_else(|| {
            self.metrics.unauthenticated.inc();
            Code::AuthInvalid.into()
        })
    }

    async fn register(
        &self,
        call: Call,
        request: RegisterRequest,
    ) -> Result<RegisterResponse, Refusal> {
        let Call { principal, correlation_id, .. } = call;
        let Holder::Runtime { token_id, runtime_type } = principal.holder else {
            return Err(Code::AuthInvalid.into());
        };
        if request.runtime_type != runtime_type {
            let detail = format!("the token is for a runtime of type {runtime_type}");
            return Err(Refusal::new(Code::RuntimeMismatch, detail));
        }
        self.owner.submit(Register { token_id, request, correlation_id }).await?
    }

    async fn heartbeat(
        &self,
        call: Call,
        request: HeartbeatRequest,
    ) -> Result<Option<HeartbeatAnswer>, Refusal> {
        if let Some(runtime_id) = call.runtime_id {
            self.heartbeats.note(runtime_id, request.status, self.clock.read().wall);
        }
        Ok(None)
    }

    async fn resolve(
        &self,
        call: Call,
        request: ResolveRequest,
    ) -> Result<ResolveResponse, Refusal> {
        // The one call that is handed on: the site has no provider's keys.
        let line = self.line.as_ref().ok_or(Code::IdentityUnavailableOffline)?;
        // Nobody waits for a Kernel that is known not to answer, nor more at once than leaves
        // the doors to everybody else.
        if self.board.view().failing.is_some() {
            return Err(Code::IdentityUnavailableOffline.into());
        }
        let _turn = self
            .resolving
            .try_acquire()
            .map_err(|_| Refusal::from(Code::ServerOverloaded).after(Duration::from_secs(1)))?;
        let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
        let (tenant_id, token) = (request.tenant_id, &request.external_token);
        let client = line.client();
        let resolving = client.resolve(tenant_id, runtime_id, token, Some(&call.correlation_id));
        resolving.await.map_err(|error| handed_on(&error))
    }

    async fn check(&self, call: Call, question: CheckQuestion) -> Result<CheckReply, Refusal> {
        let reply = match question.request.context.as_ref().and_then(|context| context.consume) {
            Some(units) => self.consume(call, question, units).await?,
            None => CheckReply::Decision(self.look(call, &question.request.feature).await?),
        };
        let allowed = match &reply {
            CheckReply::Decision(decision) => decision.allowed,
            // Our own bytes, whose first member this is.
            CheckReply::Stored { body, .. } => body.starts_with(br#"{"allowed":true"#),
        };
        if allowed { &self.metrics.checks_allowed } else { &self.metrics.checks_denied }.inc();
        Ok(reply)
    }

    async fn events(
        &self,
        call: Call,
        events: Vec<Box<[u8]>>,
    ) -> Result<Vec<Result<EventAccepted, Refusal>>, Refusal> {
        let documents = Arc::clone(&self.owner.snapshot().documents);
        let redaction = documents.redactions.get(&call.tenant_id);
        let mut bodies = Vec::with_capacity(events.len());
        let prepared: Vec<Result<EventId, Refusal>> = events
            .into_iter()
            .map(|event| {
                let body = prepare(&call, event, redaction)?;
                let event_id = body.event_id;
                bodies.push(body);
                Ok(event_id)
            })
            .collect();
        let kept = if bodies.is_empty() {
            Vec::new()
        } else {
            let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
            let tenant_id = call.tenant_id;
            self.owner.submit(AppendEvents { tenant_id, runtime_id, bodies }).await?
        };
        let mut kept = kept.into_iter();
        let outcomes: Vec<_> = prepared
            .into_iter()
            .map(|event| {
                let event_id = event?;
                match kept.next().unwrap_or_else(|| Err(Code::ServerInternal.into()))? {
                    Appended::Record(_) => Ok(EventAccepted { event_id, duplicate: false }),
                    Appended::Duplicate => Ok(EventAccepted { event_id, duplicate: true }),
                    Appended::Conflict => Err(Code::EventConflict.into()),
                }
            })
            .collect();
        let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        self.metrics.events_rejected.inc_by(refused as u64);
        Ok(outcomes)
    }
}

impl LocalKernel {
    /// How the site is linked at this time since boot.
    pub fn link(&self, boottime_ms: u64) -> Link {
        match self.place.mode {
            Some(SiteMode::Detached) | None => Link::Detached,
            Some(SiteMode::Managed) if self.board.is_online(boottime_ms) => Link::Online,
            Some(SiteMode::Managed) => Link::Offline,
        }
    }

    /// A look-only check: from the snapshot alone, without a lock and without the disk.
    async fn look(&self, call: Call, feature: &str) -> Result<CheckResponse, Refusal> {
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

    async fn consume(
        &self,
        call: Call,
        question: CheckQuestion,
        units: u64,
    ) -> Result<CheckReply, Refusal> {
        let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
        let feature = question.request.feature.clone();
        let consume = Consume {
            tenant_id: call.tenant_id,
            runtime_id,
            feature: question.request.feature,
            units,
            idempotency: question.idempotency,
            correlation_id: call.correlation_id,
            link: self.link(self.clock.read().boottime_ms),
            denials: Arc::clone(&self.denials),
        };
        let kept = self.owner.submit(consume).await;
        kept.inspect_err(|_| self.denials.forget(call.tenant_id, runtime_id, &feature))?
    }

    /// The first refusal of its kind is durable before the answer; repeats are counted.
    async fn deny(&self, call: &Call, feature: &str, code: Code) -> Result<(), Refusal> {
        let Some(runtime_id) = call.runtime_id else { return Ok(()) };
        let key =
            DenialKey { tenant_id: call.tenant_id, runtime_id, feature: feature.to_owned(), code };
        let now = self.owner.snapshot().now(&self.clock.read());
        if !self.denials.is_first(&key, now.instant) {
            return Ok(());
        }
        let deny = Deny { key, correlation_id: call.correlation_id.to_string(), count: 1 };
        self.owner.submit(deny).await.inspect_err(|_| {
            self.denials.forget(call.tenant_id, runtime_id, feature);
        })
    }
}

/// The Kernel's own refusal is the runtime's to hear; anything else means that nobody could be
/// asked.
fn handed_on(error: &LinkError) -> Refusal {
    match &error.failure {
        LinkFailure::Problem(problem) => match problem.code {
            Some(code) => {
                Refusal { code, detail: problem.detail.clone(), retry_after: problem.retry_after }
            }
            None => Code::IdentityUnavailableOffline.into(),
        },
        _ => Code::IdentityUnavailableOffline.into(),
    }
}

/// What a decision leaves behind.
enum Record {
    Nothing,
    Denied(Code),
    Allowed,
}

/// Checks, redacts and hashes one event, so that the owner only links.
fn prepare(call: &Call, event: Box<[u8]>, redaction: Option<&Redaction>) -> Result<Body, Refusal> {
    let head = inspect(&event).map_err(|error| Refusal::new(error.code(), error.to_string()))?;
    if head.tenant_id != call.tenant_id {
        return Err(Refusal::new(Code::TenantMismatch, "the event names another tenant"));
    }
    if head.runtime_id.is_some() && head.runtime_id != call.runtime_id {
        return Err(Refusal::new(Code::RuntimeMismatch, "the event names another runtime"));
    }
    let kept = match redaction {
        Some(redaction) => redaction.apply(&event).into_owned(),
        None => event.into_vec(),
    };
    Ok(Body::new(head.tenant_id, head.class, head.event_id, random::salt(), kept))
}
