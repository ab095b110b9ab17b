//! Asks the Kernel one call, and reads its answer.

use axum::body::{Body, to_bytes};
use http::{HeaderMap, HeaderName, Method, Request};
use serde_json::{Value, json};

use farhold_api::{Answers as _, ClientCertificate};
use farhold_contract::{
    Code, Problem,
    id::{RuntimeId, TenantId},
};

use crate::kernel::{Agent, Kernel, Runtime};

pub(crate) const CORRELATION: &str = "c-42";

/// A call that is right until it is made wrong. By default it speaks v0.2.
#[derive(Clone)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Value,
    certificate: Option<Vec<u8>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn post(path: &str, body: Value) -> Self {
        let ask = Self {
            method: Method::POST,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body,
            certificate: None,
        };
        ask.with("content-type", "application/json")
            .with("x-contract-version", "v0.2")
            .with("x-correlation-id", CORRELATION)
    }

    pub(crate) fn versions() -> Self {
        Self { method: Method::GET, ..Self::post("/kernel/contract", Value::Null) }
    }

    pub(crate) fn flags() -> Self {
        Self::versions().to("/kernel/flags")
    }

    pub(crate) fn register(tenant_id: TenantId) -> Self {
        Self::register_with(tenant_id, json!({}))
    }

    /// A registration whose body has these members as well.
    pub(crate) fn register_with(tenant_id: TenantId, members: Value) -> Self {
        let body = json!({
            "tenant_id": tenant_id, "runtime_type": "courses", "deployment_mode": "on_prem",
            "version": "1.4.0", "capabilities": ["video"],
        });
        Self::post("/kernel/runtimes/register", with_members(body, members)).for_tenant(tenant_id)
    }

    pub(crate) fn heartbeat(tenant_id: TenantId, runtime_id: RuntimeId) -> Self {
        let path = format!("/kernel/runtimes/{runtime_id}/heartbeat");
        Self::post(&path, json!({"status": "healthy"})).of_runtime(tenant_id, runtime_id)
    }

    pub(crate) fn check(tenant_id: TenantId, runtime_id: RuntimeId, feature: &str) -> Self {
        let body = json!({"tenant_id": tenant_id, "runtime_id": runtime_id, "feature": feature});
        Self::post("/kernel/entitlements/check", body).of_runtime(tenant_id, runtime_id)
    }

    pub(crate) fn events(tenant_id: TenantId, runtime_id: RuntimeId, body: Value) -> Self {
        Self::post("/kernel/audit/events", body).of_runtime(tenant_id, runtime_id)
    }

    pub(crate) fn resolve(tenant_id: TenantId, runtime_id: RuntimeId, token: &str) -> Self {
        let body = json!({"tenant_id": tenant_id, "external_token": token});
        Self::post("/kernel/identity/resolve", body).of_runtime(tenant_id, runtime_id)
    }

    /// The same with these members in its body, or instead of those it has.
    pub(crate) fn saying(self, members: Value) -> Self {
        Self { body: with_members(self.body, members), ..self }
    }

    /// The same with this member in an agent's report.
    pub(crate) fn reporting(mut self, name: &str, told: Value) -> Self {
        self.body["report"][name] = told;
        self
    }

    pub(crate) fn consuming(self, units: u64) -> Self {
        self.saying(json!({"context": {"consume": units}}))
    }

    pub(crate) fn under_key(self, key: &str) -> Self {
        self.with("idempotency-key", key)
    }

    pub(crate) fn for_tenant(self, tenant_id: TenantId) -> Self {
        self.with("x-tenant-id", &tenant_id.to_string())
    }

    pub(crate) fn of_runtime(self, tenant_id: TenantId, runtime_id: RuntimeId) -> Self {
        self.for_tenant(tenant_id).with("x-runtime-id", &runtime_id.to_string())
    }

    pub(crate) fn by_token(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn by(self, runtime: &Runtime) -> Self {
        self.by_token(&runtime.token)
    }

    pub(crate) fn by_agent(self, agent: &Agent) -> Self {
        self.by_certificate(&agent.certificate)
    }

    pub(crate) fn by_certificate(self, der: &[u8]) -> Self {
        Self { certificate: Some(der.to_vec()), ..self }
    }

    pub(crate) fn v0_1(self) -> Self {
        self.with("x-contract-version", "v0.1")
    }

    pub(crate) fn to(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    pub(crate) async fn of(self, kernel: &Kernel) -> Answer {
        let body = if self.body.is_null() { Body::empty() } else { self.body.to_string().into() };
        let mut request = Request::builder().method(self.method).uri(self.path).body(body).unwrap();
        *request.headers_mut() = self.headers;
        if let Some(der) = self.certificate {
            request.extensions_mut().insert(ClientCertificate::from_der(&der));
        }
        let response = kernel.router.answer(request).await;
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// The code it is refused with.
    pub(crate) async fn refused(self, kernel: &Kernel) -> Code {
        self.of(kernel).await.problem().code
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn problem(&self) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        let problem: Problem =
            serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{text}"));
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.status, problem.code.status());
        assert_eq!(problem.correlation_id.as_deref(), Some(CORRELATION));
        problem
    }
}

fn with_members(mut body: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}
