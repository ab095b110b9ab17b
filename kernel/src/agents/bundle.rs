//! `GET /kernel/agents/{runtime_id}/bundle`: the documents an agent is to stand at.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use sha2::{Digest, Sha256};

use farhold_api::{Refusal, answer};
use farhold_bundle::{
    LIMITS, PublicKey, Standing,
    payload::{Binding, License, SiteMode},
};
use farhold_contract::{Code, Sha256Digest, id::TenantId};

use crate::{
    agents::{caller::AgentCall, head::single, renew::runtime_id_of},
    control_plane::ControlPlane,
    documents::Documents,
};

/// A bundle is JSON Lines (bundle.md §1.9).
const MEDIA_TYPE: &str = "application/jsonl";

/// Bundles kept ready: as many different selections of licenses as sites are likely to have. One
/// beyond it is made again each time.
const KEPT_BUNDLES: usize = 1024;

pub(super) async fn pull(
    State(plane): State<Arc<ControlPlane>>,
    Path(runtime_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(&head.headers, async {
        let call = AgentCall::of(&head, &plane).await?;
        call.agrees_on(runtime_id_of(&runtime_id)?)?;
        // Its license could lift a restraint that its heartbeat has not heard of yet.
        call.requires_not_suspended()?;
        let bundle = plane
            .documents()
            .bundle_for(&call.agent.tenants, &call.agent.device_key)
            .ok_or(Code::RequestNotFound)?;
        let known = single(&head.headers, IF_NONE_MATCH.as_str())?;
        sent(&bundle, known)
    })
    .await
}

fn sent(bundle: &Bundle, known: Option<&HeaderValue>) -> Result<Response, Refusal> {
    let etag = format!("\"{}\"", bundle.digest);
    let matches = known
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
    let body = if matches { Body::empty() } else { Body::from(bundle.bytes.clone()) };
    let mut response = Response::new(body);
    if matches {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    }
    let etag = HeaderValue::from_str(&etag).map_err(|_| Code::ServerInternal)?;
    response.headers_mut().insert(ETAG, etag);
    Ok(response)
}

/// A bundle, ready to be sent.
pub(crate) struct Bundle {
    /// SHA-256 of the bytes.
    pub digest: Sha256Digest,
    /// One envelope a line.
    pub bytes: Bytes,
}

/// The bundles made of one snapshot of the documents, by the licenses in them: sites that get the
/// same share it.
#[derive(Default)]
pub(crate) struct BundleCache {
    /// The licenses of each tenant, by their place in the standing.
    by_tenant: BTreeMap<TenantId, Vec<usize>>,
    made: Mutex<BTreeMap<Vec<usize>, Arc<Bundle>>>,
}

impl BundleCache {
    /// Indexes the licenses that may stand at a managed site.
    pub(crate) fn new(standing: &Standing) -> Self {
        let mut by_tenant: BTreeMap<TenantId, Vec<usize>> = BTreeMap::new();
        for (at, license) in standing.licenses().iter().enumerate() {
            if license.modes.contains(&SiteMode::Managed) && !standing.revokes(license) {
                by_tenant.entry(license.tenant.tenant_id).or_default().push(at);
            }
        }
        Self { by_tenant, made: Mutex::default() }
    }
}

impl Documents {
    /// The bundle for an agent: every root from the first, the revocations, and the licenses of
    /// its tenants that can stand there. `None` while there is no root.
    ///
    /// A license bound to a fingerprint is not held back: the Kernel does not know fingerprints.
    pub(crate) fn bundle_for(
        &self,
        tenants: &[TenantId],
        device_key: &PublicKey,
    ) -> Option<Arc<Bundle>> {
        self.standing.root()?;
        let licenses = self.standing.licenses();
        let mut chosen: Vec<usize> = tenants
            .iter()
            .filter_map(|tenant_id| self.bundles.by_tenant.get(tenant_id))
            .flatten()
            .copied()
            .filter(|&at| licenses.get(at).is_some_and(|license| fits(license, device_key)))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        // Each change is one insert: whole, whatever happened to its thread.
        let mut made = self.bundles.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bundle) = made.get(&chosen) {
            return Some(Arc::clone(bundle));
        }
        let bundle = Arc::new(make(&self.standing, &chosen));
        if made.len() < KEPT_BUNDLES {
            made.insert(chosen, Arc::clone(&bundle));
        }
        Some(bundle)
    }
}

/// A license for another machine would have the agent refuse the whole bundle.
fn fits(license: &License, device_key: &PublicKey) -> bool {
    !matches!(&license.binding, Some(Binding::DeviceKey(bound)) if bound != device_key)
}

fn make(standing: &Standing, chosen: &[usize]) -> Bundle {
    let roots = standing.roots().iter().map(|root| root.root().line());
    let revocations = standing.revocations().into_iter().map(|document| document.line());
    let licenses =
        chosen.iter().filter_map(|&at| standing.licenses().get(at)).map(|license| license.line());
    let (mut bytes, mut lines) = (Vec::new(), 0);
    for line in roots.chain(revocations).chain(licenses) {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        lines += 1;
    }
    if lines > LIMITS.bundle_lines || bytes.len() > LIMITS.bundle_bytes {
        tracing::error!(
            lines,
            bytes = bytes.len(),
            "a site's documents exceed what one bundle holds"
        );
    }
    Bundle { digest: Sha256Digest::new(Sha256::digest(&bytes).into()), bytes: bytes.into() }
}
