//! An identity, asked of the Kernel: the one call that is handed on.

use std::time::Duration;

use farhold_api::{Call, Refusal};
use farhold_contract::{
    Code,
    call::resolve::{ResolveRequest, ResolveResponse},
};

use crate::link::{LinkError, LinkFailure};

use super::LocalKernel;

impl LocalKernel {
    /// Asks the Kernel: the site has no provider's keys.
    pub(super) async fn hand_on(
        &self,
        call: Call,
        request: ResolveRequest,
    ) -> Result<ResolveResponse, Refusal> {
        let line = self.line.as_ref().ok_or(Code::IdentityUnavailableOffline)?;
        // Nobody waits for a Kernel that is known not to answer, nor more at once than leaves
        // the doors to everybody else.
        if self.board.view().failing.is_some() {
            return Err(Code::IdentityUnavailableOffline.into());
        }
        let _turn = self
            .resolving
            .try_acquire()
            .map_err(|_| Refusal::from(Code::ServerOverloaded).after(Duration::from_secs(1)))?;
        let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
        let (tenant_id, token) = (request.tenant_id, &request.external_token);
        let client = line.client();
        let resolving = client.resolve(tenant_id, runtime_id, token, Some(&call.correlation_id));
        resolving.await.map_err(|error| handed_on(&error))
    }
}

/// The Kernel's own refusal is the runtime's to hear; anything else means that nobody could be
/// asked.
fn handed_on(error: &LinkError) -> Refusal {
    match &error.failure {
        LinkFailure::Problem(problem) => match problem.code {
            Some(code) => {
                Refusal { code, detail: problem.detail.clone(), retry_after: problem.retry_after }
            }
            None => Code::IdentityUnavailableOffline.into(),
        },
        _ => Code::IdentityUnavailableOffline.into(),
    }
}
