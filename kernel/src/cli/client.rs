//! The admin API from outside: HTTPS, trusting the Kernel's own CA and nobody else.

use std::{error::Error, io, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use reqwest::{Method, Url, redirect, tls::Version};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde::{Serialize, de::DeserializeOwned};
use tokio::runtime::Runtime;

use farhold_contract::{Code, Problem, header, id::TenantId, problem, version::ContractVersion};
use farhold_terminal::Failure;

use crate::{
    clock::{Clock, SystemClock},
    random,
};

/// A Kernel on the same machine or network accepts at once.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Largest answer that is held in memory, in bytes.
const ANSWER_MAX_BYTES: usize = 64 << 20;

/// The admin API of one Kernel. Its calls block; no connection is made before the first.
pub(super) struct AdminDoor {
    runtime: Runtime,
    client: reqwest::Client,
    way: Way,
}

/// Where the Kernel is, and as whom it is asked. No `Debug`: the token is a secret.
pub(super) struct Way {
    /// The admin listener's base URL.
    pub(super) url: Url,
    /// The tenant of the administration.
    pub(super) tenant_id: TenantId,
    /// The admin token.
    pub(super) token: String,
}

/// One call.
pub(super) struct Ask {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    media_type: Option<&'static str>,
    body: Vec<u8>,
    patience: Duration,
}

impl Ask {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(super) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// With a parameter after the question mark, unless there is none.
    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a body.
    pub(super) fn body(mut self, media_type: &'static str, body: Vec<u8>) -> Self {
        self.media_type = Some(media_type);
        self.body = body;
        self
    }

    /// With a body of JSON.
    pub(super) fn json(self, body: &impl Serialize) -> anyhow::Result<Self> {
        Ok(self.body("application/json", serde_json::to_vec(body)?))
    }

    /// How long the whole answer may take: 30 s unless said otherwise.
    pub(super) const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            media_type: None,
            body: Vec::new(),
            patience: Duration::from_secs(30),
        }
    }
}

impl AdminDoor {
    /// A Kernel whose certificate leads to the CA in `ca`.
    ///
    /// # Errors
    /// `input.unreadable` for a CA file that is none.
    pub(super) fn new(ca: &Path, way: Way) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the system gives no event loop")?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(pinned(ca)?)
            .tls_version_min(Version::TLS_1_2)
            .https_only(true)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIME)
            .build()
            .context("the HTTP client can't be made")?;
        Ok(Self { runtime, client, way })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// `kernel.unreachable`, `kernel.untrusted`, or what the Kernel refused, as a [`Failure`].
    pub(super) fn call(&self, ask: Ask) -> anyhow::Result<Vec<u8>> {
        self.runtime.block_on(self.answered(ask))
    }

    /// Asks, and reads the answer as JSON.
    ///
    /// # Errors
    /// As [`AdminDoor::call`]; `kernel.answer_malformed` for an answer of another shape.
    pub(super) fn json<T: DeserializeOwned>(&self, ask: Ask) -> anyhow::Result<T> {
        let path = ask.path.clone();
        let body = self.call(ask)?;
        Ok(serde_json::from_slice(&body).map_err(|error| {
            let what = format!("the answer to {path} is of another version");
            Failure::new(Code::KernelAnswer, what).because(error)
        })?)
    }

    async fn answered(&self, ask: Ask) -> anyhow::Result<Vec<u8>> {
        let request = self.request(ask)?;
        let mut response = request.send().await.map_err(|error| self.failed(error))?;
        let status = response.status();
        let is_problem = response
            .headers()
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(problem::MEDIA_TYPE.as_bytes()));
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + piece.len() > ANSWER_MAX_BYTES {
                return Err(self.malformed("an answer without an end").into());
            }
            body.extend_from_slice(&piece);
        }
        if status.is_success() {
            return Ok(body);
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) if is_problem => Err(Failure::from(problem).into()),
            _ => Err(self.malformed(&format!("status {status} without a code")).into()),
        }
    }

    fn request(&self, ask: Ask) -> anyhow::Result<reqwest::RequestBuilder> {
        let mut url = self.way.url.clone();
        url.set_path(&ask.path);
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&ask.query);
        }
        let correlation_id = format!("cli-{}", random::id_v7(SystemClock.now()));
        let mut request = self
            .client
            .request(ask.method, url)
            .timeout(ask.patience)
            .header(header::CONTRACT_VERSION, ContractVersion::V0_2.as_str())
            .header(header::CORRELATION_ID, correlation_id)
            .header(header::TENANT_ID, self.way.tenant_id.to_string())
            .bearer_auth(&self.way.token);
        if let Some(media_type) = ask.media_type {
            request = request.header(http::header::CONTENT_TYPE, media_type).body(ask.body);
        }
        Ok(request)
    }

    fn failed(&self, error: reqwest::Error) -> Failure {
        let (url, untrusted) = (&self.way.url, is_untrusted(&error));
        let error = error.without_url();
        if untrusted {
            let what = format!("who answers at {url} is not this data directory's Kernel");
            return Failure::new(Code::KernelUntrusted, what)
                .because(error)
                .action("Give the ca.pem of that Kernel: --ca FILE.");
        }
        Failure::new(Code::KernelUnreachable, format!("the Kernel does not answer at {url}"))
            .because(error)
            .action("Start it (farhold-kernel run), or check --data and --admin-url.")
    }

    fn malformed(&self, what: &str) -> Failure {
        Failure::new(Code::KernelAnswer, format!("{} answers {what}", self.way.url))
    }
}

/// TLS that trusts one CA.
fn pinned(ca: &Path) -> anyhow::Result<ClientConfig> {
    let unreadable = |cause: Box<dyn Error + Send + Sync>| {
        let what = format!("{} is not a CA certificate that can be read", ca.display());
        Failure::new(Code::InputUnreadable, what)
            .because(cause)
            .action("Run farhold-kernel init first, or give --data or --ca.")
    };
    let mut anchors = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(error.into()))?;
    for certificate in certificates {
        anchors.add(certificate).map_err(|error| unreadable(error.into()))?;
    }
    if anchors.is_empty() {
        return Err(unreadable("it holds no certificate".into()).into());
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS can't be set up")?
        .with_root_certificates(anchors)
        .with_no_client_auth())
}

/// Whether the certificate was the reason: it hides inside the system's error type, more than once.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
        return true;
    }
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let held = held.map(|held| held as &(dyn Error + 'static));
    held.or_else(|| error.source()).is_some_and(is_untrusted)
}
