//! Call: who asks, in whose context, under which version of the contract.

use std::str::FromStr;

use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, HeaderName},
    request::Parts,
};

use farhold_contract::{
    Code, header,
    id::{RuntimeId, TenantId, TokenId},
    model::RuntimeType,
    version::{ContractVersion, UnsupportedVersion},
};

use crate::{
    credentials::{ClientCertificate, Credentials},
    kernel::Kernel,
    refusal::Refusal,
};

pub(crate) static TENANT_ID: HeaderName = HeaderName::from_static(header::TENANT_ID);
pub(crate) static RUNTIME_ID: HeaderName = HeaderName::from_static(header::RUNTIME_ID);
pub(crate) static CONTRACT_VERSION: HeaderName = HeaderName::from_static(header::CONTRACT_VERSION);
pub(crate) static CORRELATION_ID: HeaderName = HeaderName::from_static(header::CORRELATION_ID);

/// Who is calling, as the credentials say. Headers, path and body must agree with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose credentials they are.
    pub holder: Holder,
    /// The organization in whose context the holder may call; an agent's: the one it names, if
    /// that is one of its site's, else its own.
    pub tenant_id: TenantId,
    /// A runtime's: what it became at its first registration. An agent's: the one it names, if
    /// that is itself or registered through it, else itself.
    pub runtime_id: Option<RuntimeId>,
}

/// Whose credentials came with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A runtime's token.
    Runtime {
        /// The token, by the name under which it can be revoked.
        token_id: TokenId,
        /// What kind of runtime it is for.
        runtime_type: RuntimeType,
    },
    /// An agent's certificate: it speaks for itself and for the runtimes registered through it.
    Agent {
        /// The agent.
        agent_id: RuntimeId,
    },
}

/// Who asks, in whose context, under which version of the contract.
///
/// Made in one place, [`Call::from_head`]; whoever holds one knows that the credentials are good
/// and the headers agree with them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Who is calling, as the credentials say.
    pub principal: Principal,
    /// The organization; the principal's.
    pub tenant_id: TenantId,
    /// The runtime; the principal's, except at a first registration, where it is what the
    /// header says, if anything.
    pub runtime_id: Option<RuntimeId>,
    /// The contract the caller speaks.
    pub version: ContractVersion,
    /// Ties calls, events and log lines together: 1 to 128 visible ASCII characters.
    pub correlation_id: Box<str>,
}

/// Whether a call must name its runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeHeader {
    /// The call is a registered runtime's.
    Required,
    /// A runtime may make the call before it is registered.
    Optional,
}

impl Call {
    /// Reads the contract's headers, in the order in which the contract lists what can be wrong.
    ///
    /// # Errors
    /// `request.malformed` for a header sent twice; `contract.version_missing`,
    /// `contract.unsupported_version`; `correlation.missing`; `auth.missing`, `auth.invalid` and
    /// what else [`Kernel::authenticate`] says; `tenant.missing`, `tenant.mismatch`;
    /// `runtime.missing`, `runtime.not_registered`, `runtime.mismatch`.
    pub async fn from_head<K: Kernel>(
        head: &Parts,
        kernel: &K,
        runtime: RuntimeHeader,
    ) -> Result<Self, Refusal> {
        let headers = &head.headers;
        let version = single(headers, &CONTRACT_VERSION)?
            .ok_or(Code::ContractVersionMissing)?
            .to_str()
            .map_err(|_| UnsupportedVersion)
            .and_then(ContractVersion::from_str)
            .map_err(|why| Refusal::new(Code::ContractUnsupportedVersion, why.to_string()))?;
        let correlation_id = single(headers, &CORRELATION_ID)?
            .and_then(correlation)
            .ok_or(Code::CorrelationMissing)?
            .into();

        let (principal, claim) = match credentials(head)? {
            Offered::Token(token) => {
                // What a stranger names is not looked at.
                let principal = kernel.authenticate(Credentials::Token(token)).await?;
                (principal, Claim::read(headers)?)
            }
            Offered::Certificate(certificate) => {
                let claim = Claim::read(headers)?;
                let Claim { tenant_id, runtime_id } = claim;
                let credentials = Credentials::Certificate { certificate, tenant_id, runtime_id };
                (kernel.authenticate(credentials).await?, claim)
            }
        };
        if claim.tenant_id != principal.tenant_id {
            return Err(Code::TenantMismatch.into());
        }
        let runtime_id = match (claim.runtime_id, runtime) {
            (Some(named), _) => Some(named),
            (None, RuntimeHeader::Required) => return Err(Code::RuntimeMissing.into()),
            (None, RuntimeHeader::Optional) => principal.runtime_id,
        };
        match (principal.runtime_id, runtime) {
            (None, RuntimeHeader::Required) => return Err(Code::RuntimeNotRegistered.into()),
            (Some(_), _) if runtime_id != principal.runtime_id => {
                return Err(Code::RuntimeMismatch.into());
            }
            _ => {}
        }
        Ok(Self { principal, tenant_id: claim.tenant_id, runtime_id, version, correlation_id })
    }

    /// Holds the tenant a body names against the caller's.
    ///
    /// # Errors
    /// `tenant.mismatch`.
    pub fn agrees_on_tenant(&self, tenant_id: TenantId) -> Result<(), Refusal> {
        if tenant_id == self.tenant_id { Ok(()) } else { Err(Code::TenantMismatch.into()) }
    }

    /// Holds the runtime a path or body names against the caller's.
    ///
    /// # Errors
    /// `runtime.mismatch`.
    pub fn agrees_on_runtime(&self, runtime_id: RuntimeId) -> Result<(), Refusal> {
        if Some(runtime_id) == self.runtime_id { Ok(()) } else { Err(Code::RuntimeMismatch.into()) }
    }
}

/// What came with a call to say whose it is.
enum Offered<'a> {
    Token(&'a [u8]),
    Certificate(&'a ClientCertificate),
}

/// The token, or else the certificate of the connection: an agent calls without a token.
fn credentials(head: &Parts) -> Result<Offered<'_>, Refusal> {
    match single(&head.headers, &AUTHORIZATION)? {
        Some(value) => Ok(Offered::Token(bearer(value).ok_or(Code::AuthMissing)?)),
        None => head
            .extensions
            .get::<ClientCertificate>()
            .map(Offered::Certificate)
            .ok_or_else(|| Code::AuthMissing.into()),
    }
}

/// In whose name the caller says it calls.
struct Claim {
    tenant_id: TenantId,
    runtime_id: Option<RuntimeId>,
}

impl Claim {
    fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let tenant_id = single(headers, &TENANT_ID)?.and_then(id).ok_or(Code::TenantMissing)?;
        let runtime_id = single(headers, &RUNTIME_ID)?
            .map(|value| id(value).ok_or(Code::RuntimeMissing))
            .transpose()?;
        Ok(Self { tenant_id, runtime_id })
    }
}

/// The header's only value. Two of them are a way to be read differently by a proxy and by us.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::new(Code::RequestMalformed, format!("{name} is sent more than once")));
    }
    Ok(first)
}

/// The correlation id, if it can be kept and echoed.
pub(crate) fn correlation(value: &HeaderValue) -> Option<&str> {
    visible(value, header::CORRELATION_ID_MAX_BYTES)
}

/// The value, if it is 1 to `most` visible ASCII characters.
pub(crate) fn visible(value: &HeaderValue, most: usize) -> Option<&str> {
    let text = value.to_str().ok()?;
    let fits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(text)
}

/// The token of `Bearer <token>` (RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1).
fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(b"Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

fn id<I: FromStr>(value: &HeaderValue) -> Option<I> {
    value.to_str().ok()?.parse().ok()
}
