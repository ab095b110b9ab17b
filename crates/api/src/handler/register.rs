//! `POST /kernel/runtimes/register`

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use farhold_contract::{
    Code, Date,
    call::register::RegisterRequest,
    id::{RuntimeId, TenantId},
    model::{DeploymentMode, RuntimeType},
    version::ContractVersion,
};

use crate::{
    answer::{answer, json},
    body::{self, fits, present},
    call::{Call, Holder, RuntimeHeader},
    kernel::Kernel,
    refusal::Refusal,
    router::Door,
};

pub(crate) async fn register<K: Kernel>(State(door): State<Door<K>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    answer(&head.headers, async {
        let call = Call::from_head(&head, &*door.kernel, RuntimeHeader::Optional).await?;
        let bytes = body::read(&head.headers, body, door.body_bytes, door.body_time).await?;
        let request = stated(&call, &bytes, door.text_bytes)?;
        json(&door.kernel.register(call, request).await?)
    })
    .await
}

#[derive(Deserialize)]
struct Body<'a> {
    tenant_id: TenantId,
    runtime_type: RuntimeType,
    deployment_mode: DeploymentMode,
    version: String,
    capabilities: Vec<String>,
    // Read further in v0.2 alone: in v0.1 they are members without a meaning.
    #[serde(borrow, default, deserialize_with = "present")]
    runtime_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    released_on: Option<&'a RawValue>,
}

fn stated(call: &Call, bytes: &[u8], text_bytes: usize) -> Result<RegisterRequest, Refusal> {
    let body: Body<'_> = body::parse(bytes)?;
    call.agrees_on_tenant(body.tenant_id)?;
    fits(&body.version, text_bytes, "version")?;
    body.capabilities.iter().try_for_each(|text| fits(text, text_bytes, "a capability"))?;
    let (runtime_id, released_on) = match call.version {
        ContractVersion::V0_1 => (None, None),
        ContractVersion::V0_2 => (
            body.runtime_id.map(runtime_id).transpose()?,
            body.released_on.map(released_on).transpose()?,
        ),
    };
    match (call.principal.holder, call.runtime_id, runtime_id) {
        // An agent speaks in its own name for a runtime that is not known yet.
        (Holder::Agent { .. }, _, _) => {}
        // A header on a first registration has nothing to agree with but the body.
        (_, Some(_), None) if call.principal.runtime_id.is_none() => {
            return Err(Code::RuntimeMismatch.into());
        }
        (_, Some(_), Some(named)) => call.agrees_on_runtime(named)?,
        _ => {}
    }
    Ok(RegisterRequest {
        tenant_id: body.tenant_id,
        runtime_type: body.runtime_type,
        deployment_mode: body.deployment_mode,
        version: body.version,
        capabilities: body.capabilities,
        runtime_id,
        released_on,
    })
}

fn runtime_id(raw: &RawValue) -> Result<RuntimeId, Refusal> {
    serde_json::from_str(raw.get())
        .map_err(|_| Refusal::new(Code::RequestMalformed, "runtime_id is not a UUIDv7"))
}

fn released_on(raw: &RawValue) -> Result<Date, Refusal> {
    serde_json::from_str(raw.get()).map_err(|_| {
        Refusal::new(Code::RequestMalformed, "released_on is not a date, like 2027-01-31")
    })
}
