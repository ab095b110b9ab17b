//! `POST /kernel/entitlements/check`

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, HeaderValue, header::HeaderName};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use farhold_contract::{
    Code,
    call::check::{CheckContext, CheckRequest},
    header,
    id::{RuntimeId, TenantId},
    version::ContractVersion,
};

use crate::{
    answer::{answer, json, json_bytes},
    body::{self, fits, present},
    call::{Call, RuntimeHeader},
    idempotency::IdempotencyKey,
    kernel::{CheckQuestion, CheckReply, Kernel},
    refusal::Refusal,
    router::Door,
};

static IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static(header::IDEMPOTENCY_REPLAYED);

/// The largest number every JSON reader keeps whole.
const CONSUME_MAX: u64 = (1 << 53) - 1;

/// The path of the call.
pub(crate) const PATH: &str = "/kernel/entitlements/check";

pub(crate) async fn check<K: Kernel>(State(door): State<Door<K>>, request: Request) -> Response {
    check_at(&door, request).await
}

/// The call, from wherever it was routed.
pub(crate) async fn check_at<K: Kernel>(door: &Door<K>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    answer(&head.headers, async {
        let call = Call::from_head(&head, &*door.kernel, RuntimeHeader::Required).await?;
        let bytes = body::read(&head.headers, body, door.body_bytes, door.body_time).await?;
        let question = question(&call, &head.headers, &bytes, door.text_bytes)?;
        let version = call.version;
        match (door.kernel.check(call, question).await?, version) {
            (CheckReply::Decision(decision), ContractVersion::V0_1) => json(&decision.in_v0_1()),
            (CheckReply::Decision(decision), ContractVersion::V0_2) => json(&decision),
            (CheckReply::Stored { body, replayed }, _) => {
                let mut response = json_bytes(body);
                if replayed {
                    let replayed = HeaderValue::from_static("true");
                    response.headers_mut().insert(IDEMPOTENCY_REPLAYED.clone(), replayed);
                }
                Ok(response)
            }
        }
    })
    .await
}

#[derive(Deserialize)]
struct Body<'a> {
    tenant_id: TenantId,
    runtime_id: RuntimeId,
    feature: String,
    #[serde(borrow, default, deserialize_with = "present")]
    context: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default, deserialize_with = "present")]
    consume: Option<u64>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

fn question(
    call: &Call,
    headers: &HeaderMap,
    bytes: &[u8],
    text_bytes: usize,
) -> Result<CheckQuestion, Refusal> {
    let Body { tenant_id, runtime_id, feature, context } = body::parse(bytes)?;
    call.agrees_on_tenant(tenant_id)?;
    call.agrees_on_runtime(runtime_id)?;
    fits(&feature, text_bytes, "feature")?;
    let context = context.map(|raw| in_version(call.version, raw)).transpose()?.flatten();
    let consumes = context.as_ref().is_some_and(|context| context.consume.is_some());
    let key = match call.version {
        // v0.1 gives the header no meaning.
        ContractVersion::V0_1 => None,
        ContractVersion::V0_2 => IdempotencyKey::from_headers(headers)?,
    };
    let idempotency = match key {
        None => None,
        Some(key) if consumes => Some(key.over(bytes)),
        Some(_) => {
            return Err(Refusal::new(
                Code::IdempotencyKeyInvalid,
                "the key is for checks with context.consume",
            ));
        }
    };
    let request = CheckRequest { tenant_id, runtime_id, feature, context };
    Ok(CheckQuestion { request, idempotency })
}

/// The context, where the caller's contract gives it a meaning: v0.1 asks only for an object.
fn in_version(version: ContractVersion, raw: &RawValue) -> Result<Option<CheckContext>, Refusal> {
    if !raw.get().starts_with('{') {
        return Err(Refusal::new(Code::RequestMalformed, "context is not a JSON object"));
    }
    if version == ContractVersion::V0_1 {
        return Ok(None);
    }
    let Context { consume, other } = body::parse(raw.get().as_bytes())?;
    if consume.is_some_and(|units| !(1..=CONSUME_MAX).contains(&units)) {
        return Err(Refusal::new(
            Code::RequestMalformed,
            format!("context.consume is a whole number from 1 to {CONSUME_MAX}"),
        ));
    }
    Ok(Some(CheckContext { consume, other }))
}
