//! `GET /kernel/bundle`: the signed lines that stand for the caller's organization, so that a
//! product can verify its license itself.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use sha2::{Digest, Sha256};

use farhold_api::{Call, RuntimeHeader};

use crate::{kernel::LocalKernel, snapshot::Snapshot};

/// The route, for runtimes' doors.
pub(crate) fn routes(kernel: Arc<LocalKernel>) -> Router {
    Router::new().route("/kernel/bundle", get(bundle)).with_state(kernel)
}

async fn bundle(State(kernel): State<Arc<LocalKernel>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let headers = &head.headers;
    farhold_api::answer(headers, async {
        let call = Call::from_head(&head, &*kernel, RuntimeHeader::Required).await?;
        let lines = lines_for(&kernel.owner.snapshot(), &call);
        let tag = format!("\"{}\"", hex::encode(Sha256::digest(&lines)));
        let known =
            headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(CONTENT_TYPE, "application/jsonl")], Body::from(lines)).into_response()
        };
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(ETAG, tag);
        }
        Ok(response)
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
