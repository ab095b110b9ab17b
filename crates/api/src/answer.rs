//! Answer: what every call's end has in common.

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

use farhold_contract::Code;

use crate::{
    call::{CORRELATION_ID, correlation, single},
    refusal::Refusal,
};

/// Room for a check's answer without growing.
const ANSWER_BYTES: usize = 256;

/// Runs one call to its answer: echoes the correlation id where the call had a valid one, turns
/// a refusal into a problem, and a panic into `server.internal`.
pub async fn answer(
    headers: &HeaderMap,
    handling: impl Future<Output = Result<Response, Refusal>>,
) -> Response {
    let outcome = caught(handling).await.unwrap_or_else(|_panic| {
        tracing::error!(error.code = Code::ServerInternal.as_str(), "a call's handler panicked");
        Err(Code::ServerInternal.into())
    });
    let echo = single(headers, &CORRELATION_ID).ok().flatten();
    let echo = echo.and_then(|value| Some((value, correlation(value)?)));
    let mut response =
        outcome.unwrap_or_else(|refusal| refusal.into_response(echo.map(|(_, text)| text)));
    if let Some((value, _)) = echo {
        response.headers_mut().insert(CORRELATION_ID.clone(), value.clone());
    }
    response
}

/// `200` with `body` as JSON.
///
/// # Errors
/// `server.internal` if the body can't be written as JSON.
pub fn json(body: &impl Serialize) -> Result<Response, Refusal> {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut bytes, body).map_err(|_| Code::ServerInternal)?;
    Ok(json_bytes(bytes))
}

/// `200` with bytes that are JSON already.
pub(crate) fn json_bytes(bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The future's output, or what it panicked with. Costs no allocation.
async fn caught<F: Future>(future: F) -> Result<F::Output, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    // The future is never polled again after a panic, and what it shares with other calls is the
    // Kernel's, behind locks that poison.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
