//! `POST /kernel/runtimes/{runtime_id}/heartbeat`

use std::collections::BTreeMap;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;

use farhold_contract::{
    Code,
    call::heartbeat::{Health, HeartbeatRequest, HeartbeatResponse},
    id::RuntimeId,
};

use crate::{
    answer::{answer, json},
    body::{self, present},
    call::{Call, RuntimeHeader},
    kernel::Kernel,
    refusal::Refusal,
    router::Door,
};

pub(crate) async fn heartbeat<K: Kernel>(
    State(door): State<Door<K>>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(&head.headers, async {
        let call = Call::from_headers(&head.headers, &*door.kernel, RuntimeHeader::Required)?;
        call.agrees_on_runtime(runtime_in(head.uri.path())?)?;
        let bytes = body::read(&head.headers, body, door.body_bytes, door.body_time).await?;
        let Body { status, metrics } = body::parse(&bytes)?;
        door.kernel.heartbeat(call, HeartbeatRequest { status, metrics }).await?;
        json(&HeartbeatResponse {})
    })
    .await
}

#[derive(Deserialize)]
struct Body {
    status: Health,
    #[serde(default, deserialize_with = "present")]
    metrics: Option<BTreeMap<String, f64>>,
}

/// The path's last segment but one, as sent: an id has one spelling, so nothing is decoded.
///
/// # Errors
/// `request.not_found` for what no id is written with (`..`, `%2e`, nothing at all);
/// `request.malformed` for anything else that is not a UUIDv7.
fn runtime_in(path: &str) -> Result<RuntimeId, Refusal> {
    let segment = path.rsplit('/').nth(1).unwrap_or_default();
    let plain = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if segment.is_empty() || !plain {
        return Err(Code::RequestNotFound.into());
    }
    segment
        .parse()
        .map_err(|_| Refusal::new(Code::RequestMalformed, "the path's runtime_id is not a UUIDv7"))
}
