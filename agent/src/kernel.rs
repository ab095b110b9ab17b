//! The calls, answered at the site.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use farhold_api::{
    Call, CheckQuestion, CheckReply, Credentials, FlagsReply, Holder, Kernel, Principal, Refusal,
};
use farhold_contract::{
    Code, Sha256Digest,
    call::{
        events::EventAccepted,
        flags::{FlagsResponse, SetFlag},
        heartbeat::{HeartbeatAnswer, HeartbeatRequest},
        register::{RegisterRequest, RegisterResponse},
        resolve::{ResolveRequest, ResolveResponse},
    },
};
use farhold_policy::Link;

use crate::{
    clock::Clock,
    denials::SharedDenials,
    heartbeats::Heartbeats,
    link_board::LinkBoard,
    metrics::Metrics,
    owner::{Owner, Register},
    site::Place,
    uplink::Line,
};

mod check;
mod events;
mod resolve;

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
    pub denials: Arc<SharedDenials>,
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
        self.hand_on(call, request).await
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

    async fn flags(&self, call: Call) -> Result<FlagsReply, Refusal> {
        let snapshot = self.owner.snapshot();
        let runtime = call.runtime_id.and_then(|id| snapshot.registry.runtime(id));
        let runtime = runtime.ok_or(Code::RuntimeNotRegistered)?;
        let now = snapshot.now(&self.clock.read());
        let documents = &snapshot.documents;
        let set = documents.policy.flags(call.tenant_id, runtime, &now);
        let set_by = set.iter().map(|flag| (flag.license_id, flag.serial.as_u64()));
        documents.flags.reply(&runtime.version, set_by, || FlagsResponse {
            flags: set.iter().copied().map(SetFlag::from).collect(),
        })
    }

    async fn events(
        &self,
        call: Call,
        events: Vec<Box<[u8]>>,
    ) -> Result<Vec<Result<EventAccepted, Refusal>>, Refusal> {
        self.keep_events(call, events).await
    }
}

impl LocalKernel {
    /// How the site is linked at this time since boot.
    pub fn link(&self, boottime_ms: u64) -> Link {
        self.board.link(self.place.mode, boottime_ms)
    }
}
