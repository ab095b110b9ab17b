//! Asks the router one call, and reads its answer.

use std::sync::Arc;

use axum::{Router, body::Body};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use farhold_api::{ClientCertificate, Limits, routes};
use farhold_contract::{Code, Problem};

use crate::site::{FRESH_TOKEN, RUNTIME, Site, TENANT, TOKEN};

pub(crate) const CORRELATION: &str = "c-42";

/// A call that is right until it is made wrong.
pub(crate) struct Ask {
    method: Method,
    path: String,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    certificate: Option<ClientCertificate>,
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
            body: serde_json::to_vec(&body).unwrap(),
            certificate: None,
        };
        ask.with("content-type", "application/json")
            .with("x-contract-version", "v0.2")
            .with("x-correlation-id", CORRELATION)
            .with("authorization", &format!("Bearer {TOKEN}"))
            .with("x-tenant-id", TENANT)
            .with("x-runtime-id", RUNTIME)
    }

    pub(crate) fn check() -> Self {
        Self::check_with(json!({}))
    }

    /// A check whose body has these members as well.
    pub(crate) fn check_with(members: Value) -> Self {
        let mut body =
            json!({"tenant_id": TENANT, "runtime_id": RUNTIME, "feature": "courses.play"});
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        Self::post("/kernel/entitlements/check", body)
    }

    /// A first registration whose body has these members as well.
    pub(crate) fn register_with(members: Value) -> Self {
        let mut body = json!({
            "tenant_id": TENANT, "runtime_type": "courses", "deployment_mode": "on_prem",
            "version": "1.4.0", "capabilities": ["video"],
        });
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        Self::post("/kernel/runtimes/register", body)
            .with("authorization", &format!("Bearer {FRESH_TOKEN}"))
            .without("x-runtime-id")
    }

    pub(crate) fn heartbeat(body: Value) -> Self {
        Self::post(&format!("/kernel/runtimes/{RUNTIME}/heartbeat"), body)
    }

    pub(crate) fn events(body: Value) -> Self {
        Self::post("/kernel/audit/events", body)
    }

    /// The same by an agent's certificate, without a token.
    pub(crate) fn by_certificate(mut self, der: &[u8]) -> Self {
        self.certificate = Some(ClientCertificate::from_der(der));
        self.without("authorization")
    }

    pub(crate) fn v0_1(self) -> Self {
        self.with("x-contract-version", "v0.1")
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn with_another(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The call as HTTP/1.1 writes it, with its length declared.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(&format!("content-length: {}", self.body.len()));
        bytes.extend(&self.body);
        bytes
    }

    /// The call's head alone, with `framing` as its last header.
    pub(crate) fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: site\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        format!("{head}{framing}\r\n\r\n").into_bytes()
    }

    /// Asks a router of its own.
    pub(crate) async fn of(self, site: &Arc<Site>) -> Answer {
        self.at(routes(Arc::clone(site), &Limits::STANDARD)).await
    }

    pub(crate) async fn at(self, router: Router) -> Answer {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        if let Some(certificate) = self.certificate {
            request.extensions_mut().insert(certificate);
        }
        let (head, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// The refusal of a call that must not reach the Kernel.
    pub(crate) async fn refused(self) -> Problem {
        let site = Site::new();
        let answer = self.of(&site).await;
        assert_eq!(site.reached(), 0);
        answer.problem()
    }

    /// The code of a call that must not reach the Kernel.
    pub(crate) async fn code(self) -> Code {
        self.refused().await.code
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of a `200`.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The problem of anything else, whole and in agreement with itself.
    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(self.status, problem.code.status());
        assert_eq!(problem.status, problem.code.status());
        assert_eq!(problem.title, problem.code.sentence());
        assert_eq!(problem.action, problem.code.action());
        assert_eq!(self.header("x-correlation-id"), problem.correlation_id.as_deref());
        assert_eq!(
            self.header("www-authenticate").is_some(),
            self.status == 401,
            "a 401 names the scheme it wants, nothing else does"
        );
        problem
    }
}
