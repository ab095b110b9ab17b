//! Head: the headers of a call that its certificate or its body speaks for, not a token.

use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue};

use farhold_api::Refusal;
use farhold_contract::{
    Code, header,
    id::{RuntimeId, TenantId},
    version::{ContractVersion, UnsupportedVersion},
};

/// The version and the correlation id, which every call states (contract v0.1 §4).
///
/// # Errors
/// `contract.version_missing`, `contract.unsupported_version` for one that does not know agents;
/// `correlation.missing`; `request.malformed` for a header sent twice.
pub(crate) fn correlation_id(headers: &HeaderMap) -> Result<Box<str>, Refusal> {
    let version = single(headers, header::CONTRACT_VERSION)?.ok_or(Code::ContractVersionMissing)?;
    let version = version
        .to_str()
        .map_err(|_| UnsupportedVersion)
        .and_then(ContractVersion::from_str)
        .map_err(|why| Refusal::new(Code::ContractUnsupportedVersion, why.to_string()))?;
    if version < ContractVersion::V0_2 {
        let detail = format!("{version} does not have this call; v0.2 has");
        return Err(Refusal::new(Code::ContractUnsupportedVersion, detail));
    }
    single(headers, header::CORRELATION_ID)?
        .and_then(|value| value.to_str().ok())
        .filter(|text| {
            (1..=header::CORRELATION_ID_MAX_BYTES).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .map(Box::from)
        .ok_or_else(|| Code::CorrelationMissing.into())
}

/// In whose name the caller says it calls.
///
/// # Errors
/// `tenant.missing`, `runtime.missing`; `request.malformed` for a header sent twice.
pub(crate) fn claim(headers: &HeaderMap) -> Result<(TenantId, RuntimeId), Refusal> {
    let tenant_id = single(headers, header::TENANT_ID)?.and_then(id).ok_or(Code::TenantMissing)?;
    let runtime_id =
        single(headers, header::RUNTIME_ID)?.and_then(id).ok_or(Code::RuntimeMissing)?;
    Ok((tenant_id, runtime_id))
}

/// The header's only value. Two of them are a way to be read differently by a proxy and by us.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a HeaderValue>, Refusal> {
    let mut values = headers.get_all(HeaderName::from_static(name)).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::new(Code::RequestMalformed, format!("{name} is sent more than once")));
    }
    Ok(first)
}

fn id<I: FromStr>(value: &HeaderValue) -> Option<I> {
    value.to_str().ok()?.parse().ok()
}
