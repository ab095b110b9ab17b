//! Kernel: who answers the contract's calls.

use std::future::Future;

use farhold_contract::call::{
    check::{CheckRequest, CheckResponse},
    events::EventAccepted,
    heartbeat::{HeartbeatAnswer, HeartbeatRequest},
    register::{RegisterRequest, RegisterResponse},
    resolve::{ResolveRequest, ResolveResponse},
};

use crate::{
    call::{Call, Principal},
    credentials::Credentials,
    flags::FlagsReply,
    idempotency::Idempotency,
    refusal::Refusal,
};

/// Who answers the contract's calls: the agent for its site, or the Kernel itself.
///
/// Each call arrives with its headers verified and its body in agreement with them. A future may
/// be dropped at any await, when the caller hangs up: what must not stop half way is handed to a
/// task of the implementer's own. A future that panics is answered `server.internal`.
pub trait Kernel: Send + Sync + 'static {
    /// Whose credentials these are. The implementer hashes and looks up, at every call: neither a
    /// token nor a certificate is a permission by itself.
    ///
    /// # Errors
    /// `auth.invalid` for a token that is unknown or revoked; what else the implementer has to say.
    fn authenticate(
        &self,
        credentials: Credentials<'_>,
    ) -> impl Future<Output = Result<Principal, Refusal>> + Send;

    /// A runtime states what it is. `call.runtime_id` and the request's, where both exist, agree.
    fn register(
        &self,
        call: Call,
        request: RegisterRequest,
    ) -> impl Future<Output = Result<RegisterResponse, Refusal>> + Send;

    /// A runtime says how it is; an agent reports where it stands, and only a report is answered
    /// with more than nothing.
    fn heartbeat(
        &self,
        call: Call,
        request: HeartbeatRequest,
    ) -> impl Future<Output = Result<Option<HeartbeatAnswer>, Refusal>> + Send;

    /// From a provider's token to an identity and what it may use.
    fn resolve(
        &self,
        call: Call,
        request: ResolveRequest,
    ) -> impl Future<Output = Result<ResolveResponse, Refusal>> + Send;

    /// May this runtime use this feature now?
    fn check(
        &self,
        call: Call,
        question: CheckQuestion,
    ) -> impl Future<Output = Result<CheckReply, Refusal>> + Send;

    /// The flags in force for the runtime that calls.
    fn flags(&self, call: Call) -> impl Future<Output = Result<FlagsReply, Refusal>> + Send;

    /// Keeps events, each given as the bytes the runtime sent; one outcome an event, in order.
    ///
    /// What is inside an event, its tenant and runtime too, is the implementer's to check.
    ///
    /// # Errors
    /// A refusal of the whole call, where nothing was kept.
    fn events(
        &self,
        call: Call,
        events: Vec<Box<[u8]>>,
    ) -> impl Future<Output = Result<Vec<Result<EventAccepted, Refusal>>, Refusal>> + Send;
}

/// An entitlement check as a [`Kernel`] receives it.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckQuestion {
    /// The question. In a v0.1 call `context` is `None`: that contract gives it no meaning.
    /// `context.consume` is 1 to 2^53 − 1.
    pub request: CheckRequest,
    /// What makes it safe to repeat; only where it consumes.
    pub idempotency: Option<Idempotency>,
}

/// The answer to an entitlement check.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckReply {
    /// An answer made now. A v0.1 caller is shown `allowed` and `limits` alone.
    Decision(CheckResponse),
    /// The bytes of an answer kept under an idempotency key, as its caller sees them.
    Stored {
        /// The answer, as JSON.
        body: Vec<u8>,
        /// Whether it was given before.
        replayed: bool,
    },
}
