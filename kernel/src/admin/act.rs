//! Act: one call of the administration, and what is recorded of it.

use std::{future::Future, sync::Arc};

use axum::response::Response;
use http::{header::AUTHORIZATION, request::Parts};
use serde_json::{Value, json};

use farhold_api::{Call, Credentials, Holder, Kernel, Principal, Refusal, RuntimeHeader};
use farhold_contract::{
    AlertCode, Code,
    id::{RuntimeId, TenantId, TokenId},
    version::ContractVersion,
};

use crate::{
    control_plane::ControlPlane,
    own_event::OwnEvent,
    storage::{NewAlert, OwnRecord, Trail, no_trail},
};

/// One call of the administration. Every one leaves an event, whatever becomes of it.
#[derive(Clone)]
pub(super) struct Act {
    /// What it is done to.
    pub(super) plane: Arc<ControlPlane>,
    /// Who does it: their token's id.
    pub(super) token_id: TokenId,
    correlation_id: Box<str>,
    /// `kernel.admin.` and what is done: the `type` of its event.
    kind: &'static str,
}

/// Runs one call of the administration to its answer: who asks is established first, and a
/// refusal from then on is recorded like everything else.
pub(super) async fn acting<F>(
    plane: Arc<ControlPlane>,
    head: &Parts,
    kind: &'static str,
    doing: impl FnOnce(Act) -> F,
) -> Response
where
    F: Future<Output = Result<Response, Refusal>>,
{
    farhold_api::answer(&head.headers, async {
        let (token_id, correlation_id) = admitted(&plane, head).await?;
        let act = Act { plane, token_id, correlation_id, kind };
        let done = doing(act.clone()).await;
        if let Err(refusal) = &done {
            act.refused(refusal).await;
        }
        done
    })
    .await
}

/// Does what must not stop half way in a task of its own: a caller may hang up at any await.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(work).await.map_err(|_panic| Code::ServerInternal)?
}

impl Act {
    /// Records something that changes nothing; it is answered only afterwards.
    pub(super) async fn record(&self, about: Value) -> Result<(), Refusal> {
        let recorded = self.plane.storage.append_own(vec![self.event(about)]).await;
        recorded.map(drop).map_err(super::refusal)
    }

    /// What a change leaves in its own transaction.
    pub(super) fn trail<T>(
        &self,
        about: Value,
        mut others: Vec<OwnRecord>,
    ) -> impl FnOnce(&T) -> Trail + Send + use<T> {
        others.insert(0, self.event(about));
        move |_| Trail::events(others)
    }

    /// An event under an organization that this call concerns.
    pub(super) fn concerns(
        &self,
        tenant_id: TenantId,
        runtime_id: Option<RuntimeId>,
        kind: &'static str,
        about: Value,
    ) -> OwnRecord {
        self.finished(OwnEvent::new(tenant_id, kind, about), runtime_id)
    }

    /// The event of the call itself, under the tenant of the administration.
    pub(super) fn event(&self, about: Value) -> OwnRecord {
        self.finished(OwnEvent::new(self.plane.internal_tenant, self.kind, about), None)
    }

    fn finished(&self, event: OwnEvent, runtime_id: Option<RuntimeId>) -> OwnRecord {
        event
            .of_call(runtime_id, &self.correlation_id)
            .by(self.token_id.to_string())
            .record(self.plane.now())
    }

    async fn refused(&self, refusal: &Refusal) {
        let detail = refusal.detail.as_deref().unwrap_or_default();
        let about = json!({"refused": refusal.code, "detail": detail});
        if self.record(about).await.is_err() {
            tracing::warn!(code = %refusal.code, "a refusal could not be recorded");
        }
    }
}

/// Who asks: somebody of the tenant of the administration, in the contract's way; their token and
/// the call's correlation id.
async fn admitted(plane: &Arc<ControlPlane>, head: &Parts) -> Result<(TokenId, Box<str>), Refusal> {
    let called = Call::from_head(head, &**plane, RuntimeHeader::Optional).await;
    let call = match called {
        Err(refusal) if refusal.code == Code::TenantMismatch => {
            tell(plane, head).await;
            return Err(refusal);
        }
        called => called?,
    };
    let Principal { holder: Holder::Runtime { token_id, .. }, tenant_id, .. } = call.principal
    else {
        return Err(Code::AuthMissing.into());
    };
    if tenant_id != plane.internal_tenant {
        tell(plane, head).await;
        let detail = "only the tenant of the administration governs this Kernel";
        return Err(Refusal::new(Code::TenantMismatch, detail));
    }
    if call.version != ContractVersion::V0_2 {
        let detail = "the administration is spoken in v0.2";
        return Err(Refusal::new(Code::ContractUnsupportedVersion, detail));
    }
    Ok((token_id, call.correlation_id))
}

/// Raises the alert that someone asked for what is not their tenant's; once a token.
async fn tell(plane: &Arc<ControlPlane>, head: &Parts) {
    // What was refused as another tenant's has a token that holds, behind "Bearer ".
    let token = head.headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().get(7..));
    let Some(token) = token.map(<[u8]>::trim_ascii) else { return };
    let Ok(principal) = plane.authenticate(Credentials::Token(token)).await else { return };
    let Holder::Runtime { token_id, .. } = principal.holder else { return };
    let alert = NewAlert {
        code: AlertCode::TenantMismatch,
        tenant_id: principal.tenant_id,
        agent: None,
        incident: format!("administration:{token_id}"),
        at: plane.now(),
        detail: json!({"token_id": token_id, "asked_for": "administration"}),
    };
    if plane.storage.raise_alert(alert, no_trail).await.is_err() {
        tracing::warn!(tenant_id = %principal.tenant_id, "an alert could not be kept");
    }
}
