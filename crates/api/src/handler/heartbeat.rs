//! `POST /kernel/runtimes/{runtime_id}/heartbeat`

use std::collections::BTreeMap;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use farhold_contract::{
    Code,
    call::heartbeat::{Health, HeartbeatReport, HeartbeatRequest, HeartbeatResponse},
    id::RuntimeId,
    version::ContractVersion,
};

use crate::{
    answer::{answer, json},
    body::{self, present},
    call::{Call, Holder, RuntimeHeader},
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
        let call = Call::from_head(&head, &*door.kernel, RuntimeHeader::Required).await?;
        call.agrees_on_runtime(runtime_in(head.uri.path())?)?;
        let bytes =
            body::read(&head.headers, body, door.heartbeat_body_bytes, door.body_time).await?;
        let Body { status, metrics, report } = body::parse(&bytes)?;
        let report = match (call.version, call.principal.holder) {
            (ContractVersion::V0_2, Holder::Agent { .. }) => report.map(reported).transpose()?,
            // A member without a meaning: in v0.1, and in a runtime's own heartbeat.
            _ => None,
        };
        match door.kernel.heartbeat(call, HeartbeatRequest { status, metrics, report }).await? {
            Some(answer) => json(&answer),
            None => json(&HeartbeatResponse {}),
        }
    })
    .await
}

#[derive(Deserialize)]
struct Body<'a> {
    status: Health,
    #[serde(default, deserialize_with = "present")]
    metrics: Option<BTreeMap<String, f64>>,
    #[serde(borrow, default, deserialize_with = "present")]
    report: Option<&'a RawValue>,
}

fn reported(raw: &RawValue) -> Result<HeartbeatReport, Refusal> {
    serde_json::from_str(raw.get())
        .map_err(|error| Refusal::new(Code::RequestMalformed, format!("report: {error}")))
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
