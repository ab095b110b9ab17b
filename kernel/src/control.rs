//! Control: the contract's calls, answered by the highest authority itself.
//!
//! The Kernel answers the same questions as an agent by the same [`PolicyState`], so that a runtime
//! really moves between the two by its base URL. It differs in what it holds: every organization's
//! documents, its own word on who may operate, and a clock that others are held against. It is
//! never offline to itself.
//!
//! What a call must know of tokens, agents and standings is in the storage's directory, in memory
//! and as of the last commit: a suspension holds from the first call after it. What a call changes
//! is one transaction, with the event that tells of it.
//!
//! | who | may |
//! |---|---|
//! | a suspended organization | hand over events, send heartbeats; checks say no; nothing else |
//! | a suspended runtime | register again, hand over events, send heartbeats; checks say no; nothing else |
//! | a suspended agent | send its own heartbeat, by which it hears of it and of its end; nothing else |
//!
//! [`PolicyState`]: farhold_policy::PolicyState

mod authenticate;
mod check;
mod consume;
mod decision_event;
mod denials;
mod events;
mod flags;
mod heartbeat;
mod mismatch;
mod pace;
mod register;
mod resolve;
mod standing;

use std::sync::Arc;

use farhold_api::{
    Call, CheckQuestion, CheckReply, Credentials, FlagsReply, Kernel, Principal, Refusal,
};
use farhold_contract::call::{
    events::EventAccepted,
    heartbeat::{HeartbeatAnswer, HeartbeatRequest},
    register::{RegisterRequest, RegisterResponse},
    resolve::{ResolveRequest, ResolveResponse},
};

use crate::{control_plane::ControlPlane, error_chain};

use denials::SharedDenials;
use mismatch::Mismatches;
use pace::Pace;

pub use mismatch::calls;

/// What the calls keep in memory: nothing that a restart may not forget.
#[derive(Default)]
pub struct Control {
    denials: Arc<SharedDenials>,
    pub(crate) mismatches: Mismatches,
    pace: Pace,
}

impl Kernel for ControlPlane {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Principal, Refusal> {
        authenticate::principal(self, credentials)
    }

    async fn register(
        &self,
        call: Call,
        request: RegisterRequest,
    ) -> Result<RegisterResponse, Refusal> {
        register::register(self, &call, request).await
    }

    async fn heartbeat(
        &self,
        call: Call,
        request: HeartbeatRequest,
    ) -> Result<Option<HeartbeatAnswer>, Refusal> {
        heartbeat::heartbeat(self, &call, request).await
    }

    async fn resolve(
        &self,
        call: Call,
        request: ResolveRequest,
    ) -> Result<ResolveResponse, Refusal> {
        resolve::resolve(self, &call, request).await
    }

    async fn check(&self, call: Call, question: CheckQuestion) -> Result<CheckReply, Refusal> {
        match question.request.context.as_ref().and_then(|context| context.consume) {
            Some(units) => consume::consume(self, &call, question, units).await,
            None => {
                let response = check::look(self, &call, &question.request.feature).await?;
                Ok(CheckReply::Decision(response))
            }
        }
    }

    async fn flags(&self, call: Call) -> Result<FlagsReply, Refusal> {
        flags::flags(self, &call)
    }

    async fn events(
        &self,
        call: Call,
        events: Vec<Box<[u8]>>,
    ) -> Result<Vec<Result<EventAccepted, Refusal>>, Refusal> {
        events::events(self, &call, events).await
    }
}

/// Writes what calls counted and is due, and forgets what is over. Call it every second.
pub async fn tick(plane: &ControlPlane) {
    let now = plane.now();
    plane.control.pace.forget(now);
    plane.control.mismatches.forget(now);
    tell_repeats(plane, false).await;
    if let Err(error) = plane.storage.forget_answers(now).await {
        tracing::warn!(error = %error_chain(&error), "expired answers could not be forgotten");
    }
}

/// Writes everything that calls counted: the Kernel is about to stop.
pub async fn settle(plane: &ControlPlane) {
    tell_repeats(plane, true).await;
}

/// Writes the repeats of refusals as events. What can't be written now is counted on.
async fn tell_repeats(plane: &ControlPlane, all: bool) {
    let now = plane.now();
    let due = plane.control.denials.held().take_due(now, all);
    if due.is_empty() {
        return;
    }
    let records = due
        .iter()
        .map(|(key, count)| decision_event::denied(key, "", *count).record(now))
        .collect();
    if let Err(error) = plane.storage.append_own(records).await {
        tracing::error!(error = %error_chain(&error), "repeated refusals could not be recorded");
        plane.control.denials.held().put_back(due, now);
    }
}
