//! `GET /kernel/bundle`: the signed lines that stand for the caller's organization, so that a
//! product can verify its license itself.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use sha2::{Digest, Sha256};

use farhold_api::{Call, RuntimeHeader, tagged};
use farhold_contract::Sha256Digest;

use crate::{kernel::LocalKernel, snapshot::Snapshot};

/// The route, for runtimes' doors.
pub(crate) fn routes(kernel: Arc<LocalKernel>) -> Router {
    Router::new().route("/kernel/bundle", get(bundle)).with_state(kernel)
}

async fn bundle(State(kernel): State<Arc<LocalKernel>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    farhold_api::answer(&head.headers, async {
        let call = Call::from_head(&head, &*kernel, RuntimeHeader::Required).await?;
        let lines = lines_for(&kernel.owner.snapshot(), &call);
        let digest = Sha256Digest::new(Sha256::digest(&lines).into());
        tagged(&head.headers, "application/jsonl", digest, lines.into())
    })
    .await
}

/// Roots and revocations, and the caller's own organization's licenses: no other's.
fn lines_for(snapshot: &Snapshot, call: &Call) -> Vec<u8> {
    let standing = &snapshot.documents.standing;
    let roots = standing.roots().iter().map(|root| root.root().line());
    let revocations = standing.revocations().map(|revocations| revocations.line());
    let own =
        standing.licenses().iter().filter(|license| license.tenant.tenant_id == call.tenant_id);
    let mut lines = Vec::new();
    for line in roots.chain(revocations).chain(own.map(|license| license.line())) {
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
    lines
}
