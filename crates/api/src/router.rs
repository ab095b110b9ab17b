//! Router: which path and method is which call.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    response::Response,
    routing::{get, post},
};

use farhold_contract::Code;

use crate::{
    answer::answer,
    handler::{
        check::{self, check},
        contract::contract,
        events::events,
        flags::flags,
        heartbeat::heartbeat,
        register::register,
        resolve::resolve,
    },
    kernel::Kernel,
    limits::Limits,
};

/// The contract's calls over `kernel`, and a problem for every other path and method.
pub fn routes<K: Kernel>(kernel: Arc<K>, limits: &Limits) -> Router {
    refusing_the_rest(calls(kernel, limits))
}

/// The contract's calls alone, for a door that adds its own before [`refusing_the_rest`].
pub fn calls<K: Kernel>(kernel: Arc<K>, limits: &Limits) -> Router {
    Router::new()
        .route("/kernel/runtimes/register", post(register::<K>))
        .route("/kernel/runtimes/{runtime_id}/heartbeat", post(heartbeat::<K>))
        .route("/kernel/identity/resolve", post(resolve::<K>))
        .route(check::PATH, post(check::<K>))
        .route("/kernel/flags", get(flags::<K>))
        .route("/kernel/audit/events", post(events::<K>))
        .route("/kernel/contract", get(contract::<K>))
        .with_state(Door::new(kernel, limits))
}

/// `router`, with `request.not_found` for other paths and `request.method_not_allowed`, with
/// `Allow`, for other methods. Call it last: routes added later don't have it.
pub fn refusing_the_rest(router: Router) -> Router {
    // With its state given, the router prepares its routes once, not for each request.
    router.fallback(not_found).method_not_allowed_fallback(method_not_allowed).with_state(())
}

/// What a handler needs besides the request.
pub(crate) struct Door<K> {
    pub(crate) kernel: Arc<K>,
    pub(crate) body_bytes: usize,
    pub(crate) heartbeat_body_bytes: usize,
    pub(crate) events_body_bytes: usize,
    pub(crate) text_bytes: usize,
    pub(crate) body_time: Duration,
}

impl<K> Door<K> {
    pub(crate) fn new(kernel: Arc<K>, limits: &Limits) -> Self {
        Self {
            kernel,
            body_bytes: limits.body_bytes,
            heartbeat_body_bytes: limits.heartbeat_body_bytes,
            events_body_bytes: limits.events_body_bytes,
            text_bytes: limits.text_bytes,
            body_time: limits.body_time,
        }
    }
}

impl<K> Clone for Door<K> {
    fn clone(&self) -> Self {
        Self { kernel: Arc::clone(&self.kernel), ..*self }
    }
}

async fn not_found(request: Request) -> Response {
    answer(request.headers(), async { Err(Code::RequestNotFound.into()) }).await
}

async fn method_not_allowed(request: Request) -> Response {
    // axum adds `Allow`.
    answer(request.headers(), async { Err(Code::RequestMethod.into()) }).await
}
