//! One call on the wire: what every call carries, and how far its answer is believed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use reqwest::{Response, redirect};

use farhold_contract::{
    header::{CONTRACT_VERSION, CORRELATION_ID, RUNTIME_ID, TENANT_ID},
    id::{RuntimeId, TenantId},
    problem,
    version::ContractVersion,
};

use super::{
    answer::{ProblemAnswer, is_media_type, is_passing, retry_after},
    certificate::safe_text,
    dns::Names,
    enrollment::ClientIdentity,
    error::{LinkError, LinkFailure},
    failure,
    pinned::Anchors,
    settings::{AnswerLimits, BaseUrl, LinkSettings, Timeouts},
    tls,
};
use crate::{clock, random};

/// How long an unused connection is kept, so that a busy uplink shakes hands once.
const IDLE: Duration = Duration::from_secs(15);

pub(super) const JSON: &str = "application/json";
pub(super) const JSON_LINES: &str = "application/jsonl";
pub(super) const NDJSON: &str = "application/x-ndjson";

/// A call as it goes out.
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) tenant_id: Option<TenantId>,
    pub(super) runtime_id: Option<RuntimeId>,
    /// A runtime's own, where one is spoken for.
    pub(super) correlation_id: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// What the answer must be.
    pub(super) media_type: &'static str,
    pub(super) limit_bytes: usize,
    pub(super) within: Duration,
}

/// An answer that is what was asked for, as far as its head says.
#[derive(Debug)]
pub(super) enum Incoming {
    NotModified,
    Content { body: Vec<u8>, etag: Option<String> },
}

/// The way to one Kernel, with one identity.
pub(super) struct Wire {
    http: reqwest::Client,
    base: String,
    kernel: Arc<str>,
    proxy: Option<Arc<str>>,
    pub(super) timeouts: Timeouts,
    pub(super) limits: AnswerLimits,
}

impl Wire {
    pub(super) fn new(
        base_url: &str,
        anchors: &Anchors,
        identity: Option<&ClientIdentity>,
        settings: &LinkSettings,
    ) -> Result<Self, LinkError> {
        let fail =
            |kernel: &str, failure| LinkError { kernel: kernel.into(), proxy: None, failure };
        let settings_fail = |kernel: &str, reason| fail(kernel, LinkFailure::Settings { reason });
        let base: BaseUrl =
            base_url.parse().map_err(|why: &str| settings_fail("the Kernel", why.to_owned()))?;
        let kernel = format!("{}:{}", base.host(), base.port());
        let proxy = settings
            .proxy
            .choose(base.host(), base.port())
            .map_err(|error| settings_fail(&kernel, crate::error_chain(&error).to_string()))?;
        let tls = tls::client_config(anchors, identity)
            .map_err(|reason| fail(&kernel, LinkFailure::Identity { reason }))?;
        let Timeouts { connect, answer, .. } = settings.timeouts;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(Names(Arc::clone(&settings.resolver))))
            .https_only(true)
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("farhold/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect)
            .read_timeout(answer)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            // The environment is read by ProxySettings, or not at all.
            .no_proxy();
        if let Some(proxy) = &proxy {
            let proxy = proxy.to_reqwest();
            builder =
                builder.proxy(proxy.map_err(|error| settings_fail(&kernel, error.to_string()))?);
        }
        let http = builder
            .build()
            .map_err(|error| settings_fail(&kernel, error.without_url().to_string()))?;
        Ok(Self {
            http,
            base: base.as_str().to_owned(),
            kernel: kernel.into(),
            proxy: proxy.map(|proxy| proxy.authority().into()),
            timeouts: settings.timeouts,
            limits: settings.limits,
        })
    }

    /// A call that carries nothing and is answered in JSON.
    pub(super) fn call(&self, method: Method, path: String) -> Outgoing {
        Outgoing {
            method,
            path,
            tenant_id: None,
            runtime_id: None,
            correlation_id: None,
            headers: HeaderMap::new(),
            body: None,
            media_type: JSON,
            limit_bytes: self.limits.json_bytes,
            within: self.timeouts.answer,
        }
    }

    pub(super) async fn send(&self, call: Outgoing) -> Result<Incoming, LinkError> {
        let correlation_id = call.correlation_id.clone().unwrap_or_else(fresh_correlation_id);
        self.attempt(call, &correlation_id).await.map_err(|failure| self.error(failure))
    }

    /// What is wrong with an answer that came.
    pub(super) fn error(&self, failure: LinkFailure) -> LinkError {
        LinkError { kernel: Arc::clone(&self.kernel), proxy: self.proxy.clone(), failure }
    }

    async fn attempt(&self, call: Outgoing, correlation_id: &str) -> Result<Incoming, LinkFailure> {
        let within = call.within;
        let failed =
            |error: reqwest::Error| failure::of_call(&error, self.timeouts.connect, within);
        let conditional = call.headers.contains_key(header::IF_NONE_MATCH);
        let mut request = self
            .http
            .request(call.method.clone(), format!("{}{}", self.base, call.path))
            .headers(head(&call, correlation_id)?)
            .timeout(within);
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED && conditional {
            return Ok(Incoming::NotModified);
        }
        if status.is_redirection() {
            return Err(redirected(&response));
        }
        if !status.is_success() {
            return Err(self.refusal(response, correlation_id, &failed).await);
        }
        let content_type = text(&response, header::CONTENT_TYPE);
        if !is_media_type(content_type.as_deref(), call.media_type) {
            let found = content_type.map_or("no type".to_owned(), |found| safe_text(found, 100));
            let reason = format!("it is {found}, expected {}", call.media_type);
            return Err(LinkFailure::Malformed { reason });
        }
        // Nothing compressed was asked for.
        if text(&response, header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(LinkFailure::Malformed { reason: "it is compressed".to_owned() });
        }
        let etag = text(&response, header::ETAG);
        let body = read(response, call.limit_bytes, &failed).await?;
        Ok(Incoming::Content { body, etag })
    }

    /// A status of 400 and above: the Kernel's problem, or the word of someone on the way.
    async fn refusal(
        &self,
        response: Response,
        correlation_id: &str,
        failed: &impl Fn(reqwest::Error) -> LinkFailure,
    ) -> LinkFailure {
        let status = response.status().as_u16();
        let wait = text(&response, header::RETRY_AFTER).and_then(|value| {
            let date = text(&response, header::DATE);
            retry_after(&value, date.as_deref(), clock::wall())
        });
        let content_type = text(&response, header::CONTENT_TYPE);
        let problem = if is_media_type(content_type.as_deref(), problem::MEDIA_TYPE) {
            match read(response, self.limits.problem_bytes, failed).await {
                Ok(body) => ProblemAnswer::read(status, &body, correlation_id),
                Err(failure) => return failure,
            }
        } else {
            None
        };
        match problem {
            Some(problem) => {
                LinkFailure::Problem(Box::new(ProblemAnswer { retry_after: wait, ..problem }))
            }
            // A load balancer before the Kernel says so in its own words.
            None if is_passing(status) => LinkFailure::Problem(Box::new(ProblemAnswer {
                retry_after: wait,
                ..ProblemAnswer::bare(status, correlation_id)
            })),
            None => LinkFailure::Malformed { reason: format!("status {status} without a problem") },
        }
    }
}

fn head(call: &Outgoing, correlation_id: &str) -> Result<HeaderMap, LinkFailure> {
    let mut headers = call.headers.clone();
    let mut put = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value)
            .map_err(|_| LinkFailure::Other { reason: format!("{name} can't be sent") })?;
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    };
    put("accept", call.media_type)?;
    put(CONTRACT_VERSION, ContractVersion::V0_2.as_str())?;
    put(CORRELATION_ID, correlation_id)?;
    if let Some(tenant_id) = call.tenant_id {
        put(TENANT_ID, &tenant_id.to_string())?;
    }
    if let Some(runtime_id) = call.runtime_id {
        put(RUNTIME_ID, &runtime_id.to_string())?;
    }
    Ok(headers)
}

fn fresh_correlation_id() -> String {
    uuid::Builder::from_random_bytes(random::salt()).into_uuid().to_string()
}

fn text(response: &Response, name: HeaderName) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

fn redirected(response: &Response) -> LinkFailure {
    let location = text(response, header::LOCATION).unwrap_or_default();
    let host = location.parse::<Uri>().ok().and_then(|uri| uri.authority().map(|a| a.to_string()));
    // What stands after the host may be a captive portal's session.
    let to = match host {
        Some(host) => safe_text(host, 200),
        None => "another path".to_owned(),
    };
    LinkFailure::Redirected { status: response.status().as_u16(), to }
}

/// Reads a body, and no more of it than `limit` bytes.
async fn read(
    mut response: Response,
    limit: usize,
    failed: &impl Fn(reqwest::Error) -> LinkFailure,
) -> Result<Vec<u8>, LinkFailure> {
    if response.content_length().is_some_and(|bytes| bytes > limit as u64) {
        return Err(LinkFailure::TooLarge { limit });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > limit {
            return Err(LinkFailure::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
