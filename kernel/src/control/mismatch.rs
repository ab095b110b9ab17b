//! A caller that names a tenant which is not its own: refused, and told to people (contract v0.2
//! §9, `tenant.mismatch`).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH},
};
use serde::Deserialize;
use serde_json::json;

use farhold_api::{ClientCertificate, Credentials, Holder, Limits, Principal};
use farhold_contract::{
    AlertCode, Code, Timestamp, header,
    id::{RuntimeId, TenantId},
};

use crate::{
    control_plane::ControlPlane,
    error_chain,
    storage::{NewAlert, no_trail},
};

use super::authenticate;

/// How long a caller's further mismatches are not told again.
const SPAN: Duration = Duration::from_secs(60);
/// Most callers held at once: each has good credentials, so there are few.
const CALLERS_MAX: usize = 4_096;
/// Longest problem document read again.
const PROBLEM_MAX_BYTES: usize = 16 << 10;

/// The contract's calls over the Kernel, with the alert for callers that name another's tenant.
///
/// Where header, path or body disagree with the credentials, the handlers refuse by themselves; the
/// refusal is looked at here, once, on its way out.
pub fn calls(plane: &Arc<ControlPlane>, limits: &Limits) -> Router {
    farhold_api::calls(Arc::clone(plane), limits).layer(from_fn_with_state(Arc::clone(plane), told))
}

async fn told(State(plane): State<Arc<ControlPlane>>, request: Request, next: Next) -> Response {
    let shown = Shown::with(&request);
    let response = next.run(request).await;
    if response.status() != StatusCode::FORBIDDEN {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, PROBLEM_MAX_BYTES).await else {
        // Our own problem documents are far shorter: there is none to pass on.
        head.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    };
    let code = serde_json::from_slice(&bytes).map(|Coded { code }| code);
    if code.is_ok_and(|code| code == Code::TenantMismatch)
        && let Some(principal) = shown.principal(&plane)
    {
        let claimed = shown.tenant_id.filter(|claimed| *claimed != principal.tenant_id);
        let mismatches = &plane.control.mismatches;
        mismatches.tell(&plane, &principal, claimed, &shown.correlation_id).await;
    }
    Response::from_parts(head, Body::from(bytes))
}

#[derive(Deserialize)]
struct Coded {
    code: Code,
}

/// What a caller showed: cheap to keep while its call is answered.
struct Shown {
    authorization: Option<HeaderValue>,
    certificate: Option<ClientCertificate>,
    tenant_id: Option<TenantId>,
    correlation_id: String,
}

impl Shown {
    fn with(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            authorization: headers.get(AUTHORIZATION).cloned(),
            certificate: request.extensions().get::<ClientCertificate>().cloned(),
            tenant_id: text(headers, header::TENANT_ID).and_then(|text| text.parse().ok()),
            correlation_id: text(headers, header::CORRELATION_ID).unwrap_or_default().to_owned(),
        }
    }

    /// Whose credentials they were. A tenant that is not the agent's own stands for none of it:
    /// the answer names the agent's own.
    fn principal(&self, plane: &ControlPlane) -> Option<Principal> {
        let credentials = match (&self.authorization, &self.certificate) {
            (Some(value), _) => {
                Credentials::Token(value.as_bytes().get("Bearer ".len()..)?.trim_ascii())
            }
            (None, Some(certificate)) => Credentials::Certificate {
                certificate,
                tenant_id: self.tenant_id?,
                runtime_id: None,
            },
            (None, None) => return None,
        };
        authenticate::principal(plane, credentials).ok()
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Who was told of within the last minute: a flood of mismatches is one write.
#[derive(Default)]
pub(crate) struct Mismatches(Mutex<BTreeMap<String, Timestamp>>);

impl Mismatches {
    /// Raises the alert, under the caller's own tenant. `claimed` is what it named in the header,
    /// where that is the one that disagrees.
    pub(crate) async fn tell(
        &self,
        plane: &ControlPlane,
        principal: &Principal,
        claimed: Option<TenantId>,
        correlation_id: &str,
    ) {
        let (caller, agent) = caller_of(principal);
        let now = plane.now();
        if !self.is_first(&caller, now) {
            return;
        }
        let alert = NewAlert {
            code: AlertCode::TenantMismatch,
            tenant_id: principal.tenant_id,
            agent,
            incident: format!("tenant.mismatch/{caller}"),
            at: now,
            detail: json!({
                "caller": caller, "claimed": claimed, "correlation_id": correlation_id,
            }),
        };
        if let Err(error) = plane.storage.raise_alert(alert, no_trail).await {
            tracing::error!(error = %error_chain(&error), alert = %AlertCode::TenantMismatch, "an alert could not be raised");
            self.said().remove(&caller);
        }
    }

    /// Forgets who was told of over a minute ago.
    pub(super) fn forget(&self, now: Timestamp) {
        self.said().retain(|_, at| *at <= now && now.saturating_since(*at) < SPAN);
    }

    /// Whether this caller was not told of within the last minute; it is taken as told.
    pub(crate) fn is_first(&self, caller: &str, now: Timestamp) -> bool {
        let mut said = self.said();
        let recent = said.get(caller).is_some_and(|at| now.saturating_since(*at) < SPAN);
        if recent || said.len() >= CALLERS_MAX {
            return false;
        }
        said.insert(caller.to_owned(), now);
        true
    }

    fn said(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The caller by a name that never holds a secret, and the agent if it is one.
fn caller_of(principal: &Principal) -> (String, Option<RuntimeId>) {
    match principal.holder {
        Holder::Runtime { token_id, .. } => (format!("runtime token {token_id}"), None),
        Holder::Agent { agent_id } => (format!("agent {agent_id}"), Some(agent_id)),
    }
}
